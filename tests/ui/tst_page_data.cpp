#include "desk.h"

#include "ui/charts/win_rate_bars.h"
#include "ui/models/prompt_delegate.h"
#include "ui/pages/card_browser.h"
#include "ui/pages/card_row.h"
#include "ui/pages/completion_card.h"
#include "ui/pages/log_page.h"
#include "ui/pages/rollouts_page.h"
#include "ui/pages/run_view.h"
#include "ui/pages/samples_page.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/banner.h"

#include <QApplication>
#include <QLabel>
#include <QListView>
#include <QStandardPaths>
#include <QTabBar>

#include <array>

using namespace tempera;
using test::Desk;

#define QTRY_LONG(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, 8000)

/// That the pages show what their run says, and nothing else.
class TestPageData : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        applyTheme(*qApp, Scheme::light);
    }

    void nothingOfAnotherRunStandsUnderThisOnesName() {
        Desk desk;
        const auto write = [](const std::filesystem::path& folder) {
            RunWriter writer(folder);
            writer.on_prompts(std::vector<PromptRecord>{{0, "Say hello in capitals.", ""}});
            std::vector<Sample> samples(2);
            for (int i = 0; i < 2; ++i) {
                samples[std::size_t(i)].temperature = 1;
                samples[std::size_t(i)].sample_index = i;
                samples[std::size_t(i)].score = i == 0 ? 0.5 : 0;
                samples[std::size_t(i)].text = i == 0 ? "HELLO there" : "hello";
                samples[std::size_t(i)].reason = "Not all in capitals.";
            }
            writer.on_samples(samples);
        };
        const RunRecord full = desk.run("pairs", "full", "", write);
        const RunRecord bare =
            made_up::add_run(*desk.fixture.workspace, "pairs", "bare", "", "", RunStatus::failed);
        RunRecord rloo = desk.run("rloo", "rloo", "", [](auto f) { made_up::write_rloo(f, 9, 100, 3, 4); });
        desk.open();
        RunView* view = desk.window->runView();
        SamplesPage* page = view->samples();
        desk.window->showRun(full.id);
        QTRY_LONG(page->row()->shownCards().size() == 2);
        // A share of constraints is no equation, so none is missing.
        const Completion half = page->row()->shownCards()[0]->completion();
        QCOMPARE(half.answer, QString());
        QCOMPARE(half.note, QStringLiteral("Not all in capitals."));
        QCOMPARE(page->row()->shownCards()[1]->completion().verdict, Completion::Verdict::wrong);
        desk.window->showRun(bare.id);
        QTRY_LONG(view->runId() == bare.id);
        QCOMPARE(page->promptList()->model()->rowCount(), 0);
        QVERIFY(page->row()->shownCards().empty());
        QTRY_LONG([&] {
            for (const QLabel* label : page->findChildren<QLabel*>())
                if (label->isVisible() && label->text().contains(QStringLiteral("ended before"))) return true;
            return false;
        }());
        desk.window->showRun(rloo.id);
        QTRY_LONG(view->runId() == rloo.id);
        for (int i = 0; i < view->tabs()->count(); ++i)
            if (view->tabs()->tabData(i).toString() == QStringLiteral("rollouts"))
                QTest::mouseClick(view->tabs(), Qt::LeftButton, {}, view->tabs()->tabRect(i).center());
        QTRY_LONG(view->rollouts()->browser()->list()->hasFocus()); // its keys are at hand
        QTRY_LONG(view->rollouts()->browser()->row()->shownCards().size() == 4);
        RunRecord second =
            desk.run("rloo", "second", "", [](auto f) { made_up::write_rloo(f, 5, 100, 3, 2); });
        QTRY_LONG([&] {
            desk.window->showRun(second.id);
            return view->runId() == second.id;
        }());
        QVERIFY(view->rollouts()->browser()->row()->shownCards().size() != 4);
        QTRY_LONG(view->rollouts()->browser()->row()->shownCards().size() == 2);
    }

    void scoresOfARewardModelAreNoVerdicts() {
        Desk desk;
        const RunRecord run = desk.run(
            "pairs", "pairs", "",
            [](auto folder) {
                RunWriter writer(folder);
                writer.on_prompts(std::vector<PromptRecord>{{0, "First", ""}, {1, "Second", ""}});
                std::vector<Sample> samples(4);
                for (int i = 0; i < 4; ++i) {
                    samples[std::size_t(i)].temperature = 1;
                    samples[std::size_t(i)].prompt_index = i / 2;
                    samples[std::size_t(i)].sample_index = i % 2;
                    samples[std::size_t(i)].score = std::array{-2.5, 3.25, -1.0, -1.0}[std::size_t(i)];
                }
                writer.on_samples(samples);
            },
            Json{{"model", "tiny"}, {"judge", "reward_model"}, {"reward_model", "x"}});
        desk.open();
        desk.window->showRun(run.id);
        SamplesPage* page = desk.window->runView()->samples();
        const QAbstractItemModel* list = page->promptList()->model();
        QTRY_LONG(list->rowCount() == 2 && page->row()->shownCards().size() == 2);
        for (const CompletionCard* card : page->row()->shownCards())
            QCOMPARE(card->completion().verdict, Completion::Verdict::plain);
        QCOMPARE(page->row()->shownCards()[0]->completion().score, numberText(-2.5));
        QCOMPARE(list->index(0, 0).data(PromptResultRole).toString(), numberText(3.25));
        QVERIFY(list->index(0, 0).data(PromptGoodRole).toBool());
        QVERIFY(!list->index(1, 0).data(PromptGoodRole).toBool()); // equal scores make no pair
        QVERIFY(list->index(0, 0).data(Qt::AccessibleTextRole).toString().contains(numberText(-2.5)));
    }

    void aWinRateIsSaidInWords() {
        WinRateBars bars;
        WinRateLine line;
        line.name = QStringLiteral("100%5 and %6");
        line.rate = win_rate(std::vector{0.0, 1.0}, std::vector{1.0, 1.0}, 100, 0);
        const QString words = bars.describe(line);
        QVERIFY2(words.startsWith(QStringLiteral("100%5 and %6: win-rate .50,")), qPrintable(words));
        QVERIFY2(words.contains(QStringLiteral("1 win, 1 tie, 0 losses of 2; sign test p = 1.00")),
                 qPrintable(words));
        // A reply may win and be wrong all the same.
        ComparedReply reply;
        reply.score = 0.1;
        QCOMPARE(completionOf(reply, Side::tuned, 0).verdict, Completion::Verdict::above);
        QCOMPARE(completionOf(reply, Side::tuned, 0.1).verdict, Completion::Verdict::none);
    }

    void whatAnEndpointDoesNotSayIsNotSaid() {
        const auto facts = [](const Sample& sample) {
            return completionOf(sample, {}, Scoring::verdict).facts;
        };
        Sample sample;
        sample.text = "An answer.";
        sample.finish = "stop";
        QCOMPARE(facts(sample), QStringLiteral("stop"));
        sample.token_ids.assign(1200, 7); // drawn here, but of no log-probabilities
        QCOMPARE(facts(sample), QStringLiteral("1,200 tokens · stop"));
        sample.token_ids.clear();
        sample.logprobs = {-0.25F, -0.5F}; // and the other way round
        sample.logprob = -0.75;
        QCOMPARE(facts(sample), QStringLiteral("2 tokens · stop · logprob -0.8"));
        sample.logprobs = {0, 0}; // certain, which is not unknown
        sample.logprob = 0;
        QCOMPARE(facts(sample), QStringLiteral("2 tokens · stop · logprob 0.0"));
        ComparedReply reply;
        reply.finish = "stop";
        QCOMPARE(completionOf(reply, Side::base, 1).facts, QStringLiteral("loses · stop"));
        reply.tokens = 3;
        QCOMPARE(completionOf(reply, Side::base, 1).facts, QStringLiteral("loses · 3 tokens · stop"));
    }

    void theLogSeparatesThousands() {
        LogPage log;
        auto data = std::make_shared<RunData>();
        data->events = {{1, 0, -1, "log", "Trains 1543168 of 20000000 parameters."},
                        {2, 0, 12000, "checkpoint", "Kept 10000, then 98765."},
                        {3, 0, -1, "log", "seed 12345, run-20000, /a/30000/b, 40000x, 0.50000, 2026 rows"}};
        log.setData(data);
        const QString text = log.text();
        for (const char* part :
             {"1,543,168 of 20,000,000 parameters.", "step 12,000 ", "Kept 10,000, then 98,765.",
              "seed 12345, run-20000, /a/30000/b, 40000x, 0.50000, 2026 rows"})
            QVERIFY2(text.contains(QString::fromLatin1(part)), qPrintable(text));
    }

    void aRunThatARulePausedSaysWhy() {
        Desk desk;
        const auto events = [](std::vector<std::pair<std::string, std::string>> list) {
            return [list](const std::filesystem::path& folder) {
                RunWriter writer(folder);
                for (const auto& [kind, message] : list)
                    writer.on_event({0, 1, kind == "started" || kind == "stopped" ? -1 : 3, kind, message});
            };
        };
        const auto stopped = [&](const std::string& name, auto list) {
            RunRecord run = desk.run("rloo", name, "", events(list));
            run.status = RunStatus::stopped;
            desk.fixture.workspace->update_run(run);
            return run;
        };
        using List = std::vector<std::pair<std::string, std::string>>;
        const List seen{
            {"started", "Started."}, {"health", "KL is over its limit."}, {"warning", "It pauses."}};
        List resumed = seen; // and stopped by hand afterwards
        resumed.insert(resumed.end(), {{"started", "Started again."}, {"stopped", "Stopped."}});
        List by_hand = seen;
        by_hand.back() = {"stopped", "Stopped."};
        const RunRecord paused = stopped("paused", seen), later = stopped("later", resumed),
                        other = stopped("other", by_hand);
        desk.open();
        RunView* view = desk.window->runView();
        const auto banner = [&] {
            for (const Banner* banner : view->findChildren<Banner*>())
                if (banner->isVisible()) return banner->text();
            return QString();
        };
        desk.window->showRun(paused.id);
        QTRY_LONG(banner().startsWith(
            QStringLiteral("A health rule paused the run at step 3: KL is over its limit.")));
        for (const RunRecord& run : {later, other}) {
            desk.window->showRun(run.id);
            desk.showTab(QStringLiteral("log"));
            QTRY_LONG(view->runId() == run.id && view->log()->text().contains(QStringLiteral("Stopped.")));
            QCOMPARE(banner(), QString());
        }
    }

    void evaluationsAndSchedulesAreNotSmoothed() {
        Desk desk;
        const RunRecord run = desk.run("sft", "sft", "", [](auto folder) {
            RunWriter writer(folder);
            for (int step = 1; step <= 40; ++step)
                writer.on_metrics(step,
                                  std::vector<Metric>{{"loss", double(step % 7)},
                                                      {"learning_rate", double(step < 5 ? step : 40 - step)},
                                                      {"eval_loss", double(step % 3)}});
        });
        RunDataPointer last;
        desk.open();
        connect(desk.feed.get(), &RunFeed::runChanged, this,
                [&](const RunDataPointer& data) { last = data; });
        desk.window->showRun(run.id);
        QTRY_LONG(last && last->metrics.count("loss"));
        QVERIFY(last->metrics.at("loss")->smooth != last->metrics.at("loss")->y);
        for (const char* exact : {"learning_rate", "eval_loss"})
            QCOMPARE(last->metrics.at(exact)->smooth, last->metrics.at(exact)->y);
    }
};

QTEST_MAIN(TestPageData)
#include "tst_page_data.moc"
