#include "cli_process.h"
#include "tests/support/scripted_server.h"

#include <QDir>
#include <QTemporaryDir>
#include <QTest>

using namespace tempera;
using namespace tempera::test;

class TestCliEndpoints : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    QString file() const { return dir_.path() + "/endpoints.json"; }

private slots:
    void initTestCase() {
        qputenv("TEMPERA_CONFIG", dir_.path().toUtf8());
        qputenv("TEMPERA_WORKSPACE", (dir_.path() + "/workspace").toUtf8());
        qputenv("LAB_KEY", "sk-CANARY-cli");
    }

    void theyAreListedAddedChangedAndRemoved() {
        CliResult listed = run_cli({"endpoints", "list"});
        QCOMPARE(listed.code, 0);
        QVERIFY(listed.out.contains("openai") && listed.out.contains("OPENAI_API_KEY"));
        QVERIFY(listed.out.contains("built in"));
        CliResult added = run_cli({"endpoints", "add", "lab", "--url", "https://lab.example.org/v1",
                                   "--model", "m", "--key-variable", "LAB_KEY", "--concurrency", "9"});
        QVERIFY2(added.code == 0, added.err.constData());
        QCOMPARE(run_cli({"endpoints", "add", "lab", "--price-out", "2.5"}).code, 0);
        const auto rows = run_cli({"endpoints", "list", "--json"}).json();
        bool found = false;
        for (const auto& row : rows) {
            if (row["name"] != "lab") continue;
            found = true;
            QVERIFY(row["concurrency"] == 9 && row["price_out"] == 2.5 && row["model"] == "m");
            QVERIFY(row["built_in"] == false);
        }
        QVERIFY(found);
        listed = run_cli({"endpoints", "list"});
        QVERIFY(listed.out.contains("LAB_KEY (set)") && !listed.out.contains("CANARY"));
        QFile stored(file());
        QVERIFY(stored.open(QIODevice::ReadOnly) && !stored.readAll().contains("CANARY"));
        QCOMPARE(run_cli({"endpoints", "remove", "lab"}).code, 0);
        QVERIFY(!run_cli({"endpoints", "list"}).out.contains("lab.example.org"));
    }

    void whatCannotBeIsRefused() {
        for (const QStringList& command :
             {QStringList{"endpoints", "add", "x"}, QStringList{"endpoints", "remove", "x"},
              QStringList{"endpoints", "test", "x"},
              QStringList{"endpoints", "add", "x", "--url", "http://far.example.org/v1"},
              QStringList{"endpoints", "add", "x", "--url", "https://x/v1", "--key-variable", "sk-abc"},
              QStringList{"run", "figure-5", "--set", "sweep.model=endpoint:opnai"}}) {
            const CliResult result = run_cli(command);
            QVERIFY2(result.code == 2, qPrintable(command.join(' ')));
            QVERIFY2(result.has_one_error_line(), result.err.constData());
            QVERIFY(!result.err.contains("sk-abc"));
        }
    }

    void aTestSaysWhatWorks() {
        ScriptedServer server([](const ReceivedRequest& request) {
            ServedAnswer answer;
            answer.headers = {{"Content-Type", "application/json"}};
            answer.body = request.target == "/v1/models" ? R"({"data":[{"id":"m"}]})"
                                                         : R"({"choices":[{"message":{"content":"Hi"}}]})";
            if (request.method == "POST" && request.body.find("\"bad\"") != std::string::npos)
                answer.status = 404, answer.body = R"({"error":{"message":"no such model"}})";
            return answer;
        });
        QCOMPARE(run_cli({"endpoints", "add", "here", "--url", QString::fromStdString(server.url("/v1")),
                          "--model", "m", "--key-variable", "LAB_KEY"})
                     .code,
                 0);
        CliResult tested = run_cli({"endpoints", "test", "here"});
        QVERIFY2(tested.code == 0, tested.out.constData());
        QVERIFY(tested.out.contains("answers with m") && tested.out.contains("\n  m\n"));
        QCOMPARE(*find_header(server.requests().back().headers, "Authorization"),
                 std::string("Bearer sk-CANARY-cli"));
        run_cli({"endpoints", "add", "here", "--model", "bad"});
        tested = run_cli({"endpoints", "test", "here", "--json"});
        QCOMPARE(tested.code, 1);
        QVERIFY(tested.json()["sentence"].get<std::string>().find("no such model") != std::string::npos);
        QVERIFY(!tested.out.contains("CANARY") && !tested.err.contains("CANARY"));
    }

    void cleanupTestCase() { qunsetenv("LAB_KEY"); }
};

QTEST_GUILESS_MAIN(TestCliEndpoints)
#include "tst_cli_endpoints.moc"
