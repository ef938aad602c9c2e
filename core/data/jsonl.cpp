#include "core/data/jsonl.h"

namespace tempera {

namespace {

std::string columns_of(const Json& row) {
    std::string list;
    for (const auto& [key, value] : row.items()) {
        if (list.size() > 200) return list + ", ...";
        list += (list.empty() ? "" : ", ") + key;
    }
    return list.empty() ? "none" : list;
}

[[noreturn]] void fail_column(const JsonRow& row, const std::string& name, const std::string& what,
                              RowFault fault = RowFault::wrong_type) {
    throw RowError(fault, row.place() + ", column \"" + name + "\": " + what + ".");
}

[[noreturn]] void fail_missing(const JsonRow& row, const std::string& names) {
    throw RowError(RowFault::missing, row.place() + " has no column " + names
                                          + " (its columns: " + columns_of(row.value) + ").");
}

std::string range_text(std::int64_t lowest, std::int64_t highest) {
    return "a whole number from " + std::to_string(lowest) + " to " + std::to_string(highest);
}

bool is_integer_within(const Json& value, std::int64_t lowest, std::int64_t highest) {
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(INT64_MAX))
        return false;
    if (!value.is_number_integer()) return false;
    auto number = value.get<std::int64_t>();
    return number >= lowest && number <= highest;
}

} // namespace

std::string JsonRow::text(std::initializer_list<const char*> names, bool may_be_empty) const {
    std::string list;
    for (const char* name : names) {
        list += (list.empty() ? "\"" : " or \"") + std::string(name) + "\"";
        auto found = value.find(name);
        if (found == value.end()) continue;
        if (is_bytes_value(*found)) fail_column(*this, name, "it holds bytes that are not UTF-8 text");
        if (!found->is_string())
            fail_column(*this, name, "text is expected, found " + std::string(found->type_name()));
        auto content = found->get<std::string>();
        if (content.empty() && !may_be_empty) fail_column(*this, name, "it is empty", RowFault::empty);
        return content;
    }
    fail_missing(*this, list);
}

std::int64_t JsonRow::integer(const char* name, std::int64_t lowest, std::int64_t highest) const {
    auto found = value.find(name);
    if (found == value.end()) fail_missing(*this, "\"" + std::string(name) + "\"");
    if (!is_integer_within(*found, lowest, highest))
        fail_column(*this, name, range_text(lowest, highest) + " is expected");
    return found->get<std::int64_t>();
}

std::vector<std::int64_t> JsonRow::integers(const char* name, std::size_t fewest, std::size_t most,
                                            std::int64_t lowest, std::int64_t highest) const {
    auto found = value.find(name);
    if (found == value.end()) fail_missing(*this, "\"" + std::string(name) + "\"");
    if (!found->is_array() || found->size() < fewest || found->size() > most)
        fail_column(*this, name,
                    "a list of " + std::to_string(fewest) + " to " + std::to_string(most)
                        + " whole numbers is expected");
    std::vector<std::int64_t> numbers;
    for (const auto& item : *found) {
        if (!is_integer_within(item, lowest, highest))
            fail_column(*this, name, "every item must be " + range_text(lowest, highest));
        numbers.push_back(item.get<std::int64_t>());
    }
    return numbers;
}

Json bytes_value(std::size_t count) {
    return {{"bytes", count}};
}

bool is_bytes_value(const Json& value) {
    return value.is_object() && value.size() == 1 && value.contains("bytes")
           && value["bytes"].is_number_unsigned();
}

JsonRow row_too_long(std::int64_t number, const std::string& source) {
    JsonRow row{Json(), number, source, ""};
    row.problem = row.place() + " is longer than " + std::to_string(longest_row >> 20) + " MiB.";
    return row;
}

JsonRow parse_row(std::string_view text, std::int64_t number, const std::string& source) {
    JsonRow row{Json(), number, source, ""};
    try {
        row.value = parse_json(text, row.place());
        if (row.value.is_object()) return row;
        row.problem = row.place() + " is not a JSON object such as {\"prompt\": ..., \"completion\": ...}.";
    } catch (const Error& error) {
        row.problem = error.what();
    }
    row.value = Json();
    return row;
}

JsonlReader::JsonlReader(const std::filesystem::path& path) : bytes_(path) {
    bytes_.skip_byte_order_mark(); // refuses one of UTF-16; the first line's is taken off when it is read
    bytes_.seek(0);
}

void JsonlReader::seek(RowPosition position) {
    bytes_.seek(position.byte);
    number_ = position.number;
}

bool JsonlReader::read_line() {
    line_.clear();
    too_long_ = false;
    int c = bytes_.get();
    if (c < 0) return false;
    for (; c >= 0 && c != '\n'; c = bytes_.get()) {
        if (line_.size() < longest_row)
            line_.push_back(static_cast<char>(c));
        else
            too_long_ = true;
    }
    return true;
}

std::optional<JsonRow> JsonlReader::next_or_problem() {
    while (read_line()) {
        ++number_;
        std::string_view content = line_;
        if (number_ == 1 && content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
        if (too_long_) return row_too_long(number_, bytes_.name());
        if (content.find_first_not_of(" \t\r") == content.npos) continue;
        return parse_row(content, number_, bytes_.name());
    }
    return std::nullopt;
}

std::optional<JsonRow> JsonlReader::next() {
    auto row = next_or_problem();
    if (row && !row->problem.empty()) throw RowError(RowFault::unreadable, row->problem);
    return row;
}

} // namespace tempera
