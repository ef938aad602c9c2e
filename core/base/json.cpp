#include "core/base/json.h"

#include "core/base/error.h"
#include "core/base/files.h"

#include <unordered_set>
#include <vector>

namespace tempera {

Json parse_json(std::string_view text, const std::string& source) {
    constexpr int max_depth = 200;
    // The library takes a NUL byte for the end of the text and would ignore what follows.
    if (text.find('\0') != std::string_view::npos)
        fail(ErrorKind::bad_input, source + " is not valid JSON: it has a NUL byte.");
    std::vector<std::unordered_set<std::string>> keys;
    auto check = [&](int depth, Json::parse_event_t event, Json& value) {
        if (depth > max_depth) fail(ErrorKind::bad_input, source + " is nested deeper than 200 levels.");
        if (event == Json::parse_event_t::object_start) keys.emplace_back();
        if (event == Json::parse_event_t::object_end) keys.pop_back();
        if (event == Json::parse_event_t::key && !keys.back().insert(value.get<std::string>()).second)
            fail(ErrorKind::bad_input, source + " has the key \"" + value.get<std::string>() + "\" twice.");
        return true;
    };
    try {
        return Json::parse(text.begin(), text.end(), check);
    } catch (const Json::exception& error) {
        std::string reason = error.what(); // it quotes what was read last, however long
        if (reason.size() > 200) reason = reason.substr(0, 200) + "...";
        fail(ErrorKind::bad_input, source + " is not valid JSON: " + reason);
    }
}

Json read_json_file(const std::filesystem::path& path, std::size_t max_bytes) {
    return parse_json(read_file(path, max_bytes), path.string());
}

std::string to_json_line(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

} // namespace tempera
