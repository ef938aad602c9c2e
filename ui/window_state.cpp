#include "ui/window_state.h"

#include "ui/pages/card_browser.h"
#include "ui/pages/figure5_page.h"
#include "ui/pages/rollouts_page.h"
#include "ui/pages/run_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/pages/win_rate_page.h"
#include "ui/theme/text.h"
#include "ui/widgets/run_list.h"

#include <QCheckBox>
#include <QComboBox>
#include <QLineEdit>
#include <QMainWindow>
#include <QSettings>
#include <QSplitter>

namespace tempera {

void WindowState::save(const QMainWindow& window, const QSplitter& splitter, const RunView& view,
                       const RunList& list) const {
    settings_.setValue(QStringLiteral("window/geometry"), window.saveGeometry());
    settings_.setValue(QStringLiteral("window/splitter"), splitter.saveState());
    settings_.setValue(QStringLiteral("window/run"), toQt(list.currentRun()));
    settings_.setValue(QStringLiteral("window/search"), list.searchBox()->text());
    settings_.setValue(QStringLiteral("charts/smoothing"), view.charts()->smoothing());
    settings_.setValue(QStringLiteral("figure5/splitter"), view.figure5()->splitter()->saveState());
    settings_.setValue(QStringLiteral("figure5/paper"), view.figure5()->paperBox()->isChecked());
    settings_.setValue(QStringLiteral("figure5/every_n"), view.figure5()->allBox()->isChecked());
    settings_.setValue(QStringLiteral("figure5/map"), view.figure5()->mapBox()->currentIndex());
    settings_.setValue(QStringLiteral("samples/splitter"), view.samples()->splitter()->saveState());
    settings_.setValue(QStringLiteral("rollouts/splitter"),
                       view.rollouts()->browser()->splitter()->saveState());
    settings_.setValue(QStringLiteral("win_rate/splitter"),
                       view.winRate()->browser()->splitter()->saveState());
    settings_.setValue(QStringLiteral("win_rate/order"), view.winRate()->orderBox()->currentIndex());
    settings_.setValue(QStringLiteral("win_rate/filter"), view.winRate()->filterBox()->currentIndex());
    settings_.setValue(QStringLiteral("samples/filter"), static_cast<int>(view.samples()->filter()));
}

void WindowState::restore(QMainWindow& window, QSplitter& splitter, RunView& view, RunList& list) const {
    const auto bytes = [this](const char* key) {
        return settings_.value(QString::fromLatin1(key)).toByteArray();
    };
    if (const QByteArray geometry = bytes("window/geometry"); !geometry.isEmpty())
        window.restoreGeometry(geometry);
    if (const QByteArray state = bytes("window/splitter"); !state.isEmpty()) splitter.restoreState(state);
    if (const QByteArray state = bytes("figure5/splitter"); !state.isEmpty())
        view.figure5()->splitter()->restoreState(state);
    if (const QByteArray state = bytes("samples/splitter"); !state.isEmpty())
        view.samples()->splitter()->restoreState(state);
    if (const QByteArray state = bytes("rollouts/splitter"); !state.isEmpty())
        view.rollouts()->browser()->splitter()->restoreState(state);
    if (const QByteArray state = bytes("win_rate/splitter"); !state.isEmpty())
        view.winRate()->browser()->splitter()->restoreState(state);
    view.winRate()->orderBox()->setCurrentIndex(settings_.value(QStringLiteral("win_rate/order"), 0).toInt());
    view.winRate()->filterBox()->setCurrentIndex(
        settings_.value(QStringLiteral("win_rate/filter"), 0).toInt());
    view.charts()->setSmoothing(settings_.value(QStringLiteral("charts/smoothing"), 0.8).toDouble());
    view.figure5()->paperBox()->setChecked(settings_.value(QStringLiteral("figure5/paper"), true).toBool());
    view.figure5()->allBox()->setChecked(settings_.value(QStringLiteral("figure5/every_n"), false).toBool());
    view.figure5()->mapBox()->setCurrentIndex(settings_.value(QStringLiteral("figure5/map"), 0).toInt());
    view.samples()->setFilter(
        static_cast<VerdictFilter>(settings_.value(QStringLiteral("samples/filter"), 0).toInt()));
    list.searchBox()->setText(settings_.value(QStringLiteral("window/search")).toString());
    list.select(fromQt(settings_.value(QStringLiteral("window/run")).toString()));
}

} // namespace tempera
