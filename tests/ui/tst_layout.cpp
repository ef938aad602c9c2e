#include "area_screenshots.h"
#include "desk.h"
#include "layout_audit.h"
#include "quiet.h"

#include "tests/support/paths.h"
#include "ui/pages/card_browser.h"
#include "ui/pages/new_run_page.h"
#include "ui/pages/rollouts_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/pages/win_rate_page.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QCheckBox>
#include <QListView>
#include <QStandardPaths>
#include <QTabBar>

using namespace tempera;
using test::Desk;

/// Every page at 1280 x 720, with text as it is and at 150 %: nothing is cut, lies outside or scrolls
/// sideways, and every control has a name.
class TestLayout : public QObject {
    Q_OBJECT

    QFont font_;
    QStringList faults_;

    void look(Desk& desk, const char* page) {
        test::waitUntilStill(80, 1000); // layouts and deliveries; a job's bar never rests
        for (int i = 0; i < 20; ++i)    // a long form asks its parents for room one after the other
            QApplication::processEvents();
        const test::LayoutAudit audit(*desk.window);
        for (const QString& fault : audit.faults())
            faults_ << QStringLiteral("%1: %2").arg(QString::fromLatin1(page), fault);
    }
    void verify(double percent) {
        faults_.removeDuplicates();
        for (const QString& fault : faults_)
            qInfo("%s", qPrintable(fault));
        QVERIFY2(faults_.isEmpty(),
                 qPrintable(QStringLiteral("%1 faults with text of %2 %").arg(faults_.size()).arg(percent)));
    }

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        applyTheme(*qApp, Scheme::light);
        font_ = QApplication::font();
    }
    void cleanup() { QApplication::setFont(font_); }

    void everyPageFits_data() {
        QTest::addColumn<double>("percent");
        QTest::newRow("text as it is") << 100.0;
        QTest::newRow("text at 150 %") << 150.0;
    }
    void everyPageFits() {
        QFETCH(double, percent);
        faults_.clear();
        QFont larger = font_;
        larger.setPointSizeF(font_.pointSizeF() * percent / 100);
        QApplication::setFont(larger);
        Desk desk;
        qputenv("TEMPERA_CACHE", QByteArray((desk.fixture.root() / "cache").c_str()));
        qputenv("TEMPERA_CONFIG", QByteArray((desk.fixture.root() / "config").c_str()));
        const std::string model = (desk.fixture.root() / "policy").string();
        made_up::make_byte_tokenizer(model);
        const auto write_sft = [](auto f) { made_up::write_training(f, 300, 400); };
        const RunRecord sweep = desk.sweep(12);
        const RunRecord sft =
            desk.run("sft", "a run with quite a long name that has to be cut", "", write_sft);
        RunRecord failed = desk.run("sft", "failed", "", write_sft);
        failed.status = RunStatus::failed;
        failed.error = "The loss became NaN at step 310 (batch rows 4, 17, 22): the learning rate 0.5 is far "
                       "too high for this model; lower it, then resume from the checkpoint of step 300.";
        desk.fixture.workspace->update_run(failed);
        made_up::add_run(*desk.fixture.workspace, "sft", "stopped", "", "", RunStatus::stopped);
        const RunRecord rloo =
            desk.run("rloo", "rloo", "", [](auto f) { made_up::write_rloo(f, 60, 120); }, {{"model", model}});
        const RunRecord rate =
            desk.run("win_rate", "win-dpo", "", [](auto f) { made_up::write_win_rate(f, 40, 0.4); },
                     {{"base", model}, {"tuned", model}, {"paper", "table_1.dpo_full"}});
        const RunRecord synthetic = desk.run("synthetic", "synthetic", "", [](auto folder) {
            RunWriter writer(folder);
            for (const auto& [name, value] : {std::pair("asked", 2000), std::pair("parsed", 1900),
                                              std::pair("correct", 1700), std::pair("new", 1000)})
                writer.on_headline(name, value);
        });
        const std::filesystem::path data =
            areas::write_preferences(desk.fixture.root() / "helpful-preferences", 40);
        areas::fill_models(desk.fixture.workspace->folder(), source_dir());
        desk.open();
        desk.window->resize(1280, 720);
        RunView* view = desk.window->runView();
        QTRY_VERIFY_WITH_TIMEOUT(view->tabs()->count() > 0, 8000);
        const QSize least = desk.window->minimumSizeHint();
        if (least.width() > 1280 || least.height() > 720)
            faults_ << QStringLiteral("the window needs %1 x %2").arg(least.width()).arg(least.height());
        const std::pair<const char*, std::string> runs[] = {
            {"sft", sft.id},   {"failed", failed.id}, {"sweep", sweep.id},
            {"rloo", rloo.id}, {"win-rate", rate.id}, {"synthetic", synthetic.id}};
        for (const auto& [name, id] : runs) {
            desk.window->showRun(id);
            QTRY_COMPARE_WITH_TIMEOUT(view->runId(), id, 8000);
            test::waitUntilStill(150, 3000); // its data arrive
            for (int tab = 0; tab < view->tabs()->count(); ++tab) {
                view->tabs()->setCurrentIndex(tab);
                look(desk, qPrintable(QStringLiteral("%1, %2").arg(QString::fromLatin1(name),
                                                                   view->tabs()->tabText(tab))));
            }
            for (CardBrowser* browser :
                 {view->samples()->browser(), view->rollouts()->browser(), view->winRate()->browser()}) {
                view->showTab(browser == view->samples()->browser()    ? QStringLiteral("samples")
                              : browser == view->rollouts()->browser() ? QStringLiteral("rollouts")
                                                                       : QStringLiteral("win_rate"));
                if (!browser->isVisible()) continue;
                for (const Qt::Key key : {Qt::Key_T, Qt::Key_Period, Qt::Key_T, Qt::Key_D, Qt::Key_P}) {
                    QTest::keyClick(browser->list(), key);
                    look(desk, qPrintable(QStringLiteral("%1, cards, key %2")
                                              .arg(QString::fromLatin1(name))
                                              .arg(QKeySequence(key).toString())));
                }
            }
        }
        desk.window->showNewRun();
        for (const CatalogueEntry& entry : shipped_recipes()) {
            desk.window->newRunPage()->choose(QString::fromStdString(entry.name));
            look(desk, qPrintable(QStringLiteral("new run, %1").arg(QString::fromStdString(entry.name))));
        }
        desk.window->newRunPage()->allBox()->setChecked(true);
        look(desk, "new run, all fields");
        const auto page = [&](const char* name) { look(desk, name); };
        areas::grab_models(*desk.window, desk.fixture.workspace->folder(), page);
        areas::grab_data(*desk.window, data, page);
        areas::grab_settings(*desk.window, page);
        verify(percent);
    }
};

QTEST_MAIN(TestLayout)
#include "tst_layout.moc"
