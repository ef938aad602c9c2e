#pragma once

#include "core/store/database.h"
#include "core/store/records.h"

#include <cstring>
#include <vector>

namespace tempera {

/// Between run.db's rows and the plain structs. The statements name the columns in the order these functions
/// expect.

template <typename Value>
void bind_blob(SQLite::Statement& statement, int index, const std::vector<Value>& values) {
    const void* data =
        values.empty() ? "" : static_cast<const void*>(values.data()); // a null pointer would bind NULL
    statement.bindNoCopy(index, data, static_cast<int>(values.size() * sizeof(Value)));
}

/// A blob of whole values; what is left over of a damaged one is dropped.
template <typename Value>
std::vector<Value> blob_from(const SQLite::Column& column) {
    std::vector<Value> values(static_cast<std::size_t>(column.getBytes()) / sizeof(Value));
    if (!values.empty()) std::memcpy(values.data(), column.getBlob(), values.size() * sizeof(Value));
    return values;
}

inline constexpr const char* insert_sample_sql =
    "INSERT INTO sample (temperature, prompt_index, sample_index, score, finish, logprob, equation, value, "
    "reason, text,"
    " token_ids, logprobs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
    " ON CONFLICT (temperature, prompt_index, sample_index) DO UPDATE SET score = excluded.score, finish = "
    "excluded.finish,"
    " logprob = excluded.logprob, equation = excluded.equation, value = excluded.value, reason = "
    "excluded.reason,"
    " text = excluded.text, token_ids = excluded.token_ids, logprobs = excluded.logprobs";
void insert_sample(SQLite::Statement& statement, const Sample& sample);

inline constexpr const char* sample_columns = "temperature, prompt_index, sample_index, score, finish, "
                                              "logprob, equation, value, reason, text, token_ids, logprobs";
Sample sample_from(SQLite::Statement& row);

inline constexpr const char* insert_event_sql =
    "INSERT INTO event (time_ms, step, kind, message) VALUES (?, ?, ?, ?)";
void insert_event(SQLite::Statement& statement, const RunEvent& event);

inline constexpr const char* replace_progress_sql =
    "REPLACE INTO progress (id, phase, done, total, unit, rate, eta_seconds, memory_gib) VALUES (1, ?, ?, ?, "
    "?, ?, ?, ?)";
void replace_progress(SQLite::Statement& statement, const Progress& progress);

inline constexpr const char* replace_cell_sql = "REPLACE INTO sweep_cell (temperature, n, mean, low, high, "
                                                "problems_done, problems_total) VALUES (?, ?, ?, ?, ?, ?, ?)";
void replace_cell(SQLite::Statement& statement, const SweepCell& cell);

inline constexpr const char* replace_row_sql = "REPLACE INTO sweep_row (temperature, score, pass_at_1, "
                                               "format_rate, mean_length, truncated_share, samples_done,"
                                               " samples_total) VALUES (?, ?, ?, ?, ?, ?, ?, ?)";
void replace_row(SQLite::Statement& statement, const SweepRow& row);

/// A rollout that is reported again replaces the earlier one with all its samples.
void replace_rollouts(SQLite::Database& db, const std::vector<RolloutGroup>& groups);

inline constexpr const char* rollout_sample_columns =
    "group_index, sample_index, text, finish, masked, reward, kl, baseline, advantage, note, rewards,"
    " token_ids, logprobs, ref_logprobs";
/// Column 0 is the group's.
RolloutSample rollout_sample_from(SQLite::Statement& row);

inline constexpr const char* comparison_columns =
    "prompt_index, prompt, facts, base_text, base_tokens, base_finish, base_score, base_note, tuned_text,"
    " tuned_tokens, tuned_finish, tuned_score, tuned_note";
/// Behind them; a file of an earlier version has none.
inline constexpr const char* comparison_token_columns =
    "base_token_ids, base_logprobs, tuned_token_ids, tuned_logprobs";
void replace_comparisons(SQLite::Database& db, const std::vector<Comparison>& comparisons);
Comparison comparison_from(SQLite::Statement& row);

} // namespace tempera
