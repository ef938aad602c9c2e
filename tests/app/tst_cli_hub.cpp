#include "core/base/files.h"
#include "tests/app/cli_process.h"
#include "tests/support/hub_mimic.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <filesystem>

using namespace tempera;
using namespace tempera::test;
using nlohmann::json;
namespace fs = std::filesystem;

/// The verbs of the hub, and its names in model and data fields, against a server that speaks the hub's API.
class TestCliHub : public QObject {
    Q_OBJECT

    std::unique_ptr<HubMimic> mimic_;
    std::unique_ptr<QTemporaryDir> folder_;
    HubMimic::Files model_;
    std::string commit_;

    fs::path cache() const { return fs::path(folder_->path().toStdString()) / "hub"; }
    fs::path snapshot() const { return cache() / "models--o--tiny/snapshots" / commit_; }

private slots:
    void initTestCase() {
        qputenv("TEMPERA_ENGINE",
                QByteArray::fromStdString(binary_dir() + "/../tests/libtempera_scripted_engine.so"));
        for (const auto& entry : fs::directory_iterator(source_dir() + "/tests/golden/models/qwen2-tied"))
            if (entry.is_regular_file())
                model_[entry.path().filename().string()] = read_file(entry.path(), 1u << 30);
        model_["README.md"] = "---\nlicense: apache-2.0\n---\n";
        QVERIFY(model_.contains("config.json") && model_.contains("model.safetensors"));
    }

    void init() {
        mimic_ = std::make_unique<HubMimic>();
        folder_ = std::make_unique<QTemporaryDir>();
        commit_ = mimic_->add("models/o/tiny", model_);
        mimic_->add("datasets/o/rows",
                    {{"data/train.jsonl", "{\"prompt\":\"a\",\"completion\":\"b\"}\n"}, {"README.md", "x"}});
        qputenv("HF_ENDPOINT", QByteArray::fromStdString(mimic_->endpoint()));
        qputenv("HF_HUB_CACHE", QByteArray::fromStdString(cache().string()));
        qputenv("HF_TOKEN", "hf_secret");
        qputenv("TEMPERA_WORKSPACE", folder_->path().toUtf8() + "/ws");
        qunsetenv("HF_HUB_OFFLINE");
        mimic_->token = "hf_secret";
    }
    void cleanup() { mimic_.reset(); }

    void aListShowsWhatADownloadTakes() {
        auto shown = run_cli({"hub", "list", "o/tiny"});
        QVERIFY2(shown.code == 0, shown.err.constData());
        QVERIFY2(shown.out.startsWith("o/tiny at commit " + QByteArray::fromStdString(commit_)),
                 shown.out.constData());
        QVERIFY2(shown.out.contains(" * model.safetensors\n"), shown.out.constData());
        auto rows = run_cli({"hub", "list", "o/tiny", "--json"}).json();
        QCOMPARE(rows["commit"].get<std::string>(), commit_);
        QCOMPARE(rows["files"].size(), model_.size());
        QVERIFY(!fs::exists(cache()));
    }

    void aDownloadFillsTheCache() {
        auto first = run_cli({"hub", "download", "o/tiny"});
        QVERIFY2(first.code == 0, first.err.constData());
        QCOMPARE(first.out, QByteArray::fromStdString(snapshot().string() + "\n"));
        QVERIFY2(first.err.contains("o/tiny: downloading "), first.err.constData());
        QVERIFY(!first.err.contains('\r') && !first.err.contains("secret"));
        QVERIFY(read_file(snapshot() / "model.safetensors", 1u << 30) == model_["model.safetensors"]);
        auto again = run_cli({"hub", "download", "o/tiny", "--json", "--quiet"}).json();
        QCOMPARE(again["fetched"].get<int>(), 0);
        QCOMPARE(again["path"].get<std::string>(), snapshot().string());
        auto listed = run_cli({"hub", "list", "o/tiny", "--offline"});
        QVERIFY2(listed.out.contains("model.safetensors (in the cache)"), listed.out.constData());
        auto data = run_cli({"hub", "download", "--dataset", "o/rows"});
        QVERIFY2(data.code == 0 && data.out.contains("datasets--o--rows/snapshots/"), data.err.constData());
    }

