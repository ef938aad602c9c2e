#include "core/net/sse.h"

namespace tempera {

bool SseParser::feed(std::string_view piece) {
    for (char c : piece) {
        if (c == '\n' && after_return_) { // the second half of a CR LF
            after_return_ = false;
            continue;
        }
        after_return_ = c == '\r';
        if (c != '\n' && c != '\r') {
            if (line_.size() + data_.size() >= max_event_) {
                too_long_ = true;
                return false;
            }
            line_ += c;
        } else if (!end_line()) {
            return false;
        }
    }
    return true;
}

bool SseParser::end_line() {
    std::string line;
    line.swap(line_);
    if (line.starts_with("\xef\xbb\xbf")) line.erase(0, 3); // may stand at the begin of the stream
    if (line.empty()) return dispatch();
    const auto colon = line.find(':');
    if (line.substr(0, colon) != "data") return true; // a comment (the colon comes first) or another field
    if (has_data_) data_ += '\n';
    has_data_ = true;
    if (colon == line.npos) return true;
    data_.append(line, colon + 1 + (line.compare(colon + 1, 1, " ") == 0), line.npos);
    return true;
}

bool SseParser::dispatch() {
    if (!has_data_) return true;
    std::string data;
    data.swap(data_);
    has_data_ = false;
    return on_data_(data);
}

} // namespace tempera
