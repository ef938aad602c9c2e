#include "core/recipe/field.h"
#include "core/recipe/study.h"
#include "core/text/chat_template.h"
#include "ui/charts/label_stack.h"
#include "ui/charts/series.h"
#include "ui/charts/sweep_table.h"
#include "ui/feed_types.h"
#include "ui/forms/field_text.h"
#include "ui/forms/plan.h"
#include "ui/models/comparison_list_model.h"
#include "ui/models/prompt_delegate.h"
#include "ui/models/prompt_list_model.h"
#include "ui/models/rollout_list_model.h"
#include "ui/models/run_filter_model.h"
#include "ui/models/run_tree_model.h"
#include "ui/pages/metric_panels.h"
#include "ui/pages/word_diff.h"
#include "ui/theme/text.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

#include <cmath>

using namespace tempera;

/// Item models, and what pages reckon from plain structs.
class TestUiModels : public QObject {
    Q_OBJECT

    static RunRecord run(const std::string& id, const std::string& study, RunStatus status,
                         std::int64_t created) {
        RunRecord record;
        record.id = id;
        record.name = "run " + id;
        record.study = study;
        record.stage = study.empty() ? "" : id;
        record.kind = "sft";
        record.status = status;
        record.created_ms = created;
        record.started_ms = status == RunStatus::queued ? 0 : created;
        return record;
    }
    static std::shared_ptr<Catalogue> catalogue() {
        auto all = std::make_shared<Catalogue>();
        all->studies = {{"s1", "Figure 5", "{}", 100}};
        all->runs = {run("sft", "s1", RunStatus::finished, 100), run("sweep", "s1", RunStatus::running, 101),
                     run("alone", "", RunStatus::failed, 200)};
        all->runs[1].progress = {"sampling", 41, 100, "samples", 0, -1, 0};
        return all;
    }

private Q_SLOTS:
    void treeShowsStudiesWithTheirStages() {
        RunTreeModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setCatalogue(catalogue());
        QCOMPARE(model.rowCount(), 2);
        const QModelIndex newest = model.index(0, 0);
        QCOMPARE(newest.data().toString(), QStringLiteral("run alone"));
        QCOMPARE(newest.data(RunTreeModel::SummaryRole).toString(), QStringLiteral("failed"));
        const QModelIndex study = model.index(1, 0);
        QCOMPARE(study.data().toString(), QStringLiteral("Figure 5"));
        QCOMPARE(study.data(RunTreeModel::SummaryRole).toString(), QStringLiteral("1 of 2"));
        QCOMPARE(model.rowCount(study), 2);
        QCOMPARE(model.index(1, 0, study).data(RunTreeModel::SummaryRole).toString(), QStringLiteral("41 %"));
        QCOMPARE(model.index(1, 0, study).data(RunTreeModel::ProgressRole).toDouble(), 0.41);
        QCOMPARE(model.runAt(study), std::string("sweep")); // the running stage stands for its study
        QCOMPARE(model.indexOfRun("sft"), model.index(0, 0, study));
    }

    void treeKeepsItsRowsWhileNumbersChange() {
        RunTreeModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setCatalogue(catalogue());
        QSignalSpy resets(&model, &QAbstractItemModel::modelReset);
        const QPersistentModelIndex kept = model.indexOfRun("sweep");
        auto next = catalogue();
        next->runs[1].progress.done = 80;
        model.setCatalogue(next);
        QCOMPARE(resets.count(), 0);
        QVERIFY(kept.isValid());
        QCOMPARE(kept.data(RunTreeModel::SummaryRole).toString(), QStringLiteral("80 %"));
        next = catalogue();
        next->runs.pop_back();
        model.setCatalogue(next);
        QCOMPARE(model.rowCount(), 1);
    }

