#include "desk.h"

#include "ui/charts/funnel_bars.h"
#include "ui/charts/line_chart.h"
#include "ui/charts/path_chart.h"
#include "ui/charts/win_rate_bars.h"
#include "ui/pages/card_browser.h"
#include "ui/pages/card_row.h"
#include "ui/pages/completion_card.h"
#include "ui/pages/funnel_page.h"
#include "ui/pages/log_page.h"
#include "ui/pages/rollouts_page.h"
#include "ui/pages/run_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/pages/win_rate_page.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QHelpEvent>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QLocale>
#include <QMouseEvent>
#include <QSlider>
#include <QStandardPaths>
#include <QTabBar>
#include <QTextBlock>
#include <QTextBrowser>
#include <QToolTip>

#include <functional>
#include <numeric>

using namespace tempera;
using test::Desk;

#define QTRY_LONG(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, 8000)

/// The pages of preference training and win-rates, by mouse and keyboard, over made-up data.
class TestPreferencePages : public QObject {
    Q_OBJECT

    static QPoint flagPixel(const LineChart* chart, double step) {
        return {static_cast<int>(chart->pixelOf(step, 0).x()), chart->height() - 40};
    }

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        applyTheme(*qApp, Scheme::light);
    }

    void syntheticDataHasAFunnel() {
        Desk desk;
        const RunRecord run = desk.run("synthetic", "synthetic", "", [](auto folder) {
            RunWriter writer(folder);
            for (const auto& [name, value] : {std::pair("asked", 2000), std::pair("parsed", 1900),
                                              std::pair("correct", 1700), std::pair("new", 1000)})
                writer.on_headline(name, value);
            writer.on_metrics(250, std::vector<Metric>{{"prompt_tokens", 9000}, {"cost", 1.5}});
        });
        desk.open();
        desk.window->showRun(run.id);
        RunView* view = desk.window->runView();
        QTRY_LONG(view->currentTab() == QLatin1String("funnel"));
        FunnelBars* bars = view->funnel()->bars();
        QTRY_LONG(bars->csv().endsWith(QLatin1String("asked,2000\nparsed,1900\ncorrect,1700\nnew,1000\n")));
        QVERIFY(std::abs(bars->barRect(3).width() - bars->barRect(0).width() / 2) < 1);
        QVERIFY(bars->barRect(1).width() < bars->barRect(0).width());
        QVERIFY(bars->accessibleDescription().contains(QLatin1String("are new"))
                || bars->summary().contains(QLatin1String("are new")));
        const QString words = QStringLiteral("The teacher took 9,000 tokens at a price of 1.50.");
        QVERIFY2(view->funnel()->sentence().startsWith(words), qPrintable(view->funnel()->sentence()));
        QVERIFY(view->funnel()->sentence().contains(QStringLiteral("synthetic.jsonl")));
        FunnelPage bare; // of a run that has kept nothing there is no such file
        auto data = std::make_shared<RunData>();
        data->headline = {{"asked", 20}, {"parsed", 3}, {"correct", 0}, {"new", 0}};
        bare.setData(data);
        QVERIFY(bare.sentence().startsWith(QStringLiteral("No problem has been kept.")));
        QVERIFY(!bare.sentence().contains(QStringLiteral("synthetic.jsonl")));
    }

    void chartsFollowFromTheMetrics() {
        Desk desk;
        const RunRecord rloo = desk.run("rloo", "rloo", "", [](auto f) { made_up::write_rloo(f, 60, 120); });
        const RunRecord dpo = desk.run("dpo", "dpo", "", [](auto f) { made_up::write_dpo(f, 60, 120); });
        desk.open();
        desk.window->showRun(rloo.id);
        RunView* view = desk.window->runView();
        RunPage* page = view->charts();
        QTRY_LONG(page->chart(QStringLiteral("shares")));
        view->showTab(QStringLiteral("charts"));
        for (const char* key : {"reward", "reward_functions", "kl", "entropy", "length", "shares", "loss"})
            QVERIFY2(page->chart(QString::fromLatin1(key)), key);
        for (const char* key : {"pair_rewards", "margin", "accuracy", "throughput"})
            QVERIFY2(!page->chart(QString::fromLatin1(key)), key);
        QVERIFY(page->chart(QStringLiteral("reward_functions"))
                    ->csv()
                    .startsWith(QStringLiteral("step,countdown,format\n")));
        desk.window->showRun(dpo.id);
        QTRY_LONG(page->chart(QStringLiteral("logps")));
        for (const char* key : {"pair_rewards", "pair_accuracy", "logps", "loss", "grad_norm"})
            QVERIFY2(page->chart(QString::fromLatin1(key)), key);
        QVERIFY(!page->chart(QStringLiteral("reward")) && !page->chart(QStringLiteral("kl")));
        QVERIFY(page->chart(QStringLiteral("pair_accuracy"))
                    ->csv()
                    .startsWith(QStringLiteral("step,train,validation\n")));
    }

    void aHealthEventIsAFlagWithItsSentence() {
        Desk desk;
        const RunRecord run = desk.run("rloo", "rloo", "", [](auto f) { made_up::write_rloo(f, 60, 120); });
        desk.open();
        RunPage* page = desk.window->runView()->charts();
        QTRY_LONG(page->chart(QStringLiteral("kl")));
        LineChart* chart = page->chart(QStringLiteral("kl"));
        QTRY_LONG(chart->isVisible() && chart->redrawCount() > 0 && chart->xHigh() > 50);
        const QPoint at = flagPixel(chart, 40);
        QHelpEvent help(QEvent::ToolTip, at, chart->mapToGlobal(at));
        QApplication::sendEvent(chart, &help);
        QTRY_LONG(QToolTip::text().contains(QStringLiteral("over its limit")));
        // Amber, and of its own shape: the diamond's middle lies 7 pixels above the axis.
        QTRY_LONG([&] {
            const QImage image = chart->grab().toImage();
            const QColor amber = Theme::current().paused;
            for (int y = 0; y < image.height(); ++y)
                if (image.pixelColor(at.x(), y) == amber) return true;
            return false;
        }());
        desk.showTab(QStringLiteral("log"));
        QTRY_LONG(desk.window->runView()->log()->text().contains(QStringLiteral("over its limit")));
    }

    void groupsAreInspectedWithTheKeyboard() {
        Desk desk;
        const RunRecord run =
            desk.run("rloo", "rloo", "", [](auto f) { made_up::write_rloo(f, 41, 120, 6, 4); });
        desk.open();
        RunView* view = desk.window->runView();
        QTRY_LONG(view->tabs()->count() == 4);
        view->showTab(QStringLiteral("rollouts"));
        RolloutsPage* page = view->rollouts();
        CardBrowser* browser = page->browser();
        QListView* list = browser->list();
        QTRY_LONG(list->model()->rowCount() == 6);
        QCOMPARE(page->step(), 41); // the newest
        QTRY_LONG(browser->row()->shownCards().size() == 4);
        const auto stored = RunReader(desk.fixture.workspace->run_folder(run.id)).rollouts(41);
        QCOMPARE(browser->row()->shownCards()[2]->completion().text, toQt(stored[0].samples[2].text));
        const auto& numbers = browser->row()->shownCards()[2]->completion().numbers;
        QVERIFY(numbers.size() == 6); // KL, reward less KL, baseline, advantage and two reward functions
        const RolloutSample& sample = stored[0].samples[2];
        QCOMPARE(numbers[1].first, QStringLiteral("reward − 0.050 KL"));
        QCOMPARE(numbers[1].second, numberText(sample.reward - 0.05 * sample.kl));
        QCOMPARE(numbers[2].second, numberText(sample.baseline));
        // An advantage is no verdict: what beats its baseline may be a wrong answer.
        for (std::size_t i = 0; i < 4; ++i)
            QCOMPARE(browser->row()->shownCards()[i]->completion().verdict,
                     stored[0].samples[i].advantage > 0   ? Completion::Verdict::above
                     : stored[0].samples[i].advantage < 0 ? Completion::Verdict::below
                                                          : Completion::Verdict::none);
        list->setFocus();
        QTest::keyClick(list, Qt::Key_J);
        QTRY_LONG(browser->row()->key().endsWith(QStringLiteral(" 41 1")));
        QTest::keyClick(list, Qt::Key_BracketLeft);
        QCOMPARE(page->step(), 37);
        QVERIFY(!page->followBox()->isChecked());
        QTRY_LONG(browser->row()->key().endsWith(QStringLiteral(" 37 1"))); // the same group, a step before
        QTest::keyClick(list, Qt::Key_PageUp);
        QCOMPARE(page->step(), 33);
        QTest::keyClick(list, Qt::Key_BracketRight);
        QTest::keyClick(list, Qt::Key_N);
        QCOMPARE(page->step(), 41);
        QTRY_LONG(browser->row()->key().endsWith(QStringLiteral(" 41 1")));
        page->slider()->setFocus();
        QTest::keyClick(page->slider(), Qt::Key_Home);
        QCOMPARE(page->step(), 1);
        QVERIFY(!page->followBox()->isChecked());
        QTRY_LONG(browser->row()->key().endsWith(QStringLiteral(" 1 1")));
        QTest::keyClick(page->slider(), Qt::Key_T); // the keys work wherever on the page one is
        QCOMPARE(browser->row()->lens(), Lens::logprob);
    }

    void theSliderFollowsARunUntilItIsMoved() {
        Desk desk;
        RunRecord run = made_up::add_run(*desk.fixture.workspace, "rloo", "live", "", "", RunStatus::running);
        const auto folder = desk.fixture.workspace->run_folder(run.id);
        made_up::write_rloo(folder, 9, 100, 3, 4);
        desk.open();
        desk.showTab(QStringLiteral("rollouts"));
        RolloutsPage* page = desk.window->runView()->rollouts();
        QTRY_LONG(page->step() == 9);
        RandomStream random(1);
        {
            RunWriter writer(folder);
            std::vector<RolloutGroup> groups{made_up::make_rollout(13, 0, 4, random, 0.5)};
            writer.on_rollouts(groups);
        }
        QTRY_LONG(page->step() == 13);
        QTRY_LONG(page->browser()->list()->model()->rowCount() == 1);
        page->followBox()->click();
        {
            RunWriter writer(folder);
            std::vector<RolloutGroup> groups{made_up::make_rollout(17, 0, 4, random, 0.5)};
            writer.on_rollouts(groups);
        }
        QTRY_LONG(page->slider()->maximum() == 4);
        QCOMPARE(page->step(), 13);
    }

    void theLensTintsTokens() {
        Desk desk;
        made_up::make_byte_tokenizer(desk.fixture.root() / "policy");
        const RunRecord run =
            desk.run("rloo", "rloo", "", [](auto f) { made_up::write_rloo(f, 5, 100, 2, 3); },
                     {{"model", (desk.fixture.root() / "policy").string()}});
        desk.open();
        RunView* view = desk.window->runView();
        QTRY_LONG(view->tabs()->count() == 4);
        view->showTab(QStringLiteral("rollouts"));
        CardBrowser* browser = view->rollouts()->browser();
        QListView* list = browser->list();
        QTRY_LONG(browser->row()->shownCards().size() == 3);
        QCOMPARE(browser->lensBox()->count(), 5);
        QVERIFY(!browser->findChild<QLabel*>(QStringLiteral("token"))->isVisible());
        list->setFocus();
        QTest::keyClick(list, Qt::Key_T);
        QCOMPARE(browser->row()->lens(), Lens::logprob);
        CompletionCard* card = browser->row()->shownCards()[0];
        QTRY_LONG(card->lensShown());
        QString shown = card->body()->toPlainText();
        QCOMPARE(shown.remove(QChar(u'↵')), card->completion().text); // the pieces join to the text
        QTest::keyClick(list, Qt::Key_Period);
        QTest::keyClick(list, Qt::Key_Period);
        QCOMPARE(card->currentToken(), 1);
        QVERIFY2(browser->tokenLineText().startsWith(QStringLiteral("token 2 of"))
                     && browser->tokenLineText().contains(QStringLiteral("“I”")),
                 qPrintable(browser->tokenLineText()));
        QVERIFY(browser->tokenLineText().contains(QStringLiteral("reference")));
        // The mouse does the same, and its tip tells.
        QTextBrowser* body = card->body();
        QPoint at;
        for (int x = 4; x < body->viewport()->width() && body->anchorAt(at) != QStringLiteral("5"); ++x)
            at = {x, 10};
        QCOMPARE(body->anchorAt(at), QStringLiteral("5"));
        QTest::mouseMove(body->viewport(), at);
        QTRY_LONG(card->currentToken() == 5);
        QHelpEvent help(QEvent::ToolTip, at, body->viewport()->mapToGlobal(at));
        QApplication::sendEvent(body->viewport(), &help);
        QTRY_LONG(QToolTip::text().contains(QStringLiteral("token 6 of")));
        for (const Lens lens : {Lens::difference, Lens::mask, Lens::advantage, Lens::none}) {
            QTest::keyClick(list, Qt::Key_T);
            QCOMPARE(browser->row()->lens(), lens);
        }
        QVERIFY(!card->lensShown());
        QCOMPARE(card->body()->toPlainText(), card->completion().text);
    }

    void theLensSaysWhyItCannot() {
        Desk desk;
        const RunRecord run =
            desk.run("rloo", "rloo", "", [](auto f) { made_up::write_rloo(f, 5, 100, 2, 3); },
                     {{"model", (desk.fixture.root() / "gone").string()}});
        desk.open();
        RunView* view = desk.window->runView();
        QTRY_LONG(view->tabs()->count() == 4);
        view->showTab(QStringLiteral("rollouts"));
        CardBrowser* browser = view->rollouts()->browser();
        QTRY_LONG(browser->row()->shownCards().size() == 3);
        QTest::keyClick(browser->list(), Qt::Key_T);
        QTRY_LONG(browser->tokenLineText().contains(QStringLiteral("gone\" of this run")));
        QVERIFY(browser->findChild<QLabel*>(QStringLiteral("token"))->isVisible());
        QCOMPARE(browser->row()->shownCards()[0]->body()->toPlainText(),
                 browser->row()->shownCards()[0]->completion().text);
    }

    void theLensTintsWinRateReplies() {
        Desk desk;
        for (const char* side : {"base", "tuned"})
            made_up::make_byte_tokenizer(desk.fixture.root() / side);
        desk.run("win_rate", "dpo", "", [](auto f) { made_up::write_win_rate(f, 12, 1); },
                 {{"base", (desk.fixture.root() / "base").string()},
                  {"tuned", (desk.fixture.root() / "tuned").string()}});
        desk.open();
        CardBrowser* browser = desk.window->runView()->winRate()->browser();
        QTRY_LONG(browser->row()->shownCards().size() == 2);
        QCOMPARE(browser->lensBox()->count(), 2); // plain, and by log-probability
        browser->list()->setFocus();
        QTest::keyClick(browser->list(), Qt::Key_T);
        QCOMPARE(browser->row()->lens(), Lens::logprob);
        for (const CompletionCard* card : browser->row()->shownCards()) {
            QTRY_LONG(card->lensShown());
            QString shown = card->body()->toPlainText();
            QCOMPARE(shown.remove(QChar(u'↵')), card->completion().text);
        }
        QTest::keyClick(browser->list(), Qt::Key_L);
        QTest::keyClick(browser->list(), Qt::Key_Period);
        QVERIFY2(browser->tokenLineText().startsWith(QStringLiteral("token 1 of"))
                     && browser->tokenLineText().contains(QStringLiteral("“H”"))
                     && browser->tokenLineText().contains(QStringLiteral("logprob")),
                 qPrintable(browser->tokenLineText()));
        // A model that is gone takes its tokenizer with it, and the page says which one.
        std::filesystem::remove_all(desk.fixture.root() / "tuned");
        QTest::keyClick(browser->list(), Qt::Key_J);
        QTRY_LONG(browser->tokenLineText().contains(QStringLiteral("tuned\" of this run")));
    }

    void repliesStoredWithoutTokensHaveNoLens() {
        Desk desk;
        desk.run("win_rate", "dpo", "", [](auto f) {
            RunWriter writer(f);
            writer.on_comparisons(
                std::vector<Comparison>{{0, "prompt", "", {"a", 1, "eos", 0, ""}, {"b", 1, "eos", 1, ""}}});
        });
        desk.open();
        CardBrowser* browser = desk.window->runView()->winRate()->browser();
        QTRY_LONG(browser->row()->shownCards().size() == 2);
        QVERIFY(!browser->lensBox()->isEnabled());
        QTest::keyClick(browser->list(), Qt::Key_T);
        QCOMPARE(browser->row()->lens(), Lens::none);
    }

    void rewardAgainstKlIsAPathOfSteps() {
        Desk desk;
        const RunRecord run = desk.run("rloo", "rloo", "", [](auto f) { made_up::write_rloo(f, 60, 120); });
        desk.open();
        RunView* view = desk.window->runView();
        QTRY_LONG(view->charts()->path());
        PathChart* path = view->charts()->path();
        QTRY_LONG(path->pointCount() == 60 && path->redrawCount() > 0);
        const RunReader reader(desk.fixture.workspace->run_folder(run.id));
        const QStringList rows = path->csv().split(u'\n', Qt::SkipEmptyParts);
        QCOMPARE(rows.size(), 61);
        QCOMPARE(rows[0], QStringLiteral("step,kl,reward"));
        QCOMPARE(rows[30].split(u',')[1].toDouble(), reader.metric("kl")[29].value);
        QCOMPARE(rows[30].split(u',')[2].toDouble(), reader.metric("reward")[29].value);
        // Pointing at a step of the path points at it in the charts over steps, and back.
        LineChart* kl = view->charts()->chart(QStringLiteral("kl"));
        QWidget* plot = path->findChild<QWidget*>();
        const QPointF at = path->pixelOfStep(45);
        QMouseEvent move(QEvent::MouseMove, at, plot->mapToGlobal(at), Qt::NoButton, Qt::NoButton,
                         Qt::NoModifier);
        QApplication::sendEvent(plot, &move);
        QTRY_LONG(path->readout().startsWith(QStringLiteral("step 45   KL ")));
        QTRY_LONG(kl->readout().startsWith(QStringLiteral("step 45")));
        QTest::keyClick(path, Qt::Key_Right);
        QTRY_LONG(kl->readout().startsWith(QStringLiteral("step 46")));
        kl->setFocus();
        QTest::keyClick(kl, Qt::Key_Left);
        QTRY_LONG(path->readout().startsWith(QStringLiteral("step 4")));
        // Zooming the path does not zoom the steps.
        const double high = kl->xHigh();
        path->setFocus();
        QTest::keyClick(path, Qt::Key_Plus);
        QVERIFY(path->zoomed() && !kl->zoomed() && kl->xHigh() == high);
        QVERIFY(path->summary().contains(QStringLiteral("in step 60")));
    }

    void groupsWithoutVarianceAreCounted() {
        Desk desk;
        desk.run("rloo", "rloo", "", [](auto f) {
            RunWriter writer(f);
            RandomStream random(2);
            std::vector<RolloutGroup> groups;
            for (int group = 0; group < 4; ++group)
                groups.push_back(made_up::make_rollout(1, group, 4, random, 0.5));
            for (RolloutSample& sample : groups[1].samples)
                sample.reward = 0.1, sample.advantage = 0;
            for (RolloutSample& sample : groups[3].samples) // the metric does not count it either
                sample.reward = 0.1, sample.advantage = sample.sample_index - 1.5;
            for (RolloutSample& sample : groups[0].samples)
                sample.reward = sample.sample_index;
            for (RolloutSample& sample : groups[2].samples)
                sample.reward = -sample.sample_index;
            writer.on_rollouts(groups);
        });
        desk.open();
        RunView* view = desk.window->runView();
        QTRY_LONG(view->tabs()->count() == 4);
        view->showTab(QStringLiteral("rollouts"));
        QTRY_LONG(view->rollouts()->browser()->listCaption() == QStringLiteral("1 of 4 with zero variance"));
        const QAbstractItemModel* list = view->rollouts()->browser()->list()->model();
        const auto said = [&](int row) {
            return list->index(row, 0).data(Qt::AccessibleTextRole).toString();
        };
        QVERIFY2(said(1).contains(QStringLiteral("teaches nothing")), qPrintable(said(1)));
        QVERIFY2(said(3).contains(QStringLiteral("KL alone")), qPrintable(said(3)));
    }

    void differencesAreUnderlined() {
        Desk desk;
        const RunRecord run =
            desk.run("win_rate", "dpo", "", [](auto f) { made_up::write_win_rate(f, 12, 1); });
        desk.open();
        WinRatePage* page = desk.window->runView()->winRate();
        QTRY_LONG(page->browser()->row()->shownCards().size() == 2);
        CardRow* row = page->browser()->row();
        QListView* list = page->browser()->list();
        list->setFocus();
        QTest::keyClick(list, Qt::Key_D);
        QVERIFY(row->difference());
        QVERIFY(page->browser()->differenceButton()->isChecked());
        const auto marked = [](const CompletionCard* card) {
            QString text;
            for (QTextBlock block = card->body()->document()->begin(); block.isValid(); block = block.next())
                for (auto part = block.begin(); !part.atEnd(); ++part)
                    if (part.fragment().charFormat().underlineStyle() != QTextCharFormat::NoUnderline)
                        text += part.fragment().text() + u'|';
            return text;
        };
        QVERIFY2(marked(row->shownCards()[0]).contains(QStringLiteral("Sure!")),
                 qPrintable(marked(row->shownCards()[0])));
        QVERIFY(marked(row->shownCards()[1]).contains(QStringLiteral("third")));
        QVERIFY(!marked(row->shownCards()[1]).contains(QStringLiteral("kind")));
        QTest::keyClick(list, Qt::Key_Escape);
        QVERIFY(!row->difference());
        QVERIFY(marked(row->shownCards()[0]).isEmpty());
    }

    void winRatesOfAStudyStandTogether() {
        Desk desk;
        const StudyRecord study = desk.fixture.workspace->add_study({"", "Table 1", "{}", 1});
        const RunRecord dpo = desk.run(
            "win_rate", "dpo", study.id, [](auto f) { made_up::write_win_rate(f, 60, 0.4); },
            Json{{"paper", "table_1.dpo_full"}});
        const RunRecord rloo =
            desk.run("win_rate", "rloo", study.id, [](auto f) { made_up::write_win_rate(f, 60, 0.9); });
        desk.open();
        desk.window->showRun(dpo.id);
        RunView* view = desk.window->runView();
        QTRY_COMPARE_WITH_TIMEOUT(view->runId(), dpo.id, 8000);
        WinRatePage* page = view->winRate();
        QTRY_LONG(page->bars()->csv().count(u'\n') == 3);
        QVERIFY(page->bars()->csv().contains(QStringLiteral("\"dpo\",60,")));
        QVERIFY(page->bars()->csv().contains(QStringLiteral("0.605")));
        // By hand, from what was stored.
        std::vector<double> base, tuned;
        for (const Comparison& c : RunReader(desk.fixture.workspace->run_folder(dpo.id)).comparisons()) {
            base.push_back(c.base.score);
            tuned.push_back(c.tuned.score);
        }
        const auto wins = std::inner_product(tuned.begin(), tuned.end(), base.begin(), std::int64_t(0),
                                             std::plus<>(), std::greater<>());
        QTRY_LONG(page->sentence().contains(QStringLiteral("%1 wins").arg(wins)));
        QVERIFY(page->sentence().contains(QStringLiteral("sign test p")));
        // Worst first, best first, filtered, searched.
        QListView* list = page->browser()->list();
        const auto difference = [&] {
            const auto& cards = page->browser()->row()->shownCards();
            return cards[1]->completion().score.section(u' ', 1).toDouble()
                   - cards[0]->completion().score.section(u' ', 1).toDouble();
        };
        QTRY_LONG(list->model()->rowCount() == 60);
        QVERIFY(difference() < 0);
        list->setFocus();
        list->setCurrentIndex(list->model()->index(0, 0));
        const double worst = difference();
        for (std::size_t i = 0; i < base.size(); ++i)
            QVERIFY(tuned[i] - base[i] >= worst - 0.01);
        QTest::keyClick(list, Qt::Key_S);
        list->setCurrentIndex(list->model()->index(0, 0));
        QVERIFY(difference() > 0);
        QTest::keyClick(list, Qt::Key_F);
        QCOMPARE(list->model()->rowCount(), int(wins));
        QTest::keyClick(list, Qt::Key_Slash);
        QTest::keyClicks(page->searchBox(), QStringLiteral("lighthouse"));
        QVERIFY(list->model()->rowCount() > 0 && list->model()->rowCount() < int(wins));
        QTest::keyClicks(page->searchBox(), QStringLiteral(" no such text"));
        QCOMPARE(list->model()->rowCount(), 0);
        page->searchBox()->clear();
        // The other bar opens the other run.
        const auto rows = page->bars()->csv().split(u'\n');
        const int other = rows[1].startsWith(QStringLiteral("\"rloo\"")) ? 0 : 1;
        QTest::mouseClick(page->bars(), Qt::LeftButton, {}, page->bars()->barRect(other).center().toPoint());
        QTRY_COMPARE_WITH_TIMEOUT(view->runId(), rloo.id, 8000);
        QTRY_LONG(page->sentence().startsWith(QStringLiteral("rloo:")));
    }

    void aRepliedPromptIsCopied() {
        Desk desk;
        desk.run("win_rate", "dpo", "", [](auto f) { made_up::write_win_rate(f, 3, 1); });
        desk.open();
        WinRatePage* page = desk.window->runView()->winRate();
        QTRY_LONG(page->browser()->row()->shownCards().size() == 2);
        page->browser()->list()->setFocus();
        QTest::keyClick(page->browser()->list(), Qt::Key_L);
        QTest::keyClick(page->browser()->list(), Qt::Key_C);
        QVERIFY(QApplication::clipboard()->text().contains(QStringLiteral("third line")));
        QVERIFY(QApplication::clipboard()->text().contains(QStringLiteral("exactly three bullets")));
    }
};

QTEST_MAIN(TestPreferencePages)
#include "tst_preference_pages.moc"
