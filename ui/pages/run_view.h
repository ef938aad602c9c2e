#pragma once

#include "core/recipe/catalogue.h"
#include "ui/feed_types.h"

#include <QHash>
#include <QWidget>

class QStackedWidget;
class QTabBar;
class QVBoxLayout;

namespace tempera {

class Banner;
class Figure5Page;
class FunnelPage;
class LogPage;
class RecipePage;
class RunHeader;
class RolloutsPage;
class RunPage;
class SamplesPage;
class WinRatePage;

/// A run: its head, and its pages behind one row of tabs: charts, Figure 5, samples, rollouts and win-rate,
/// as its kind will have them and its data do; recipe, log.
class RunView final : public QWidget {
    Q_OBJECT

public:
    explicit RunView(QWidget* parent = nullptr);

    void setRun(const RunRecord& run);
    void setData(const RunDataPointer& data);
    const std::string& runId() const { return run_.id; }
    void showTab(const QString& key);
    QString currentTab() const;

    RunHeader* header() const { return header_; }
    RunPage* charts() const { return charts_; }
    Figure5Page* figure5() const { return figure5_; }
    RolloutsPage* rollouts() const { return rollouts_; }
    WinRatePage* winRate() const { return win_rate_; }
    FunnelPage* funnel() const { return funnel_; }
    SamplesPage* samples() const { return samples_; }
    RecipePage* recipe() const { return recipe_; }
    LogPage* log() const { return log_; }
    QTabBar* tabs() const { return tabs_; }

private:
    /// Keys of the tabs for the run and what is known of its data, in order.
    QStringList tabKeys() const;
    void arrangeTabs();
    void tabChanged(int index);
    /// Why a health rule stopped the run; "" where none did.
    QString pauseReason() const;
    /// Why the run ended, where that was not the user's wish.
    void showReason();
    void feedPage();
    /// What of the run itself the pages go by, whichever is seen.
    void tellPages();

    RunRecord run_;
    RunDataPointer data_;
    RunHeader* header_;
    QTabBar* tabs_;
    QStackedWidget* stack_;
    QVBoxLayout* notices_;
    Banner* reason_ = nullptr;
    QString reason_key_; ///< which run's and what
    RunPage* charts_;
    Figure5Page* figure5_;
    SamplesPage* samples_;
    RolloutsPage* rollouts_;
    WinRatePage* win_rate_;
    FunnelPage* funnel_;
    RecipePage* recipe_;
    LogPage* log_;
    QHash<QString, QString> last_tab_; ///< per kind of run
    std::string tabs_kind_;            ///< the kind the tabs were made for
};

} // namespace tempera