    void searchKeepsTheStudyOfAMatch() {
        RunTreeModel model;
        model.setCatalogue(catalogue());
        RunFilterModel filter;
        filter.setSourceModel(&model);
        QAbstractItemModelTester tester(&filter, QAbstractItemModelTester::FailureReportingMode::QtTest);
        filter.setSearch(QStringLiteral("sweep running"));
        QCOMPARE(filter.rowCount(), 1);
        QCOMPARE(filter.rowCount(filter.index(0, 0)), 1);
        filter.setSearch(QStringLiteral("no such run"));
        QCOMPARE(filter.rowCount(), 0);
        filter.setSearch({});
        QCOMPARE(filter.rowCount(), 2);
    }

    void promptsAreFilteredByVerdict_data() {
        QTest::addColumn<int>("filter");
        QTest::addColumn<QList<int>>("shown");
        QTest::newRow("all") << int(VerdictFilter::all) << QList<int>{0, 1, 2};
        QTest::newRow("solved") << int(VerdictFilter::solved) << QList<int>{0, 1};
        QTest::newRow("unsolved") << int(VerdictFilter::unsolved) << QList<int>{2};
        QTest::newRow("mixed") << int(VerdictFilter::mixed) << QList<int>{1};
        QTest::newRow("no answer") << int(VerdictFilter::no_answer) << QList<int>{2};
    }
    void promptsAreFilteredByVerdict() {
        QFETCH(int, filter);
        QFETCH(QList<int>, shown);
        auto list = std::make_shared<PromptList>();
        list->prompts = {{0, QStringLiteral("a"), {1, 1}},
                         {1, QStringLiteral("b"), {1, 0.1}},
                         {2, QStringLiteral("c"), {0, 0.1}}};
        PromptListModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setPrompts(list);
        model.setFilter(static_cast<VerdictFilter>(filter));
        QList<int> rows;
        for (int row = 0; row < model.rowCount(); ++row)
            rows << int(model.promptAt(row));
        QCOMPARE(rows, shown);
        QCOMPARE(model.rowOf(7), -1);
        QCOMPARE(model.promptAt(99), std::int64_t(-1));
    }

    void promptLabelReadsItsFacts() {
        QCOMPARE(promptLabel({0, "text", R"({"nums":[3,5,7],"target":42})"}), QStringLiteral("3, 5, 7 → 42"));
        QCOMPARE(promptLabel({0, "First line\nsecond", "no json {"}), QStringLiteral("First line"));
        QCOMPARE(promptLabel({0, "x", R"({"nums":"3","target":[]})"}), QStringLiteral("x"));
        // What all prompts of a run have in common tells none from another.
        const std::string system = "You are a helpful assistant.";
        for (const char* style : {"chatml", "llama-3", "gemma", "plain"}) {
            const ChatTemplate chat = ChatTemplate::named(style);
            std::vector<ChatMessage> turns{
                {"user", "Hello"}, {"assistant", "Hi"}, {"user", "Name a river.\nOne."}};
            if (style != std::string("gemma")) turns.insert(turns.begin(), {"system", system});
            if (style == std::string("plain")) turns = {{"system", system}, {"user", "Name a river.\nOne."}};
            const PromptRecord record{0, chat.apply(turns, {.add_generation_prompt = true}), "{}"};
            QCOMPARE(promptLabel(record, toQt(system)), QStringLiteral("Name a river."));
        }
        QCOMPARE(promptLabel({0, system, ""}, toQt(system)), toQt(system)); // nothing else is there
        RunRecord run;
        run.recipe = R"({"system":"Be brief. "})";
        QCOMPARE(systemTurnOf(run), QStringLiteral("Be brief."));
        run.recipe = "no json {";
        QCOMPARE(systemTurnOf(run), QString());
    }

    void smoothingIsUnbiasedAndKeepsGaps() {
        Series series{{1, 2, 3, 4}, {2, NAN, 2, 6}, {}, 0, 0};
        finishSeries(series, 0.5);
        QCOMPARE(series.smooth[0], 2.0); // no pull towards 0 at the start
        QVERIFY(std::isnan(series.smooth[1]));
        QCOMPARE(series.smooth[2], 2.0);
        // By hand: average = .5(.5(1) + 1) + .5 * 6 with 1 - .5^3 as the share that was seen.
        QVERIFY(std::abs(series.smooth[3] - (0.5 * 1.5 + 3) / 0.875) < 1e-12);
        QCOMPARE(series.low, 2.0);
        QCOMPARE(series.high, 6.0);
        finishSeries(series, 0);
        QCOMPARE(series.smooth[3], 6.0);
    }

