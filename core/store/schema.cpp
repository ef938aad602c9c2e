#include "core/store/schema.h"

namespace tempera {

namespace {

// Metrics are clustered by series, so that a chart's next points are one range. Samples keep texts and blobs
// in the row: they are read per prompt; the lists read the index below.
constexpr const char* run_v1 = R"sql(
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
)sql";

// The scores of a whole temperature without touching a text.
constexpr const char* run_v2 = R"sql(
CREATE INDEX sample_scores ON sample(temperature, prompt_index, sample_index, score);
)sql";

// What training drew at a step, and what both sides of a win-rate said. Replies are few and read one prompt
// at a time, so the texts stay in the rows.
constexpr const char* run_v3 = R"sql(
CREATE TABLE rollout (
    step INTEGER NOT NULL,
    group_index INTEGER NOT NULL,
    prompt TEXT NOT NULL,
    facts TEXT NOT NULL,
    UNIQUE (step, group_index)
);
CREATE TABLE rollout_sample (
    step INTEGER NOT NULL,
    group_index INTEGER NOT NULL,
    sample_index INTEGER NOT NULL,
    text TEXT NOT NULL,
    finish TEXT NOT NULL,
    masked INTEGER NOT NULL,
    reward REAL, kl REAL, baseline REAL, advantage REAL, -- NULL = NaN
    note TEXT NOT NULL,
    rewards TEXT NOT NULL,            -- JSON object, null = NaN
    token_ids BLOB NOT NULL,          -- int32, little endian
    logprobs BLOB NOT NULL,           -- float32, little endian
    ref_logprobs BLOB NOT NULL,
    UNIQUE (step, group_index, sample_index),
    FOREIGN KEY (step, group_index) REFERENCES rollout(step, group_index) ON DELETE CASCADE
);
CREATE TABLE comparison (
    prompt_index INTEGER PRIMARY KEY,
    prompt TEXT NOT NULL,
    facts TEXT NOT NULL,
    base_text TEXT NOT NULL, base_tokens INTEGER NOT NULL, base_finish TEXT NOT NULL,
    base_score REAL, base_note TEXT NOT NULL,
    tuned_text TEXT NOT NULL, tuned_tokens INTEGER NOT NULL, tuned_finish TEXT NOT NULL,
    tuned_score REAL, tuned_note TEXT NOT NULL
);
)sql";

// The tokens of the replies, for the lens; rows of earlier versions have none.
constexpr const char* run_v4 = R"sql(
ALTER TABLE comparison ADD COLUMN base_token_ids BLOB NOT NULL DEFAULT x'';  -- int32, little endian
ALTER TABLE comparison ADD COLUMN base_logprobs BLOB NOT NULL DEFAULT x'';   -- float32, little endian
ALTER TABLE comparison ADD COLUMN tuned_token_ids BLOB NOT NULL DEFAULT x'';
ALTER TABLE comparison ADD COLUMN tuned_logprobs BLOB NOT NULL DEFAULT x'';
)sql";

constexpr const char* workspace_v1 = R"sql(
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
)sql";

// What a stage's result depends on, so that an unchanged stage of a study is reused.
constexpr const char* workspace_v2 = R"sql(
ALTER TABLE run ADD COLUMN fingerprint TEXT NOT NULL DEFAULT '';
CREATE INDEX run_fingerprint ON run(fingerprint) WHERE fingerprint <> '';
)sql";

} // namespace

const Schema& run_schema() {
    static const Schema schema{"run database", 0x54505231, {run_v1, run_v2, run_v3, run_v4}}; // "TPR1"
    return schema;
}

const Schema& workspace_schema() {
    static const Schema schema{"workspace", 0x54505731, {workspace_v1, workspace_v2}, true}; // "TPW1"
    return schema;
}

} // namespace tempera
