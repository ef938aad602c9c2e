#include "core/store/export.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/store/record_json.h"

#include <cerrno>
#include <charconv>
#include <cmath>
#include <fcntl.h>
#include <fstream>
#include <map>
#include <random>
#include <unistd.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string number(double value) {
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value < 0 ? "-inf" : "inf";
    char text[40];
    auto end = std::to_chars(text, text + sizeof text, value).ptr;
    return std::string(text, end);
}

/// A field of a CSV line, in quotes where it needs them.
std::string quoted(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string result = "\"";
    for (char c : text) {
        if (c == '"') result += '"';
        result += c;
    }
    return result + '"';
}

/// Makes sure of the bytes before the name changes hands.
void sync_file(const fs::path& path) {
    int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) fail_errno("Cannot write", path, errno);
    int result = fsync(fd), reason = errno;
    close(fd);
    if (result != 0) fail_errno("Cannot write", path, reason);
}

} // namespace

void write_metrics_csv(const RunReader& run, std::ostream& out) {
    auto names = run.metric_names();
    std::map<std::int64_t, std::vector<std::string>> lines;
    for (std::size_t column = 0; column < names.size(); ++column)
        for (const auto& point : run.metric(names[column])) {
            auto& line = lines[point.step];
            line.resize(names.size());
            line[column] = number(point.value);
        }
    out << "step";
    for (const auto& name : names)
        out << ',' << quoted(name);
    out << '\n';
    for (const auto& [step, values] : lines) {
        out << step;
        for (const auto& value : values)
            out << ',' << value;
        out << '\n';
    }
}

void write_sweep_cells_csv(const RunReader& run, std::ostream& out) {
    out << "temperature,n,mean,low,high,problems_done,problems_total\n";
    for (const auto& cell : run.sweep_cells())
        out << number(cell.temperature) << ',' << cell.n << ',' << number(cell.mean) << ','
            << number(cell.low) << ',' << number(cell.high) << ',' << cell.problems_done << ','
            << cell.problems_total << '\n';
}

void write_sweep_rows_csv(const RunReader& run, std::ostream& out) {
    out << "temperature,score,pass_at_1,format_rate,mean_length,truncated_share,samples_done,samples_total\n";
    for (const auto& row : run.sweep_rows())
        out << number(row.temperature) << ',' << number(row.score) << ',' << number(row.pass_at_1) << ','
            << number(row.format_rate) << ',' << number(row.mean_length) << ',' << number(row.truncated_share)
            << ',' << row.samples_done << ',' << row.samples_total << '\n';
}

void write_samples_jsonl(const RunReader& run, std::ostream& out, std::optional<double> only_temperature) {
    auto prompts = run.prompts();
    for (double temperature : run.sampled_temperatures()) {
        if (only_temperature && temperature != *only_temperature) continue;
        for (const auto& prompt : prompts)
            for (const auto& sample : run.samples(temperature, prompt.index)) {
                Json line = to_json(sample);
                line["prompt"] = prompt.text;
                line["facts"] = facts_to_json(prompt.facts);
                out << to_json_line(line) << '\n';
            }
    }
}

void write_rollouts_jsonl(const RunReader& run, std::ostream& out) {
    for (std::int64_t step : run.rollout_steps())
        for (const auto& group : run.rollouts(step))
            for (const auto& sample : group.samples) {
                Json line = to_json(sample);
                line["step"] = group.step;
                line["group"] = group.group;
                line["prompt"] = group.prompt;
                line["facts"] = facts_to_json(group.facts);
                out << to_json_line(line) << '\n';
            }
}

void write_comparisons_jsonl(const RunReader& run, std::ostream& out) {
    for (const auto& comparison : run.comparisons())
        out << to_json_line(to_json(comparison)) << '\n';
}

void export_file(const fs::path& path, const std::function<void(std::ostream&)>& write) {
    require_replaceable(path);
    fs::path staging = path.string() + ".tmp-" + std::to_string(std::random_device{}());
    try {
        errno = 0;
        std::ofstream out(staging, std::ios::binary);
        if (out) write(out);
        out.flush();
        if (!out) fail_errno("Cannot write", path, errno != 0 ? errno : EIO);
        out.close();
        sync_file(staging);
        if (rename(staging.c_str(), path.c_str()) != 0) fail_errno("Cannot write", path, errno);
    } catch (...) {
        unlink(staging.c_str());
        throw;
    }
}

} // namespace tempera
