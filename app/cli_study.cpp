#include "app/cli_study.h"

#include "app/cli_output.h"
#include "app/cli_records.h"
#include "app/cli_table.h"
#include "core/recipe/catalogue.h"
#include "core/store/record_json.h"

namespace tempera::cli {

namespace {

/// The place of the paper's value that a run's recipe names, "" where it names none.
std::string paper_place(const RunRecord& record) {
    return recipe_text(record, "paper");
}

/// The headline that is comparable to the paper's value: of a sweep the best cell where the paper gives
/// best-of-N, else the mean score of single samples.
std::string compared_headline(const RunRecord& record, const std::string& place) {
    if (record.kind != "sweep") return record.kind == "win_rate" ? "win_rate" : "eval_loss";
    return place.ends_with("best_of_n") ? "best" : "mean_score";
}

std::optional<double> headline(const RunRecord& record, const std::string& name) {
    auto found = record.headline.find(name);
    return found == record.headline.end() ? std::nullopt : std::optional(found->second);
}

std::string ours(const RunRecord& record, const std::string& place) {
    const std::string name = compared_headline(record, place);
    const auto value = headline(record, name);
    if (!value) return headline_words(record);
    if (record.kind != "win_rate" && record.kind != "sweep") return name + " " + number_words(*value);
    std::string words = score_words(*value);
    const auto low = headline(record, "low"), high = headline(record, "high");
    if (low && high) words += " (95 % " + score_words(*low) + " to " + score_words(*high) + ")";
    return words;
}

std::vector<RunRecord> runs_of(const Workspace& workspace, const StudyRecord& study) {
    std::vector<RunRecord> runs;
    for (auto& run : workspace.runs())
        if (run.study == study.id) runs.push_back(std::move(run));
    return runs;
}

} // namespace

std::optional<StudyRecord> find_study(const Workspace& workspace, const std::string& name) {
    std::optional<StudyRecord> found;
    for (auto& study : workspace.studies()) {
        if (study.id == name) return study;
        const Json recipe = Json::parse(study.recipe, nullptr, false);
        const bool named = recipe.is_object() && recipe.value("study", Json()) == name;
        if (named || study.name == name) found = std::move(study); // the newest comes last
    }
    return found;
}

std::string study_table(const Workspace& workspace, const StudyRecord& study) {
    std::vector<std::vector<std::string>> table = {{"STAGE", "KIND", "STATUS", "TIME", "HERE", "PAPER"}};
    bool any_paper = false;
    for (const RunRecord& run : runs_of(workspace, study)) {
        const std::string place = paper_place(run);
        const auto paper = place.empty() ? std::nullopt : paper_value(place);
        any_paper = any_paper || paper;
        table.push_back({run.stage, run.kind, name_of(run.status), time_taken(run),
                         one_line(run.error.empty() ? ours(run, place) : run.error),
                         paper ? score_words(*paper) : ""});
    }
    if (!any_paper)
        for (auto& row : table)
            row.pop_back();
    std::string text = text_table(table, 5);
    if (any_paper) text += "Paper: " + paper_values().source + "\n";
    return text;
}

Json study_to_json(const Workspace& workspace, const StudyRecord& study) {
    Json stages = Json::array();
    for (const RunRecord& run : runs_of(workspace, study)) {
        Json entry = to_json(run, workspace.run_folder(run.id));
        const std::string place = paper_place(run);
        if (const auto paper = place.empty() ? std::nullopt : paper_value(place)) {
            entry["paper"] = {{"place", place}, {"value", *paper}};
            if (const auto here = headline(run, compared_headline(run, place)))
                entry["paper"]["here"] = *here;
        }
        stages.push_back(entry);
    }
    return {{"id", study.id}, {"name", study.name}, {"created_ms", study.created_ms}, {"stages", stages}};
}

} // namespace tempera::cli
