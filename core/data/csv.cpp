#include "core/data/csv.h"

#include "core/base/counted.h"
#include "core/text/utf8.h"

#include <algorithm>
#include <array>

namespace tempera {

namespace {

constexpr std::size_t most_columns = 10000;
/// A head line is not longer than this.
constexpr std::uint64_t longest_head = 1u << 20;
constexpr std::string_view delimiters = ",;\t|";

struct LineStyle {
    int delimiter = ','; ///< the one that stands most often outside of quotes in the first line
    int line_end = '\n'; ///< '\r' where it ends so and no '\n' follows
};

LineStyle style_of(ByteReader& bytes) {
    std::array<std::size_t, delimiters.size()> counts{};
    bool quoted = false;
    LineStyle style;
    for (int c = bytes.get(); c >= 0 && bytes.offset() < longest_head; c = bytes.get()) {
        if (c == '"') quoted = !quoted;
        if (quoted) continue;
        if (c == '\r' && bytes.peek() != '\n' && bytes.peek() >= 0) style.line_end = '\r';
        if (c == style.line_end) break;
        auto at = delimiters.find(static_cast<char>(c));
        if (at != delimiters.npos) ++counts[at];
    }
    auto most = std::max_element(counts.begin(), counts.end());
    style.delimiter = delimiters[static_cast<std::size_t>(most - counts.begin())];
    return style;
}

} // namespace

CsvReader::CsvReader(const std::filesystem::path& path) : bytes_(path) {
    bytes_.skip_byte_order_mark();
    auto begin = bytes_.offset();
    const LineStyle style = style_of(bytes_);
    delimiter_ = style.delimiter;
    line_end_ = style.line_end;
    bytes_.seek(begin);
    read_head();
}

void CsvReader::read_head() {
    do {
        ++number_;
        if (!read_record()) fail(ErrorKind::bad_input, bytes_.name() + " is empty: a head line is expected.");
    } while (fields_.size() == 1 && fields_.front().empty());
    if (fields_.size() > most_columns)
        fail(ErrorKind::bad_input, bytes_.name() + " has " + counted(fields_.size(), "column")
                                       + ", more than " + std::to_string(most_columns) + ".");
    columns_ = fields_;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        std::string& name = columns_[i];
        if (!is_valid_utf8(name) || record_bytes_ > longest_row)
            fail(ErrorKind::bad_input, bytes_.name()
                                           + " does not begin with a head line of UTF-8 text: save "
                                             "it as CSV UTF-8.");
        if (name.empty()) name = "column " + std::to_string(i + 1);
        if (std::find(columns_.begin(), columns_.begin() + static_cast<std::ptrdiff_t>(i), name)
            != columns_.begin() + static_cast<std::ptrdiff_t>(i))
            fail(ErrorKind::bad_input, bytes_.name() + " has the column " + to_json_line(name.substr(0, 80))
                                           + " twice: rename one.");
    }
}

void CsvReader::seek(RowPosition position) {
    if (position.byte == 0) { // the beginning lies behind the head line
        bytes_.seek(0);
        bytes_.skip_byte_order_mark();
        number_ = 0;
        return read_head();
    }
    bytes_.seek(position.byte);
    number_ = position.number;
}

void CsvReader::add(int c) {
    if (++record_bytes_ <= longest_row) fields_.back().push_back(static_cast<char>(c));
}

/// What follows an opening quote, up to the closing one.
void CsvReader::read_quoted() {
    for (int c = bytes_.get(); c >= 0; c = bytes_.get()) {
        if (c == '"') {
            if (bytes_.peek() != '"') return;
            bytes_.get();
        }
        add(c);
    }
    fail(ErrorKind::bad_input, bytes_.name() + " row " + std::to_string(number_)
                                   + " has a quote that is never closed: close it, or double a quote that "
                                     "belongs to the text.");
}

/// false at the end of the file.
bool CsvReader::read_record() {
    fields_.assign(1, "");
    record_bytes_ = 0;
    text_behind_quote_ = false;
    if (bytes_.peek() < 0) return false;
    bool at_start = true, was_quoted = false;
    for (int c = bytes_.get(); c >= 0 && c != line_end_; c = bytes_.get()) {
        if (c == '\r' && (bytes_.peek() == '\n' || bytes_.peek() < 0)) continue;
        if (c == '"' && at_start) {
            read_quoted();
            was_quoted = true;
        } else if (c == delimiter_) {
            if (fields_.size() <= most_columns) fields_.emplace_back();
            at_start = true;
            was_quoted = false;
            continue;
        } else {
            text_behind_quote_ |= was_quoted;
            add(c);
        }
        at_start = false;
    }
    return true;
}

std::optional<JsonRow> CsvReader::next_or_problem() {
    do {
        ++number_;
        if (!read_record()) return std::nullopt;
    } while (fields_.size() == 1 && fields_.front().empty());
    if (record_bytes_ > longest_row) return row_too_long(number_, bytes_.name());
    JsonRow row{Json(), number_, bytes_.name(), ""};
    if (text_behind_quote_)
        row.problem =
            row.place() + " has text behind a closing quote: double a quote that belongs to the text.";
    else if (fields_.size() != columns_.size())
        row.problem = row.place() + " has " + counted(fields_.size(), "field") + ", the head line "
                      + std::to_string(columns_.size()) + ".";
    else if (!std::all_of(fields_.begin(), fields_.end(), [](auto& text) { return is_valid_utf8(text); }))
        row.problem = row.place() + " is not UTF-8 text: save the file as CSV UTF-8.";
    if (!row.problem.empty()) return row;
    row.value = Json::object();
    for (std::size_t i = 0; i < columns_.size(); ++i)
        row.value[columns_[i]] = std::move(fields_[i]);
    return row;
}

} // namespace tempera