    void failuresAreOneSentence_data() {
        QTest::addColumn<QStringList>("arguments");
        QTest::addColumn<QString>("token");
        QTest::addColumn<int>("code");
        QTest::addColumn<QString>("part");
        QTest::newRow("no name") << QStringList{"hub", "list", "tiny"} << "hf_secret" << 2
                                 << "no name of the hub";
        QTest::newRow("no such") << QStringList{"hub", "download", "o/nothing"} << "hf_secret" << 1
                                 << "There is no model o/nothing";
        QTest::newRow("no token") << QStringList{"hub", "download", "o/tiny"} << "" << 1
                                  << "set a token (HF_TOKEN)";
        QTest::newRow("wrong token") << QStringList{"hub", "list", "o/tiny"} << "hf_other" << 1
                                     << "check the name";
        QTest::newRow("no revision") << QStringList{"hub", "list", "o/tiny@v9"} << "hf_secret" << 1
                                     << "no revision \"v9\"";
        QTest::newRow("not reached") << QStringList{"hub", "list", "o/tiny", "--endpoint",
                                                    "http://127.0.0.1:1"}
                                     << "hf_secret" << 1 << "Connection refused";
        QTest::newRow("no data") << QStringList{"hub", "download", "--dataset", "o/tiny"} << "hf_secret" << 1
                                 << "There is no data set o/tiny";
        QTest::newRow("offline") << QStringList{"hub", "download", "o/tiny", "--offline"} << "hf_secret" << 1
                                 << "not in the cache";
        QTest::newRow("model field") << QStringList{"model", "info", "o/nothing"} << "hf_secret" << 2
                                     << "There is no path \"o/nothing\" here";
    }
    void failuresAreOneSentence() {
        QFETCH(QStringList, arguments);
        QFETCH(QString, token);
        QFETCH(int, code);
        QFETCH(QString, part);
        qputenv("HF_TOKEN", token.toUtf8());
        qputenv("HF_HOME", folder_->path().toUtf8());
        auto result = run_cli(arguments);
        qunsetenv("HF_HOME");
        QVERIFY2(result.code == code, (std::to_string(result.code) + " " + result.err.toStdString()).c_str());
        QVERIFY2(result.has_one_error_line() && result.err.contains(part.toUtf8()), result.err.constData());
        QVERIFY2(!result.err.contains("hf_"), result.err.constData());
    }

    void aModelFieldTakesAName() {
        auto info = run_cli({"model", "info", "o/tiny", "--json"});
        QVERIFY2(info.code == 0, info.err.constData());
        QVERIFY(fs::exists(snapshot() / "model.safetensors"));
        const auto asked = mimic_->requests().size();
        QVERIFY(run_cli({"model", "info", "o/tiny@" + QString::fromStdString(commit_)}).code == 0);
        auto known = run_cli({"model", "info", "o/tiny"}); // it says what it takes, and how to get news
        QVERIFY2(
            known.err.contains("from the cache: commit " + QByteArray::fromStdString(commit_.substr(0, 12)))
                && known.err.contains("tempera-cli hub download o/tiny.\n"),
            known.err.constData());
        QCOMPARE(mimic_->requests().size(), asked); // what is there is not asked for
        qputenv("HF_HUB_OFFLINE", "1");
        QVERIFY(run_cli({"model", "info", "o/tiny"}).code == 0);
        auto absent = run_cli({"model", "info", "o/other"});
        QVERIFY2(absent.code == 2 && absent.err.contains("while offline is set"), absent.err.constData());
    }

