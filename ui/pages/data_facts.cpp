#include "ui/pages/data_facts.h"

#include "ui/pages/data_panel.h"
#include "ui/theme/text.h"

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

static QString rowsOf(const DataSplitInfo& split) {
    if (!split.problem.isEmpty()) return DataPanel::tr("cannot be read");
    return split.rows ? DataPanel::tr("%1 rows").arg(wholeText(*split.rows))
                      : DataPanel::tr("not counted yet");
}

std::vector<Fact> factsOf(const DataOverview& overview, std::size_t shown, const SplitCount& count,
                          const CachedRepository& origin, const ValidationReport* report) {
    const DataSplitInfo& info = overview.splits[shown];
    std::vector<Fact> facts;
    for (const DataSplitInfo& split : overview.splits) {
        const QString name = split.split.name.empty() ? DataPanel::tr("Rows") : toQt(split.split.name);
        facts.push_back(
            {name, QStringLiteral("%1, %2").arg(&split == &info ? countText(count) : rowsOf(split),
                                                bytesText(double(split.split.bytes)))});
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

} // namespace tempera
