#include "app/cli_model_info.h"

#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_table.h"
#include "core/base/json.h"
#include "core/format/model_info.h"

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

/// Nested objects become "weights.bytes"; texts lose their quotes.
void add_lines(const Json& json, const std::string& prefix, std::vector<std::vector<std::string>>& lines) {
    for (const auto& [key, value] : json.items()) {
        if (value.is_object())
            add_lines(value, prefix + key + ".", lines);
        else if (value.is_number_integer() && value.get<std::int64_t>() >= 10000)
            lines.push_back({prefix + key, grouped(value.get<double>())});
        else
            lines.push_back(
                {prefix + key, one_line(value.is_string() ? value.get<std::string>() : to_json_line(value))});
    }
}

} // namespace

int show_model(const fs::path& folder, bool json) {
    Json description = to_json(describe_model(folder));
    std::vector<std::vector<std::string>> lines;
    add_lines(description, "", lines);
    write_output(json ? description.dump(2, ' ', false, Json::error_handler_t::replace) + "\n"
                      : text_table(lines, 2));
    return exit_done;
}

} // namespace tempera::cli