    void aRunDownloadsWhatItNeeds() {
        const QString recipe = folder_->path() + "/sweep.json";
        write_file_atomic(recipe.toStdString(),
                          R"({"kind":"sweep","model":"o/tiny","n":2,"temperatures":[0.5]})");
        mimic_->spoil([](const ReceivedRequest&, bool large, ServedAnswer& answer) {
            if (large)
                answer.bytes_per_second = static_cast<double>(answer.body.size()); // a second, to be seen
        });
        auto result = run_cli({"run", recipe});
        QVERIFY2(result.code == 0, result.err.constData());
        QVERIFY2(result.err.contains("downloading"), result.err.constData());
        QVERIFY(fs::exists(snapshot() / "config.json"));
        auto absent = run_cli({"run", recipe, "--set", "model=o/nothing"});
        QVERIFY2(absent.code == 1 && absent.err.contains("There is no model o/nothing"),
                 absent.err.constData());
        qputenv("HF_HUB_OFFLINE", "1"); // then it is missed before anything is queued
        auto offline = run_cli({"run", recipe, "--set", "model=o/nothing"});
        QVERIFY2(offline.code == 2 && offline.has_one_error_line(), offline.err.constData());
    }

    void aDataFieldTakesAName() {
        const QString recipe = folder_->path() + "/sft.json";
        write_file_atomic(
            recipe.toStdString(),
            R"({"kind":"sft","warmup_steps":0,"max_steps":2,"model":"o/tiny","data":"o/rows/data/train.jsonl"})");
        auto result = run_cli({"run", recipe});
        QVERIFY2(result.code == 0, result.err.constData());
        int found = 0;
        for (const auto& entry : fs::recursive_directory_iterator(cache() / "datasets--o--rows/snapshots"))
            found += entry.path().filename() == "train.jsonl";
        QCOMPARE(found, 1);
        // The run keeps on record which copy it took.
        const QByteArray copy = "Takes the data set o/rows from the cache: commit ";
        result = run_cli({"run", recipe});
        QVERIFY2(result.code == 0 && result.err.contains(copy), result.err.constData());
        result = run_cli({"data", "head", "o/rows/data/train.jsonl"});
        QVERIFY2(result.code == 0 && result.out.contains("prompt") && result.err.contains(copy),
                 result.err.constData());
    }

    void ctrlCStopsADownloadThatGoesOn() {
        mimic_->add("models/o/slow",
                    {{"config.json", "{}"}, {"model.safetensors", std::string(3'000'000, 'x')}});
        mimic_->spoil([](const ReceivedRequest&, bool large, ServedAnswer& answer) {
            if (large) answer.bytes_per_second = 1'000'000;
        });
        QProcess process;
        process.start(cli_program(), {"hub", "download", "o/slow"});
        const fs::path blobs = cache() / "models--o--slow/blobs";
        auto begun = [&] {
            std::error_code ignored;
            for (const auto& entry : fs::directory_iterator(blobs, ignored))
                if (entry.path().extension() == ".incomplete" && entry.file_size(ignored) > 100'000)
                    return true;
            return false;
        };
        QTRY_VERIFY_WITH_TIMEOUT(begun(), 20000);
        QElapsedTimer timer;
        timer.start();
        ::kill(static_cast<pid_t>(process.processId()), SIGINT);
        QVERIFY(process.waitForFinished(10000));
        QVERIFY2(timer.elapsed() < 2000, std::to_string(timer.elapsed()).c_str());
        QCOMPARE(process.exitCode(), 130);
        QVERIFY(process.readAllStandardError().contains("goes on from there"));
        mimic_->spoil({});
        auto rest = run_cli({"hub", "download", "o/slow", "--json"});
        QVERIFY2(rest.code == 0 && rest.json()["fetched"].get<int>() < 2'900'000, rest.out.constData());
    }
};

QTEST_GUILESS_MAIN(TestCliHub)
#include "tst_cli_hub.moc"
