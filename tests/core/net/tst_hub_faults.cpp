#include "hub_fixture.h"
#include "tests/core/store/mounted_disk.h"

#include <QElapsedTimer>
#include <thread>

using namespace tempera;
using namespace tempera::test;
using namespace std::chrono_literals;

/// What servers, networks and disks do to a download.
class TestHubFaults : public QObject {
    Q_OBJECT

private slots:
    void init() { at_ = std::make_unique<HubFixture>(); }
    void cleanup() { at_.reset(); }

    void errorsSayWhatToDo_data() {
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("code");
        QTest::addColumn<QString>("token");
        QTest::addColumn<QString>("part");
        QTest::newRow("no such") << 404 << "RepoNotFound"
                                 << ""
                                 << "There is no model o/m at http://127.0.0.1";
        QTest::newRow("private") << 401 << "RepoNotFound"
                                 << ""
                                 << "set a token (HF_TOKEN)";
        QTest::newRow("bad token") << 401 << ""
                                   << "hf_secret"
                                   << "does not accept the token";
        QTest::newRow("not allowed") << 403 << ""
                                     << "hf_secret"
                                     << "whether the token may read it";
        QTest::newRow("gated") << 403 << "GatedRepo"
                               << ""
                               << "gated: ask for access";
        QTest::newRow("gated with token") << 403 << "GatedRepo"
                                          << "hf_secret"
                                          << "the token that is set has none";
        QTest::newRow("revision") << 404 << "RevisionNotFound"
                                  << ""
                                  << "has no revision \"v9\"";
        QTest::newRow("server") << 500 << ""
                                << ""
                                << "answered HTTP 500";
        QTest::newRow("page") << 200 << ""
                              << ""
                              << "does not answer as the hub does";
    }
    void errorsSayWhatToDo() {
        QFETCH(int, status);
        QFETCH(QString, code);
        QFETCH(QString, token);
        QFETCH(QString, part);
        at_->mimic.spoil([&](const ReceivedRequest&, bool, ServedAnswer& answer) {
            answer = {status, {{"X-Error-Code", code.toStdString()}}, "<html>login</html>"};
        });
        at_->hub.settings.token = token.toStdString();
        try {
            plan_hub(at_->hub, name_of("o/m@v9"));
            QFAIL("no error");
        } catch (const Error& error) {
            QVERIFY2(QString(error.what()).contains(part), error.what());
            QVERIFY2(!QString(error.what()).contains("secret"), error.what());
        }
        QCOMPARE(at_->mimic.requests().size(), std::size_t{status == 500 ? 5u : 1u});
    }

    void aBusyHubIsAskedAgain() {
        at_->mimic.add("models/o/m", model_files());
        std::atomic<int> refused{0};
        at_->mimic.spoil([&](const ReceivedRequest&, bool, ServedAnswer& answer) {
            if (refused < 3)
                answer = ++refused == 1 ? ServedAnswer{429, {{"Retry-After", "1"}}, "slow down"}
                                        : ServedAnswer{503, {}, ""};
        });
        QElapsedTimer timer;
        timer.start();
        const auto plan = plan_hub(at_->hub, name_of("o/m"));
        QVERIFY(timer.elapsed() >= 1000);
        at_->mimic.spoil([&](const ReceivedRequest&, bool, ServedAnswer& answer) {
            answer = {429, {{"Retry-After", "3600"}}, "slow down"};
        });
        FAILS(download_hub(at_->hub, plan), io, "try again in 3600 s");
        QVERIFY(timer.elapsed() < 10000);
    }

    void aCutDownloadGoesOn() {
        at_->mimic.add("models/o/m", model_files());
        std::atomic<int> cuts{0};
        at_->mimic.spoil([&](const ReceivedRequest&, bool large, ServedAnswer& answer) {
            if (!large || answer.body.size() < 10000) return;
            answer.end = cuts++ % 2 ? AnswerEnd::close : AnswerEnd::reset; // a hundred of them
            answer.cut_after = 3000;
        });
        const fs::path folder = obtain_hub(at_->hub, name_of("o/m"));
        QVERIFY(read_file(folder / "model.safetensors", 1u << 20) == model_files()["model.safetensors"]);
        QVERIFY2(cuts >= 96, std::to_string(cuts).c_str());
        std::uint64_t before = 0;
        int resumed = 0;
        for (const auto& request : at_->mimic.large_requests()) {
            const auto range = find_header(request.headers, "Range");
            if (!range
                || request.target.find(hub_hash(model_files()["model.safetensors"], true))
                       == std::string::npos)
                continue;
            const std::uint64_t first = std::stoull(range->substr(6));
            QVERIFY(first >= before && first <= before + 3000);
            QVERIFY(find_header(request.headers, "If-Range")->starts_with("\"cdn-"));
            before = first;
            ++resumed;
        }
        QVERIFY2(resumed >= 95, std::to_string(resumed).c_str());
    }

