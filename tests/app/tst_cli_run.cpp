#include "core/base/files.h"
#include "tests/app/cli_process.h"

#include <QDir>
#include <QElapsedTimer>
#include <QRegularExpression>
#include <QSet>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <memory>

using nlohmann::json;

static QByteArray scripted_engine() {
    return QByteArray::fromStdString(binary_dir() + "/../tests/libtempera_scripted_engine.so");
}

/// The verbs that compute, with an engine that follows a script (tests/app/scripted_engine.cpp).
class TestCliRun : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> workspace_;
    const QString model_ = golden("models/qwen2-tied");

    CliResult cli(const QStringList& arguments, const QByteArray& input = {}) {
        return run_cli(arguments, input);
    }
    QStringList sft(int steps, int seed = 1) const {
        return {"run",   recipe_,
                "--set", "model=" + model_,
                "--set", "max_steps=" + QString::number(steps),
                "--set", "seed=" + QString::number(seed)};
    }
    json runs() { return cli({"runs", "--json"}).json(); }
    QString recipe_, study_;
    QTemporaryDir files_;

    /// Starts a long run and waits until it trains.
    void start_long_run(QProcess& process, const QStringList& arguments, QByteArray* heard = nullptr) {
        process.start(cli_program(), arguments);
        QByteArray said;
        for (int i = 0; i < 300 && !said.contains("training"); ++i) {
            process.waitForReadyRead(100);
            said += process.readAllStandardError();
        }
        QVERIFY2(said.contains("training"), said.constData());
        if (heard) *heard = said;
    }

    static QString resume_command(const QByteArray& err) {
        auto match = QRegularExpression("tempera-cli resume (\\S+)").match(QString::fromUtf8(err));
        return match.hasMatch() ? match.captured(1) : QString();
    }

