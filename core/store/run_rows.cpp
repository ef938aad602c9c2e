#include "core/store/run_rows.h"

#include <bit>

namespace tempera {

static_assert(std::endian::native == std::endian::little, "blobs are little endian");

namespace {

void run_once(SQLite::Statement& statement) {
    statement.exec();
    statement.reset();
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

} // namespace tempera
