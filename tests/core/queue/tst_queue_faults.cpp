#include "scripted_engine.h"

#include "../store/child_process.h"
#include "../store/mounted_disk.h"
#include "core/base/random.h"

#include <QElapsedTimer>

using namespace tempera;
using namespace tempera::test;
using Names = std::vector<std::string>;

/// The queue under kill -9, on a full disk and with hostile run folders.
class TestQueueFaults : public QObject {
    Q_OBJECT

private slots:
    void afterKill9TheWorkspaceOpensAndTheRunGoesOn() {
        RandomStream random(5);
        for (int round = 0; round < 10; ++round) {
            QTemporaryDir folder(fast_folder());
            fs::path root = folder.path().toStdString();
            fs::create_directories(root / "base");
            write_file_atomic(root / "base/config.json", "{}");
            Child child([&](int pipe) { return run_until_killed(root, pipe); });
            QVERIFY(child.read_byte()); // the first run has reported
            std::this_thread::sleep_for(std::chrono::microseconds(random.below(20000)));
            child.kill_and_wait();

            Workspace workspace(root / "workspace", Workspace::Access::read_write);
            auto runs = workspace.runs();
            QCOMPARE(runs.size(), 3u);
            QCOMPARE(runs[0].status, RunStatus::interrupted);
            QCOMPARE(runs[1].status, RunStatus::queued);
            std::size_t stored = RunReader(workspace.run_folder(runs[0].id)).metric("loss").size();
            QVERIFY(stored > 0);
            ScriptedEngine engine;
            bool resumed = false;
            engine.scripts["first"] = [&](const RunRequest& request, RunObserver& observer,
                                          const StopToken& stop) {
                resumed = request.resume;
                observer.on_event({0, 0, 1, "resumed", "from step 1"});
                return ScriptedEngine::ordinary(request, observer, stop);
            };
            RunQueue queue(
                workspace, [&]() -> Engine& { return engine; }, nullptr, 1);
            queue.start();
            queue.resume(runs[0].id);
            queue.wait_until_idle();
            QVERIFY(resumed);
            for (const auto& record : workspace.runs())
                QCOMPARE(record.status, RunStatus::finished);
            QCOMPARE(RunReader(workspace.run_folder(runs[0].id)).metric("loss").size(), 3u); // each step once
            for (const auto& record : runs)
                QCOMPARE(sql(workspace.run_folder(record.id) / "run.db", "PRAGMA quick_check"),
                         std::vector<std::string>{"ok"});
        }
    }

    void aFullDiskFailsTheRunHoldsTheQueueAndLosesNothing() {
        MountedDisk disk("4m");
        REQUIRE_DISK(disk);
        fs::create_directories(disk.path() / "base");
        write_file_atomic(disk.path() / "base/config.json", "{}");
        Json recipe = {{"kind", "sft"}, {"name", "writer"}, {"model", (disk.path() / "base").string()}};
        ScriptedEngine engine;
        std::size_t kept = 0;
        engine.scripts["writer"] = [&](const RunRequest& request, RunObserver& observer, const StopToken&) {
            if (request.resume) {
                observer.on_event({0, 0, static_cast<std::int64_t>(kept), "resumed", ""});
                return RunOutcome::finished;
            }
            std::vector<PromptRecord> prompts{{0, "p", "{}"}};
            observer.on_prompts(prompts);
            for (int step = 1; step < 1000; ++step) {
                std::vector<Metric> metrics{{"loss", 1.0 / step}};
                observer.on_metrics(step, metrics);
                std::vector<Sample> samples;
                for (int i = 0; i < 50; ++i)
                    samples.push_back(make_sample(0.5, 0, step * 50 + i));
                observer.on_samples(samples);
                observer.on_checkpoint({step, "checkpoints/1", std::nullopt, false}); // commits
            }
            return RunOutcome::finished;
        };
        std::mutex mutex;
        RunRecord heard;
        Workspace workspace(disk.path() / "workspace", Workspace::Access::read_write);
        RunQueue queue(
            workspace, [&]() -> Engine& { return engine; },
            [&](const RunRecord& record) {
                std::lock_guard guard(mutex);
                if (record.status == RunStatus::failed) heard = record;
            },
            1);
        queue.start();
        auto first = queue.submit(recipe)[0];
        recipe["name"] = "second";
        auto second = queue.submit(recipe)[0];
        queue.wait_until_idle();
        {
            std::lock_guard guard(mutex);
            QCOMPARE(heard.id, first);
            QVERIFY2(heard.error.find("No space left") != std::string::npos, heard.error.c_str());
        }
        QCOMPARE(workspace.require_run(second).status,
                 RunStatus::queued); // starting it would only fail it too
        QCOMPARE(engine.names(), (Names{"writer"}));
        kept = RunReader(workspace.run_folder(first)).metric("loss").size();
        QVERIFY(kept > 0);

        QVERIFY(mount("tmpfs", disk.path().c_str(), "tmpfs", MS_REMOUNT, "size=32m") == 0); // room again
        QTRY_COMPARE_WITH_TIMEOUT(workspace.require_run(first).status, RunStatus::failed, 4000);
        queue.resume(first);
        queue.wait_until_idle();
        QCOMPARE(workspace.require_run(first).status, RunStatus::finished);
        QCOMPARE(workspace.require_run(second).status, RunStatus::finished);
        QCOMPARE(RunReader(workspace.run_folder(first)).metric("loss").size(), kept);
    }

