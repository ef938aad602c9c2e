#include "core/base/files.h"
#include "tests/app/cli_process.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using nlohmann::json;

namespace {

QByteArray content_of(const QString& path) {
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) qFatal("cannot open %s", qPrintable(path));
    return file.readAll();
}

const QString tiny_model = golden("models/qwen2-tied");

} // namespace

class TestCli : public QObject {
    Q_OBJECT

    QTemporaryDir workspace_;

private slots:
    void initTestCase() {
        QVERIFY2(QFile::exists(cli_program()), qPrintable(cli_program()));
        qputenv("TEMPERA_WORKSPACE", workspace_.path().toUtf8() + "/none");
    }

    void helpAndVersionSucceed() {
        auto help = run_cli({"--help"});
        QCOMPARE(help.code, 0);
        for (const char* verb : {"run", "resume", "runs", "show", "recipes", "model", "tokenize", "logprobs",
                                 "generate", "verify"}) {
            QVERIFY2(help.out.contains(verb), verb);
            auto one = run_cli({verb, "--help"});
            QCOMPARE(one.code, 0);
            QVERIFY(one.out.size() > 60);
        }
        QVERIFY(run_cli({"--version"}).out.startsWith("tempera-cli "));
    }

    void badUsageExits2WithOneSentence_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("part");
        auto row = [](const char* name, const QStringList& arguments, const char* part) {
            QTest::newRow(name) << arguments << QString(part);
        };
        row("no verb", {}, "--help");
        row("unknown verb", {"generat"}, "Did you mean \"generate\"?");
        row("unknown option", {"runs", "--jsno"}, "Did you mean \"--json\"?");
        row("option before its verb", {"--json", "runs"},
            "\"--json\" stands before its verb: write tempera-cli runs --json instead.");
        row("missing argument", {"run"}, "RECIPE");
        row("missing option", {"tokenize"}, "--model");
        row("no model verb", {"model"}, "model --help");
        row("unknown model verb", {"model", "imprt"}, "Did you mean \"import\"?");
        row("extra argument", {"verify", "x"}, "\"x\"");
        row("unknown recipe", {"run", "figure-6"}, "Did you mean \"figure-5\"?");
        row("missing file", {"run", "./none.json"}, "none.json");
        row("setting without value", {"run", "figure-5", "--set", "epochs"}, "field=value");
        row("unknown field", {"run", "figure-5", "--set", "leaning_rate=1"},
            "Did you mean \"learning_rate\"?");
        row("unknown stage", {"run", "figure-5", "--set", "stf.epochs=1"}, "Did you mean \"sft\"?");
        row("out of range", {"run", "figure-5", "--set", "sft.epochs=-1"}, "more than 0");
        row("not a number", {"run", "figure-5", "--set", "sweep.n=ten"}, "whole number");
        row("no model given", {"run", "countdown-qwen"}, "model is empty");
        row("missing model", {"run", "figure-5", "--set", "model=./nowhere"}, "nowhere");
        row("unknown kind", {"recipes", "--fields", "sfd"}, "Did you mean \"sft\"?");
        row("no run", {"show", "sft-1"}, "sft-1");
        row("no run to resume", {"resume", "sft-1"}, "sft-1");
        row("no such model", {"tokenize", "--model", "tinny"}, "Did you mean \"tiny\"?");
        row("temperature", {"generate", "--model", "tiny", "--temperature", "-1"}, "--temperature");
        row("no number", {"generate", "--model", "tiny", "--temperature", "nan"}, "--temperature");
        row("negative seed", {"generate", "--model", "tiny", "--seed", "-1"}, "--seed");
        row("n", {"generate", "--model", "tiny", "--n", "0"}, "--n");
        row("empty stop", {"generate", "--model", "tiny", "--stop", ""}, "--stop");
        row("two views", {"show", "x", "--metrics", "--samples"}, "one of");
    }

    void badUsageExits2WithOneSentence() {
        QFETCH(QStringList, arguments);
        QFETCH(QString, part);
        auto result = run_cli(arguments);
        QCOMPARE(result.code, 2);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
        QVERIFY2(result.err.contains(part.toUtf8()), result.err.constData());
        QVERIFY(result.out.isEmpty());
        QVERIFY2(!QFile::exists(workspace_.path() + "/none"), "a refused command left a workspace");
    }

    void aRecipeFileWithATypoIsRefusedByName() {
        QTemporaryDir dir;
        std::string path = dir.path().toStdString() + "/r.json";
        tempera::write_file_atomic(path, R"({"kind":"sft","epoch":3})");
        auto result = run_cli({"run", QString::fromStdString(path)});
        QCOMPARE(result.code, 2);
        QVERIFY2(result.err.contains("Did you mean \"epochs\"?"), result.err.constData());
        tempera::write_file_atomic(path, R"({"kind":"sft",)");
        result = run_cli({"run", "r.json"}, {}, dir.path());
        QCOMPARE(result.code, 2);
        QVERIFY2(result.has_one_error_line() && result.err.contains("r.json"), result.err.constData());
    }

    void aDryRunPrintsTheCompleteRecipe() {
        auto result = run_cli({"run", "figure-5", "--dry-run", "--set", "sft.epochs=2.5", "--set",
                               "sweep.temperatures=0,0.5", "--set", "sweep.stop=\\n,</answer>", "--set",
                               "seed=9", "--name", "Mein Lauf é"});
        QCOMPARE(result.code, 0);
        json study = result.json();
        QCOMPARE(study["title"].get<std::string>(), std::string("Mein Lauf é"));
        const json &sft = study["stages"][0], &sweep = study["stages"][1];
        QCOMPARE(sft["epochs"].get<double>(), 2.5);
        QCOMPARE(sft["seed"].get<int>(), 9);
        QCOMPARE(sweep["seed"].get<int>(), 9);
        QCOMPARE(sweep["model"].get<std::string>(), std::string("@sft"));
        QVERIFY((sweep["temperatures"] == json{0.0, 0.5}));
        QVERIFY((sweep["stop"] == json{"\n", "</answer>"}));
        // What it prints is a file it reads, and reading it again changes nothing.
        QTemporaryDir dir;
        tempera::write_file_atomic(dir.path().toStdString() + "/again.json", result.out.toStdString());
        QCOMPARE(run_cli({"run", "again.json", "--dry-run"}, {}, dir.path()).out, result.out);
    }

    void pathsOnTheCommandLineAreSeenFromTheCurrentFolder() {
        QTemporaryDir dir;
        auto result = run_cli(
            {"run", "figure-5", "--dry-run", "--set", "sft.data=mine.jsonl", "--set", "sft.model=./m"}, {},
            dir.path());
        QCOMPARE(result.code, 0);
        QString base = QFileInfo(dir.path()).canonicalFilePath();
        QCOMPARE(QString::fromStdString(result.json()["stages"][0]["data"].get<std::string>()),
                 base + "/mine.jsonl");
        QCOMPARE(QString::fromStdString(result.json()["stages"][0]["model"].get<std::string>()), base + "/m");
    }

    void recipesAreListedAndExplained() {
        auto listed = run_cli({"recipes", "--json"});
        QCOMPARE(listed.code, 0);
        QStringList names;
        for (const auto& entry : listed.json())
            names << QString::fromStdString(entry["name"].get<std::string>());
        QVERIFY(names.contains("figure-5") && names.contains("countdown-smollm2")
                && names.contains("tiny-base"));
        for (const auto& name : names)
            QVERIFY2(run_cli({"recipes"}).out.contains(name.toUtf8()), qPrintable(name));
        QCOMPARE(run_cli({"recipes", "figure-5"}).json()["study"].get<std::string>(),
                 std::string("figure-5"));
        auto fields = run_cli({"recipes", "--fields", "sft", "--json"}).json();
        QCOMPARE(fields.size(), std::size_t{40});
        QVERIFY(run_cli({"recipes", "--fields", "sft"}).out.contains("learning_rate = "));
    }

    void noRunsYetIsNoError() {
        auto result = run_cli({"runs"});
        QCOMPARE(result.code, 0);
        QVERIFY(result.out.contains("No runs yet"));
        QVERIFY(run_cli({"runs", "--json"}).json().empty());
        QVERIFY(!QFile::exists(workspace_.path() + "/none"));
    }

    void tokensEqualThoseOfTheReferenceLibrary() {
        auto encoded = run_cli({"tokenize", "--model", tiny_model}, content_of(golden("cli/texts.jsonl")));
        QVERIFY2(encoded.code == 0, encoded.err.constData());
        auto expected = CliResult{0, content_of(golden("cli/tokens.jsonl")), {}}.rows(),
             rows = encoded.rows();
        QCOMPARE(rows.size(), expected.size());
        for (std::size_t i = 0; i < rows.size(); ++i)
            QVERIFY2(rows[i] == expected[i], (std::to_string(i) + ": " + rows[i].dump()).c_str());
        auto decoded = run_cli({"tokenize", "--decode", "--model", tiny_model}, encoded.out);
        QVERIFY2(decoded.code == 0, decoded.err.constData());
        auto texts = CliResult{0, content_of(golden("cli/decoded.jsonl")), {}}.rows();
        rows = decoded.rows();
        QCOMPARE(rows.size(), texts.size());
        for (std::size_t i = 0; i < rows.size(); ++i)
            QVERIFY2(rows[i] == texts[i], (std::to_string(i) + ": " + rows[i].dump()).c_str());
    }

    void decodingAnIdNobodyHasNamesRowAndId() {
        auto decoded = run_cli({"tokenize", "--decode", "--model", tiny_model},
                               "{\"ids\":[1,2]}\n\n{\"ids\":[3,123456789,4]}\n{\"ids\":[5]}\n");
        QCOMPARE(decoded.code, 1);
        QCOMPARE(decoded.rows().size(), std::size_t(1)); // what was right before stays written
        QVERIFY2(decoded.err.contains("row 3") && decoded.err.contains("123456789"), decoded.err.constData());
    }

    void verifySaysWhatAndWhy() {
        QByteArray input = R"({"nums":[1,2,3],"target":6,"completion":"<answer>1+2+3</answer>"})"
                           "\n"
                           R"({"nums":[2,3,7],"target":1,"completion":"x\n<answer> (7-3)/2 </answer>"})"
                           "\n\n"
                           R"({"nums":[1,2],"target":3,"completion":"no answer"})"
                           "\n"
                           R"({"nums":[1,2],"target":3,"completion":"<answer>1//2</answer>"})"
                           "\n";
        auto result = run_cli({"verify"}, input);
        QCOMPARE(result.code, 0);
        auto rows = result.rows();
        QCOMPARE(rows.size(), std::size_t{4});
        QCOMPARE(rows[0]["score"].get<double>(), 1.0);
        QCOMPARE(rows[0]["equation"].get<std::string>(), std::string("1+2+3"));
        QCOMPARE(rows[0]["value"].get<std::string>(), std::string("6"));
        QCOMPARE(rows[1]["score"].get<double>(), 0.1);
        QCOMPARE(rows[1]["value"].get<std::string>(), std::string("2"));
        QCOMPARE(rows[2]["score"].get<double>(), 0.0);
        QCOMPARE(rows[3]["score"].get<double>(), 0.1);
        for (const auto& row : rows) {
            QCOMPARE(row.size(), std::size_t{4});
            QVERIFY(!row["reason"].get<std::string>().empty());
        }
    }

    void aBadRowIsNamedAndTheRowsBeforeItStand_data() {
        QTest::addColumn<QByteArray>("row");
        QTest::addColumn<QByteArray>("part");
        QTest::newRow("not JSON") << QByteArray("{\"nums\":[1") << QByteArray("not valid JSON");
        QTest::newRow("not an object") << QByteArray("[1]") << QByteArray("not a JSON object");
        QTest::newRow("no column") << QByteArray(R"({"nums":[1],"target":1})") << QByteArray("completion");
        QTest::newRow("wrong type") << QByteArray(R"({"nums":[1],"target":1,"completion":7})")
                                    << QByteArray("completion");
        QTest::newRow("not whole") << QByteArray(R"({"nums":[1.5],"target":1,"completion":""})")
                                   << QByteArray("nums");
        QTest::newRow("twice") << QByteArray(R"({"nums":[1],"nums":[2],"target":1,"completion":""})")
                               << QByteArray("twice");
        QTest::newRow("half a surrogate")
            << QByteArray(R"({"nums":[1],"target":1,"completion":"\ud800"})") << QByteArray("not valid JSON");
        QTest::newRow("broken UTF-8") << QByteArray("{\"nums\":[1],\"target\":1,\"completion\":\"\xff\"}")
                                      << QByteArray("not valid JSON");
        QTest::newRow("deep") << QByteArray(100000, '[') << QByteArray("200 levels");
    }

    void aBadRowIsNamedAndTheRowsBeforeItStand() {
        QFETCH(QByteArray, row);
        QFETCH(QByteArray, part);
        QByteArray good = "{\"nums\":[1],\"target\":1,\"completion\":\"\"}\n";
        auto result = run_cli({"verify"}, good + "\n" + row + "\n" + good);
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
        QVERIFY2(result.err.contains("row 3") && result.err.contains(part), result.err.constData());
        QCOMPARE(result.rows().size(), std::size_t{1});
    }

    void emptyInputIsNoError() {
        for (const QByteArray& input : {QByteArray(), QByteArray("\n  \n")}) {
            auto result = run_cli({"verify"}, input);
            QCOMPARE(result.code, 0);
            QVERIFY(result.out.isEmpty() && result.err.isEmpty());
        }
        // A last line without its end, Windows line ends, and a byte order mark are taken.
        auto result = run_cli(
            {"verify"}, "\xef\xbb\xbf{\"nums\":[1],\"target\":1,\"completion\":\"<answer>1</answer>\"}\r\n"
                        "{\"nums\":[1],\"target\":1,\"completion\":\"\"}");
        QCOMPARE(result.rows().size(), std::size_t{2});
        QCOMPARE(result.rows()[0]["score"].get<double>(), 1.0);
    }

    void hugeLinesPassAndTooLongOnesAreRefused() {
        QByteArray text(5 << 20, 'a');
        auto result = run_cli({"verify"}, "{\"nums\":[1],\"target\":1,\"completion\":\"" + text
                                              + "<answer>1</answer>\"}\n");
        QCOMPARE(result.code, 0);
        QCOMPARE(result.rows()[0]["score"].get<double>(), 1.0);
        result = run_cli({"verify"}, QByteArray((64 << 20) + 100000, ' '));
        QCOMPARE(result.code, 1);
        QVERIFY2(result.err.contains("row 1 is longer than 64 MiB"), result.err.constData());
    }

    void rowsAreAnsweredOneByOne() {
        QProcess process;
        process.start(cli_program(), {"tokenize", "--model", tiny_model});
        for (int i = 0; i < 3; ++i) {
            process.write("{\"text\":\"hello\"}\n");
            for (int wait = 0; wait < 100 && !process.canReadLine(); ++wait)
                process.waitForReadyRead(100);
            QVERIFY2(process.canReadLine(), "no answer before the end of the input");
            QVERIFY(json::parse(process.readLine().toStdString()).contains("ids"));
        }
        process.closeWriteChannel();
        QVERIFY(process.waitForFinished(10000));
        QCOMPARE(process.exitCode(), 0);
    }

    void aClosedPipeEndsItQuietly() {
        QProcess process;
        process.start("bash", {"-c", "yes '{\"nums\":[1],\"target\":1,\"completion\":\"\"}' | '"
                                         + cli_program() + "' verify | head -1; exit ${PIPESTATUS[1]}"});
        QVERIFY(process.waitForFinished(30000));
        QCOMPARE(process.exitCode(), 141);
        QCOMPARE(process.readAllStandardOutput().count('\n'), qsizetype{1});
        QVERIFY(process.readAllStandardError().isEmpty());
    }

    void aFullDiskOnOutputIsSaid() {
        QProcess process;
        process.start("bash", {"-c", "echo '{\"nums\":[1],\"target\":1,\"completion\":\"\"}' | '"
                                         + cli_program() + "' verify > /dev/full"});
        QVERIFY(process.waitForFinished(30000));
        QCOMPARE(process.exitCode(), 1);
        QByteArray said = process.readAllStandardError();
        QVERIFY2(said.contains("No space left"), said.constData());
    }

    void modelInfoDescribesModelAndAdapter() {
        auto model = run_cli({"model", "info", tiny_model, "--json"});
        QVERIFY2(model.code == 0, model.err.constData());
        QCOMPARE(model.json()["family"].get<std::string>(), std::string("qwen2"));
        QCOMPARE(model.json()["parameters"].get<int>(), model.json()["weights"]["elements"].get<int>());
        QVERIFY(run_cli({"model", "info", tiny_model}).out.contains("hidden_size"));
        auto adapter = run_cli({"model", "info", golden("models/qwen2-tied-qv"), "--json"});
        QCOMPARE(adapter.json()["kind"].get<std::string>(), std::string("adapter"));
        QCOMPARE(adapter.json()["r"].get<int>(), 4);
    }

    void aBrokenModelFolderIsOneSentence() {
        QTemporaryDir dir;
        std::string folder = dir.path().toStdString();
        auto ask = [&] { return run_cli({"model", "info", dir.path()}); };
        auto result = ask();
        QCOMPARE(result.code, 2); // no model there: the command names nothing
        QVERIFY2(result.has_one_error_line(), result.err.constData());
        tempera::write_file_atomic(folder + "/config.json", "{\"model_type\":\"mamba\"}");
        result = ask();
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line() && result.err.contains("mamba"), result.err.constData());
        tempera::write_file_atomic(folder + "/config.json",
                                   content_of(tiny_model + "/config.json").toStdString());
        result = ask();
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line(), result.err.constData());
        tempera::write_file_atomic(folder + "/model.safetensors",
                                   content_of(tiny_model + "/model.safetensors").left(5000).toStdString());
        result = ask();
        QCOMPARE(result.code, 1);
        QVERIFY2(result.has_one_error_line() && result.err.contains("model.safetensors"),
                 result.err.constData());
        auto tokens = run_cli({"tokenize", "--model", dir.path()}, "{\"text\":\"a\"}\n");
        QCOMPARE(tokens.code, 1);
        QVERIFY2(tokens.has_one_error_line() && tokens.err.contains("tokenizer.json"),
                 tokens.err.constData());
    }
};

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
