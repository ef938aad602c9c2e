#pragma once

#include "core/base/json.h"
#include "ui/feed_types.h"
#include "ui/jobs.h"
#include "ui/model_shelf.h"

#include <QWidget>

class QStackedWidget;

namespace tempera {

class EntrySide;
class JobPanel;
class ModelGetter;
class ModelView;
class Notices;
class RunFeed;

/// The Models area: a list of what there is, a page on each, a page to get more, and the long actions that
/// are going on.
class ModelsPage final : public QWidget {
    Q_OBJECT

public:
    /// All outlive the page. `notices` offers what can be undone.
    ModelsPage(RunFeed& feed, ModelShelf& shelf, Notices& notices, QWidget* parent = nullptr);

    /// The list that stands beside the page.
    EntrySide* side() const { return side_; }
    ModelView* view() const { return view_; }
    ModelGetter* getter() const { return getter_; }
    JobPanel* jobPanel() const { return panel_; }
    Jobs& jobs() { return jobs_; }

    /// How the hub is reached from now on.
    void setHub(const HubSource& source);
    void setCatalogue(const CataloguePointer& catalogue);
    void showModel(const std::string& reference);
    void showGetter();
    /// Copies a model's files into a new folder of its name in `parent_folder`.
    void copyTo(const std::string& reference, const QString& parent_folder);

Q_SIGNALS:
    void newRunRequested(const tempera::Json& recipe);
    void runOpened(const QString& run_id);

protected:
    void showEvent(QShowEvent* event) override;

private:
    void connectParts();
    void shelfChanged();
    void chooseCopyTarget(const QString& reference);
    void remove(const QString& reference);
    void merge(const QString& adapter, const QString& base, const QString& name);
    /// Where a model of that name is kept in the workspace.
    std::filesystem::path keptFolder(const QString& name) const;
    /// Shows the model once the job is done.
    void follow(int job, const std::string& reference);

    RunFeed& feed_;
    ModelShelf& shelf_;
    Notices& notices_;
    HubSource hub_;
    Jobs jobs_;
    EntrySide* side_;
    ModelView* view_;
    ModelGetter* getter_;
    JobPanel* panel_;
    QStackedWidget* stack_;
    std::string wanted_;                  ///< shown as soon as it is listed
    std::map<int, std::string> followed_; ///< by job: the model it makes
};

} // namespace tempera
