#pragma once

#include "core/base/json.h"
#include "ui/feed_types.h"
#include "ui/hub_access.h"

#include <QKeySequence>
#include <QObject>

#include <vector>

class QSettings;
class QWidget;

namespace tempera {

class DataPage;
class EntrySide;
class KeyRing;
class ModelShelf;
class ModelsPage;
class Notices;
class RunFeed;
class SettingsPage;
class SettingsStore;

/// The areas of the window beside its runs, and what they share: the models, the settings, the keys.
class WorkAreas final : public QObject {
    Q_OBJECT

public:
    struct Parts {
        RunFeed& feed;
        QSettings& settings;
        Notices& notices;
        KeyRing* keys = nullptr; ///< null: keys last as long as this
    };
    /// The pages are children of `parent`.
    WorkAreas(const Parts& parts, QWidget* parent);

    struct Area {
        QString symbol, text, tip;
        QKeySequence keys; ///< show it and go to its list
        EntrySide* side;   ///< the list beside the page
        QWidget* page;
        bool last = false; ///< at the rail's bottom
    };
    /// In the rail's order.
    const std::vector<Area>& list() const { return list_; }

    DataPage* data() const { return data_; }
    ModelsPage* models() const { return models_; }
    SettingsPage* settings() const { return settings_; }
    /// Threads of the engine; 0 = all cores.
    int threads() const;
    HubSource hub() const;
    /// Titles of the downloads, imports, merges and copies that are going on.
    QStringList underWay() const;
    void setCatalogue(const CataloguePointer& catalogue);

Q_SIGNALS:
    void newRunRequested(const tempera::Json& recipe);
    void runOpened(const QString& run_id);
    void workspaceRequested(const QString& folder);
    /// What runs that start from now on are to keep to.
    void runSettingsChanged();

private:
    std::vector<Area> list_;
    KeyRing* keys_;
    ModelShelf* shelf_;
    SettingsStore* store_;
    ModelsPage* models_;
    DataPage* data_;
    SettingsPage* settings_;
};

} // namespace tempera
