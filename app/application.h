#pragma once

#include <filesystem>
#include <memory>
#include <string>

class QApplication;

namespace tempera {

/// What the command line asks of the desktop program.
struct ApplicationOptions {
    std::filesystem::path workspace; ///< "" = the default one, which is tempera-cli's too
    std::string run;                 ///< a shipped recipe or file to submit and show
};

/// Builds and owns everything of the desktop program: workspace, queue, feed, window.
class Application {
public:
    Application(QApplication& application, ApplicationOptions options);
    ~Application();

    /// Shows the window and runs until it closes; the exit code. Throws Error where the workspace cannot be
    /// opened.
    int run();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// Writes the charts of the newest sweep as PNG, PDF, SVG and CSV into `folder`. Throws Error(not_found)
/// without a sweep.
void export_newest_sweep(const std::filesystem::path& workspace, const std::filesystem::path& folder);

} // namespace tempera
