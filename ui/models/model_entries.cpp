#include "ui/models/model_entries.h"

#include "ui/theme/text.h"

#include <QCoreApplication>

namespace tempera {

namespace {

struct ModelEntries {
    Q_DECLARE_TR_FUNCTIONS(ModelEntries)
};

QString headingOf(LocalModel::Source source) {
    switch (source) {
    case LocalModel::Source::shipped:
    case LocalModel::Source::package:
        return ModelEntries::tr("With Tempera");
    case LocalModel::Source::cached:
        return ModelEntries::tr("Imported");
    case LocalModel::Source::kept:
        return ModelEntries::tr("In this workspace");
    case LocalModel::Source::hub:
        return ModelEntries::tr("Of the hub");
    case LocalModel::Source::folder:
        return ModelEntries::tr("Folders");
    case LocalModel::Source::run:
        break;
    }
    return ModelEntries::tr("Results of runs");
}

QString summaryOf(const ShelvedModel& model) {
    if (!model.model.present)
        return bytesText(double(model.model.bytes)); // to fetch: the symbol says so, and the tip
    if (model.info) return parametersText(model.info->weights.elements);
    return model.problem.isEmpty() ? bytesText(double(model.model.bytes)) : ModelEntries::tr("unreadable");
}

QString symbolOf(const ShelvedModel& model) {
    if (!model.problem.isEmpty()) return QStringLiteral("warning");
    if (!model.model.present) return QStringLiteral("download");
    const bool adapter = model.info && model.info->kind == ModelInfo::Kind::adapter;
    return adapter ? QStringLiteral("adapter") : QStringLiteral("model");
}

} // namespace

QString sourceText(LocalModel::Source source) {
    switch (source) {
    case LocalModel::Source::shipped:
        return ModelEntries::tr("Comes with Tempera");
    case LocalModel::Source::package:
        return ModelEntries::tr("From a PyPI package");
    case LocalModel::Source::cached:
        return ModelEntries::tr("Imported from a GGUF file");
    case LocalModel::Source::kept:
        return ModelEntries::tr("In this workspace");
    case LocalModel::Source::hub:
        return ModelEntries::tr("Of the hub, in its cache");
    case LocalModel::Source::folder:
        return ModelEntries::tr("A folder of yours");
    case LocalModel::Source::run:
        break;
    }
    return ModelEntries::tr("Result of a run");
}

std::vector<Entry> entriesOf(const std::vector<ShelvedModel>& models) {
    std::vector<Entry> entries;
    for (const ShelvedModel& model : models) {
        Entry entry;
        entry.key = toQt(model.model.reference);
        entry.heading = headingOf(model.model.source);
        entry.text = toQt(model.model.name);
        entry.summary = summaryOf(model);
        entry.symbol = symbolOf(model);
        entry.warning = !model.problem.isEmpty();
        entry.tip = QStringList{entry.text, entry.key,
                                model.model.present ? entry.summary
                                                    : ModelEntries::tr("%1 to fetch").arg(entry.summary)}
                        .join(u'\n');
        entry.words = entry.key;
        if (model.info) entry.words += toQt(" " + model.info->architecture + " " + model.info->dtype());
        entries.push_back(std::move(entry));
    }
    return entries;
}

} // namespace tempera