    void sweepTableFindsCellsAndBest() {
        const SweepTable table(
            {{0.7, 3, .6, .5, .7, 10, 10}, {0.1, 1, .4, .3, .5, 10, 10}, {0.7, 1, .9, 0, 0, 0, 10}});
        QCOMPARE(table.temperatures(), (std::vector<double>{0.1, 0.7}));
        QCOMPARE(table.counts(), (std::vector<int>{1, 3}));
        QCOMPARE(table.best()->mean, 0.6); // .9 has no problem behind it yet
        QCOMPARE(table.at(0, 1), static_cast<const SweepCell*>(nullptr));
        QCOMPARE(table.find(0.7, 3)->mean, 0.6);
        QCOMPARE(table.find(0.5, 3), static_cast<const SweepCell*>(nullptr));
        const auto [low, high] = table.range();
        QVERIFY(std::abs(low - 0.4) < 1e-9 && std::abs(high - 0.6) < 1e-9);
        QVERIFY(SweepTable().best() == nullptr);
    }

    void endLabelsDoNotOverlap() {
        LabelStack stack(QRect(0, 0, 100, 100), 16);
        for (const double y : {50.0, 52.0, 51.0, 99.0, 98.0})
            stack.add(y, QStringLiteral("x"), Qt::black);
        const auto places = stack.place();
        for (std::size_t i = 1; i < places.size(); ++i)
            QVERIFY(places[i] - places[i - 1] >= 16 - 1e-9);
        QVERIFY(places.back() <= 92);
    }

    void fieldTextsComeBack() {
        for (const RecipeKind& kind : recipe_kinds())
            for (const Field& field : kind.fields) {
                const QString text = fieldText(field.default_value);
                QVERIFY2(parse_field_value(field, fromQt(text)) == field.default_value,
                         qPrintable(toQt(field.name) + QStringLiteral(": ") + text));
            }
    }

    void planCountsStepsAndSamples() {
        const Json study = {{"study", "x"},
                            {"stages",
                             {{{"stage", "sft"},
                               {"kind", "sft"},
                               {"data", "countdown"},
                               {"examples", 6400},
                               {"batch_size", 32},
                               {"accumulation", 1},
                               {"epochs", 1}},
                              {{"stage", "sweep"},
                               {"kind", "sweep"},
                               {"problems", 100},
                               {"n", 10},
                               {"temperatures", {0.1, 0.7}},
                               {"max_tokens", 160}}}}};
        QStringList lines;
        for (const PlanLine& line : planOf(study, Catalogue()))
            lines << line.label + u'=' + line.text;
        QVERIFY2(lines.contains(QStringLiteral("Steps=200")), qPrintable(lines.join(u'|')));
        QVERIFY(lines.contains(QStringLiteral("Samples=2,000, at most 160 tokens each")));
        QVERIFY(lines.filter(QStringLiteral("known after the first such run")).size() == 2);
    }
    void planCountsRloosPromptsAndIterations() {
        Json recipe{{"kind", "rloo"},    {"model", "tiny"}, {"data", "countdown"},
                    {"examples", 1000},  {"k", 4},          {"batch_size", 16},
                    {"accumulation", 2}, {"epochs", 3},     {"iterations", 4}};
        const auto plan = [&] {
            QStringList lines;
            for (const PlanLine& line : planOf(recipe, Catalogue()))
                lines << line.label + u'=' + line.text;
            return lines.join(u'|');
        };
        // 8 prompts behind every draw of 32 completions, and four steps on each.
        QVERIFY2(plan().contains(QStringLiteral("Steps=1,500|Prompts seen=3,000, with 4 completions each|")),
                 qPrintable(plan()));
        recipe["max_steps"] = 100;
        QVERIFY2(plan().contains(QStringLiteral("Steps=100|Prompts seen=200, with 4 completions each|")),
                 qPrintable(plan()));
    }

