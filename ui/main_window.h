#pragma once

#include "core/recipe/catalogue.h"
#include "ui/feed_types.h"

#include <QMainWindow>

#include <functional>
#include <optional>
#include <set>

class QMessageBox;
class QSettings;
class QSplitter;
class QStackedWidget;

namespace tempera {

class Banner;
class EmptyState;
class NewRunPage;
class Notices;
class Rail;
class RunFeed;
class RunList;
class RunQueue;
class KeyRing;
class RunView;
class StatusStrip;
class WorkAreas;

/// The one window: a rail of areas, the list of runs, the page of the chosen one, a status strip.
class MainWindow final : public QMainWindow {
    Q_OBJECT

public:
    struct Parts {
        RunFeed& feed;
        RunQueue* queue = nullptr; ///< null: the workspace is open read-only
        QSettings& settings;
        std::vector<CatalogueEntry> shipped;
        std::optional<PaperValues> paper;
        QString read_only_reason; ///< who holds the workspace
        KeyRing* keys = nullptr;  ///< null: keys last as long as the window
    };

    explicit MainWindow(Parts parts, QWidget* parent = nullptr);
    ~MainWindow() override;

    /// Submits a recipe or study and shows it.
    void startRun(const Json& recipe_or_study);
    void showRun(const std::string& run_or_study_id);
    void showNewRun();
    /// One of the pages of areas().
    void showWorkArea(const QWidget* page);

    RunView* runView() const { return view_; }
    RunList* runList() const { return list_; }
    NewRunPage* newRunPage() const { return new_run_; }
    WorkAreas* areas() const { return areas_; }
    StatusStrip* statusStrip() const { return strip_; }
    /// The question that is open now, or null.
    QMessageBox* question() const { return question_; }
    std::vector<Banner*> banners() const;
    /// How long Undo is offered, for tests.
    void setUndoTime(int milliseconds);

Q_SIGNALS:
    /// The user wants another workspace; it opens once this window has closed.
    void workspaceRequested(const QString& folder);

protected:
    void closeEvent(QCloseEvent* event) override;

private:
    void buildRail();
    void showArea(int area, QWidget* side, QWidget* page);
    void showNewRun(const Json& recipe);
    void connectPages();
    void addShortcuts();
    void catalogueArrived(const CataloguePointer& catalogue);
    void runSelected(const QString& run_id);
    void act(const QString& action, const QString& run_id);
    /// Takes the run out of the list at once and deletes it when the time for Undo is over.
    void remove(const QString& run_id);
    void removeNow(const std::string& id);
    void cancel(const std::string& id);
    void perform(std::function<void(RunQueue&)> task);
    void offerResume(const Catalogue& catalogue);
    void ask(const QString& text, const QString& explanation, const QString& yes,
             std::function<void()> action);
    void restoreState();
    void saveState() const;
    std::vector<std::string> running() const;

    Parts parts_;
    RunList* list_;
    RunView* view_;
    NewRunPage* new_run_;
    WorkAreas* areas_;
    EmptyState* empty_;
    StatusStrip* strip_;
    QStackedWidget *side_, *stack_;
    QSplitter* splitter_;
    Rail* rail_;
    Notices* notices_;
    QMessageBox* question_ = nullptr;
    std::string pending_selection_;  ///< a run or study that the list does not hold yet
    bool pending_study_ = false;     ///< select the study of that run, so that the page follows its stages
    std::set<std::string> removals_; ///< to be deleted when the time for Undo is over
    std::set<std::string> hidden_;   ///< these, and those that were deleted
    bool first_catalogue_ = true;
    bool closing_ = false;
};

} // namespace tempera
