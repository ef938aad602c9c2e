#include "ui/pages/data_facts.h"

#include "core/recipe/field.h"
#include "ui/pages/data_panel.h"
#include "ui/theme/text.h"

#include <algorithm>

namespace tempera {

QString countText(const SplitCount& count) {
    const QString rows =
        count.rows == 1 ? DataPanel::tr("1 row") : DataPanel::tr("%1 rows").arg(wholeText(count.rows));
    if (count.state == SplitCount::State::all) return rows;
    if (count.state == SplitCount::State::counting)
        return DataPanel::tr("more than %1 rows").arg(wholeText(count.rows));
    return count.rows == 0 ? DataPanel::tr("none can be read")
                           : DataPanel::tr("%1, then it breaks off").arg(rows);
}

static QString rowsOf(const DataSplitInfo& split, const std::map<std::size_t, std::int64_t>& counted,
                      std::size_t place) {
    if (!split.problem.isEmpty()) return DataPanel::tr("cannot be read");
    if (const auto found = counted.find(place); found != counted.end())
        return countText({found->second, SplitCount::State::all});
    return split.rows ? countText({*split.rows, SplitCount::State::all}) : DataPanel::tr("not counted yet");
}

std::vector<Fact> factsOf(const DataOverview& overview, std::size_t shown, const SplitCount& count,
                          const std::map<std::size_t, std::int64_t>& other_rows,
                          const CachedRepository& origin, const ValidationReport* report) {
    const DataSplitInfo& info = overview.splits[shown];
    std::vector<Fact> facts;
    for (std::size_t i = 0; i < overview.splits.size(); ++i) {
        const DataSplitInfo& split = overview.splits[i];
        const QString name = split.split.name.empty() ? DataPanel::tr("Rows") : toQt(split.split.name);
        const QString rows = i == shown ? countText(count) : rowsOf(split, other_rows, i);
        facts.push_back({name, QStringLiteral("%1, %2").arg(rows, bytesText(double(split.split.bytes)))});
    }
    facts.push_back({DataPanel::tr("Files"), QString::number(info.split.files.size())});
    for (const std::string& note : info.split.notes)
        facts.push_back({DataPanel::tr("Not read"), toQt(note)});
    if (!origin.copy.empty())
        facts.push_back(
            {DataPanel::tr("Copy"), DataPanel::tr("%1; look it up again under “Open data” for what is newer")
                                        .arg(toQt(origin.copy))});
    if (!report) return facts;
    const LengthHistogram& lengths = report->lengths;
    facts.push_back({DataPanel::tr("Usable"), wholeText(report->usable)});
    facts.push_back({DataPanel::tr("Length"), DataPanel::tr("median %1, 95 % below %2, longest %3 %4")
                                                  .arg(wholeText(lengths.median), wholeText(lengths.p95),
                                                       wholeText(lengths.longest), toQt(lengths.unit))});
    return facts;
}

std::vector<std::pair<QString, Json>> usesOf(DataTask task, const std::string& data,
                                             const ColumnMapping& columns) {
    const std::map<DataTask, std::vector<std::string>> kinds{
        {DataTask::sft, {"sft"}},
        {DataTask::preferences, {"dpo", "reward"}},
        {DataTask::prompts, {"rloo", "pairs", "win_rate"}},
        {DataTask::countdown, {"sft", "rloo", "pairs", "win_rate"}}};
    std::vector<std::pair<QString, Json>> uses;
    for (const RecipeKind& kind : recipe_kinds()) {
        const auto& fitting = kinds.at(task);
        if (std::find(fitting.begin(), fitting.end(), kind.kind) == fitting.end()) continue;
        Json recipe{{"kind", kind.kind}};
        for (const Field& field : kind.fields) {
            if (field.type == Field::Type::data_file && !recipe.contains("data")
                && !recipe.contains("prompts"))
                recipe[field.name] = data;
            if (field.name == "columns" && !columns.empty()) recipe["columns"] = columns.text();
        }
        if (recipe.size() > 1) uses.emplace_back(toQt(kind.title), std::move(recipe));
    }
    return uses;
}

} // namespace tempera