    void planJudgesByAnEarlierRun() {
        const Json recipe = {{"kind", "sft"},    {"model", "tiny"}, {"data", "countdown"}, {"examples", 100},
                             {"batch_size", 10}, {"epochs", 2},     {"accumulation", 1}};
        RunRecord earlier = run("old", "", RunStatus::finished, 0);
        earlier.recipe = to_json_line(recipe);
        earlier.started_ms = 1000;
        earlier.ended_ms = 11000;
        earlier.progress = {"", 10, 10, "steps", 0, -1, 1.5};
        Catalogue all;
        all.runs = {earlier};
        all.disk_bytes["old"] = 45e6;
        all.free_bytes = 2.5e9;
        const auto lines = [&] {
            QStringList texts;
            for (const PlanLine& line : planOf(recipe, all))
                texts << line.label + u'=' + line.text;
            return texts;
        };
        QVERIFY2(lines().contains(QStringLiteral("Time=about 20 s, judging by run old")),
                 qPrintable(lines().join(u'|')));
        QVERIFY(lines().contains(QStringLiteral("Disk=about 45 MB, judging by run old")));
        QVERIFY(lines().contains(QStringLiteral("Free disk=2.5 GB")));
        all.free_bytes = 30e6;
        QVERIFY(lines().contains(QStringLiteral("Free disk=30 MB: not enough, free some space first")));
    }

    void rolloutsKeepTheChosenRow() {
        RolloutListModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        auto set = std::make_shared<RolloutSet>();
        set->groups = {{1, 0, "first", "", {}}, {1, 1, "second", "", {}}};
        set->groups[0].samples.resize(2);
        set->groups[0].samples[0].reward = 1;
        set->groups[0].samples[0].advantage = 0.9;
        set->groups[0].samples[1].reward = 0.1;
        set->groups[0].samples[1].advantage = -0.9;
        set->groups[1].samples.resize(2); // all rewards equal
        model.setRollouts(set);
        QCOMPARE(model.rowCount(), 2);
        QCOMPARE(model.index(0).data(PromptResultRole).toString(), QStringLiteral(".55"));
        QCOMPARE(model.index(0).data(PromptShareRole).toDouble(), 0.5);
        QCOMPARE(model.index(1).data(PromptShareRole).toDouble(), -1.0);
        QVERIFY(model.index(1).data(Qt::ToolTipRole).toString().contains(QStringLiteral("teaches nothing")));
        const QPersistentModelIndex kept = model.index(1);
        auto next = std::make_shared<RolloutSet>(*set);
        next->step = 5;
        next->groups[1].prompt = "other";
        model.setRollouts(next);
        QVERIFY(kept.isValid());
        QCOMPARE(kept.data().toString(), QStringLiteral("other"));
        model.setRollouts(std::make_shared<RolloutSet>());
        QCOMPARE(model.rowCount(), 0);
        QVERIFY(!model.groupAt(0));
    }