private slots:
    void initTestCase() {
        qputenv("TEMPERA_ENGINE", scripted_engine());
        recipe_ = files_.path() + "/short.json";
        study_ = files_.path() + "/study.json";
        tempera::write_file_atomic(recipe_.toStdString(),
                                   R"({"kind":"sft","warmup_steps":0,"title":"Short"})");
        tempera::write_file_atomic(
            study_.toStdString(),
            R"({"study":"two","stages":[{"stage":"sft","kind":"sft","warmup_steps":0,"max_steps":5},)"
            R"({"stage":"sweep","kind":"sweep","model":"@sft","n":3,"temperatures":[0.3,0.7]}]})");
    }

    void init() {
        workspace_ = std::make_unique<QTemporaryDir>();
        qputenv("TEMPERA_WORKSPACE", workspace_->path().toUtf8() + "/ws");
    }

    void aRunFinishesWithPlainLinesInAPipe() {
        // It trains until it was seen training, however busy the machine is.
        QProcess process;
        QByteArray said;
        start_long_run(process, sft(20, 15), &said);
        while (!said.contains("started as") && process.waitForReadyRead(30'000))
            said += process.readAllStandardError();
        const auto id =
            QRegularExpression("started as (sft-\\S+)").match(QString::fromUtf8(said)).captured(1);
        QVERIFY2(!id.isEmpty(), said.constData());
        tempera::write_file_atomic((workspace_->path() + "/ws/runs/" + id + "/go").toStdString(), "");
        QVERIFY(process.waitForFinished(60'000));
        said += process.readAllStandardError();
        QVERIFY2(process.exitCode() == 0, said.constData());
        QVERIFY2(!said.contains('\r') && !said.contains('\x1b'), said.constData());
        for (const char* part : {"started as sft-", "training", "steps", "1,234 tokens/s", "1.5 GiB",
                                 "left, done at", "finished", "eval_loss 0.5"})
            QVERIFY2(said.contains(part), (std::string(part) + " in " + said.toStdString()).c_str());
        QList<QByteArray> lines = said.split('\n');
        QCOMPARE(QSet<QByteArray>(lines.begin(), lines.end()).size(), lines.size()); // none twice
        auto list = runs();
        QCOMPARE(list.size(), std::size_t{1});
        QCOMPARE(list[0]["status"].get<std::string>(), std::string("finished"));
        QCOMPARE(list[0]["recipe"]["max_steps"].get<int>(), 20);
        auto metrics =
            cli({"show", QString::fromStdString(list[0]["id"].get<std::string>()), "--metrics", "--json"})
                .rows();
        QCOMPARE(metrics.size(), std::size_t{20});
    }

    void jsonResultsComeAloneOnStandardOutput() {
        auto arguments = sft(3) << "--json"
                                << "--quiet"
                                << "--name"
                                << "Ünï";
        auto result = cli(arguments);
        QCOMPARE(result.code, 0);
        QVERIFY2(result.err.isEmpty(), result.err.constData());
        auto run = result.json()["runs"][0];
        QCOMPARE(run["name"].get<std::string>(), std::string("Ünï"));
        QCOMPARE(run["headline"]["eval_loss"].get<double>(), 0.5);
    }

    void aStudyEndsWithTheTable() {
        auto result = cli({"run", study_, "--set", "model=" + model_});
        QVERIFY2(result.code == 0, result.err.constData());
        // The scripted score is 1 - T / N / 2: .95 at T = 0.3, N = 3.
        QVERIFY2(result.out.contains("Best: .950"), result.out.constData());
        QVERIFY2(result.out.contains("T = 0.3, N = 3"), result.out.constData());
        QVERIFY2(result.out.contains(".811") && result.out.contains(".370"), result.out.constData());
        auto list = runs();
        QCOMPARE(list.size(), std::size_t{2});
        QCOMPARE(list[0]["stage"].get<std::string>(), std::string("sft"));
        auto again = cli({"run", study_, "--set", "model=" + model_, "--json"}).json();
        QCOMPARE(again["runs"][1]["sweep"]["best"]["mean"].get<double>(), .95);
    }

    void aFailedRunExits1AndGoesOnOnceMended() {
        auto result = cli(sft(6, 13) << "--quiet");
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
        QVERIFY2(result.err.contains("NaN at step 3 (rows 5, 6)"), result.err.constData());
        QString id = resume_command(result.err);
        QVERIFY(!id.isEmpty());
        std::string folder = runs()[0]["folder"].get<std::string>();
        tempera::write_file_atomic(folder + "/mended", "");
        result = cli({"resume", id});
        QVERIFY2(result.code == 0, result.err.constData());
        QCOMPARE(runs()[0]["status"].get<std::string>(), std::string("finished"));
        result = cli({"resume", id});
        QCOMPARE(result.code, 0);
        QVERIFY(result.out.contains("finished already"));
    }

    void ctrlCStopsAtACheckpointAndResumeGoesOn_data() {
        QTest::addColumn<int>("signal");
        QTest::newRow("Ctrl-C") << SIGINT;
        QTest::newRow("kill") << SIGTERM;
        QTest::newRow("closed terminal") << SIGHUP;
    }

    void ctrlCStopsAtACheckpointAndResumeGoesOn() {
        QFETCH(int, signal);
        QProcess process;
        start_long_run(process, {"run", study_, "--set", "model=" + model_, "--set", "sft.max_steps=400"});
        ::kill(static_cast<pid_t>(process.processId()), signal);
        QVERIFY(process.waitForFinished(20000));
        QCOMPARE(process.exitStatus(), QProcess::NormalExit);
        QCOMPARE(process.exitCode(), 128 + signal);
        QByteArray said = process.readAllStandardError();
        QVERIFY2(said.contains("Stopping at a checkpoint"), said.constData());
        QString id = resume_command(said);
        QVERIFY2(!id.isEmpty(), said.constData());
        QCOMPARE(runs()[0]["status"].get<std::string>(), std::string("stopped"));
        QCOMPARE(runs()[1]["status"].get<std::string>(), std::string("queued")); // the sweep did not start
        auto before = cli({"show", id, "--metrics", "--json"}).rows().size();
        // What remains is long; a second stop proves that it went on and did not start anew.
        QProcess again;
        start_long_run(again, {"resume", id});
        QTRY_VERIFY_WITH_TIMEOUT(cli({"show", id, "--metrics", "--json"}).rows().size() > before, 20000);
        ::kill(static_cast<pid_t>(again.processId()), signal);
        QVERIFY(again.waitForFinished(20000));
        auto rows = cli({"show", id, "--metrics", "--json"}).rows();
        QVERIFY(rows.size() > before);
        for (std::size_t i = 0; i < rows.size(); ++i)
            QCOMPARE(rows[i]["step"].get<std::size_t>(), i + 1); // no step twice, none missing
    }

    void resumingAStageGoesOnWithItsStudy() {
        QProcess process;
        start_long_run(process, {"run", study_, "--set", "model=" + model_, "--set", "sft.max_steps=150"});
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(20000));
        auto result = cli({"resume", resume_command(process.readAllStandardError())});
        QVERIFY2(result.code == 0, result.err.constData());
        QVERIFY2(result.out.contains("Best: "), result.out.constData());
        QCOMPARE(result.err.count("resumed at step"), qsizetype{1});
        for (const auto& run : runs())
            QCOMPARE(run["status"].get<std::string>(), std::string("finished"));
    }

    void theSecondCtrlCCancels() {
        QProcess process;
        start_long_run(process, sft(5000, 14));
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QTest::qWait(500);
        QCOMPARE(process.state(), QProcess::Running); // this engine does not heed a stop
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(20000));
        QCOMPARE(process.exitCode(), 128 + SIGINT);
        QCOMPARE(runs()[0]["status"].get<std::string>(), std::string("cancelled"));
    }

    void aKilledRunIsInterruptedAndGoesOn() {
        QProcess process;
        start_long_run(process, sft(60));
        process.kill();
        QVERIFY(process.waitForFinished(20000));
        auto list = runs();
        QCOMPARE(list[0]["status"].get<std::string>(), std::string("interrupted"));
        QString id = QString::fromStdString(list[0]["id"].get<std::string>());
        auto result = cli({"resume", id});
        QVERIFY2(result.code == 0, result.err.constData());
        QCOMPARE(runs()[0]["status"].get<std::string>(), std::string("finished"));
    }

    void whatWasLeftQueuedStaysQueued() {
        QProcess process;
        start_long_run(process, {"run", study_, "--set", "model=" + model_, "--set", "sft.max_steps=400"});
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(20000));
        QCOMPARE(cli(sft(2)).code, 0);
        QCOMPARE(runs()[1]["status"].get<std::string>(), std::string("queued"));
        // The sweep alone cannot go on: the reason is said.
        auto result = cli({"resume", QString::fromStdString(runs()[1]["id"].get<std::string>()), "--quiet"});
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
    }

    void aClosedReaderDoesNotEndTheRun() {
        QProcess process;
        QString command =
            "'" + cli_program() + "' '" + sft(20).join("' '") + "' 2>&1 | head -1; exit ${PIPESTATUS[0]}";
        process.start("bash", {"-c", command});
        QVERIFY(process.waitForFinished(30000));
        QCOMPARE(process.exitCode(), 0);
        QCOMPARE(runs()[0]["status"].get<std::string>(), std::string("finished"));
    }

    void aTerminalGetsABarWithTheFinishingTime() {
        if (!QFile::exists("/usr/bin/script")) QSKIP("script(1), which makes a terminal, is not installed");
        QProcess process;
        process.start("script",
                      {"-qec", "'" + cli_program() + "' '" + sft(30).join("' '") + "'", "/dev/null"});
        QVERIFY(process.waitForFinished(30000));
        QByteArray screen = process.readAllStandardOutput();
        QCOMPARE(process.exitCode(), 0);
        QVERIFY2(screen.contains("\r") && screen.contains(" %") && screen.contains("steps"),
                 screen.constData());
        QVERIFY2(QRegularExpression("\\d+:\\d\\d left, done at (\\w+ )?\\d\\d:\\d\\d")
                     .match(QString::fromUtf8(screen))
                     .hasMatch(),
                 screen.constData());
    }

    void aMissingEngineFailsTheRunInOneSentence() {
        qputenv("TEMPERA_ENGINE", "/nowhere/engine.so");
        auto result = cli(sft(2) << "--quiet");
        auto generated = cli({"generate", "--model", model_}, "{\"prompt\":\"a\"}\n");
        qputenv("TEMPERA_ENGINE", scripted_engine());
        for (const auto& each : {result, generated}) {
            QCOMPARE(each.code, 1);
            QVERIFY2(each.has_one_error_line() && each.err.contains("/nowhere/engine.so"),
                     each.err.constData());
        }
    }

    void aWorkspaceThatCannotBeMadeIsOneSentence() {
        auto result = cli(sft(2) << "--workspace"
                                 << "/proc/none/ws");
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line() && result.err.contains("/proc/none"), result.err.constData());
    }

    void generateAnswersInInputOrderWithWhatWasAsked() {
        auto result = cli({"generate",
                           "--model",
                           model_,
                           "--n",
                           "2",
                           "--temperature",
                           "0.7",
                           "--top-p",
                           "0.9",
                           "--top-k",
                           "40",
                           "--min-p",
                           "0.05",
                           "--repetition-penalty",
                           "1.1",
                           "--max-tokens",
                           "64",
                           "--seed",
                           "18446744073709551615",
                           "--stop",
                           "[a,b]",
                           "--stop",
                           "\n"},
                          "{\"prompt\":\"first é\"}\n\n{\"prompt\":\"\"}\n");
        QVERIFY2(result.code == 0, result.err.constData());
        auto rows = result.rows();
        QCOMPARE(rows.size(), std::size_t{4});
        for (std::size_t i = 0; i < 4; ++i) {
            QCOMPARE(rows[i]["index"].get<std::size_t>(), i / 2);
            QCOMPARE(rows[i]["sample"].get<std::size_t>(), i % 2);
            QCOMPARE(rows[i].size(), std::size_t{6});
        }
        json said = json::parse(rows[0]["text"].get<std::string>());
        json expected = {{"prompt", "first é"},    {"temperature", 0.7},
                         {"top_p", 0.9},           {"top_k", 40},
                         {"min_p", 0.05},          {"repetition_penalty", 1.1},
                         {"max_tokens", 64},       {"seed", 18446744073709551615u},
                         {"stop", {"[a,b]", "\n"}}};
        QVERIFY2(said == expected, said.dump().c_str());
    }

    void generateChecksEveryRowFirst() {
        auto result = cli({"generate", "--model", model_}, "{\"prompt\":\"a\"}\n{\"promt\":\"b\"}\n");
        QCOMPARE(result.code, 1);
        QVERIFY(result.out.isEmpty());
        QVERIFY2(result.has_one_error_line() && result.err.contains("Standard input row 2"),
                 result.err.constData());
        QVERIFY2(result.err.endsWith("Nothing was drawn.\n"), result.err.constData());
        QVERIFY(cli({"generate", "--model", model_}).out.isEmpty());
        QCOMPARE(cli({"generate", "--model", model_}).code, 0);
    }

    void logprobsAnswerRowByRow() {
        auto result =
            cli({"logprobs", "--model", model_},
                "{\"prompt\":\"ab\",\"completion\":\"xyz\"}\n{\"prompt\":\"\",\"completion\":\"\"}\n");
        QVERIFY2(result.code == 0, result.err.constData());
        auto rows = result.rows();
        QCOMPARE(rows.size(), std::size_t{2});
        QVERIFY((rows[0] == json{{"sum", -2.0}, {"token_ids", {3}}, {"logprobs", {-1.0}}}));
        result = cli({"logprobs", "--model", model_}, "{\"prompt\":\"ab\"}\n");
        QCOMPARE(result.code, 1);
        QVERIFY(result.err.contains("completion"));
    }

    void anAdapterThatIsNoneIsCalledThat() {
        for (const QString& adapter : {QStringLiteral("/nope"), model_}) {
            for (const char* verb : {"generate", "logprobs"}) {
                auto result = cli({verb, "--model", model_, "--adapter", adapter});
                QCOMPARE(result.code, 2);
                QVERIFY2(result.has_one_error_line() && result.err.contains("adapter"),
                         result.err.constData());
                QVERIFY2(result.err.contains(adapter.toUtf8()) && !result.err.contains("smollm2"),
                         result.err.constData());
            }
            auto result = cli({"model", "merge", "--model", model_, "--adapter", adapter,
                               files_.path() + "/merged-from-none"});
            QCOMPARE(result.code, 2);
            QVERIFY2(result.err.contains("adapter"), result.err.constData());
        }
    }

    void mergeWritesOnlyIntoAFreeFolder() {
        QString target = files_.path() + "/merged";
        QStringList merge = {"model", "merge", "--model", model_, "--adapter", golden("models/qwen2-tied-qv"),
                             target};
        QCOMPARE(cli(merge).code, 0);
        QVERIFY(QFile::exists(target + "/merged"));
        auto result = cli(merge);
        QCOMPARE(result.code, 2);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
    }

    void aStoppedMergeLeavesNothing() {
        QTemporaryDir folder;
        const QString adapter = folder.path() + "/endless", target = folder.path() + "/out/merged";
        QVERIFY(QDir(golden("models")).exists("qwen2-tied-qv") && QDir().mkpath(folder.path() + "/out"));
        QVERIFY(QFile::link(golden("models/qwen2-tied-qv"), adapter));
        QProcess process;
        process.start(cli_program(), {"model", "merge", "--model", model_, "--adapter", adapter, target});
        const QDir out(folder.path() + "/out");
        QTRY_VERIFY_WITH_TIMEOUT(!out.isEmpty(), 20000); // it is in the middle of writing
        kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(20000));
        QCOMPARE(process.exitCode(), 130);
        QVERIFY(process.readAllStandardError().contains("nothing was kept"));
        QVERIFY2(out.isEmpty(), qPrintable(out.entryList().join(", ")));
    }

    void theThirdSignalEndsWhatHearsNone() {
        QTemporaryDir folder;
        const QString adapter = folder.path() + "/deaf", target = folder.path() + "/out/merged";
        QVERIFY(QDir().mkpath(folder.path() + "/out"));
        QVERIFY(QFile::link(golden("models/qwen2-tied-qv"), adapter));
        QProcess process;
        process.start(cli_program(), {"model", "merge", "--model", model_, "--adapter", adapter, target});
        QTRY_VERIFY_WITH_TIMEOUT(!QDir(folder.path() + "/out").isEmpty(), 20000);
        for (int sent = 1; sent <= 3; ++sent) {
            kill(static_cast<pid_t>(process.processId()), SIGINT);
            QCOMPARE(process.waitForFinished(sent < 3 ? 200 : 20000), sent == 3);
        }
        QCOMPARE(process.exitStatus(), QProcess::CrashExit);
        QCOMPARE(process.exitCode(), SIGINT);
    }

    void importRefusesWhatIsNoModel() {
        QString junk = files_.path() + "/junk.gguf", target = files_.path() + "/imported";
        tempera::write_file_atomic(junk.toStdString(), std::string(1000, 'x'));
        auto result = cli({"model", "import", junk, target});
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
        QVERIFY(!QFile::exists(target));
        QCOMPARE(cli({"model", "import", files_.path() + "/none.gguf", target}).code, 2);
        QCOMPARE(cli({"model", "import", junk}).code, 2);
        QCOMPARE(cli({"model", "import", "--package", "llm-smolm2", target}).code, 2);
    }
};

QTEST_GUILESS_MAIN(TestCliRun)
#include "tst_cli_run.moc"
