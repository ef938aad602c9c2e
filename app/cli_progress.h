#pragma once

#include "core/store/records.h"

#include <chrono>
#include <set>
#include <string>

namespace tempera::cli {

/// Shows how far runs are, on standard error: on a terminal one line that is drawn again and again; elsewhere
/// a plain line when a phase first begins and every ten seconds, without carriage returns. One thread.
class ProgressPrinter {
public:
    explicit ProgressPrinter(bool quiet);
    ~ProgressPrinter();

    void show(const RunRecord& record);
    /// A line of its own, above the bar.
    void line(const std::string& text);
    /// Removes the bar.
    void clear();

private:
    void draw(const RunRecord& record, int columns);
    bool quiet_;
    bool drawn_ = false;
    std::set<std::string> places_; ///< run and phase
    std::chrono::steady_clock::time_point next_{};
    std::string last_; ///< plain line: not said twice
};

/// "training 812/2,000 steps (41 %), 2,310 tokens/s, 1.2 GiB, 2:31 left, done at 14:32".
std::string progress_words(const Progress& progress);

} // namespace tempera::cli
