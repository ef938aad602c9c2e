#include "tests/app/cli_process.h"
#include "tests/core/judge/judge_server.h"

#include <QFile>
#include <QTemporaryDir>
#include <QTest>

using nlohmann::json;

/// Runs of kind synthetic, which need neither a model nor an engine.
class TestCliSynthetic : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;

    QString write(const char* name, const json& recipe) {
        QFile file(dir_.path() + "/" + name);
        if (!file.open(QIODevice::WriteOnly)) return {};
        file.write(QByteArray::fromStdString(recipe.dump()));
        return file.fileName();
    }

private slots:
    void initTestCase() {
        qputenv("TEMPERA_ENGINE", "/nowhere/engine.so");
        qputenv("TEMPERA_WORKSPACE", (dir_.path() + "/workspace").toUtf8());
    }

    void theSolverTeachesWithoutAnEngine() {
        const auto result = run_cli({"run",
                                     write("solver.json", {{"kind", "synthetic"},
                                                           {"examples", 50},
                                                           {"prompt_style", "short"},
                                                           {"trace_style", "short"}}),
                                     "--json"});
        QVERIFY2(result.code == 0, result.err.constData());
        const json run = result.json()["runs"][0];
        QCOMPARE(run["headline"]["new"].get<double>(), 50.0);
        QVERIFY(run["headline"]["asked"].get<double>() >= 50.0);
    }

    void aPresetMayHaveAnotherTeacher() {
        const auto result = run_cli({"run", "synthetic-1600", "--set", "teacher=solver", "--set",
                                     "endpoint=", "--set", "examples=20", "--json"});
        QVERIFY2(result.code == 0, result.err.constData());
        QCOMPARE(result.json()["runs"][0]["headline"]["new"].get<double>(), 20.0);
    }

    void anUnknownEndpointIsNamed() {
        const tempera::test::Lab home;
        const auto result =
            run_cli({"run", write("nowhere.json",
                                  {{"kind", "synthetic"}, {"teacher", "endpoint"}, {"endpoint", "opnai"}})});
        QVERIFY(result.code != 0);
        QVERIFY2(result.err.contains("openai"), result.err.constData());
    }
};

QTEST_GUILESS_MAIN(TestCliSynthetic)
#include "tst_cli_synthetic.moc"
