#include "core/data/jsonl.h"

#include "core/base/error.h"

#include <system_error>

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

[[noreturn]] void fail_column(const JsonRow& row, const std::string& name, const std::string& what) {
    fail(ErrorKind::bad_input, row.place() + ", column \"" + name + "\": " + what + ".");
}

[[noreturn]] void fail_missing(const JsonRow& row, const std::string& names) {
    fail(ErrorKind::bad_input,
         row.place() + " has no column " + names + " (its columns: " + columns_of(row.value) + ").");
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
        if (!found->is_string())
            fail_column(*this, name, "text is expected, found " + std::string(found->type_name()));
        auto content = found->get<std::string>();
        if (content.empty() && !may_be_empty) fail_column(*this, name, "it is empty");
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

JsonlReader::JsonlReader(const std::filesystem::path& path) : path_(path) {
    std::error_code error;
    auto status = std::filesystem::status(path, error);
    if (!std::filesystem::exists(status))
        fail(ErrorKind::not_found, "There is no file " + path.string() + ".");
    if (std::filesystem::is_directory(status))
        fail(ErrorKind::bad_input, path.string() + " is a folder; a .jsonl file is expected.");
    file_.open(path, std::ios::binary);
    if (!file_) fail(ErrorKind::io, "Cannot open " + path.string() + " for reading; check its permissions.");
}

bool JsonlReader::read_line() {
    line_.clear();
    auto* buffer = file_.rdbuf();
    for (int c = buffer->sbumpc(); c != std::char_traits<char>::eof(); c = buffer->sbumpc()) {
        if (c == '\n') return true;
        if (line_.size() >= longest_row)
            fail(ErrorKind::bad_input, path_.filename().string() + " row " + std::to_string(number_ + 1)
                                           + " is longer than " + std::to_string(longest_row >> 20)
                                           + " MiB.");
        line_.push_back(static_cast<char>(c));
    }
    return !line_.empty();
}

std::optional<JsonRow> JsonlReader::next() {
    while (read_line()) {
        ++number_;
        std::string_view content = line_;
        if (number_ == 1 && content.starts_with("\xEF\xBB\xBF")) content.remove_prefix(3);
        if (content.find_first_not_of(" \t\r") == content.npos) continue;
        JsonRow row{Json(), number_, path_.filename().string()};
        row.value = parse_json(content, row.place());
        if (!row.value.is_object())
            fail(ErrorKind::bad_input,
                 row.place() + " is not a JSON object such as {\"prompt\": ..., \"completion\": ...}.");
        return row;
    }
    return std::nullopt;
}

} // namespace tempera
