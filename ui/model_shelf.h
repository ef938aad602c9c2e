#pragma once

#include "core/format/model_info.h"
#include "core/store/local_models.h"
#include "ui/background.h"
#include "ui/hub_access.h"

#include <QObject>
#include <QStringList>

#include <map>
#include <memory>
#include <set>
#include <vector>

class QSettings;

namespace tempera {

/// A model of this machine and what its files say of it.
struct ShelvedModel {
    LocalModel model;
    std::shared_ptr<const ModelInfo> info; ///< null: not looked at yet, not there yet, or `problem`
    QString problem;                       ///< why it cannot be described
};
using ShelfPointer = std::shared_ptr<const std::vector<ShelvedModel>>;

/// "135 M", "2.0 M": a number of parameters as models are named by it.
QString parametersText(std::int64_t count);

/// Which models there are. Looked up in the background; the list comes first, descriptions one by one after
/// it.
class ModelShelf final : public QObject {
    Q_OBJECT

public:
    ModelShelf(QSettings& settings, const QString& workspace, QObject* parent = nullptr);

    /// Never null.
    ShelfPointer models() const { return models_; }
    /// Null where there is none of that reference.
    const ShelvedModel* find(const std::string& reference) const;

    void refresh();
    /// Whose cache is looked through too; looks again.
    void setHub(HubSource source);
    /// The runs whose results are listed; looks again where they changed.
    void setRuns(std::vector<LocalModelPlaces::RunResult> runs);
    /// A model anywhere on the disk; remembered. `refused` gets a sentence where it is none.
    void addFolder(const QString& path, std::function<void(const QString&)> refused = {});
    void forgetFolder(const QString& path);
    QString workspace() const { return workspace_; }

    /// Leaves a model out, and then deletes its files, or lists it again.
    void hide(const std::string& reference);
    void unhide(const std::string& reference);
    void remove(const std::string& reference);

Q_SIGNALS:
    void changed();
    void failed(const QString& sentence);

private:
    struct Known {
        std::filesystem::file_time_type written;
        std::uint64_t bytes = 0;
        std::shared_ptr<const ModelInfo> info;
        QString problem;
    };
    /// To be called on the thread: it asks for the hub's settings.
    static std::vector<LocalModel> found(LocalModelPlaces places, const HubSource& hub);
    LocalModelPlaces places() const;
    void show(std::vector<ShelvedModel> models);
    void describeNext(std::size_t from, int generation);

    QSettings& settings_;
    HubSource hub_;
    QString workspace_;
    std::vector<LocalModelPlaces::RunResult> runs_;
    ShelfPointer models_ = std::make_shared<const std::vector<ShelvedModel>>();
    std::map<std::string, Known> known_; ///< by path
    std::set<std::string> hidden_;
    int generation_ = 0;
    Background background_; ///< the last member: its thread ends first
};

} // namespace tempera