    void comparisonsAreOrderedAndFiltered() {
        ComparisonListModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        auto list = std::make_shared<std::vector<Comparison>>();
        const double scores[][2] = {{1, 2}, {2, 2}, {NAN, 3}, {3, 0}, {0, 5}};
        for (int i = 0; i < 5; ++i)
            list->push_back({i,
                             "prompt " + std::to_string(i),
                             "",
                             {"base", 1, "eos", scores[i][0], ""},
                             {"tuned", 1, "eos", scores[i][1], ""}});
        model.setComparisons(list);
        const auto order = [&] {
            QList<int> prompts;
            for (int row = 0; row < model.rowCount(); ++row)
                prompts << int(model.at(row)->prompt_index);
            return prompts;
        };
        QCOMPARE(order(), (QList<int>{3, 1, 0, 4, 2})); // without a score comes last
        QCOMPARE(model.index(0).data(PromptResultRole).toString(), QStringLiteral("-3.000"));
        QCOMPARE(model.index(1).data(PromptResultRole).toString(), QStringLiteral("="));
        QCOMPARE(model.index(4).data(PromptResultRole).toString(), QStringLiteral("–"));
        model.setOrder(ComparisonOrder::best);
        QCOMPARE(order(), (QList<int>{4, 0, 1, 3, 2}));
        model.setFilter(ComparisonFilter::wins);
        QCOMPARE(order(), (QList<int>{4, 0}));
        model.setFilter(ComparisonFilter::ties);
        QCOMPARE(order(), (QList<int>{1}));
        model.setFilter(ComparisonFilter::losses);
        QCOMPARE(order(), (QList<int>{3}));
        model.setFilter(ComparisonFilter::all);
        model.setOrder(ComparisonOrder::prompt);
        QCOMPARE(order(), (QList<int>{0, 1, 2, 3, 4}));
        model.setSearch(QStringLiteral("PROMPT 4"));
        QCOMPARE(order(), (QList<int>{4}));
        QCOMPARE(model.rowOf(4), 0);
        QCOMPARE(model.rowOf(0), -1);
    }

    void metricsPickTheirPanels() {
        const auto series = [](double y) {
            auto made = std::make_shared<Series>();
            made->x = {1, 2};
            made->y = {y, y + 1};
            finishSeries(*made, 0);
            return made;
        };
        const auto keys = [](const std::vector<ShownPanel>& panels) {
            QStringList all;
            for (const ShownPanel& panel : panels)
                all << panel.key;
            return all.join(u' ');
        };
        std::map<std::string, SeriesPointer> metrics{
            {"loss", series(1)},           {"reward", series(2)},         {"reward_std", series(0)},
            {"rewards/a/mean", series(1)}, {"rewards/b/mean", series(1)}, {"rewards/a/std", series(1)},
            {"num_tokens", series(9)},     {"odd/thing", series(3)},      {"eval_odd/thing", series(3)}};
        const auto panels = panelsFor(metrics, "rloo");
        QCOMPARE(keys(panels), QStringLiteral("reward reward_functions loss reward_deviations odd/thing"));
        QCOMPARE(panels[0].lines.size(), std::size_t(1));
        QVERIFY(panels[0].lines[0].deviation == metrics["reward_std"]);
        QCOMPARE(panels[1].lines.size(), std::size_t(2));
        QCOMPARE(panels[1].lines[1].name, QStringLiteral("b"));
        QCOMPARE(panels[4].lines.size(), std::size_t(2)); // the evaluation goes with its metric
        QVERIFY(panels[4].lines[1].markers);
        QStringList declared;
        for (const MetricPanel& panel : metricPanels()) {
            QVERIFY2(!declared.contains(panel.key), qPrintable(panel.key));
            declared << panel.key;
            QVERIFY(!panel.title.isEmpty() && !panel.lines.empty());
        }
    }

    void beforeItsFirstStepARunShowsWhatItsKindWillMeasure_data() {
        QTest::addColumn<QString>("panels");
        QTest::newRow("sft") << "loss accuracy entropy learning_rate throughput";
        QTest::newRow("dpo")
            << "pair_rewards margin pair_accuracy loss accuracy entropy learning_rate throughput";
        QTest::newRow("rloo") << "reward reward_functions loss kl entropy length learning_rate throughput";
        QTest::newRow("reward") << "margin pair_accuracy scores loss learning_rate throughput";
        QTest::newRow("win_rate") << "";
    }
    void beforeItsFirstStepARunShowsWhatItsKindWillMeasure() {
        QFETCH(QString, panels);
        const std::string kind = QTest::currentDataTag();
        const auto keys = [&](const std::map<std::string, SeriesPointer>& metrics) {
            QStringList all;
            for (const ShownPanel& panel : panelsFor(metrics, kind))
                all << panel.key;
            return all;
        };
        QCOMPARE(keys({}).join(u' '), panels);
        const auto series = std::make_shared<Series>(Series{{0}, {1}, {1}, 1, 1});
        // An evaluation before the first step takes nothing away.
        QStringList more = keys({{"eval_score", series}});
        QVERIFY(more.removeOne(QStringLiteral("held_out")));
        QCOMPARE(more.join(u' '), panels);
        QCOMPARE(keys({{"loss", series}}), QStringList{QStringLiteral("loss")});
    }

