#include "core/base/error.h"
#include "core/store/event_file.h"
#include "core/store/export.h"
#include "core/store/record_json.h"

#include <ostream>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string csv_cell(const Json& value) {
    if (value.is_null()) return "";
    return csv_field(value.is_string() ? value.get<std::string>() : to_json_line(value));
}

void write_csv(std::ostream& out, const ParquetType& columns, const ProduceRows& produce) {
    auto write_line = [&](const auto& cell_of) {
        for (std::size_t i = 0; i < columns.members.size(); ++i)
            out << (i > 0 ? "," : "") << cell_of(columns.members[i].first);
        out << '\n';
    };
    write_line([](const std::string& name) { return csv_cell(name); });
    produce([&](const Json& row) {
        write_line([&](const std::string& name) { return csv_cell(row.value(name, Json())); });
    });
}

void write_parquet(std::ostream& out, const ParquetType& columns, const ProduceRows& produce) {
    auto sink = load_parquet().create(
        [&](std::string_view bytes) { out.write(bytes.data(), static_cast<std::streamsize>(bytes.size())); },
        columns);
    produce([&](const Json& row) { sink->write(row); });
    sink->close();
}

ParquetType type_like(const Json& value) {
    using Kind = ParquetType::Kind;
    if (value.is_array())
        return {Kind::list, {{"item", value.empty() ? ParquetType{} : type_like(value.front())}}};
    if (value.is_boolean()) return {Kind::boolean};
    if (value.is_number()) return {Kind::number};
    if (!value.is_object()) return {Kind::text};
    ParquetType record{Kind::record};
    for (const auto& [name, member] : value.items())
        record.members.emplace_back(name, type_like(member));
    return record;
}

} // namespace

std::string csv_field(const std::string& text) {
    if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
    std::string quoted = "\"";
    for (char c : text) {
        if (c == '"') quoted += '"';
        quoted += c;
    }
    return quoted + '"';
}

void write_metrics_events(const RunReader& run, std::ostream& out, double start_seconds) {
    EventWriter writer(out, start_seconds);
    for (const auto& name : run.metric_names())
        for (const auto& point : run.metric(name))
            writer.scalar({tag_of_metric(name), point.step, start_seconds + static_cast<double>(point.step),
                           point.value});
}

std::optional<TableFormat> table_format_of(const fs::path& path) {
    std::string end = path.extension().string();
    for (char& c : end)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (end == ".jsonl" || end == ".ndjson" || end == ".json") return TableFormat::jsonl;
    if (end == ".csv") return TableFormat::csv;
    if (end == ".parquet") return TableFormat::parquet;
    return std::nullopt;
}

void write_table(std::ostream& out, TableFormat format, const ParquetType& columns,
                 const ProduceRows& produce) {
    switch (format) {
    case TableFormat::csv:
        return write_csv(out, columns, produce);
    case TableFormat::parquet:
        return write_parquet(out, columns, produce);
    case TableFormat::jsonl:
        return produce([&](const Json& row) { out << to_json_line(row) << '\n'; });
    }
}

void for_each_sample_row(const RunReader& run, std::optional<double> only_temperature,
                         const std::function<void(const Json&)>& receive) {
    auto prompts = run.prompts();
    for (double temperature : run.sampled_temperatures()) {
        if (only_temperature && temperature != *only_temperature) continue;
        for (const auto& prompt : prompts)
            for (const auto& sample : run.samples(temperature, prompt.index)) {
                Json row = to_json(sample);
                row["prompt"] = prompt.text;
                row["facts"] = facts_to_json(prompt.facts);
                receive(row);
            }
    }
}

const ParquetType& sample_columns() {
    using Kind = ParquetType::Kind;
    static const ParquetType columns{Kind::record,
                                     {{"temperature", {Kind::number}},
                                      {"prompt_index", {Kind::integer}},
                                      {"sample_index", {Kind::integer}},
                                      {"prompt", {Kind::text}},
                                      {"facts", {Kind::text}}, // as JSON
                                      {"text", {Kind::text}},
                                      {"token_ids", {Kind::list, {{"item", {Kind::integer}}}}},
                                      {"logprobs", {Kind::list, {{"item", {Kind::number}}}}},
                                      {"logprob", {Kind::number}},
                                      {"finish", {Kind::text}},
                                      {"score", {Kind::number}},
                                      {"equation", {Kind::text}},
                                      {"value", {Kind::text}},
                                      {"reason", {Kind::text}}}};
    return columns;
}

ParquetType columns_like(const Json& row) {
    return type_like(row);
}

} // namespace tempera
