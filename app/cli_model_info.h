#pragma once

#include <filesystem>

namespace tempera::cli {

/// The verb `model info` for a folder in Hugging Face layout, a PEFT adapter or a GGUF file. Returns the exit
/// code.
int show_model(const std::filesystem::path& folder, bool json);

} // namespace tempera::cli