    void aSummaryIsTheHeldOutNumber_data() {
        QTest::addColumn<QList<QPair<QString, double>>>("headline");
        QTest::addColumn<QString>("summary");
        using Headline = QList<QPair<QString, double>>;
        QTest::newRow("rloo") << Headline{{"eval_score", 0.19}, {"reward", 0.21}} << ".19";
        QTest::newRow("rloo without evaluation") << Headline{{"reward", -0.21}} << "reward -.21";
        QTest::newRow("reward") << Headline{{"eval_accuracy", 0.83}, {"eval_loss", 0.69}} << ".83";
        QTest::newRow("sft") << Headline{{"eval_loss", 0.22}, {"loss", 0.3}} << "loss .22";
        QTest::newRow("sweep") << Headline{{"best", 0.84}, {"mean_score", 0.5}} << ".84";
        QTest::newRow("pairs") << Headline{{"best", 60}, {"pairs", 32}} << "32 pairs";
        QTest::newRow("none") << Headline{} << "finished";
    }
    void aSummaryIsTheHeldOutNumber() {
        using Headline = QList<QPair<QString, double>>;
        QFETCH(Headline, headline);
        QFETCH(QString, summary);
        RunRecord run;
        run.status = RunStatus::finished;
        for (const auto& [name, value] : headline)
            run.headline[fromQt(name)] = value;
        QCOMPARE(runSummary(run), summary);
    }

    void wordsThatDifferAreFound_data() {
        QTest::addColumn<QString>("a");
        QTest::addColumn<QString>("b");
        QTest::addColumn<QString>("only_a");
        QTest::addColumn<QString>("only_b");
        QTest::newRow("equal") << "x y z"
                               << "x  y\nz"
                               << ""
                               << "";
        QTest::newRow("replaced") << "the cat sat"
                                  << "the dog sat"
                                  << "cat"
                                  << "dog";
        QTest::newRow("neighbours join") << "a b c d"
                                         << "a d"
                                         << "b c"
                                         << "";
        QTest::newRow("in the middle") << "one two three"
                                       << "one three four"
                                       << "two"
                                       << "four";
        QTest::newRow("signs") << "3 + 4 = 7"
                               << "3 * 4 = 12"
                               << "+|7"
                               << "*|12";
        QTest::newRow("empty") << ""
                               << "all new"
                               << ""
                               << "all new";
        QTest::newRow("nothing in common") << "a b"
                                           << "c d"
                                           << "a b"
                                           << "c d";
    }
    void wordsThatDifferAreFound() {
        QFETCH(QString, a);
        QFETCH(QString, b);
        QFETCH(QString, only_a);
        QFETCH(QString, only_b);
        const auto text = [](const QString& whole, const std::vector<TextRange>& ranges) {
            QStringList parts;
            for (const TextRange& range : ranges)
                parts << whole.sliced(range.begin, range.end - range.begin);
            return parts.join(u'|');
        };
        const WordDiff diff = wordDiff(a, b);
        QCOMPARE(text(a, diff.only_a), only_a);
        QCOMPARE(text(b, diff.only_b), only_b);
        // Very long texts end in time: the middle counts as different as a whole.
        QString long_a = QStringLiteral("same "), long_b = long_a;
        for (int i = 0; i < 20000; ++i) {
            long_a += QString::number(i) + u' ';
            long_b += QString::number(-i) + u' ';
        }
        const WordDiff rough = wordDiff(long_a, long_b);
        QCOMPARE(rough.only_a.size(), std::size_t(1));
        QCOMPARE(rough.only_a.front().begin, qsizetype(5) + (long_a[5] == long_b[5] ? 2 : 0));
    }
};

QTEST_MAIN(TestUiModels)
#include "tst_ui_models.moc"
