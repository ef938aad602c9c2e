#pragma once

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
/// One JSON object a line, by temperature, prompt and sample: temperature, prompt_index, sample_index,
/// prompt, facts, text, token_ids, logprobs, logprob, finish, score, equation, value, reason. One prompt at a
/// time is in memory.
void write_samples_jsonl(const RunReader& run, std::ostream& out,
                         std::optional<double> only_temperature = std::nullopt);

/// One JSON object a line, by step, group and completion: step, group, prompt, facts and what
/// to_json(RolloutSample) has. One step at a time is in memory.
void write_rollouts_jsonl(const RunReader& run, std::ostream& out);
/// One JSON object a line, as to_json(Comparison) has it, by prompt.
void write_comparisons_jsonl(const RunReader& run, std::ostream& out);

/// Writes `path` through `write`; it is replaced as a whole or stays as it was. Throws Error(io, disk_full)
/// and what `write` throws.
void export_file(const std::filesystem::path& path, const std::function<void(std::ostream&)>& write);

} // namespace tempera
