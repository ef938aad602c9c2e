#pragma once

#include "core/base/json.h"
#include "core/store/local_models.h"
#include "ui/background.h"
#include "ui/feed_types.h"
#include "ui/model_shelf.h"

#include <QWidget>

class QSettings;

namespace tempera {

class DataGetter;
class DataView;
class EntrySide;
class Notices;
class RunFeed;
class WorkStack;

/// The Data area: data sets that were opened before and those that runs left, a page on each.
class DataPage final : public QWidget {
    Q_OBJECT

public:
    /// All outlive the page.
    DataPage(RunFeed& feed, ModelShelf& shelf, QSettings& settings, Notices& notices,
             QWidget* parent = nullptr);

    /// The list that stands beside the page.
    EntrySide* side() const { return side_; }
    DataView* view() const { return view_; }
    DataGetter* getter() const { return getter_; }
    WorkStack* stack() const { return stack_; }
    /// How the hub is reached from now on.
    void setHub(const HubSource& source);
    void setCatalogue(const CataloguePointer& catalogue);
    void open(const QString& path);
    void showGetter();

Q_SIGNALS:
    void newRunRequested(const tempera::Json& recipe);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void connectParts();
    void listEntries();
    void lookForCached();
    /// Lists what finished runs have left, where others have finished since.
    void lookForLeft();
    void showOrigin(const QString& path);
    void opened(const QString& path);
    void failed(const QString& sentence);

    RunFeed& feed_;
    QSettings& settings_;
    Notices& notices_;
    QString shipped_; ///< the instructions that come with the program
    EntrySide* side_;
    DataView* view_;
    DataGetter* getter_;
    WorkStack* stack_;
    HubSource hub_;
    std::vector<CachedRepository> cached_; ///< data sets of the hub
    struct LeftFile {
        QString path, title;
        std::string reference; ///< as recipes name it
    };
    std::vector<LeftFile> left_; ///< the newest run's first
    struct FinishedRun {
        std::string id;
        QString title, folder;
        friend bool operator==(const FinishedRun&, const FinishedRun&) = default;
    };
    std::vector<FinishedRun> finished_; ///< the runs that left_ is of
    CataloguePointer catalogue_ = std::make_shared<Catalogue>();
    QString wanted_;        ///< is being opened
    Background background_; ///< the last member: its thread ends first
};

} // namespace tempera
