#include "ui/model_shelf.h"

#include "core/base/error.h"
#include "ui/theme/text.h"

#include <QSettings>

#include <algorithm>
#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

namespace {

const QString folders_key = QStringLiteral("models/folders");

/// When a model's description last changed.
fs::file_time_type written_at(const fs::path& path) {
    fs::file_time_type newest = fs::file_time_type::min();
    for (const fs::path& file : {path, path / "config.json", path / "adapter_config.json"}) {
        std::error_code absent;
        const auto time = fs::last_write_time(file, absent);
        if (!absent) newest = std::max(newest, time);
    }
    return newest;
}

} // namespace

QString parametersText(std::int64_t count) {
    const char* units[] = {"", " k", " M", " B"};
    double value = double(count);
    int unit = 0;
    for (; value >= 999.5 && unit < 3; ++unit)
        value /= 1000;
    const int decimals = unit > 0 && value < 9.95 ? 1 : 0;
    return QString::number(value, 'f', decimals) + QLatin1String(units[unit]);
}

ModelShelf::ModelShelf(QSettings& settings, const QString& workspace, QObject* parent)
    : QObject(parent), settings_(settings), workspace_(workspace) {}

const ShelvedModel* ModelShelf::find(const std::string& reference) const {
    for (const ShelvedModel& model : *models_)
        if (model.model.reference == reference) return &model;
    return nullptr;
}

LocalModelPlaces ModelShelf::places() const {
    LocalModelPlaces places;
    places.runs = runs_;
    places.workspace = fromQt(workspace_);
    for (const QString& folder : settings_.value(folders_key).toStringList())
        places.folders.push_back(fromQt(folder));
    return places;
}

std::vector<LocalModel> ModelShelf::found(LocalModelPlaces places, const HubSource& hub) {
    if (hub) places.hub = hub();
    return local_models(places);
}

void ModelShelf::setHub(HubSource source) {
    hub_ = std::move(source);
    if (generation_ > 0) refresh();
}

void ModelShelf::refresh() {
    const int generation = ++generation_;
    background_.compute(
        this, [places = places(), hub = hub_] { return found(places, hub); },
        [this, generation](const std::vector<LocalModel>& found, const QString& error) {
            if (generation != generation_) return;
            if (!error.isEmpty()) {
                Q_EMIT failed(error);
                return;
            }
            std::vector<ShelvedModel> models;
            for (const LocalModel& model : found) {
                const auto known = known_.find(model.path.string());
                const bool same = known != known_.end() && known->second.bytes == model.bytes;
                models.push_back(
                    {model, same ? known->second.info : nullptr, same ? known->second.problem : QString()});
            }
            show(std::move(models));
            describeNext(0, generation);
        });
}

void ModelShelf::show(std::vector<ShelvedModel> models) {
    std::erase_if(models,
                  [this](const ShelvedModel& each) { return hidden_.contains(each.model.reference); });
    models_ = std::make_shared<const std::vector<ShelvedModel>>(std::move(models));
    Q_EMIT changed();
}

/// One model a task, so that the list shows each as soon as it is known.
void ModelShelf::describeNext(std::size_t from, int generation) {
    while (from < models_->size() && !(*models_)[from].model.present)
        ++from;
    if (from >= models_->size()) return;
    const LocalModel model = (*models_)[from].model;
    const auto before = known_.find(model.path.string());
    const Known old = before == known_.end() ? Known{} : before->second;
    background_.compute(
        this,
        [model, old] {
            Known now{written_at(model.path), model.bytes, nullptr, {}};
            if (now.written == old.written && now.bytes == old.bytes && (old.info || !old.problem.isEmpty()))
                return old;
            try {
                now.info = std::make_shared<const ModelInfo>(describe_model(model.path));
            } catch (const Error& error) {
                now.problem = toQt(error.what());
            }
            return now;
        },
        [this, from, generation, model](const Known& now, const QString& error) {
            if (generation != generation_) return;
            known_[model.path.string()] = now;
            std::vector<ShelvedModel> models = *models_;
            const auto same = [&](const ShelvedModel& each) {
                return each.model.reference == model.reference;
            };
            if (auto found = std::find_if(models.begin(), models.end(), same); found != models.end()) {
                const bool news = found->info != now.info || found->problem != now.problem;
                found->info = now.info;
                found->problem = error.isEmpty() ? now.problem : error;
                if (news) show(std::move(models));
            }
            describeNext(from + 1, generation);
        });
}

void ModelShelf::setRuns(std::vector<LocalModelPlaces::RunResult> runs) {
    const auto equal = [](const LocalModelPlaces::RunResult& a, const LocalModelPlaces::RunResult& b) {
        return a.id == b.id && a.title == b.title;
    };
    if (std::equal(runs.begin(), runs.end(), runs_.begin(), runs_.end(), equal) && generation_ > 0) return;
    runs_ = std::move(runs);
    refresh();
}

void ModelShelf::addFolder(const QString& path, std::function<void(const QString&)> refused) {
    background_.compute(
        this,
        [path] {
            std::error_code unreadable;
            if (is_model(fromQt(path))) return QString();
            return (std::filesystem::is_directory(fromQt(path), unreadable) ? tr(
                        "%1 holds neither config.json nor adapter_config.json: choose a model's own folder.")
                                                                            : tr("There is no folder %1."))
                .arg(path);
        },
        [this, path, refused = std::move(refused)](const QString& problem, const QString& error) {
            if (!problem.isEmpty() || !error.isEmpty()) {
                if (refused) refused(problem.isEmpty() ? error : problem);
                return;
            }
            QStringList folders = settings_.value(folders_key).toStringList();
            if (!folders.contains(path)) settings_.setValue(folders_key, folders << path);
            if (refused) refused({});
            refresh();
        });
}

void ModelShelf::forgetFolder(const QString& path) {
    QStringList folders = settings_.value(folders_key).toStringList();
    folders.removeAll(path);
    settings_.setValue(folders_key, folders);
    refresh();
}

void ModelShelf::hide(const std::string& reference) {
    hidden_.insert(reference);
    show(*models_);
}

void ModelShelf::unhide(const std::string& reference) {
    hidden_.erase(reference);
    refresh();
}

void ModelShelf::remove(const std::string& reference) {
    background_.perform(
        this,
        [places = places(), hub = hub_, reference] {
            for (const LocalModel& model : found(places, hub))
                if (model.reference == reference && model.source != LocalModel::Source::shipped
                    && model.source != LocalModel::Source::run)
                    fs::remove_all(model.path);
        },
        [this, reference](const QString& error) {
            if (!error.isEmpty()) Q_EMIT failed(error);
            unhide(reference);
        });
}

} // namespace tempera
