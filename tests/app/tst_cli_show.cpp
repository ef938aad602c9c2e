#include "core/base/files.h"
#include "core/recipe/sft_recipe.h"
#include "core/recipe/sweep_recipe.h"
#include "core/store/run_writer.h"
#include "core/store/workspace.h"
#include "tests/app/cli_process.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using namespace tempera;
using nlohmann::json;

namespace {

/// Score that grows with N and falls with T: the best cell is T = 0.5, N = 3.
double score_at(double temperature, int n) {
    return 0.9 - std::abs(temperature - 0.5) - 0.2 / n;
}

} // namespace

/// The verbs that read stored runs, on a workspace that the store's own writer made.
class TestCliShow : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    QString sft_, sweep_;

    QString folder() const { return dir_.path() + "/Arbeits raum"; }
    CliResult cli(QStringList arguments) { return run_cli(arguments << "--workspace" << folder()); }

    static void write_sft(const std::filesystem::path& run) {
        RunWriter writer(run);
        for (int step = 1; step <= 3; ++step) {
            std::vector<Metric> metrics = {{"loss", 1.0 / step}, {"learning_rate", 1e-4 * step}};
            if (step == 3) metrics.push_back({"eval_loss", 0.25});
            writer.on_metrics(step, metrics);
        }
        writer.on_event({0, 0, 2, "warning", "memory is\nlow"});
        std::filesystem::create_directories(run / "checkpoints/2");
        writer.on_checkpoint({2, "checkpoints/2", 0.5, true});
        writer.on_headline("eval_loss", 0.25);
        writer.flush();
    }

    static void write_sweep(const std::filesystem::path& run) {
        RunWriter writer(run);
        std::vector<PromptRecord> prompts = {{0, "Use 1 2", R"({"nums":[1,2],"target":3})"},
                                             {1, "Use 4 5", R"({"nums":[4,5],"target":9})"}};
        writer.on_prompts(prompts);
        std::vector<SweepCell> cells;
        std::vector<SweepRow> rows;
        std::vector<Sample> samples;
        for (double t : {0.1, 0.5, 0.9}) {
            for (int n = 1; n <= 3; ++n)
                cells.push_back(
                    {t, n, score_at(t, n), score_at(t, n) - .05, score_at(t, n) + .05, t == 0.9 ? 1 : 2, 2});
            rows.push_back({t, score_at(t, 1), .25, .75, 12.4, .125, t == 0.9 ? 3 : 6, 6});
            for (int prompt = 0; prompt < (t == 0.9 ? 1 : 2); ++prompt)
                for (int i = 0; i < 3; ++i) {
                    Sample sample;
                    sample.temperature = t;
                    sample.prompt_index = prompt;
                    sample.sample_index = i;
                    sample.text = "a, \"b\"\nline é\x1b[31m";
                    sample.token_ids = {1, 2, 3};
                    sample.logprobs = {-0.5f, -0.25f, -0.125f};
                    sample.logprob = -0.875;
                    sample.finish = "eos";
                    sample.score = i == 0 ? 1 : 0.1;
                    sample.reason = "It is so.";
                    samples.push_back(sample);
                }
        }
        writer.on_samples(samples);
        writer.on_sweep(cells, rows);
        writer.flush();
    }

