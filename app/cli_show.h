#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace tempera::cli {

struct ShowOptions {
    std::string run;
    bool metrics = false;
    bool samples = false;
    bool events = false;
    bool json = false;
    std::optional<double> temperature;
    std::optional<std::int64_t> problem;
};

/// The verb `show`. Returns the exit code.
int show_run(const std::filesystem::path& workspace, const ShowOptions& options);

} // namespace tempera::cli