    void anEarlierDownloadIsTakenUp() {
        at_->mimic.add("models/o/m", model_files());
        const std::string weights = model_files()["model.safetensors"], hash = hub_hash(weights, true);
        const fs::path partial = at_->hub.settings.cache / "models--o--m/blobs" / (hash + ".incomplete");
        fs::create_directories(partial.parent_path());
        write_file_atomic(partial, weights.substr(0, 123456));
        const auto plan = plan_hub(at_->hub, name_of("o/m"));
        QCOMPARE(plan.missing_bytes, plan.bytes - 123456);
        download_hub(at_->hub, plan);
        bool resumed = false;
        for (const auto& request : at_->mimic.large_requests())
            resumed |= find_header(request.headers, "Range") == "bytes=123456-";
        QVERIFY(resumed);
        QVERIFY(read_file(plan.target / "model.safetensors", 1u << 20) == weights);
    }

    void aBadBeginningIsThrownAway_data() {
        QTest::addColumn<int>("which");
        QTest::newRow("other bytes") << 0;
        QTest::newRow("too many bytes") << 1;
        QTest::newRow("all bytes, wrong") << 2;
        QTest::newRow("ranges are not heeded") << 3;
    }
    void aBadBeginningIsThrownAway() {
        QFETCH(int, which);
        at_->mimic.add("models/o/m", model_files());
        const std::string weights = model_files()["model.safetensors"], hash = hub_hash(weights, true);
        const fs::path partial = at_->hub.settings.cache / "models--o--m/blobs" / (hash + ".incomplete");
        fs::create_directories(partial.parent_path());
        const std::size_t sizes[] = {1000, 300001, 300000, 1000};
        write_file_atomic(partial, std::string(sizes[which], 'x'));
        at_->mimic.ranges = which != 3;
        const fs::path folder = obtain_hub(at_->hub, name_of("o/m"));
        QVERIFY(read_file(folder / "model.safetensors", 1u << 20) == weights);
    }

    void wrongContentsAreNotTaken_data() {
        QTest::addColumn<int>("which");
        QTest::addColumn<QString>("part");
        QTest::newRow("hash of a large file") << 0 << "its hash differs";
        QTest::newRow("hash of a small file") << 1 << "its hash differs";
        QTest::newRow("too short") << 2 << "another size";
        QTest::newRow("too long") << 3 << "another size";
        QTest::newRow("too long without a length") << 4 << "another size";
        QTest::newRow("wrong range") << 5 << "another size";
        QTest::newRow("endless") << 6 << "another size";
    }
    void wrongContentsAreNotTaken() {
        QFETCH(int, which);
        QFETCH(QString, part);
        at_->mimic.add("models/o/m", model_files());
        const auto plan = plan_hub(at_->hub, name_of("o/m"));
        std::atomic<bool> cut{false};
        at_->mimic.spoil([&](const ReceivedRequest&, bool large, ServedAnswer& answer) {
            if (which == 1 && !large && answer.body == "{}") answer.body = "[]";
            if (!large || answer.body.size() < 100000) return;
            if (which == 0) answer.body[77] ^= 1;
            if (which == 2) answer.body.pop_back();
            if (which == 3) answer.body += "x";
            if (which == 4)
                answer.headers.emplace_back("Transfer-Encoding", "chunked"),
                    answer.body = "493e1\r\n" + answer.body + "x\r\n0\r\n\r\n";
            if (which == 5 && !cut.exchange(true))
                answer.end = AnswerEnd::close, answer.cut_after = 1000;
            else if (which == 5)
                answer.headers.emplace_back("Content-Range", "bytes 0-299999/300000");
            if (which == 6) answer.end = AnswerEnd::endless;
        });
        FAILS(download_hub(at_->hub, plan), io, part.toStdString());
        const fs::path place = at_->hub.settings.cache / "models--o--m";
        QVERIFY(!fs::exists(
            place / "blobs"
            / hub_hash(model_files()[which == 1 ? "config.json" : "model.safetensors"], which != 1)));
        QVERIFY(!fs::exists(place / "refs/main"));
        QVERIFY(cached_hub(at_->hub.settings, name_of("o/m")).empty());
        at_->mimic.spoil({});
        const fs::path folder = obtain_hub(at_->hub, name_of("o/m")); // nothing wrong was left behind
        QVERIFY(read_file(folder / "model.safetensors", 1u << 20) == model_files()["model.safetensors"]);
    }