private slots:
    void initTestCase() {
        Workspace workspace(folder().toStdString(), Workspace::Access::read_write);
        RunRecord sft;
        sft.kind = "sft";
        sft.name = "first é";
        sft.recipe = to_json_line(SftRecipe().to_json());
        sft = workspace.add_run(sft);
        write_sft(workspace.run_folder(sft.id));
        sft.status = RunStatus::finished;
        sft.started_ms = 1'700'000'000'000;
        sft.ended_ms = sft.started_ms + 3'725'000;
        sft.headline = {{"eval_loss", 0.25}};
        workspace.update_run(sft);
        RunRecord sweep;
        sweep.kind = "sweep";
        sweep.name = "second";
        sweep.recipe = to_json_line(SweepRecipe().to_json());
        sweep = workspace.add_run(sweep);
        write_sweep(workspace.run_folder(sweep.id));
        sweep.status = RunStatus::failed;
        sweep.error = "It broke; mend it.";
        workspace.update_run(sweep);
        sft_ = QString::fromStdString(sft.id);
        sweep_ = QString::fromStdString(sweep.id);
    }

    void runsAreListed() {
        auto text = cli({"runs"});
        QCOMPARE(text.code, 0);
        QCOMPARE(text.out.count('\n'), qsizetype{3});
        for (const QString& part : {sft_, sweep_, QString("first é"), QString("1:02:05"),
                                    QString("eval_loss 0.25"), QString("It broke")})
            QVERIFY2(text.out.contains(part.toUtf8()), qPrintable(part));
        auto list = cli({"runs", "--json"}).json();
        QCOMPARE(list.size(), std::size_t{2});
        QCOMPARE(list[0]["id"].get<std::string>(), sft_.toStdString());
        QCOMPARE(list[0]["recipe"]["kind"].get<std::string>(), std::string("sft"));
        QCOMPARE(list[1]["error"].get<std::string>(), std::string("It broke; mend it."));
    }

    void showOfSftPrintsItsLastMetrics() {
        auto text = cli({"show", sft_});
        QVERIFY2(text.code == 0, text.err.constData());
        for (const char* part : {"finished", "took 1:02:05", "loss", "0.3333", "eval_loss"})
            QVERIFY2(text.out.contains(part), part);
        auto object = cli({"show", sft_.left(6), "--json"}).json(); // the beginning of an id is enough
        QCOMPARE(object["metrics"]["eval_loss"]["value"].get<double>(), 0.25);
        QCOMPARE(object["metrics"]["loss"]["step"].get<int>(), 3);
        QCOMPARE(object["checkpoints"][0]["best"].get<bool>(), true);
        QVERIFY(!object.contains("sweep"));
    }

    void metricsComeStepByStep() {
        auto rows = cli({"show", sft_, "--metrics", "--json"}).rows();
        QCOMPARE(rows.size(), std::size_t{3});
        QVERIFY((rows[0] == json{{"step", 1}, {"loss", 1.0}, {"learning_rate", 1e-4}}));
        QCOMPARE(rows[2]["eval_loss"].get<double>(), 0.25);
        auto text = cli({"show", sft_, "--metrics"});
        QCOMPARE(text.out.count('\n'), qsizetype{4});
        auto events = cli({"show", sft_, "--events"});
        QVERIFY2(events.out.contains("memory is low"), events.out.constData());
    }

    void showOfASweepPrintsTheTable() {
        auto text = cli({"show", sweep_});
        QVERIFY2(text.code == 0, text.err.constData());
        // T = 0.5: .700 at N=1, .800 at N=2, .833 at N=3; the unfinished T = 0.9 is marked.
        QVERIFY2(text.out.contains("0.5  .700   .800   .833")
                     || text.out.contains("0.5   .700   .800   .833"),
                 text.out.constData());
        QVERIFY2(text.out.contains(".433*"), text.out.constData());
        QVERIFY2(text.out.contains("Best: .833 (95 % .783 to .883) at T = 0.5, N = 3, 2 problems"),
                 text.out.constData());
        QVERIFY2(text.out.contains(".370") && text.out.contains(".811"), "the paper's values are missing");
        auto sweep = cli({"show", sweep_, "--json"}).json()["sweep"];
        QCOMPARE(sweep["cells"].size(), std::size_t{9});
        QCOMPARE(sweep["rows"].size(), std::size_t{3});
        QCOMPARE(sweep["best"]["n"].get<int>(), 3);
        QCOMPARE(sweep["best"]["temperature"].get<double>(), 0.5);
        QCOMPARE(sweep["paper"]["best_of_n"].get<double>(), .811);
    }

    void samplesCanBeChosen() {
        auto all = cli({"show", sweep_, "--samples", "--json"}).rows();
        QCOMPARE(all.size(), std::size_t{15});
        QCOMPARE(all[0]["text"].get<std::string>(), std::string("a, \"b\"\nline é\x1b[31m"));
        QVERIFY((all[0]["token_ids"] == json{1, 2, 3}));
        auto some =
            cli({"show", sweep_, "--samples", "--json", "--temperature", "0.5", "--problem", "1"}).rows();
        QCOMPARE(some.size(), std::size_t{3});
        for (const auto& row : some)
            QCOMPARE(row["prompt_index"].get<int>(), 1);
        auto text = cli({"show", sweep_, "--samples"});
        QVERIFY(text.out.contains("It is so."));
        QVERIFY2(!text.out.contains('\x1b'), "a sample's escape sequence reached the terminal");
        auto none = cli({"show", sweep_, "--samples", "--problem", "7"});
        QCOMPARE(none.code, 2);
        QVERIFY(none.err.contains("no problem 7"));
    }

    void aRunFolderOpensAnywhere() {
        QString copy = dir_.path() + "/copy";
        std::filesystem::copy((folder() + "/runs/" + sweep_).toStdString(), copy.toStdString(),
                              std::filesystem::copy_options::recursive);
        auto text = run_cli({"show", copy});
        QVERIFY2(text.code == 0, text.err.constData());
        QVERIFY2(text.out.contains("Best: .833"), text.out.constData());
        auto wrong = run_cli({"show", dir_.path()});
        QCOMPARE(wrong.code, 2);
        QVERIFY(wrong.has_one_error_line());
    }

    void exportsAreWhole() {
        auto content = [](const QString& path) {
            QFile file(path);
            return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
        };
        QString file = dir_.path() + "/out";
        auto result = cli({"export", sweep_, file, "--samples"});
        QVERIFY2(result.code == 0, result.err.constData());
        QCOMPARE(content(file).count('\n'), qsizetype{15});
        QCOMPARE(cli({"export", sweep_, file, "--samples", "--n", "2", "--temperature", "0.5"}).code, 0);
        QCOMPARE(content(file).count('\n'), qsizetype{4});
        for (const QStringList& wrong : {QStringList{"--samples", "--temperature", "0.7"}, // not drawn at
                                         QStringList{"--rows", "--n", "2"},
                                         {"--samples", "--min-score", "1"}}) {
            result = cli(QStringList{"export", sweep_, file} + wrong);
            QCOMPARE(result.code, 2);
            QVERIFY2(result.has_one_error_line(), result.err.constData());
        }
        QCOMPARE(cli({"export", sweep_, file, "--best-of-n", "--min-score", "1"}).code, 0);
        QCOMPARE(content(file).count('\n'), qsizetype{2});
        QCOMPARE(cli({"export", sweep_, file, "--best-of-n", "--min-score", "1.5"}).code, 1);
        QCOMPARE(content(file).count('\n'), qsizetype{2}); // as it was
        QCOMPARE(cli({"export", sft_, file, "--metrics"}).code, 0);
        QVERIFY(content(file).startsWith("step,"));
        QCOMPARE(content(file).count('\n'), qsizetype{4});
        QCOMPARE(cli({"export", sweep_, file, "--sweep"}).code, 0);
        QCOMPARE(content(file).count('\n'), qsizetype{10});
        QCOMPARE(cli({"export", sweep_, file, "--rows"}).code, 0);
        QCOMPARE(content(file).count('\n'), qsizetype{4});
        QCOMPARE(cli({"export", sweep_, file}).code, 2);
        QCOMPARE(cli({"export", sweep_, file, "--rows", "--sweep"}).code, 2);
        // What a format or a file's name asks for is what is written, or it is refused.
        for (const QStringList& wrong : {QStringList{"/a.parquet", "--sweep"},
                                         {"/a.jsonl", "--rows"},
                                         {"/a.csv", "--sweep", "--format", "parquet"},
                                         {"/a.csv", "--rollouts"},
                                         {"/a.parquet", "--comparisons"},
                                         {"/a.csv", "--replies", "base"},
                                         {"/a.parquet", "--metrics"},
                                         {"/a.xlsx", "--samples"}}) {
            result = cli(QStringList{"export", sweep_, dir_.path() + wrong.front()} + wrong.mid(1));
            QCOMPARE(result.code, 2);
            QVERIFY2(result.err.contains("cannot be written as") && result.has_one_error_line(),
                     result.err.constData());
            QVERIFY(!QFile::exists(dir_.path() + wrong.front()));
        }
        QCOMPARE(cli({"export", sweep_, dir_.path() + "/A.PARQUET", "--samples"}).code, 0);
        QVERIFY(content(dir_.path() + "/A.PARQUET").startsWith("PAR1"));
        QCOMPARE(cli({"export", sweep_, dir_.path() + "/a.xlsx", "--samples", "--format", "csv"}).code, 0);
        QVERIFY(content(dir_.path() + "/a.xlsx").startsWith("temperature,"));
        result = cli({"export", sweep_, file, "--metrics"});
        QCOMPARE(result.code, 1);
        QVERIFY2(result.err.contains("has no metrics: export its --samples"), result.err.constData());
        result = cli({"export", sweep_, dir_.path() + "/none/c.csv", "--sweep"});
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
    }

    void unknownRunsNameTheNearest() {
        QString typo = sft_;
        std::swap(typo[typo.size() - 1], typo[typo.size() - 2]);
        auto result = cli({"show", "nothing-like-it"});
        QCOMPARE(result.code, 2);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
        result = cli({"show", "s"}); // the beginning of both
        QCOMPARE(result.code, 2);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
    }

    void aStudyStandsBesideThePaper() {
        QTemporaryDir place;
        QString id;
        {
            Workspace workspace(place.path().toStdString(), Workspace::Access::read_write);
            const StudyRecord study = workspace.add_study({"", "Table 1, mine", R"({"study":"table-1"})", 0});
            auto add = [&](const char* stage, const char* kind, const char* paper,
                           std::map<std::string, double> headline) {
                RunRecord run;
                run.study = study.id;
                run.stage = stage;
                run.kind = kind;
                Json recipe = {{"kind", kind}};
                if (*paper) recipe["paper"] = paper;
                run.recipe = to_json_line(recipe);
                run.headline = std::move(headline);
                run.status = RunStatus::finished;
                return workspace.add_run(run).id;
            };
            add("sft", "sft", "", {{"eval_loss", 1.25}, {"other", 3}});
            const auto won = add("win", "win_rate", "table_1.dpo_lora",
                                 {{"win_rate", .625}, {"low", .5}, {"high", .75}, {"p", .01}});
            add("score", "sweep", "table_2.sft", {{"best", .9}, {"mean_score", .4}});
            add("best", "sweep", "table_2.best_of_n", {{"best", .9}, {"mean_score", .4}});
            RunWriter writer(workspace.run_folder(won));
            std::vector<Comparison> comparisons(8);
            for (int i = 0; i < 8; ++i) {
                comparisons[static_cast<std::size_t>(i)].prompt_index = i;
                comparisons[static_cast<std::size_t>(i)].prompt = "Prompt\n" + std::to_string(i);
                comparisons[static_cast<std::size_t>(i)].tuned.score = i < 5 ? i + 1 : i == 5 ? -2 : 0;
            }
            writer.on_comparisons(comparisons);
            writer.flush();
            id = QString::fromStdString(won);
        }
        auto show = [&](const QStringList& what) {
            return run_cli(QStringList{"show"} + what + QStringList{"--workspace", place.path()});
        };
        for (const char* name : {"table-1", "Table 1, mine"}) {
            auto text = show({name});
            QVERIFY2(text.code == 0, text.err.constData());
            for (const char* part : {"eval_loss 1.25", ".625 (95 % .500 to .750)", ".665", ".400", ".370",
                                     ".900", ".811", "Paper: Han, Zhang"})
                QVERIFY2(text.out.contains(part), part);
        }
        const json stages = show({"table-1", "--json"}).json()["stages"];
        QCOMPARE(stages.size(), std::size_t{4});
        QVERIFY(!stages[0].contains("paper"));
        QCOMPARE(stages[1]["paper"]["value"].get<double>(), .665);
        QCOMPARE(stages[1]["paper"]["here"].get<double>(), .625);
        QCOMPARE(stages[2]["paper"]["here"].get<double>(), .4);
        QCOMPARE(stages[3]["paper"]["here"].get<double>(), .9);
        auto won = show({id});
        for (const char* part : {".625", "5, 2, 1", "B is worst on\n  prompt 5, A 0, B -2: Prompt 5",
                                 "B is best on\n  prompt 4, A 0, B 5: Prompt 4"})
            QVERIFY2(won.out.contains(part), won.out.constData());
        const json comparison = show({id, "--json"}).json()["comparison"];
        QCOMPARE(comparison["wins"].get<int>(), 5);
        QCOMPARE(comparison["losses"].get<int>(), 1);
    }

    void aWorkspaceHeldByAnotherProgramIsSaidAndCanBeRead() {
        Workspace holder(folder().toStdString(), Workspace::Access::read_write);
        QCOMPARE(cli({"runs"}).code, 0);
        QCOMPARE(cli({"show", sft_}).code, 0);
        auto result = cli({"resume", sweep_});
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
    }

    void aDamagedCatalogueIsOneSentence() {
        QTemporaryDir broken;
        write_file_atomic(broken.path().toStdString() + "/workspace.db", std::string(5000, 'x'));
        auto result = run_cli({"runs", "--workspace", broken.path()});
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
    }
};

QTEST_GUILESS_MAIN(TestCliShow)
#include "tst_cli_show.moc"
