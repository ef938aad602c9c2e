#pragma once

#include "core/recipe/catalogue.h"
#include "ui/feed_types.h"

#include <QMainWindow>

#include <functional>
#include <optional>
#include <set>

class QButtonGroup;
class QMessageBox;
class QSettings;
class QSplitter;
class QStackedWidget;
class QVBoxLayout;

namespace tempera {

class Banner;
class EmptyState;
class NewRunPage;
class RunFeed;
class RunList;
class RunQueue;
class RunView;
class StatusStrip;

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
    };

    explicit MainWindow(Parts parts, QWidget* parent = nullptr);
    ~MainWindow() override;

    /// Submits a recipe or study and shows it.
    void startRun(const Json& recipe_or_study);
    void showRun(const std::string& run_or_study_id);
    void showNewRun();

    RunView* runView() const { return view_; }
    RunList* runList() const { return list_; }
    NewRunPage* newRunPage() const { return new_run_; }
    StatusStrip* statusStrip() const { return strip_; }
    /// The question that is open now, or null.
    QMessageBox* question() const { return question_; }
    std::vector<Banner*> banners() const;
    /// How long Undo is offered, for tests.
    void setUndoTime(int milliseconds) { undo_ms_ = milliseconds; }

protected:
    void closeEvent(QCloseEvent* event) override;

private:
    void buildRail(QWidget* rail);
    void connectPages();
    void addShortcuts();
    void catalogueArrived(const CataloguePointer& catalogue);
    void runSelected(const QString& run_id);
    void act(const QString& action, const QString& run_id);
    /// Takes the run out of the list at once and deletes it when the time for Undo is over.
    void remove(const QString& run_id);
    void removeNow(const std::string& id);
    void cancel(const std::string& id);
    /// A line with Undo for ten seconds; `expire` is called where it was not undone.
    void offerUndo(const QString& sentence, std::function<void()> undo, std::function<void()> expire);
    void perform(std::function<void(RunQueue&)> task);
    void offerResume(const Catalogue& catalogue);
    Banner* notice(int kind, const QString& sentence, const QString& details = {});
    /// Below the notices that are there, on the screen and by Tab.
    void place(Banner* banner);
    void ask(const QString& text, const QString& explanation, const QString& yes,
             std::function<void()> action);
    void restoreState();
    void saveState() const;
    std::vector<std::string> running() const;

    Parts parts_;
    RunList* list_;
    RunView* view_;
    NewRunPage* new_run_;
    EmptyState* empty_;
    StatusStrip* strip_;
    QStackedWidget* stack_;
    QSplitter* splitter_;
    QButtonGroup* areas_;
    QVBoxLayout* notices_;
    QMessageBox* question_ = nullptr;
    std::string pending_selection_;  ///< a run or study that the list does not hold yet
    bool pending_study_ = false;     ///< select the study of that run, so that the page follows its stages
    std::set<std::string> removals_; ///< to be deleted when the time for Undo is over
    std::set<std::string> hidden_;   ///< these, and those that were deleted
    int undo_ms_ = 10000;
    bool first_catalogue_ = true;
    bool closing_ = false;
};

} // namespace tempera
