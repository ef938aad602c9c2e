#include "app/cli_jsonl.h"

#include "app/cli_output.h"
#include "core/base/error.h"
#include "core/base/files.h"

#include <cerrno>
#include <optional>
#include <unistd.h>

namespace tempera::cli {

namespace {

constexpr std::size_t longest_line = 64u << 20;

/// Lines of standard input, read in large pieces.
class LineReader {
public:
    /// The next line without its end; nothing at the end of input. The last line needs no line end.
    std::optional<std::string_view> next() {
        for (std::size_t searched = begin_;;) {
            auto end = buffer_.find('\n', searched);
            if (end != std::string::npos) return take(end, end + 1);
            searched = buffer_.size();
            if (searched - begin_ > longest_line)
                fail(ErrorKind::bad_input,
                     "Standard input row " + std::to_string(number_ + 1) + " is longer than 64 MiB.");
            std::size_t moved = begin_;
            if (!read_more())
                return begin_ == buffer_.size() ? std::nullopt
                                                : std::optional(take(buffer_.size(), buffer_.size()));
            searched -= moved - begin_;
        }
    }
    std::int64_t number() const { return number_; }

private:
    std::string_view take(std::size_t end, std::size_t next_begin) {
        std::string_view line(buffer_.data() + begin_, end - begin_);
        begin_ = next_begin;
        ++number_;
        if (line.ends_with('\r')) line.remove_suffix(1);
        return line;
    }

    bool read_more() {
        flush_output();
        buffer_.erase(0, begin_);
        begin_ = 0;
        char piece[1 << 16];
        for (;;) {
            ssize_t count = ::read(STDIN_FILENO, piece, sizeof piece);
            if (count < 0 && errno == EINTR) continue;
            if (count < 0) fail_errno("Cannot read", "standard input", errno);
            buffer_.append(piece, static_cast<std::size_t>(count));
            return count > 0;
        }
    }

    std::string buffer_;
    std::size_t begin_ = 0;
    std::int64_t number_ = 0;
};

JsonRow parse_row(std::string_view line, std::int64_t number) {
    JsonRow row;
    row.number = number;
    row.source = "Standard input";
    row.value = parse_json(line, row.place());
    if (!row.value.is_object()) fail(ErrorKind::bad_input, row.place() + " is not a JSON object.");
    return row;
}

} // namespace

void for_each_row(const std::function<void(const JsonRow&)>& visit) {
    LineReader reader;
    while (auto line = reader.next()) {
        if (line->find_first_not_of(" \t") == std::string_view::npos) continue;
        std::string_view text = *line;
        if (reader.number() == 1 && text.starts_with("\xef\xbb\xbf"))
            text.remove_prefix(3); // a byte order mark
        visit(parse_row(text, reader.number()));
    }
    flush_output();
}

void write_row(const Json& value) {
    write_output(to_json_line(value) + "\n");
}

} // namespace tempera::cli
