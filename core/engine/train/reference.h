#pragma once

#include "core/base/stop_token.h"
#include "core/engine/train/dpo_loss.h"
#include "core/engine/train/pair_examples.h"
#include "core/engine/train/pass_context.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace tempera {

/// The reference model's log-probabilities of a list of pairs. The reference never changes, so every pair is
/// computed at most once, whatever computes it and when.
struct ReferenceLogprobs {
    std::vector<PairLogprobs> values; ///< by example
    std::vector<bool> known;

    explicit ReferenceLogprobs(std::size_t examples = 0) : values(examples), known(examples) {}
};

/// Computes those of `rows` that are not known yet; `report` gets how many of them are done after every pass.
/// false where it was cancelled. Throws Error(numeric) naming the row where a value is not finite.
bool fill_reference(ReferenceLogprobs& reference, const PassContext& model,
                    const std::vector<PairExample>& examples, const std::vector<std::int64_t>& rows,
                    const StopToken& stop,
                    const std::function<void(std::int64_t done, std::int64_t of)>& report = {});

/// A name for the log-probabilities that the model in `folder` gives `examples`: it changes with the weights
/// (its own, and those of what it stands on, where it is an adapter), the tokens and the type of computation.
/// Reads all weight files once. Throws Error(not_found, io).
std::string reference_key(const std::filesystem::path& folder, const std::vector<PairExample>& examples,
                          const std::string& dtype);

/// What an earlier run stored under `key` in cache_folder()/reference; nothing known where there is none, or
/// where it is damaged or of another length.
ReferenceLogprobs load_reference(const std::string& key, std::size_t examples);

/// Stores it, and removes the files that were not used for longest where all take more than `most_bytes`.
/// Throws Error(io, disk_full).
void store_reference(const std::string& key, const ReferenceLogprobs& reference,
                     std::uintmax_t most_bytes = std::uintmax_t{256} << 20);

} // namespace tempera
