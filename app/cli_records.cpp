#include "app/cli_records.h"

#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_table.h"
#include "core/base/joined.h"
#include "core/store/run_folder.h"

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

/// The stored text as JSON; as text where it is none, so that one broken row does not hide the others.
Json parsed_or_text(const std::string& text) {
    Json value = Json::parse(text, nullptr, false);
    return value.is_discarded() ? Json(text) : value;
}

} // namespace

Json to_json(const RunRecord& record, const std::filesystem::path& folder) {
    const Progress& p = record.progress;
    Json json = {{"id", record.id},
                 {"name", record.name},
                 {"kind", record.kind},
                 {"status", name_of(record.status)},
                 {"created_ms", record.created_ms},
                 {"started_ms", record.started_ms},
                 {"ended_ms", record.ended_ms},
                 {"progress",
                  {{"phase", p.phase},
                   {"done", p.done},
                   {"total", p.total},
                   {"unit", p.unit},
                   {"rate", p.rate},
                   {"eta_seconds", p.eta_seconds},
                   {"memory_gib", p.memory_gib}}},
                 {"headline", record.headline},
                 {"folder", folder.string()},
                 {"recipe", parsed_or_text(record.recipe)}};
    if (!record.study.empty()) json["study"] = record.study;
    if (!record.stage.empty()) json["stage"] = record.stage;
    if (!record.error.empty()) json["error"] = record.error;
    if (!record.notes.empty()) json["notes"] = record.notes;
    if (!record.tags.empty()) json["tags"] = record.tags;
    return json;
}

Json to_json(const SweepCell& cell) {
    return {{"temperature", cell.temperature},
            {"n", cell.n},
            {"mean", cell.mean},
            {"low", cell.low},
            {"high", cell.high},
            {"problems_done", cell.problems_done},
            {"problems_total", cell.problems_total}};
}

Json to_json(const SweepRow& row) {
    return {{"temperature", row.temperature},   {"score", row.score},
            {"pass_at_1", row.pass_at_1},       {"format_rate", row.format_rate},
            {"mean_length", row.mean_length},   {"truncated_share", row.truncated_share},
            {"samples_done", row.samples_done}, {"samples_total", row.samples_total}};
}

Json sweep_to_json(const RunReader& reader, const Json& recipe) {
    Json cells = Json::array(), rows = Json::array();
    auto measured = reader.sweep_cells();
    for (const auto& cell : measured)
        cells.push_back(to_json(cell));
    for (const auto& row : reader.sweep_rows())
        rows.push_back(to_json(row));
    Json json = {{"cells", cells}, {"rows", rows}};
    if (auto best = best_cell(measured)) json["best"] = to_json(*best);
    if (auto paper = paper_beside(recipe))
        json["paper"] = {{"source", paper->source},
                         {"sft", paper->sft},
                         {"best_of_n", paper->best_of_n},
                         {"best_n", paper->best_n},
                         {"best_temperature", paper->best_temperature}};
    return json;
}

RunRecord find_run(const Workspace& workspace, const std::string& id) {
    return as_usage([&] { return workspace.require_run(id); });
}

ShownRun find_shown_run(const fs::path& given, const std::string& run) {
    std::error_code ignored;
    if (run.find('/') != std::string::npos || fs::exists(fs::path(run) / recipe_file, ignored)) {
        if (auto record = describe_run_folder(run)) return {*record, fs::absolute(run).lexically_normal()};
        throw UsageError(run + " is not a run folder: it holds no readable recipe.json.");
    }
    fs::path folder = workspace_or_default(given);
    if (!fs::exists(folder / "workspace.db"))
        throw UsageError("There is no run \"" + run + "\": " + folder.string() + " holds no workspace yet.");
    Workspace workspace(folder, Workspace::Access::read_only);
    auto record = find_run(workspace, run);
    return {record, workspace.run_folder(record.id)};
}

std::string time_taken(const RunRecord& record) {
    if (record.started_ms <= 0 || record.ended_ms < record.started_ms) return "";
    return duration_words(static_cast<double>(record.ended_ms - record.started_ms) / 1000);
}

std::string headline_words(const RunRecord& record) {
    return joined(record.headline, ", ",
                  [](const auto& pair) { return pair.first + " " + number_words(pair.second); });
}

} // namespace tempera::cli
