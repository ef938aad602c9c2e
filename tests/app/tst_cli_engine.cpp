#include "core/base/files.h"
#include "tests/app/cli_process.h"

#include <QDir>
#include <QFile>
#include <QRegularExpression>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <csignal>

using nlohmann::json;

/// The command line with the real engine, on tiny models with random weights.
class TestCliEngine : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    const QString model_ = golden("models/qwen2-tied");

    /// A study that trains for a few seconds.
    QStringList study(const QString& name) const {
        QStringList arguments = {"run", "figure-5", "--name", name};
        for (const char* setting :
             {"sft.examples=288", "sft.validation_examples=16", "sft.max_steps=36", "sft.warmup_steps=2",
              "sft.eval_steps=12", "sft.batch_size=8", "sft.checkpoint_steps=6", "sft.learning_rate=1e-3",
              "sweep.problems=6", "sweep.max_tokens=40", "sweep.n=3", "sweep.temperatures=0.3,0.7"})
            arguments << "--set" << setting;
        return arguments << "--set"
                         << "model=" + model_;
    }
    static QByteArray weights(const QString& workspace, const QString& run) {
        QFile file(workspace + "/runs/" + run + "/model/model.safetensors");
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    QString in_workspace(const char* name) {
        QString folder = dir_.path() + "/" + name;
        qputenv("TEMPERA_WORKSPACE", folder.toUtf8());
        return folder;
    }
    static json runs() { return run_cli({"runs", "--json"}).json(); }
    static QString id_of(const json& run) { return QString::fromStdString(run["id"].get<std::string>()); }

    /// Starts the study and waits for its first durable checkpoint.
    void start_until_checkpoint(QProcess& process, const QString& workspace) {
        process.start(cli_program(), study("cut"));
        for (int i = 0; i < 600; ++i) {
            QTest::qWait(20);
            QDir runs(workspace + "/runs");
            for (const QString& run : runs.entryList({"sft-*"}, QDir::Dirs))
                if (!QDir(runs.filePath(run) + "/checkpoints")
                         .entryList({"[0-9]*"}, QDir::Dirs)
                         .filter(QRegularExpression("^\\d+$"))
                         .isEmpty())
                    return;
        }
        QFAIL("no checkpoint was written");
    }

private slots:
    void initTestCase() { qunsetenv("TEMPERA_ENGINE"); }

    void aStudyRunsToItsTable() {
        QString workspace = in_workspace("whole");
        auto result = run_cli(study("whole") << "--json");
        QVERIFY2(result.code == 0, result.err.constData());
        QVERIFY2(result.err.contains("sft: evaluation at step 12: loss "), result.err.constData());
        json sft = result.json()["runs"][0], sweep = result.json()["runs"][1];
        QCOMPARE(sft["progress"]["done"].get<int>(), 36);
        QCOMPARE(sweep["sweep"]["cells"].size(), std::size_t{6});
        QCOMPARE(sweep["sweep"]["rows"][0]["samples_done"].get<int>(), 18);
        auto metrics = run_cli({"show", id_of(sft), "--metrics", "--json"}).rows();
        QCOMPARE(metrics.size(), std::size_t{36});
        for (const char* name :
             {"loss", "grad_norm", "learning_rate", "entropy", "mean_token_accuracy", "num_tokens", "epoch"})
            QVERIFY2(metrics[0].contains(name), name);
        QVERIFY(metrics.back()["loss"].get<double>() < metrics.front()["loss"].get<double>());
        QVERIFY(metrics.back().contains("eval_loss"));
        QVERIFY(!weights(workspace, id_of(sft)).isEmpty());
        // The verifier says of the stored samples what was stored with them.
        auto samples = run_cli({"show", id_of(sweep), "--samples", "--json"}).rows();
        QCOMPARE(samples.size(), std::size_t{36});
        QString exported = dir_.path() + "/samples.jsonl";
        QCOMPARE(run_cli({"export", id_of(sweep), exported, "--samples"}).code, 0);
        QFile file(exported);
        QVERIFY(file.open(QIODevice::ReadOnly));
        QByteArray questions;
        std::vector<json> stored;
        for (const QByteArray& line : file.readAll().split('\n')) {
            if (line.isEmpty()) continue;
            stored.push_back(json::parse(line.toStdString()));
            json facts = stored.back()["facts"];
            json question = {
                {"nums", facts["nums"]}, {"target", facts["target"]}, {"completion", stored.back()["text"]}};
            questions += QByteArray::fromStdString(question.dump()) + "\n";
        }
        auto verdicts = run_cli({"verify"}, questions).rows();
        QCOMPARE(verdicts.size(), stored.size());
        for (std::size_t i = 0; i < verdicts.size(); ++i)
            QCOMPARE(verdicts[i]["score"].get<double>(), stored[i]["score"].get<double>());
    }

    void stoppedOrKilledItEndsWithTheSameWeights_data() {
        QTest::addColumn<int>("signal");
        QTest::newRow("Ctrl-C") << SIGINT;
        QTest::newRow("kill -9") << SIGKILL;
    }

    void stoppedOrKilledItEndsWithTheSameWeights() {
        QFETCH(int, signal);
        QString whole = dir_.path() + "/whole", workspace = in_workspace(QTest::currentDataTag());
        QProcess process;
        start_until_checkpoint(process, workspace);
        ::kill(static_cast<pid_t>(process.processId()), signal);
        QVERIFY(process.waitForFinished(30000));
        json cut = runs()[0];
        QString status = QString::fromStdString(cut["status"].get<std::string>());
        QVERIFY2(status != "finished", "the run was over before it was stopped");
        if (signal == SIGINT) QCOMPARE(process.exitCode(), 130);
        auto result = run_cli({"resume", id_of(cut)});
        QVERIFY2(result.code == 0, result.err.constData());
        QVERIFY(result.out.contains("Best: "));
        for (const auto& run : runs())
            QCOMPARE(run["status"].get<std::string>(), std::string("finished"));
        auto steps = run_cli({"show", id_of(cut), "--metrics", "--json"}).rows();
        QCOMPARE(steps.size(), std::size_t{36});
        qputenv("TEMPERA_WORKSPACE", whole.toUtf8());
        QString uncut = id_of(runs()[0]);
        QByteArray expected = weights(whole, uncut);
        QVERIFY(!expected.isEmpty());
        QVERIFY2(weights(workspace, id_of(cut)) == expected, "the resumed run ended elsewhere");
        auto reference = run_cli({"show", uncut, "--metrics", "--json"}).rows();
        for (std::size_t i = 0; i < steps.size(); ++i)
            QVERIFY2(steps[i]["loss"] == reference[i]["loss"], std::to_string(i).c_str());
    }

    void whatCannotBeTrainedOnIsOneSentence_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("setting");
        QTest::addColumn<QByteArray>("part");
        QByteArray good;
        for (int i = 0; i < 20; ++i)
            good += "{\"prompt\":\"" + QByteArray::number(i) + "\",\"completion\":\"a\"}\n";
        auto row = [](const char* name, const QByteArray& content, const char* setting, const char* part) {
            QTest::newRow(name) << content << QString(setting) << QByteArray(part);
        };
        row("empty", "", "seed=1", "holds no rows");
        row("binary", QByteArray("\x7f\0\1\n", 4), "seed=1", "row 1 is not valid JSON");
        row("half a row", good + "{\"prompt\":\"x\"", "bad_rows=refuse",
            "row 21 is not valid JSON: column 14");
        row("no column", good + "{\"promt\":\"x\",\"completion\":\"y\"}", "bad_rows=refuse",
            "row 21 has no column");
        row("a number", good + "{\"prompt\":5,\"completion\":\"y\"}", "bad_rows=refuse",
            "row 21, column \"prompt\"");
        row("all held out", good, "validation_examples=20", "has 20 rows, and validation_examples takes all");
        row("one prompt", QByteArray("{\"prompt\":\"a\",\"completion\":\"b\"}\n").repeated(9),
            "validation_examples=2", "give more different prompts");
        row("no such target", good, "lora_targets=q_proj,v_porj", "(v_porj) name no module");
        row("no GPU", good, "device=cuda", "set device to cpu");
    }

    void whatCannotBeTrainedOnIsOneSentence() {
        QFETCH(QByteArray, content);
        QFETCH(QString, setting);
        QFETCH(QByteArray, part);
        if (setting == "device=cuda" && QFile::exists("/dev/nvidia0")) QSKIP("there is a GPU here");
        in_workspace("bad-data");
        const std::string file = dir_.path().toStdString() + "/bad.jsonl",
                          recipe = dir_.path().toStdString() + "/bad.json";
        tempera::write_file_atomic(file, content.toStdString());
        tempera::write_file_atomic(recipe,
                                   R"({"kind":"sft","prompt_style":"short","warmup_steps":0,"max_steps":2,)"
                                   R"("method":"lora","validation_examples":2,"eval_steps":0})");
        auto result = run_cli({"run", QString::fromStdString(recipe), "--quiet", "--set", "model=" + model_,
                               "--set", "data=" + QString::fromStdString(file), "--set", setting});
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line() && result.err.contains(part), result.err.constData());
        QVERIFY2(!result.err.contains("resume"), result.err.constData()); // there is nothing to go on from
        QCOMPARE((*runs().rbegin())["status"].get<std::string>(), std::string("failed"));
    }

    void generateIsReproducibleAndGreedyIsOne() {
        QByteArray prompts = "{\"prompt\":\"3 17 42:31\\n\"}\n{\"prompt\":\"Ünï 🤖\"}\n";
        QStringList drawn = {"generate", "--model", model_, "--n", "3", "--max-tokens", "12", "--seed", "5"};
        auto once = run_cli(drawn, prompts), twice = run_cli(drawn, prompts);
        QVERIFY2(once.code == 0, once.err.constData());
        QCOMPARE(once.out, twice.out);
        QCOMPARE(once.rows().size(), std::size_t{6});
        QVERIFY(once.rows()[0]["text"] != once.rows()[1]["text"]);
        auto greedy =
            run_cli({"generate", "--model", model_, "--n", "2", "--max-tokens", "12", "--temperature", "0"},
                    prompts)
                .rows();
        QCOMPARE(greedy.size(), std::size_t{4});
        QVERIFY(greedy[0]["token_ids"] == greedy[1]["token_ids"]);
        for (const auto& row : once.rows())
            QVERIFY(row["finish"] == "length" ? row["token_ids"].size() == 12
                                              : row["token_ids"].size() <= 12);
    }

    void logprobsSumUpAndTheAdapterCounts() {
        QByteArray row = "{\"prompt\":\"hello\",\"completion\":\" world\"}\n";
        auto plain = run_cli({"logprobs", "--model", model_}, row).rows();
        auto adapted =
            run_cli({"logprobs", "--model", model_, "--adapter", golden("models/qwen2-tied-qv")}, row).rows();
        QCOMPARE(plain.size(), std::size_t{1});
        double sum = 0;
        for (const auto& value : plain[0]["logprobs"])
            sum += value.get<double>();
        QVERIFY(std::abs(sum - plain[0]["sum"].get<double>()) < 1e-4);
        QVERIFY(std::abs(adapted[0]["sum"].get<double>() - plain[0]["sum"].get<double>()) > 1e-3);
        QVERIFY(plain[0]["token_ids"] == adapted[0]["token_ids"]);
    }

    void aPromptThatCannotBeIsNamedByItsRow_data() {
        QTest::addColumn<QByteArray>("prompt");
        QTest::addColumn<QByteArray>("part");
        QTest::newRow("empty") << QByteArray() << QByteArray("is empty");
        QTest::newRow("too long") << QByteArray(200'000, 'x') << QByteArray("the model's context holds");
    }

    void aPromptThatCannotBeIsNamedByItsRow() {
        QFETCH(QByteArray, prompt);
        QFETCH(QByteArray, part);
        auto row = [](const QByteArray& text) {
            return "{\"prompt\":\"" + text + "\",\"completion\":\" a\"}\n";
        };
        QByteArray input = row("a") + "\n" + row(prompt) + row("b");
        auto drawn = run_cli({"generate", "--model", model_, "--max-tokens", "4"}, input);
        auto scored = run_cli({"logprobs", "--model", model_}, input);
        for (const auto& result : {drawn, scored}) {
            QCOMPARE(result.code, 1);
            QVERIFY2(result.has_one_error_line() && result.err.contains("Standard input row 3: the prompt"),
                     result.err.constData());
            QVERIFY2(result.err.contains(part), result.err.constData());
        }
        QVERIFY(drawn.out.isEmpty() && drawn.err.endsWith("Nothing was drawn.\n"));
        QCOMPARE(scored.rows().size(), std::size_t{1});
    }

    void aMergedModelAnswersAsModelAndAdapter() {
        QString target = dir_.path() + "/merged", adapter = golden("models/qwen2-tied-all");
        auto result = run_cli({"model", "merge", "--model", model_, "--adapter", adapter, target});
        QVERIFY2(result.code == 0, result.err.constData());
        QByteArray row = "{\"prompt\":\"hello\",\"completion\":\" world\"}\n";
        auto beside = run_cli({"logprobs", "--model", model_, "--adapter", adapter}, row).rows();
        auto merged = run_cli({"logprobs", "--model", target}, row).rows();
        QCOMPARE(merged.size(), std::size_t{1});
        QVERIFY(std::abs(merged[0]["sum"].get<double>() - beside[0]["sum"].get<double>()) < 1e-3);
    }

    void anAdapterIsNotMergedIntoItself() {
        const QString adapter = golden("models/qwen2-tied-all"), target = dir_.path() + "/twice";
        const auto result = run_cli({"model", "merge", "--model", adapter, "--adapter", adapter, target});
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line() && result.err.contains("twice"), result.err.constData());
        QVERIFY(!QFile::exists(target));
    }

    void anAdapterOfAnotherModelIsRefused() {
        auto result = run_cli({"logprobs", "--model", model_, "--adapter", golden("models/llama-rope-attn")},
                              "{\"prompt\":\"a\",\"completion\":\"b\"}\n");
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line() && result.err.contains("adapter_model.safetensors"),
                 result.err.constData());
        QVERIFY(result.out.isEmpty());
    }
};

QTEST_GUILESS_MAIN(TestCliEngine)
#include "tst_cli_engine.moc"
