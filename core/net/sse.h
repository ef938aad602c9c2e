#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

namespace tempera {

/// Reads a stream of server-sent events (WHATWG HTML, 9.2) piece by piece, wherever the pieces are cut. Only
/// the data of the events is kept: OpenAI's streams have no other field that matters.
class SseParser {
public:
    /// Gets the data of every event that is complete; false = enough, the rest is not read.
    using OnData = std::function<bool(std::string_view data)>;

    /// An event longer than `max_event` bytes is refused.
    explicit SseParser(OnData on_data, std::size_t max_event = 8u << 20)
        : on_data_(std::move(on_data)), max_event_(max_event) {}

    /// False where the stream had better be left: `on_data` has enough, or an event is too long.
    bool feed(std::string_view piece);
    bool too_long() const { return too_long_; }

private:
    bool end_line();
    bool dispatch();

    OnData on_data_;
    std::size_t max_event_;
    std::string line_, data_;
    bool has_data_ = false, after_return_ = false, too_long_ = false;
};

} // namespace tempera
