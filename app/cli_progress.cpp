#include "app/cli_progress.h"

#include "app/cli_output.h"
#include "core/base/clock.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <unistd.h>

namespace tempera::cli {

namespace {

using std::chrono::steady_clock;
constexpr auto redraw_every = std::chrono::milliseconds(200);
constexpr auto line_every = std::chrono::seconds(10);
constexpr int widest_bar = 30;

double share_done(const Progress& progress) {
    if (progress.total <= 0) return 0;
    return std::clamp(static_cast<double>(progress.done) / static_cast<double>(progress.total), 0.0, 1.0);
}

std::string label_of(const RunRecord& record) {
    return record.stage.empty() ? record.name.empty() ? record.id : record.name : record.stage;
}

std::string count_words(const Progress& progress) {
    if (progress.total <= 0 && progress.done <= 0) return "";
    std::string text = grouped(static_cast<double>(progress.done));
    if (progress.total > 0) text += "/" + grouped(static_cast<double>(progress.total));
    return text + (progress.unit.empty() ? "" : " " + progress.unit);
}

std::string percent(const Progress& progress) {
    return progress.total > 0
               ? std::to_string(static_cast<int>(std::floor(share_done(progress) * 100))) + " %"
               : "";
}

std::string speed_words(const Progress& progress) {
    const char* unit = progress.unit == "MB" ? " MB/s" : " tokens/s";
    return progress.rate > 0 ? grouped(progress.rate) + unit : "";
}

std::string memory_words(const Progress& progress) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f GiB", progress.memory_gib);
    return progress.memory_gib > 0 ? text : "";
}

std::string eta_words(const Progress& progress) {
    if (!(progress.eta_seconds >= 0)) return "";
    return duration_words(progress.eta_seconds) + " left, done at " + clock_after(progress.eta_seconds);
}

std::string bar_of(double share, int width) {
    int full = static_cast<int>(share * width);
    std::string bar = "[";
    for (int i = 0; i < width; ++i)
        bar += i < full ? '=' : i == full ? '>' : ' ';
    return bar + "]";
}

} // namespace

std::string progress_words(const Progress& progress) {
    std::string words = progress.phase;
    if (auto count = count_words(progress); !count.empty()) words += (words.empty() ? "" : " ") + count;
    if (auto part = percent(progress); !part.empty()) words += " (" + part + ")";
    for (const auto& part : {speed_words(progress), memory_words(progress), eta_words(progress)})
        if (!part.empty()) words += ", " + part;
    return words;
}

ProgressPrinter::ProgressPrinter(bool quiet) : quiet_(quiet) {}

ProgressPrinter::~ProgressPrinter() {
    clear();
}

void ProgressPrinter::clear() {
    if (drawn_) write_error("\r\x1b[K");
    drawn_ = false;
}

void ProgressPrinter::line(const std::string& text) {
    if (quiet_) return;
    clear();
    write_error(one_line(text) + "\n");
    if (terminal_columns(STDERR_FILENO) > 0) next_ = {}; // the bar comes back at once
}

void ProgressPrinter::draw(const RunRecord& record, int columns) {
    const Progress& progress = record.progress;
    std::string head = label_of(record) + "  " + progress.phase + "  ";
    std::string tail;
    for (const auto& part :
         {percent(progress), count_words(progress), speed_words(progress), eta_words(progress)})
        if (!part.empty()) tail += "  " + part;
    int room = columns - 1 - static_cast<int>(text_columns(head) + text_columns(tail)) - 2;
    std::string bar =
        progress.total > 0 && room >= 8 ? bar_of(share_done(progress), std::min(room, widest_bar)) : "";
    std::string text = one_line(head + bar + tail);
    if (static_cast<int>(text_columns(text)) > columns - 1)
        text = fitted(text, static_cast<std::size_t>(std::max(columns - 1, 1)));
    write_error("\r" + text + "\x1b[K");
    drawn_ = true;
}

void ProgressPrinter::show(const RunRecord& record) {
    if (quiet_) return;
    auto now = steady_clock::now();
    std::string place = record.id + "/" + record.progress.phase;
    int columns = terminal_columns(STDERR_FILENO);
    bool moved = places_.insert(place).second;
    if (!moved && now < next_) return;
    next_ = now + (columns > 0 ? steady_clock::duration(redraw_every) : steady_clock::duration(line_every));
    if (columns > 0)
        draw(record, columns);
    else if (std::string text = one_line(label_of(record) + ": " + progress_words(record.progress));
             !record.progress.phase.empty() && text != last_)
        write_error((last_ = text) + "\n");
}

} // namespace tempera::cli
