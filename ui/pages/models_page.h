#pragma once

#include "core/base/json.h"
#include "ui/feed_types.h"
#include "ui/model_shelf.h"

#include <QWidget>

namespace tempera {

class EntrySide;
class ModelGetter;
class ModelView;
class Notices;
class RunFeed;
class WorkStack;

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
    WorkStack* stack() const { return stack_; }

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

    RunFeed& feed_;
    ModelShelf& shelf_;
    Notices& notices_;
    HubSource hub_;
    EntrySide* side_;
    ModelView* view_;
    ModelGetter* getter_;
    WorkStack* stack_;
    std::string wanted_; ///< shown as soon as it is listed
};

} // namespace tempera
