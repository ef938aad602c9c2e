#include "core/stats/win_rate.h"
#include "tests/app/cli_process.h"
#include "tests/core/judge/judge_server.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>

using nlohmann::json;

/// compare, and the studies that judge models, with the real engine on tiny models with random weights.
class TestCliCompare : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    const QString a_ = golden("models/qwen2-tied"), b_ = golden("models/qwen2-untied");

    /// The command with its usual options, of which `more` may give others.
    QStringList compare(const QStringList& more = {}) const {
        const QList<std::pair<QString, QString>> usual = {{"--a", a_},
                                                          {"--b", b_},
                                                          {"--chat-template", "chatml"},
                                                          {"--n", "10"},
                                                          {"--max-tokens", "24"},
                                                          {"--temperature", "1.5"},
                                                          {"--top-p", "1"}};
        QStringList arguments = {"compare"};
        for (const auto& [name, value] : usual)
            if (!more.contains(name)) arguments << name << value;
        return arguments + more;
    }
    QString write(const char* name, const QByteArray& text) {
        QFile file(dir_.path() + "/" + name);
        if (!file.open(QIODevice::WriteOnly)) return {};
        file.write(text);
        return file.fileName();
    }

private slots:
    void initTestCase() {
        qunsetenv("TEMPERA_ENGINE");
        qputenv("TEMPERA_WORKSPACE", (dir_.path() + "/workspace").toUtf8());
    }

    void theTableSaysWhatTheRepliesSay() {
        auto result = run_cli(compare({"--json", "--out", dir_.path() + "/out"}));
        QVERIFY2(result.code == 0, result.err.constData());
        const json found = result.json();
        QCOMPARE(found["comparisons"].size(), std::size_t{10});
        std::vector<double> a, b;
        for (const auto& row : found["comparisons"]) {
            a.push_back(row["base"]["score"].get<double>());
            b.push_back(row["tuned"]["score"].get<double>());
        }
        const auto expected = tempera::win_rate(a, b, 100, 0);
        QCOMPARE(found["win_rate"].get<double>(), expected.rate);
        QCOMPARE(found["ties"].get<int>(), static_cast<int>(expected.ties));
        QCOMPARE(found["p"].get<double>(), expected.p);
        QCOMPARE(found["high"].get<double>(), expected.high);
        QFile file(dir_.path() + "/out/b.json");
        QVERIFY(file.open(QIODevice::ReadOnly));
        const json replies = json::parse(file.readAll().toStdString());
        QVERIFY(replies[3]["reply"] == found["comparisons"][3]["tuned"]["text"]);
        auto table = run_cli(compare({"--quiet"}));
        QCOMPARE(table.code, 0);
        QVERIFY2(table.out.contains("win-rate of B") && table.out.contains("sign test"),
                 table.out.constData());
        QVERIFY(table.err.isEmpty());
    }

    void aModelAgainstItselfTies() {
        auto found = run_cli({"compare", "--a", a_, "--b", a_, "--judge", "countdown", "--prompt-style",
                              "short", "--n", "4", "--max-tokens", "12", "--json"});
        QVERIFY2(found.code == 0, found.err.constData());
        QCOMPARE(found.json()["ties"].get<int>(), 4);
        QCOMPARE(found.json()["p"].get<double>(), 1.0);
    }

    void aRewardModelMayJudge() {
        auto found = run_cli(compare({"--judge", "reward:" + golden("encoders/bert"), "--n", "2", "--json"}));
        QVERIFY2(found.code == 0, found.err.constData());
        QCOMPARE(found.json()["comparisons"].size(), std::size_t{2});
        QVERIFY(found.json()["base_score"] != found.json()["tuned_score"]);
    }

    void aModelBehindAnEndpointMayJudge() {
        const tempera::test::Lab home;
        tempera::test::ScriptedServer server([](const tempera::test::ReceivedRequest& request) {
            const std::size_t length = tempera::test::last_turn(request).size();
            return tempera::test::chat_answer(length % 7 ? "reward:" + std::to_string(length) : "reward:nan");
        });
        home.point_at(server);
        const auto found = run_cli(compare({"--judge", "remote:lab", "--json"}));
        QVERIFY2(found.code == 0, found.err.constData());
        const auto shown = found.json();
        for (const auto& row : shown["comparisons"])
            for (const char* side : {"base", "tuned"}) {
                const std::size_t length = row[side]["text"].get<std::string>().size();
                QVERIFY(length % 7 ? row[side]["score"].get<std::size_t>() == length
                                   : row[side]["score"].is_null());
            }
        const std::size_t asked = server.requests().size();
        QVERIFY(asked > 0);
        const auto again = run_cli(
            compare({"--judge", "remote", "--judge-endpoint", "lab", "--json"})); // nothing is paid twice
        QVERIFY(again.json()["win_rate"] == found.json()["win_rate"]);
        QCOMPARE(server.requests().size(), asked);
        const auto nowhere = run_cli(compare({"--judge", "remote:lba"}));
        QVERIFY2(nowhere.code != 0 && nowhere.err.contains("lab"), nowhere.err.constData());
    }

    void aFolderIsARewardModel() {
        const auto found = run_cli(compare({"--judge", golden("encoders/bert"), "--n", "2", "--json"}));
        QVERIFY2(found.code == 0, found.err.constData());
    }

    void aJudgeThatAnswersNothingUsableIsNamed() {
        const tempera::test::Lab home;
        tempera::test::ScriptedServer server([](const tempera::test::ReceivedRequest&) {
            return tempera::test::chat_answer("I would rather not say.");
        });
        home.point_at(server);
        const auto found = run_cli(compare({"--judge", "remote:lab"}));
        QCOMPARE(found.code, 1);
        QVERIFY2(found.err.contains("No prompt could be compared") && found.err.contains("rather not say"),
                 found.err.constData());
    }

    void promptsMayComeFromAFile() {
        QString file =
            write("prompts.jsonl", R"({"prompt":"Say hi","constraints":[{"type":"words","at_least":1}]})"
                                   "\n");
        auto found = run_cli(compare({"--prompts", file, "--json"}));
        QVERIFY2(found.code == 0, found.err.constData());
        QCOMPARE(found.json()["comparisons"].size(), std::size_t{1});
        QCOMPARE(found.json()["comparisons"][0]["prompt"].get<std::string>(), std::string("Say hi"));
    }

    void wrongQuestionsAreRefusedInOneLine_data() {
        QTest::addColumn<QStringList>("more");
        QTest::addColumn<QString>("part");
        QTest::addColumn<int>("code");
        QTest::newRow("judge") << QStringList{"--judge", "constraint"} << "Did you mean \"constraints\"?"
                               << 2;
        QTest::newRow("reward model")
            << QStringList{"--judge", "reward_model"} << "--judge reward:MODEL" << 2;
        QTest::newRow("endpoint") << QStringList{"--judge", "remote"} << "--judge remote:ENDPOINT" << 2;
        QTest::newRow("two endpoints")
            << QStringList{"--judge", "remote:lab", "--judge-endpoint", "lab"} << "once" << 2;
        QTest::newRow("endpoint of none") << QStringList{"--judge", "countdown", "--judge-endpoint", "lab"}
                                          << "go with --judge remote" << 2;
        QTest::newRow("file") << QStringList{"--prompts", "nowhere.jsonl"} << "nowhere.jsonl" << 2;
        QTest::newRow("pair") << QStringList{"--judge", "countdown", "--prompts", "instructions"}
                              << "belong together" << 2;
        QTest::newRow("template") << QStringList{"--chat-template", "chat"} << "chat_template must be" << 2;
        QTest::newRow("model") << QStringList{"--a", "nowhere"} << "\"nowhere\"" << 2;
        QTest::newRow("not a number") << QStringList{"--temperature", "nan"} << "not a finite number" << 2;
        QTest::newRow("out") << QStringList{"--out", "/proc/none"} << "/proc/none" << 1;
        QTest::newRow("facts") << QStringList{"--prompts", write("bare.jsonl", "{\"prompt\":\"Hi\"}\n")}
                               << "bare.jsonl row 1" << 1;
    }

    void wrongQuestionsAreRefusedInOneLine() {
        QFETCH(QStringList, more);
        QFETCH(QString, part);
        QFETCH(int, code);
        auto result = run_cli(compare(more) << "--quiet");
        QCOMPARE(result.code, code);
        QVERIFY2(result.has_one_error_line() && result.err.contains(part.toUtf8()), result.err.constData());
        QVERIFY(result.out.isEmpty());
    }

    void anInterruptedOneLeavesNothingBehind() {
        QTemporaryDir scratch;
        QProcess process;
        auto environment = QProcessEnvironment::systemEnvironment();
        environment.insert("TMPDIR", scratch.path());
        process.setProcessEnvironment(environment);
        process.start(cli_program(), compare({"--n", "200", "--max-tokens", "400"}));
        QTRY_VERIFY_WITH_TIMEOUT(!QDir(scratch.path()).isEmpty(), 30000);
        QTest::qWait(300); // the engine loads after the folder was made
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(60000));
        QVERIFY(process.exitCode() == 130 || process.exitStatus() == QProcess::CrashExit);
        if (process.exitStatus() == QProcess::NormalExit) QVERIFY(QDir(scratch.path()).isEmpty());
    }

    /// Pairs drawn from a model, an SFT on the best answers, and its win-rate: each reads what the one before
    /// left.
    void aStudyDrawsTrainsAndJudges() {
        json draw = {{"stage", "pairs"},
                     {"kind", "pairs"},
                     {"model", a_.toStdString()},
                     {"data", "countdown"},
                     {"judge", "countdown"},
                     {"prompt_style", "short"},
                     {"prompts", 12},
                     {"k", 3},
                     {"max_tokens", 12}};
        json train = {{"stage", "best"},
                      {"kind", "sft"},
                      {"model", a_.toStdString()},
                      {"data", "@pairs/best.jsonl"},
                      {"examples", 0},
                      {"validation_examples", 0},
                      {"max_steps", 4},
                      {"batch_size", 4},
                      {"warmup_steps", 0},
                      {"learning_rate", 1e-3},
                      {"eval_steps", 0}};
        json judge = {{"stage", "judge"},        {"kind", "win_rate"},  {"base", a_.toStdString()},
                      {"tuned", "@best"},        {"data", "countdown"}, {"judge", "countdown"},
                      {"prompt_style", "short"}, {"prompts", 6},        {"max_tokens", 12}};
        json study = {{"study", "s"}, {"stages", {judge, train, draw}}};
        QString file = write("study.json", QByteArray::fromStdString(study.dump()));
        auto result = run_cli({"run", file, "--json"});
        QVERIFY2(result.code == 0, result.err.constData());
        const json runs = result.json()["runs"];
        QCOMPARE(runs[0]["kind"].get<std::string>(), std::string("pairs"));
        QCOMPARE(runs[0]["headline"]["best"].get<double>(), 12.0);
        QCOMPARE(runs[2]["comparison"]["prompts"].get<int>(), 6);
        const QString id = QString::fromStdString(runs[2]["id"].get<std::string>());
        auto shown = run_cli({"show", id});
        QVERIFY2(shown.out.contains("win-rate of B"), shown.out.constData());
        QString exported = dir_.path() + "/tuned.json";
        QCOMPARE(run_cli({"export", id, exported, "--replies", "tuned"}).code, 0);
        QFile replies(exported);
        QVERIFY(replies.open(QIODevice::ReadOnly));
        const json list = json::parse(replies.readAll().toStdString());
        QCOMPARE(list.size(), std::size_t{6});
        QVERIFY(list[0].contains("prompt") && list[0].contains("reply") && list[0].contains("score"));
        auto elsewhere = run_cli(
            {"run", write("one.json", QByteArray::fromStdString(json({{"kind", "sft"},
                                                                      {"model", a_.toStdString()},
                                                                      {"data", "run:nope/best.jsonl"}})
                                                                    .dump()))});
        QCOMPARE(elsewhere.code, 2);
        QVERIFY2(elsewhere.has_one_error_line() && elsewhere.err.contains("nope"), elsewhere.err.constData());
    }
};

QTEST_GUILESS_MAIN(TestCliCompare)
#include "tst_cli_compare.moc"
