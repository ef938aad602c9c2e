#include "core/data/json_rows.h"

namespace tempera {

namespace {

constexpr const char* data_key = "\"data\"";

bool is_space(int c) {
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

} // namespace

JsonReader::JsonReader(const std::filesystem::path& path) : bytes_(path) {
    find_list();
    list_at_ = bytes_.offset();
}

void JsonReader::refuse(const std::string& what) const {
    fail(ErrorKind::bad_input,
         bytes_.name() + (number_ > 0 ? ", behind row " + std::to_string(number_) + ": " : ": ") + what);
}

int JsonReader::skip_space() {
    while (is_space(bytes_.peek()))
        bytes_.get();
    return bytes_.peek();
}

void JsonReader::add(int c) {
    if (value_.size() < longest_row)
        value_.push_back(static_cast<char>(c));
    else
        too_long_ = true;
}

/// From an opening quote to its closing one.
void JsonReader::read_string() {
    add(bytes_.get());
    for (int c = bytes_.get(); c >= 0; c = bytes_.get()) {
        add(c);
        if (c == '"') return;
        if (c == '\\') {
            int escaped = bytes_.get();
            if (escaped >= 0) add(escaped);
        }
    }
    refuse("the file ends within a text; it was cut off.");
}

/// Takes one value as it is written; what it is made of is parse_json's matter. false where there is none.
bool JsonReader::read_value() {
    value_.clear();
    too_long_ = false;
    std::int64_t depth = 0;
    for (int c = skip_space(); c >= 0; c = bytes_.peek()) {
        if (c == '"') {
            read_string();
        } else {
            bool closes = c == '}' || c == ']';
            if (depth == 0 && (closes || c == ',' || c == ':' || is_space(c))) return !value_.empty();
            depth += c == '{' || c == '[' ? 1 : closes ? -1 : 0;
            add(bytes_.get());
        }
        if (depth == 0 && (value_.back() == '}' || value_.back() == ']' || value_.back() == '"')) return true;
    }
    if (depth > 0) refuse("the file ends within a row; it was cut off.");
    return !value_.empty();
}

/// From a key's opening quote to behind its colon; the key with its quotes.
std::string JsonReader::read_key() {
    value_.clear();
    too_long_ = false;
    read_string();
    std::string key = value_;
    if (skip_space() != ':') refuse("a \":\" is missing behind the key " + key.substr(0, 80) + ".");
    bytes_.get();
    skip_space();
    return key;
}

/// Whether what comes is the bracket of a list of objects; it comes then still.
bool JsonReader::at_list_of_objects() {
    if (bytes_.peek() != '[') return false;
    auto at = bytes_.offset();
    bytes_.get();
    bool objects = skip_space() == '{';
    bytes_.seek(at);
    return objects;
}

/// Stands behind the bracket of the list in member `wanted` of the file's object, or with "" of the first
/// member that is a list of objects.
bool JsonReader::enter_member(const std::string& wanted) {
    bytes_.get(); // the brace
    while (skip_space() == '"') {
        std::string key = read_key();
        if (wanted.empty() ? at_list_of_objects() : key == wanted && bytes_.peek() == '[') {
            bytes_.get();
            list_key_ = key;
            return true;
        }
        if (!read_value()) refuse("the key " + key.substr(0, 80) + " has no value.");
        if (skip_space() == ',') bytes_.get();
    }
    return false;
}

/// What stands behind the list: it must not be rows that nobody would miss.
void JsonReader::read_rest() {
    if (!list_key_.empty()) {
        while (skip_space() == ',') {
            bytes_.get();
            if (skip_space() != '"') refuse("a key is expected behind the list of " + list_key_ + ".");
            std::string key = read_key();
            if (list_key_ != data_key && at_list_of_objects())
                refuse("there are two lists of objects, " + list_key_.substr(0, 80) + " and "
                       + key.substr(0, 80)
                       + ": put each into a file of its own, e.g. train.json and test.json.");
            if (!read_value()) refuse("the key " + key.substr(0, 80) + " has no value.");
        }
        if (skip_space() != '}') refuse("the object around the list is not closed; the file was cut off.");
        bytes_.get();
    }
    if (skip_space() >= 0)
        refuse("there is text behind the end of the list, at byte " + std::to_string(bytes_.offset() + 1)
               + ": put all rows into one list, or one object a line into a .jsonl file.");
}

void JsonReader::find_list() {
    bytes_.skip_byte_order_mark();
    auto begin = bytes_.offset();
    int first = skip_space();
    if (first == '[') {
        bytes_.get();
        return;
    }
    if (first == '{') {
        if (enter_member(data_key)) return;
        bytes_.seek(begin);
        skip_space();
        if (enter_member("")) return;
    }
    refuse("a list of objects is expected, or an object with such a list, e.g. {\"data\": [..]}.");
}

void JsonReader::seek(RowPosition position) {
    bytes_.seek(position.byte == 0 ? list_at_ : position.byte);
    number_ = position.byte == 0 ? 0 : position.number;
    ended_ = false;
}

std::optional<JsonRow> JsonReader::next_or_problem() {
    if (ended_) return std::nullopt;
    int c = skip_space();
    if (c == ',' && number_ > 0) {
        bytes_.get();
        c = skip_space();
    } else if (c != ']' && c >= 0 && number_ > 0) {
        refuse("a comma is missing between two rows.");
    }
    if (c < 0) refuse("the list is not closed; the file was cut off.");
    if (c == ']') {
        auto at = bytes_.offset();
        bytes_.get();
        read_rest();
        bytes_.seek(at); // this place, sought again, is the end again
        ended_ = true;
        return std::nullopt;
    }
    ++number_;
    if (!read_value()) refuse("a row is expected.");
    if (too_long_) return row_too_long(number_, bytes_.name());
    return parse_row(value_, number_, bytes_.name());
}

bool is_json_lines(const std::filesystem::path& path) {
    ByteReader bytes(path);
    bytes.skip_byte_order_mark();
    while (is_space(bytes.peek()))
        bytes.get();
    if (bytes.peek() != '{') return false;
    bool quoted = false, list = false;
    std::int64_t depth = 0;
    for (int c = bytes.get(); c >= 0 && bytes.offset() <= longest_row; c = bytes.get()) {
        if (quoted) {
            if (c == '\\') bytes.get();
            quoted = c != '"';
            continue;
        }
        quoted = c == '"';
        list |= depth == 1 && c == '[';
        depth += c == '{' || c == '[' ? 1 : c == '}' || c == ']' ? -1 : 0;
        if (depth > 0) continue;
        while (is_space(bytes.peek()))
            bytes.get();
        // Behind the first object another one, or nothing and no list in it that could be the rows.
        return bytes.peek() == '{' || (bytes.peek() < 0 && !list);
    }
    return false;
}

} // namespace tempera