    void aRunWhoseDatabaseIsDamagedFailsAlone() {
        QueueFixture f;
        auto bad = f.queue->submit(f.sft("a"))[0], good = f.queue->submit(f.sft("b"))[0];
        write_file_atomic(f.workspace->run_folder(bad) / "run.db", std::string(8192, 'x'));
        f.queue->start();
        f.queue->wait_until_idle();
        QCOMPARE(f.status(bad), RunStatus::failed);
        QVERIFY2(f.run(bad).error.find("not a database") != std::string::npos, f.run(bad).error.c_str());
        QCOMPARE(f.status(good), RunStatus::finished);
    }

    void aRecipeFromElsewhereIsCheckedAgain() {
        QueueFixture f;
        for (const char* recipe :
             {"[]", "{}", "{\"kind\":\"sft\",\"model\":[1]}", "{\"kind\":\"nope\"}", "not json",
              "{\"kind\":\"sft\",\"model\":\"run:\"}", "{\"kind\":\"sft\",\"model\":\"@x\"}"}) {
            RunRecord record;
            record.kind = "sft";
            record.recipe = recipe;
            f.workspace->add_run(record);
        }
        auto good = f.queue->submit(f.sft("good"))[0];
        f.queue->start();
        f.queue->wait_until_idle();
        QCOMPARE(f.status(good), RunStatus::finished);
        for (const auto& record : f.workspace->runs())
            if (record.id != good) QVERIFY2(!record.error.empty(), record.recipe.c_str());
    }

    void aRunFolderThatIsGoneIsMadeAgain() {
        QueueFixture f;
        auto id = f.queue->submit(f.sft("a"))[0];
        fs::remove_all(f.workspace->run_folder(id));
        f.queue->start();
        f.queue->wait_until_idle();
        QCOMPARE(f.status(id), RunStatus::finished);
        QVERIFY(fs::exists(f.workspace->run_folder(id) / "recipe.json"));
    }

    void aRunThatWritesForeverInOneStepIsSeenByTheReader() {
        QueueFixture f;
        f.engine.scripts["a"] = [](auto&, RunObserver& observer, const StopToken& stop) {
            std::vector<Metric> metrics{{"loss", 1}};
            observer.on_metrics(1, metrics);
            observer.on_metrics(2, metrics);
            while (!stop) // a long step: nothing is reported
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            return RunOutcome::stopped;
        };
        f.queue->start();
        auto id = f.queue->submit(f.sft("a"))[0];
        QTRY_COMPARE(f.status(id), RunStatus::running);
        RunReader reader(f.workspace->run_folder(id));
        QTRY_VERIFY_WITH_TIMEOUT(reader.metric("loss").size() == 2, 1500);
        f.queue->stop(id);
        f.queue->wait_until_idle();
    }

private:
    static int run_until_killed(const fs::path& root, int pipe) {
        Workspace workspace(root / "workspace", Workspace::Access::read_write);
        ScriptedEngine engine;
        engine.scripts["first"] = [pipe](const RunRequest&, RunObserver& observer,
                                         const StopToken&) -> RunOutcome {
            for (int step = 1;; ++step) {
                std::vector<Metric> metrics{{"loss", 1.0 / step}};
                observer.on_metrics(step, metrics);
                observer.on_progress({"training", step, 0, "steps", 1, 1, 1});
                observer.on_checkpoint({step, "checkpoints/x", std::nullopt, false}); // commits
                if (step == 3 && write(pipe, "x", 1) != 1) return RunOutcome::cancelled;
            }
        };
        RunQueue queue(
            workspace, [&]() -> Engine& { return engine; }, nullptr, 1);
        for (const char* name : {"first", "second", "third"})
            queue.submit({{"kind", "sft"}, {"name", name}, {"model", (root / "base").string()}});
        queue.start();
        queue.wait_until_idle();
        return 0;
    }
};

QTEST_GUILESS_MAIN(TestQueueFaults)
#include "tst_queue_faults.moc"
