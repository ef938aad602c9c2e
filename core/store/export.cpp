#include "core/store/export.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/store/record_json.h"

#include <charconv>
#include <cmath>
#include <map>
#include <ostream>
#include <streambuf>
#include <vector>

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

/// Hands what a stream collects to a staged file.
class StagedBuffer final : public std::streambuf {
public:
    StagedBuffer(StagedFile& file, const StopToken& stop) : file_(file), stop_(stop), piece_(1 << 16) {
        setp(piece_.data(), piece_.data() + piece_.size());
    }

private:
    int_type overflow(int_type c) override {
        sync();
        if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
        *pptr() = traits_type::to_char_type(c);
        pbump(1);
        return c;
    }
    int sync() override {
        if (stop_) fail(ErrorKind::stopped, "Stopped; nothing was written.");
        file_.write({pbase(), static_cast<std::size_t>(pptr() - pbase())});
        setp(piece_.data(), piece_.data() + piece_.size());
        return 0;
    }

    StagedFile& file_;
    const StopToken& stop_;
    std::vector<char> piece_;
};

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
        out << ',' << csv_field(name);
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

void export_file(const fs::path& path, const std::function<void(std::ostream&)>& write,
                 const StopToken& stop) {
    StagedFile file(path);
    StagedBuffer buffer(file, stop);
    std::ostream out(&buffer);
    out.exceptions(std::ios::badbit); // the stream throws on what the file threw
    write(out);
    out.flush();
    file.commit();
}

} // namespace tempera
