#pragma once

#include "core/base/json.h"
#include "core/base/stop_token.h"
#include "core/data/parquet.h"
#include "core/store/run_reader.h"

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <optional>

namespace tempera {

/// A run's data for other programs. CSV as RFC 4180 has it, but with plain line feeds: a head line, numbers
/// with all the digits that bring the same double back, nothing where there is no value, "NaN" and "inf" for
/// what is no number.

/// One line per step, one column per metric: step,loss,grad_norm,...
void write_metrics_csv(const RunReader& run, std::ostream& out);
/// temperature,n,mean,low,high,problems_done,problems_total
void write_sweep_cells_csv(const RunReader& run, std::ostream& out);
/// temperature,score,pass_at_1,format_rate,mean_length,truncated_share,samples_done,samples_total
void write_sweep_rows_csv(const RunReader& run, std::ostream& out);
/// One JSON object a line, by step, group and completion: step, group, prompt, facts and what
/// to_json(RolloutSample) has. One step at a time is in memory.
void write_rollouts_jsonl(const RunReader& run, std::ostream& out);
/// One JSON object a line, as to_json(Comparison) has it, by prompt.
void write_comparisons_jsonl(const RunReader& run, std::ostream& out);

/// Every metric as scalars of a TensorBoard event file (tag_of_metric); `start_seconds` is the Unix time that
/// step 0 gets, and every step a second more: when a step was is not stored.
void write_metrics_events(const RunReader& run, std::ostream& out, double start_seconds);

/// A field of a CSV line, in quotes where it needs them.
std::string csv_field(const std::string& text);

/// What a table of rows is written as.
enum class TableFormat { jsonl, csv, parquet };
/// By the end of a file's name, in capitals too: .jsonl, .ndjson or .json, .csv, .parquet; none for another.
std::optional<TableFormat> table_format_of(const std::filesystem::path& path);

/// Gives rows (JSON objects) one after another.
using ProduceRows = std::function<void(const std::function<void(const Json&)>& receive)>;
/// Writes what `produce` gives. CSV and Parquet have the columns of `columns` (a record; in CSV lists and
/// records are JSON); JSON lines have what is there. A few rows at a time are in memory.
void write_table(std::ostream& out, TableFormat format, const ParquetType& columns,
                 const ProduceRows& produce);

/// One object a sample, by temperature, prompt and sample: temperature, prompt_index, sample_index, prompt,
/// facts, text, token_ids, logprobs, logprob, finish, score, equation, value, reason; and these as columns.
/// One prompt at a time is in memory.
void for_each_sample_row(const RunReader& run, std::optional<double> only_temperature,
                         const std::function<void(const Json&)>& receive);
const ParquetType& sample_columns();
/// Columns that hold what `row` has: for data sets whose prompts are text or turns.
ParquetType columns_like(const Json& row);

/// Writes `path` through `write`; it is replaced as a whole or stays as it was, as where `stop` is requested.
/// Throws Error(io, disk_full, stopped) and what `write` throws.
void export_file(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write,
                 const StopToken& stop = {});

} // namespace tempera
