#include "core/store/run_rows.h"

#include "core/base/json.h"

#include <bit>
#include <cmath>
#include <limits>

namespace tempera {

static_assert(std::endian::native == std::endian::little, "blobs are little endian");

namespace {

void run_once(SQLite::Statement& statement) {
    statement.exec();
    statement.reset();
}

std::string rewards_text(const std::map<std::string, double>& rewards) {
    Json json = Json::object();
    for (const auto& [name, value] : rewards)
        json[name] = std::isfinite(value) ? Json(value) : Json();
    return to_json_line(json);
}

std::map<std::string, double> rewards_from(const std::string& text) {
    std::map<std::string, double> rewards;
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return rewards; // a damaged row tells what it still can
    for (const auto& [name, value] : json.items())
        rewards[name] = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    return rewards;
}

void insert_rollout_sample(SQLite::Statement& statement, const RolloutGroup& group,
                           const RolloutSample& sample) {
    const std::string rewards = rewards_text(sample.rewards);
    statement.bind(1, group.step);
    statement.bind(2, group.group);
    statement.bind(3, sample.sample_index);
    statement.bindNoCopy(4, sample.text);
    statement.bindNoCopy(5, sample.finish);
    statement.bind(6, sample.masked ? 1 : 0);
    bind_real(statement, 7, sample.reward);
    bind_real(statement, 8, sample.kl);
    bind_real(statement, 9, sample.baseline);
    bind_real(statement, 10, sample.advantage);
    statement.bindNoCopy(11, sample.note);
    statement.bindNoCopy(12, rewards);
    bind_blob(statement, 13, sample.token_ids);
    bind_blob(statement, 14, sample.logprobs);
    bind_blob(statement, 15, sample.ref_logprobs);
    run_once(statement);
}

/// Binds five columns from `index` on, and two from `tokens` on.
void bind_reply(SQLite::Statement& statement, int index, int tokens, const ComparedReply& reply) {
    statement.bindNoCopy(index, reply.text);
    statement.bind(index + 1, reply.tokens);
    statement.bindNoCopy(index + 2, reply.finish);
    bind_real(statement, index + 3, reply.score);
    statement.bindNoCopy(index + 4, reply.note);
    bind_blob(statement, tokens, reply.token_ids);
    bind_blob(statement, tokens + 1, reply.logprobs);
}

ComparedReply reply_from(SQLite::Statement& row, int column, int tokens) {
    return {row.getColumn(column).getString(),          row.getColumn(column + 1).getInt64(),
            row.getColumn(column + 2).getString(),      real_from(row.getColumn(column + 3)),
            row.getColumn(column + 4).getString(),      blob_from<std::int32_t>(row.getColumn(tokens)),
            blob_from<float>(row.getColumn(tokens + 1))};
}

} // namespace

void insert_sample(SQLite::Statement& statement, const Sample& sample) {
    statement.bind(1, sample.temperature);
    statement.bind(2, sample.prompt_index);
    statement.bind(3, sample.sample_index);
    bind_real(statement, 4, sample.score);
    statement.bindNoCopy(5, sample.finish);
    bind_real(statement, 6, sample.logprob);
    statement.bindNoCopy(7, sample.equation);
    statement.bindNoCopy(8, sample.value);
    statement.bindNoCopy(9, sample.reason);
    statement.bindNoCopy(10, sample.text);
    bind_blob(statement, 11, sample.token_ids);
    bind_blob(statement, 12, sample.logprobs);
    run_once(statement);
}

Sample sample_from(SQLite::Statement& row) {
    Sample sample;
    sample.temperature = row.getColumn(0).getDouble();
    sample.prompt_index = row.getColumn(1).getInt64();
    sample.sample_index = row.getColumn(2).getInt();
    sample.score = real_from(row.getColumn(3));
    sample.finish = row.getColumn(4).getString();
    sample.logprob = real_from(row.getColumn(5));
    sample.equation = row.getColumn(6).getString();
    sample.value = row.getColumn(7).getString();
    sample.reason = row.getColumn(8).getString();
    sample.text = row.getColumn(9).getString();
    sample.token_ids = blob_from<std::int32_t>(row.getColumn(10));
    sample.logprobs = blob_from<float>(row.getColumn(11));
    return sample;
}

void insert_event(SQLite::Statement& statement, const RunEvent& event) {
    statement.bind(1, event.time_ms);
    statement.bind(2, event.step);
    statement.bind(3, event.kind);
    statement.bind(4, event.message);
    run_once(statement);
}

void replace_progress(SQLite::Statement& statement, const Progress& progress) {
    statement.bind(1, progress.phase);
    statement.bind(2, progress.done);
    statement.bind(3, progress.total);
    statement.bind(4, progress.unit);
    bind_real(statement, 5, progress.rate);
    bind_real(statement, 6, progress.eta_seconds);
    bind_real(statement, 7, progress.memory_gib);
    run_once(statement);
}

void replace_cell(SQLite::Statement& statement, const SweepCell& cell) {
    statement.bind(1, cell.temperature);
    statement.bind(2, cell.n);
    bind_real(statement, 3, cell.mean);
    bind_real(statement, 4, cell.low);
    bind_real(statement, 5, cell.high);
    statement.bind(6, cell.problems_done);
    statement.bind(7, cell.problems_total);
    run_once(statement);
}

void replace_row(SQLite::Statement& statement, const SweepRow& row) {
    statement.bind(1, row.temperature);
    bind_real(statement, 2, row.score);
    bind_real(statement, 3, row.pass_at_1);
    bind_real(statement, 4, row.format_rate);
    bind_real(statement, 5, row.mean_length);
    bind_real(statement, 6, row.truncated_share);
    statement.bind(7, row.samples_done);
    statement.bind(8, row.samples_total);
    run_once(statement);
}

void replace_rollouts(SQLite::Database& db, const std::vector<RolloutGroup>& groups) {
    if (groups.empty()) return;
    SQLite::Statement clear(db, "DELETE FROM rollout WHERE step = ? AND group_index = ?");
    SQLite::Statement head(db, "INSERT INTO rollout (step, group_index, prompt, facts) VALUES (?, ?, ?, ?)");
    SQLite::Statement row(db, "REPLACE INTO rollout_sample (step, group_index, sample_index, text, finish, "
                              "masked, reward, kl, baseline, advantage, note, rewards, token_ids, logprobs, "
                              "ref_logprobs) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (const RolloutGroup& group : groups) {
        clear.bind(1, group.step);
        clear.bind(2, group.group);
        run_once(clear); // its samples go with it
        head.bind(1, group.step);
        head.bind(2, group.group);
        head.bindNoCopy(3, group.prompt);
        head.bindNoCopy(4, group.facts);
        run_once(head);
        for (const RolloutSample& sample : group.samples)
            insert_rollout_sample(row, group, sample);
    }
}

RolloutSample rollout_sample_from(SQLite::Statement& row) {
    RolloutSample sample;
    sample.sample_index = row.getColumn(1).getInt();
    sample.text = row.getColumn(2).getString();
    sample.finish = row.getColumn(3).getString();
    sample.masked = row.getColumn(4).getInt() != 0;
    sample.reward = real_from(row.getColumn(5));
    sample.kl = real_from(row.getColumn(6));
    sample.baseline = real_from(row.getColumn(7));
    sample.advantage = real_from(row.getColumn(8));
    sample.note = row.getColumn(9).getString();
    sample.rewards = rewards_from(row.getColumn(10).getString());
    sample.token_ids = blob_from<std::int32_t>(row.getColumn(11));
    sample.logprobs = blob_from<float>(row.getColumn(12));
    sample.ref_logprobs = blob_from<float>(row.getColumn(13));
    return sample;
}

void replace_comparisons(SQLite::Database& db, const std::vector<Comparison>& comparisons) {
    if (comparisons.empty()) return;
    SQLite::Statement statement(db, std::string("REPLACE INTO comparison (") + comparison_columns + ", "
                                        + comparison_token_columns
                                        + ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    for (const Comparison& comparison : comparisons) {
        statement.bind(1, comparison.prompt_index);
        statement.bindNoCopy(2, comparison.prompt);
        statement.bindNoCopy(3, comparison.facts);
        bind_reply(statement, 4, 14, comparison.base);
        bind_reply(statement, 9, 16, comparison.tuned);
        run_once(statement);
    }
}

Comparison comparison_from(SQLite::Statement& row) {
    return {row.getColumn(0).getInt64(), row.getColumn(1).getString(), row.getColumn(2).getString(),
            reply_from(row, 3, 13), reply_from(row, 8, 15)};
}

} // namespace tempera
