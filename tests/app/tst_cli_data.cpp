#include "core/store/workspace.h"
#include "tests/app/cli_process.h"

#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using namespace tempera;

/// data check, data head, import and export of what was imported.
class TestCliData : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;

    QString write(const QString& name, const QByteArray& content) {
        QFile file(dir_.filePath(name));
        if (!file.open(QIODevice::WriteOnly)) return {};
        file.write(content);
        return file.fileName();
    }
    CliResult cli(QStringList arguments) {
        return run_cli(arguments << "--workspace" << dir_.filePath("workspace"));
    }

private Q_SLOTS:
    void checkTellsWhatIsThere() {
        auto checked = run_cli({"data", "check", golden("parquet/ultrafeedback_binarized")});
        QCOMPARE(checked.code, 0);
        for (const char* part :
             {"Parquet, 1 file", "split train_prefs", "Splits: train_gen, train_prefs", "Task preferences",
              "score_chosen=score_chosen", "2 rows read, 2 can be used", "Length in characters"})
            QVERIFY2(checked.out.contains(part), checked.out.constData());
        auto json = run_cli({"data", "check", golden("parquet/ultrafeedback_binarized#train_sft"), "--json",
                             "--model", QString::fromStdString(source_dir() + "/resources/models/tiny")})
                        .json();
        QVERIFY(json["split"] == "train_sft");
        QVERIFY(json["lengths"]["unit"] == "tokens");
        QVERIFY(json["usable"] == 2);
    }

    void checkNamesRowsAndTestRows() {
        QString train =
            write("train.jsonl",
                  "{\"prompt\":\"a\",\"completion\":\"b\"}\n{\"prompt\":\"c\",\"completion\":\"\"}\n");
        QString test = write("test.csv", "prompt,completion\na,x\nd,y\n");
        auto bad = run_cli({"data", "check", train});
        QVERIFY2(bad.out.contains("empty: 1 row") && bad.out.contains("train.jsonl row 2"),
                 bad.out.constData());
        auto json = run_cli({"data", "check", train, "--test", test, "--json"}).json();
        QVERIFY(json["rows"] == 2);
        QVERIFY(json["issues"][0]["issue"] == "in_train");
        QVERIFY(json["issues"][0]["rows"][0]["number"] == 2);
        QVERIFY(json["format"] == "CSV");
    }

    void mistakesAreUsageErrors() {
        for (const QStringList& arguments :
             {QStringList{"data", "check", dir_.filePath("none.parquet")},
              QStringList{"data", "check", write("x.jsonl", "{\"a\":1}\n")},
              QStringList{"data", "check", golden("parquet/smol-smoltalk#tset")},
              QStringList{"data", "head", write("x.txt", "a")}}) {
            auto result = run_cli(arguments);
            QCOMPARE(result.code, 2);
            QVERIFY2(result.has_one_error_line(), result.err.constData());
        }
    }

    void whatCannotBeReadIsNotCalledAColumn() {
        const std::pair<QString, const char*> cases[] = {
            {write("void.jsonl", ""), "holds no rows"},
            {write("pretty.jsonl", "{\n \"prompt\": \"a\"\n}\n"), "No row of "},
            {write("twice.jsonl", "{\"prompt\":\"a\",\"prompt\":\"b\"}\n"), "twice.jsonl row 1"},
            {write("wide.jsonl", QByteArray("\xFF\xFE{\0", 4)), "is UTF-16 text"}};
        for (const auto& [path, part] : cases) {
            auto result = run_cli({"data", "check", path});
            QCOMPARE(result.code, 2);
            QVERIFY2(result.err.contains(part) && result.has_one_error_line(), result.err.constData());
        }
    }

    /// Bytes in a column that nobody asked for make no row unusable.
    void otherColumnsMayHoldBytes() {
        auto checked = run_cli({"data", "check", golden("parquet/image.parquet")});
        QVERIFY2(checked.code == 0 && checked.out.contains("2 rows read, 2 can be used")
                     && checked.out.contains("bytes"),
                 checked.out.constData());
        auto rows = run_cli({"data", "head", golden("parquet/image.parquet")}).rows();
        QCOMPARE(rows.size(), std::size_t{2});
        QVERIFY(rows[0]["image"]["bytes"] == 4 && rows[0]["prompt"] == "p0");
    }

    void headShowsTheRowsBeforeAFaultAndTheFault() {
        const auto shown = run_cli({"data", "head", write("cut.csv", "a,b\n1,2\n\"open,3\n")});
        QCOMPARE(shown.rows().size(), std::size_t{1});
        QVERIFY(shown.code != 0);
        QVERIFY(shown.err.contains("never closed"));
    }

    void headShowsRows() {
        auto rows =
            run_cli({"data", "head", golden("parquet/delta.parquet"), "-n", "2", "--skip", "298"}).rows();
        QCOMPARE(rows.size(), std::size_t{2});
        QVERIFY(rows[1]["text"] == "row number 299");
    }

    void importedRunsAreExportedAgain() {
        auto imported = cli({"import", "tensorboard", golden("events/run"), "--name", "theirs", "--json"});
        QCOMPARE(imported.code, 0);
        QString id = QString::fromStdString(imported.json()[0]["id"].get<std::string>());
        QVERIFY(cli({"runs"}).out.contains("theirs"));
        QCOMPARE(cli({"show", id}).code, 0);
        QString events = dir_.filePath("out.tfevents.1"), table = dir_.filePath("out.csv");
        QCOMPARE(cli({"export", id, events, "--metrics"}).code, 0);
        QCOMPARE(cli({"export", id, table, "--metrics"}).code, 0);
        QFile csv(table);
        QVERIFY(csv.open(QIODevice::ReadOnly) && csv.readLine() == "step,eval_loss,loss,reward\n");
        QCOMPARE(cli({"import", "tensorboard", events}).code, 0);
        // TensorBoard is pointed at folders: without an event file's name it is one.
        QString logs = dir_.filePath("new/logs");
        QCOMPARE(cli({"export", id, logs, "--metrics", "--format", "tensorboard"}).code, 0);
        QCOMPARE(QDir(logs).entryList({"events.out.tfevents.*." + id}, QDir::Files).size(), 1);
        QCOMPARE(cli({"import", "tensorboard", logs}).code, 0);
        auto trl = cli({"import", "trl", golden("events/trl"), "--json"});
        QCOMPARE(trl.code, 0);
        QString run = QString::fromStdString(trl.json()[0]["id"].get<std::string>());
        for (const QString& name : {QString("pairs.parquet"), QString("pairs.jsonl")})
            QCOMPARE(cli({"export", run, dir_.filePath(name), "--preferences"}).code, 0);
        auto rows = run_cli({"data", "head", dir_.filePath("pairs.parquet")}).rows();
        QCOMPARE(rows.size(), std::size_t{4});
        QVERIFY(rows[0]["chosen"] == " 4");
        QCOMPARE(cli({"export", run, dir_.filePath("best.jsonl"), "--best-of-n"}).code, 0);
        QCOMPARE(run_cli({"data", "head", dir_.filePath("best.jsonl")}).rows().size(), std::size_t{4});
        QCOMPARE(cli({"export", id, dir_.filePath("none.jsonl"), "--preferences"}).code, 1);
        QCOMPARE(cli({"export", id, table, "--metrics", "--format", "parquet"}).code, 2);
        QCOMPARE(cli({"import", "tensorboard", dir_.filePath("nowhere")}).code, 2);
        {
            Workspace workspace(dir_.filePath("workspace").toStdString(), Workspace::Access::read_write);
            auto record = workspace.require_run(run.toStdString());
            record.status = RunStatus::interrupted; // as a killed import leaves it
            workspace.update_run(record);
        }
        auto resumed = cli({"resume", run});
        QCOMPARE(resumed.code, 1);
        QVERIFY2(resumed.err.contains("was imported"), resumed.err.constData());
        QVERIFY(cli({"show", run, "--json"}).json()["status"] == "interrupted");
    }
};

QTEST_APPLESS_MAIN(TestCliData)
#include "tst_cli_data.moc"
