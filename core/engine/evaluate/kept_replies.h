#pragma once

#include "core/data/prompt_set.h"
#include "core/recipe/answer_fields.h"

#include <filesystem>
#include <span>
#include <string>

namespace tempera {

/// What a model in memory replies depends on its files, the prompts and the fields alone, so a base that many
/// tuned models are compared with replies once: its finished reply logs (ReplyLog) are kept in
/// cache_folder()/replies.

/// A name for the replies of the model in `folder`: it changes with everything they depend on. Reads all
/// weight files once. Throws Error(not_found, io).
std::string replies_key(const std::filesystem::path& folder, std::span<const TaskPrompt> prompts,
                        const PromptFields& style, const SamplingFields& sampling, double temperature,
                        const DeviceFields& device);

/// Copies the log kept under `key` to `log`; false where there is none or it cannot be copied.
bool take_kept_replies(const std::string& key, const std::filesystem::path& log);

/// Keeps `log`, and removes the logs that were not used for longest where all take more than `most_bytes`.
/// Throws Error(io, disk_full).
void keep_replies(const std::string& key, const std::filesystem::path& log,
                  std::uintmax_t most_bytes = std::uintmax_t{256} << 20);

} // namespace tempera
