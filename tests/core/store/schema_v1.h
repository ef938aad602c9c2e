#pragma once

namespace tempera::test {

/// The first schema versions as they were released. Never edited.
inline constexpr const char* run_schema_v1 = R"sql(
CREATE TABLE metric_name (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE metric (
    name_id INTEGER NOT NULL REFERENCES metric_name(id),
    step INTEGER NOT NULL,
    value REAL,                       -- NULL = NaN
    PRIMARY KEY (name_id, step)
) WITHOUT ROWID;
CREATE INDEX metric_step ON metric(step);
CREATE TABLE event (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    time_ms INTEGER NOT NULL,
    step INTEGER NOT NULL,
    kind TEXT NOT NULL,
    message TEXT NOT NULL
);
CREATE TABLE progress (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    phase TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL, unit TEXT NOT NULL,
    rate REAL, eta_seconds REAL, memory_gib REAL
);
CREATE TABLE headline (name TEXT PRIMARY KEY, value REAL) WITHOUT ROWID;
CREATE TABLE checkpoint (
    step INTEGER PRIMARY KEY,
    folder TEXT NOT NULL,             -- relative to the run folder
    eval_loss REAL,
    best INTEGER NOT NULL
);
CREATE TABLE prompt (prompt_index INTEGER PRIMARY KEY, text TEXT NOT NULL, facts TEXT NOT NULL);
CREATE TABLE sample (
    id INTEGER PRIMARY KEY,
    temperature REAL NOT NULL,
    prompt_index INTEGER NOT NULL REFERENCES prompt(prompt_index),
    sample_index INTEGER NOT NULL,
    score REAL,
    finish TEXT NOT NULL,
    logprob REAL,
    equation TEXT NOT NULL,
    value TEXT NOT NULL,
    reason TEXT NOT NULL,
    text TEXT NOT NULL,
    token_ids BLOB NOT NULL,          -- int32, little endian
    logprobs BLOB NOT NULL,           -- float32, little endian
    UNIQUE (temperature, prompt_index, sample_index)
);
CREATE TABLE sweep_cell (
    temperature REAL NOT NULL, n INTEGER NOT NULL,
    mean REAL, low REAL, high REAL,
    problems_done INTEGER NOT NULL, problems_total INTEGER NOT NULL,
    PRIMARY KEY (temperature, n)
) WITHOUT ROWID;
CREATE TABLE sweep_row (
    temperature REAL PRIMARY KEY NOT NULL,
    score REAL, pass_at_1 REAL, format_rate REAL, mean_length REAL, truncated_share REAL,
    samples_done INTEGER NOT NULL, samples_total INTEGER NOT NULL
) WITHOUT ROWID;

PRAGMA application_id = 0x54505231;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
)sql";

inline constexpr const char* workspace_schema_v1 = R"sql(
CREATE TABLE study (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    recipe TEXT NOT NULL,
    created_ms INTEGER NOT NULL
);
CREATE TABLE run (
    id TEXT PRIMARY KEY NOT NULL,
    name TEXT NOT NULL,
    study TEXT REFERENCES study(id),  -- NULL = stands alone
    stage TEXT NOT NULL,
    kind TEXT NOT NULL,
    recipe TEXT NOT NULL,
    status TEXT NOT NULL,
    created_ms INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    ended_ms INTEGER NOT NULL,
    position INTEGER NOT NULL,
    phase TEXT NOT NULL, done INTEGER NOT NULL, total INTEGER NOT NULL, unit TEXT NOT NULL,
    rate REAL, eta_seconds REAL, memory_gib REAL,
    headline TEXT NOT NULL,           -- JSON object
    error TEXT NOT NULL,
    notes TEXT NOT NULL,
    tags TEXT NOT NULL                -- JSON array
);
CREATE INDEX run_position ON run(position);

PRAGMA application_id = 0x54505731;
PRAGMA user_version = 1;
PRAGMA journal_mode = WAL;
)sql";

} // namespace tempera::test