    void aServerThatNeverGetsThroughIsGivenUp() {
        at_->mimic.add("models/o/m", model_files());
        at_->mimic.ranges = false; // begins anew each time, and breaks off each time
        at_->mimic.spoil([&](const ReceivedRequest&, bool large, ServedAnswer& answer) {
            if (large) answer.end = AnswerEnd::close, answer.cut_after = 1500;
        });
        FAILS(obtain_hub(at_->hub, name_of("o/m")), io, "before the answer was whole");
        QVERIFY(at_->mimic.large_requests().size() < 30);
    }

    void severalFilesAtATime() {
        HubMimic::Files files{{"config.json", "{}"}};
        for (int i = 0; i < 8; ++i)
            files["model-" + std::to_string(i) + ".safetensors"] = noise(2000, static_cast<std::uint64_t>(i));
        files["model-7.safetensors"] = files["model-6.safetensors"]; // the same content twice
        at_->mimic.add("models/o/m", files);
        std::atomic<int> now{0}, most{0};
        at_->mimic.spoil([&](const ReceivedRequest&, bool large, ServedAnswer&) {
            if (!large) return;
            most = std::max(most.load(), ++now);
            std::this_thread::sleep_for(200ms);
            --now;
        });
        const fs::path folder = obtain_hub(at_->hub, name_of("o/m"));
        QVERIFY2(most >= 3 && most <= 4, std::to_string(most).c_str());
        QCOMPARE(at_->mimic.large_requests().size(), std::size_t{7});
        QVERIFY(read_file(folder / "model-7.safetensors", 10000) == files["model-7.safetensors"]);
    }

    void stopEndsADownloadAndItGoesOn() {
        at_->mimic.add("models/o/m", model_files());
        at_->mimic.spoil([&](const ReceivedRequest&, bool large, ServedAnswer& answer) {
            if (large) answer.bytes_per_second = 100000;
        });
        StopToken stop;
        QElapsedTimer timer;
        const auto plan = plan_hub(at_->hub, name_of("o/m"));
        auto progress = [&](const HubProgress& p) {
            if (p.done > 50000 && !stop) timer.start(), stop.request(StopRequest::cancel);
        };
        FAILS(download_hub(at_->hub, plan, progress, stop), stopped, "goes on from there");
        QVERIFY2(timer.elapsed() < 1000, std::to_string(timer.elapsed()).c_str());
        at_->mimic.spoil({});
        const auto rest = plan_hub(at_->hub, name_of("o/m"));
        QVERIFY(rest.missing_bytes < plan.missing_bytes - 40000);
        QVERIFY(read_file(download_hub(at_->hub, rest) / "model.safetensors", 1u << 20)
                == model_files()["model.safetensors"]);
    }

    void aFullDiskIsSeenBefore() {
        MountedDisk disk("200k");
        REQUIRE_DISK(disk);
        at_->mimic.add("models/o/m", model_files());
        at_->hub.settings.cache = disk.path() / "hub";
        const auto plan = plan_hub(at_->hub, name_of("o/m"));
        QVERIFY(plan.free_bytes < 300000);
        FAILS(download_hub(at_->hub, plan), disk_full, "set HF_HUB_CACHE to a folder on another disk");
        QVERIFY(at_->mimic.large_requests().empty());
    }

    void aDiskThatFillsUpEndsIt() {
        MountedDisk disk("400k");
        REQUIRE_DISK(disk);
        at_->mimic.add("models/o/m", model_files());
        at_->hub.settings.cache = disk.path() / "hub";
        const auto plan = plan_hub(at_->hub, name_of("o/m"));
        at_->mimic.spoil([&](const ReceivedRequest&, bool large, ServedAnswer& answer) {
            if (large && answer.body.size() > 100000) disk.fill();
        });
        FAILS(download_hub(at_->hub, plan), disk_full, "Free some space");
        QVERIFY(cached_hub(at_->hub.settings, name_of("o/m")).empty());
        at_->mimic.spoil({});
        disk.drain();
        const fs::path folder = obtain_hub(at_->hub, name_of("o/m"));
        QVERIFY(read_file(folder / "model.safetensors", 1u << 20) == model_files()["model.safetensors"]);
    }

private:
    std::unique_ptr<HubFixture> at_;
};

QTEST_GUILESS_MAIN(TestHubFaults)
#include "tst_hub_faults.moc"
