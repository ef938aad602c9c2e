#include "tests/app/cli_process.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using nlohmann::json;

/// reward, with the real engine on tiny encoders with random weights.
class TestCliReward : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    const QString model_ = golden("encoders/bert");
    json expected_;

    QByteArray questions() const {
        QByteArray rows;
        for (const json& text : expected_["texts"])
            rows +=
                QByteArray::fromStdString(json{{"prompt", text[0]}, {"completion", text[1]}}.dump()) + "\n";
        return rows;
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
        QFile file(golden("encoders/expected.json"));
        QVERIFY(file.open(QIODevice::ReadOnly));
        expected_ = json::parse(file.readAll().toStdString());
    }

    void scoresEqualTransformers_data() {
        QTest::addColumn<QString>("form");
        QTest::newRow("as the folder says") << QString();
        QTest::newRow("pair") << "pair";
        QTest::newRow("plain") << "plain";
    }
    void scoresEqualTransformers() {
        QFETCH(QString, form);
        QStringList arguments{"reward", "--model", model_};
        if (!form.isEmpty()) arguments << "--text" << form;
        auto result = run_cli(arguments, questions());
        QVERIFY2(result.code == 0, result.err.constData());
        std::string name = form.isEmpty() ? "pair" : form.toStdString();
        const json& wanted = expected_["models"]["bert"]["forms"][name];
        QCOMPARE(result.rows().size(), wanted.size());
        for (std::size_t i = 0; i < wanted.size(); ++i) {
            double difference = result.rows()[i]["score"].get<double>() - wanted[i]["score"].get<double>();
            QVERIFY2(std::fabs(difference) < 2e-5, std::to_string(difference).c_str());
        }
    }

    void aWholeTextIsTheTextItself() {
        QByteArray whole = QByteArray::fromStdString(
            json{{"text", "system\nYou are a helpful assistant.\nuser\nName a colour.\nassistant\nBlue"}}
                .dump());
        QByteArray parts = "{\"prompt\":\"Name a colour.\",\"completion\":\"Blue\"}";
        auto rows = run_cli({"reward", "--model", model_, "--text", "plain"}, whole + "\n\n" + parts).rows();
        QCOMPARE(rows.size(), std::size_t{2});
        QVERIFY(std::fabs(rows[0]["score"].get<double>() - rows[1]["score"].get<double>()) < 2e-6);
    }

    void aFileIsReadLikeStandardInput() {
        auto piped = run_cli({"reward", "--model", model_}, questions());
        auto read = run_cli({"reward", write("rows.jsonl", questions()), "--model", model_});
        QCOMPARE(read.code, 0);
        QCOMPARE(read.out, piped.out);
        QCOMPARE(run_cli({"reward", "--model", model_}, "\n").out, QByteArray());
        auto missing = run_cli({"reward", dir_.path() + "/none.jsonl", "--model", model_});
        QVERIFY2(missing.code != 0 && missing.has_one_error_line(), missing.err.constData());
    }

    /// Found before anything is scored.
    void aWrongRowIsNamed_data() {
        QTest::addColumn<QByteArray>("row");
        QTest::addColumn<QByteArray>("part");
        QTest::newRow("no completion") << QByteArray("{\"prompt\":\"a\"}") << QByteArray("completion");
        QTest::newRow("nothing") << QByteArray("{}") << QByteArray("prompt");
        QTest::newRow("not text") << QByteArray("{\"text\":3}") << QByteArray("text");
        QTest::newRow("both") << QByteArray("{\"text\":\"a\",\"prompt\":\"b\"}") << QByteArray("both");
        QTest::newRow("not JSON") << QByteArray("{") << QByteArray("row 3");
    }
    void aWrongRowIsNamed() {
        QFETCH(QByteArray, row);
        QFETCH(QByteArray, part);
        QByteArray good = "{\"text\":\"a\"}\n";
        auto result = run_cli({"reward", "--model", model_}, good + "\n" + row + "\n" + good);
        QCOMPARE(result.code, 1);
        QVERIFY(result.out.isEmpty());
        QVERIFY2(result.has_one_error_line() && result.err.contains("Standard input row 3")
                     && result.err.contains(part),
                 result.err.constData());
    }

    void whatIsNoRewardModelIsRefused() {
        for (const QString& model : {golden("models/qwen2-tied"), golden("encoders/bert-base")}) {
            auto result = run_cli({"reward", "--model", model}, "{\"text\":\"a\"}\n");
            QCOMPARE(result.code, 1);
            QVERIFY2(result.has_one_error_line(), result.err.constData());
        }
        auto form = run_cli({"reward", "--model", model_, "--text", "both"}, "{\"text\":\"a\"}\n");
        QVERIFY2(form.code == 2 && form.err.contains("--text"), form.err.constData());
    }
};

QTEST_GUILESS_MAIN(TestCliReward)
#include "tst_cli_reward.moc"
