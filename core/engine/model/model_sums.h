#pragma once

#include <filesystem>
#include <string>

namespace tempera {

/// A text that changes with the config, the weights, the tokenizer or the chat template of the model in
/// `folder`, and where it is an adapter, with those of what it stands on. Reads all these files once. Throws
/// Error(not_found, io).
std::string model_sums(const std::filesystem::path& folder);

} // namespace tempera
