#include "core/format/model_licence.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/format/gguf.h"
#include "core/format/package_model.h"

#include <fstream>
#include <string_view>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t longest_line = 4096;
constexpr int most_lines = 400; ///< of front matter

/// The next line, cut at longest_line, so that a file without line ends is not read into memory.
bool next_line(std::istream& file, std::string& line) {
    line.clear();
    int letter = 0;
    while ((letter = file.get()) != std::char_traits<char>::eof() && letter != '\n')
        if (line.size() < longest_line) line.push_back(static_cast<char>(letter));
    return !line.empty() || letter == '\n';
}

std::string trimmed(std::string_view text) {
    constexpr std::string_view blank = " \t\r\"'#*";
    const std::size_t begin = text.find_first_not_of(blank);
    if (begin == std::string_view::npos) return "";
    return std::string(text.substr(begin, text.find_last_not_of(blank) - begin + 1));
}

/// "other" says nothing; the hub's cards then have the name in license_name.
std::string of_front_matter(const fs::path& readme) {
    std::ifstream file(readme);
    std::string line, licence;
    if (!file || !next_line(file, line) || trimmed(line) != "---") return "";
    for (int lines = 0; lines < most_lines && next_line(file, line) && trimmed(line) != "---"; ++lines) {
        if (line.starts_with("license:")) licence = trimmed(std::string_view(line).substr(8));
        if (line.starts_with("license_name:") && (licence.empty() || licence == "other"))
            licence = trimmed(std::string_view(line).substr(13));
    }
    return licence;
}

std::string first_line(const fs::path& path) {
    std::ifstream file(path);
    std::string line;
    for (int lines = 0; file && lines < 20 && next_line(file, line); ++lines)
        if (std::string text = trimmed(line); !text.empty()) return text.substr(0, 80);
    return "";
}

std::string of_package(const fs::path& folder) {
    try {
        const Json origin = read_json_file(folder / "tempera_origin.json", 1u << 16);
        return package_model(origin.at("package").get<std::string>()).licence;
    } catch (const std::exception&) {
        return "";
    }
}

} // namespace

std::string licence_of(const fs::path& model) {
    std::error_code ignored;
    if (!fs::is_directory(model, ignored)) try {
            const GgufReader gguf = GgufReader::open(model);
            const GgufValue* value = gguf.value("general.license");
            return value ? std::string(value->text().value_or("")) : "";
        } catch (const Error&) {
            return "";
        }
    if (std::string licence = of_front_matter(model / "README.md"); !licence.empty()) return licence;
    for (const char* name : {"LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE"})
        if (fs::is_regular_file(model / name, ignored)) return first_line(model / name);
    return of_package(model);
}

} // namespace tempera
