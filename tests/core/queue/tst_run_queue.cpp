#include "scripted_engine.h"

#include <QElapsedTimer>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <thread>
#include <unistd.h>

using namespace tempera;
using namespace tempera::test;
using Names = std::vector<std::string>;

class TestRunQueue : public QObject {
    Q_OBJECT

private slots:
    void nothingRunsBeforeStart() {
        QueueFixture f;
        auto ids = f.queue->submit(f.sft("a"));
        QTest::qSleep(50);
        QVERIFY(f.engine.requests().empty());
        QCOMPARE(f.status(ids[0]), RunStatus::queued);
        f.queue->start();
        f.queue->wait_until_idle();
        QCOMPARE(f.status(ids[0]), RunStatus::finished);
    }

    void runsGoOneByOneInOrder() {
        QueueFixture f;
        f.queue->submit(f.sft("a"));
        f.queue->submit(f.sft("b"));
        auto last = f.queue->submit(f.sft("c"));
        f.queue->reorder(last[0], 0);
        f.queue->start();
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"c", "a", "b"}));
        QCOMPARE(f.engine.most_running(), 1);
        QVERIFY(!f.queue->busy());
    }

    void aFinishedRunIsRecordedWhole() {
        QueueFixture f;
        f.queue->start();
        auto id = f.queue->submit(f.sft("a"))[0];
        f.queue->wait_until_idle();
        RunRecord record = f.run(id);
        QCOMPARE(record.status, RunStatus::finished);
        QCOMPARE(record.progress.done, 3);
        QCOMPARE(record.headline.at("eval_loss"), 0.25);
        QVERIFY(record.started_ms >= record.created_ms && record.ended_ms >= record.started_ms);
        QCOMPARE(record.name, std::string("a"));
        QCOMPARE(f.events(id), (Names{"started", "finished"}));
        QCOMPARE(RunReader(f.workspace->run_folder(id)).metric("loss").size(), 3u);
        auto request = f.engine.requests().at(0);
        QCOMPARE(request.folder, f.workspace->run_folder(id));
        QVERIFY(!request.resume);
        QCOMPARE(request.threads, 1);
        QVERIFY(request.recipe.contains("learning_rate")); // complete
        auto heard = f.heard_of(id);
        QCOMPARE(heard.front().status, RunStatus::queued);
        QCOMPARE(heard.back().status, RunStatus::finished);
    }

    void anEndpointAndTheKeychainReachTheEngine() {
        QueueFixture f(false);
        qputenv("TEMPERA_CONFIG", QByteArray::fromStdString((f.root() / "config").string()));
        {
            RunQueue queue(
                *f.workspace, [&]() -> Engine& { return f.engine; }, [](const RunRecord&) {}, 1,
                [](const std::string& endpoint) { return "key of " + endpoint; });
            Json sweep = {{"kind", "sweep"}, {"name", "a"}, {"model", "endpoint:openai/small"}};
            const auto id = queue.submit(sweep)[0];
            queue.start();
            queue.wait_until_idle();
            QCOMPARE(f.status(id), RunStatus::finished);
            const auto request = f.engine.requests().at(0);
            QCOMPARE(request.recipe["model"].get<std::string>(), std::string("endpoint:openai/small"));
            QCOMPARE(request.keys("openai"), std::string("key of openai"));
            QVERIFY(f.run(id).recipe.find("key of") == std::string::npos);
            sweep["model"] = "endpoint:opnai";
            QVERIFY_THROWS_EXCEPTION(Error, queue.submit(sweep));
        }
        qunsetenv("TEMPERA_CONFIG");
    }

    void trainingYieldsToTheWindow() {
        QueueFixture f;
        int nice = -100;
        f.engine.scripts["a"] = [&](auto&...) {
            nice = getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)));
            return RunOutcome::finished;
        };
        int own = getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)));
        f.queue->start();
        f.queue->submit(f.sft("a"));
        f.queue->wait_until_idle();
        QCOMPARE(nice, std::max(10, own));
        QCOMPARE(getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid))), own);
    }

    void aLowerPriorityIsKept() {
        int nice = -100;
        std::thread([&] { // its priority cannot be raised again without rights
            setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 15);
            QueueFixture f;
            f.engine.scripts["a"] = [&](auto&...) {
                nice = getpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)));
                return RunOutcome::finished;
            };
            f.queue->start();
            f.queue->submit(f.sft("a"));
            f.queue->wait_until_idle();
        })
            .join();
        QVERIFY2(nice >= 15, qPrintable(QString::number(nice)));
    }

    void stopKeepsAndResumeGoesOn() {
        QueueFixture f;
        f.engine.scripts["a"] = [](const RunRequest& request, RunObserver& observer, const StopToken& stop) {
            if (!request.resume) return ScriptedEngine::endless(request, observer, stop);
            observer.on_event({0, 0, 2, "resumed", "from step 2"});
            return RunOutcome::finished;
        };
        f.queue->start();
        auto id = f.queue->submit(f.sft("a"))[0];
        QTRY_COMPARE(f.status(id), RunStatus::running);
        QTRY_VERIFY(f.run(id).progress.done > 0);
        f.queue->stop(id);
        f.queue->wait_until_idle();
        QCOMPARE(f.status(id), RunStatus::stopped);
        QVERIFY(f.run(id).error.empty());
        QVERIFY(f.run(id).progress.done > 0);
        f.queue->resume(id);
        f.queue->wait_until_idle();
        QCOMPARE(f.status(id), RunStatus::finished);
        QCOMPARE(f.engine.requests().size(), 2u);
        QVERIFY(f.engine.requests()[1].resume);
        QCOMPARE(f.events(id), (Names{"started", "stopped", "started", "resumed", "finished"}));
        bool was_stopping = false;
        for (const auto& record : f.heard_of(id))
            was_stopping |= record.status == RunStatus::stopping;
        QVERIFY(was_stopping);
        auto again = error_of([&] { f.queue->resume(id); });
        QVERIFY(again && again->kind() == ErrorKind::bad_input);
    }

    void cancelEndsAtOnceAndAQueuedOneIsJustMarked() {
        QueueFixture f;
        f.engine.scripts["a"] = ScriptedEngine::endless;
        f.queue->start();
        auto a = f.queue->submit(f.sft("a"))[0], b = f.queue->submit(f.sft("b"))[0],
             c = f.queue->submit(f.sft("c"))[0];
        QTRY_COMPARE(f.status(a), RunStatus::running);
        f.queue->cancel(b);
        QCOMPARE(f.status(b), RunStatus::cancelled);
        f.queue->stop(c);
        QCOMPARE(f.status(c), RunStatus::stopped);
        QVERIFY(f.queue->busy());
        f.queue->cancel(a);
        f.queue->wait_until_idle();
        QCOMPARE(f.status(a), RunStatus::cancelled);
        QCOMPARE(f.engine.names(), (Names{"a"}));
        f.queue->resume(b);
        f.queue->resume(c);
        f.queue->wait_until_idle();
        QCOMPARE(f.status(b), RunStatus::finished);
        QCOMPARE(f.status(c), RunStatus::finished);
        QVERIFY(!f.engine.requests().at(1).resume); // it had never begun
    }

    void anUnknownRunIsAnError() {
        QueueFixture f;
        for (auto body : std::vector<std::function<void()>>{
                 [&] { f.queue->stop("nope"); }, [&] { f.queue->cancel("nope"); },
                 [&] { f.queue->resume("nope"); }, [&] { f.queue->reorder("nope", 0); }}) {
            auto error = error_of(body);
            QVERIFY(error && error->kind() == ErrorKind::not_found);
        }
    }

    void aFailureStaysWithItsRun() {
        QueueFixture f;
        f.engine.scripts["a"] = [](auto&, RunObserver& observer, auto&) -> RunOutcome {
            std::vector<Metric> metrics{{"loss", 0.5}};
            observer.on_metrics(1, metrics);
            fail(ErrorKind::numeric, "The loss is NaN at step 2 (rows 3, 4): lower the learning rate.");
        };
        f.engine.scripts["b"] = [](auto&...) -> RunOutcome { throw std::bad_alloc(); };
        f.engine.scripts["c"] = [](auto&...) -> RunOutcome {
            throw std::runtime_error("odd thing\nstack trace");
        };
        f.engine.scripts["d"] = [](auto&...) -> RunOutcome { throw 42; };
        f.queue->start();
        std::vector<std::string> ids;
        f.engine.scripts["silent"] = [](auto&...) -> RunOutcome { throw Error(ErrorKind::internal, ""); };
        auto silent = f.queue->submit(f.sft("silent"))[0];
        for (auto name : {"a", "b", "c", "d", "e"})
            ids.push_back(f.queue->submit(f.sft(name))[0]);
        f.queue->wait_until_idle();
        QCOMPARE(f.run(ids[0]).error,
                 std::string("The loss is NaN at step 2 (rows 3, 4): lower the learning rate."));
        QCOMPARE(f.events(ids[0]), (Names{"started", "failed"}));
        QCOMPARE(RunReader(f.workspace->run_folder(ids[0])).metric("loss").size(),
                 1u); // what was reported is kept
        QVERIFY(f.run(ids[1]).error.starts_with("Out of memory"));
        QCOMPARE(f.run(ids[2]).error, std::string("The engine failed: odd thing"));
        for (int i = 0; i < 4; ++i)
            QCOMPARE(f.status(ids[static_cast<std::size_t>(i)]), RunStatus::failed);
        QCOMPARE(f.status(ids[4]), RunStatus::finished);
    }

    void anEngineThatCannotBeLoadedFailsTheRun() {
        QueueFixture f(false);
        f.queue = std::make_unique<RunQueue>(
            *f.workspace, []() -> Engine& { fail(ErrorKind::not_found, "No engine here."); }, nullptr);
        f.queue->start();
        auto id = f.queue->submit(f.sft("a"))[0];
        f.queue->wait_until_idle();
        QCOMPARE(f.run(id).error, std::string("No engine here."));
    }

    void comparisonsAndRolloutsAreStored() {
        QueueFixture f;
        f.engine.scripts["a"] = [](const RunRequest& request, RunObserver& observer, const StopToken& stop) {
            Comparison comparison;
            comparison.prompt = "Hi";
            comparison.tuned.score = 1;
            observer.on_comparisons(std::vector<Comparison>{comparison});
            RolloutGroup group;
            group.step = 1;
            group.samples.resize(2);
            observer.on_rollouts(std::vector<RolloutGroup>{group});
            return ScriptedEngine::ordinary(request, observer, stop);
        };
        f.queue->start();
        const auto id = f.queue->submit(f.sft("a"))[0];
        f.queue->wait_until_idle();
        const RunReader reader(f.workspace->run_folder(id));
        QCOMPARE(reader.comparisons().size(), 1u);
        QCOMPARE(reader.comparisons()[0].tuned.score, 1.0);
        QCOMPARE(reader.rollouts(1).size(), 1u);
    }

    void whatCannotRunIsRefusedBeforeAnythingIsWritten() {
        QueueFixture f;
        std::vector<std::pair<Json, std::string>> bad;
        bad.push_back({f.sft("a"), ""});
        bad.back().first["model"] = "tinny";
        bad.back().second = "Did you mean \"tiny\"?";
        bad.push_back({f.sft("a"), ""});
        bad.back().first["model"] = "run:nope";
        bad.back().second = "no run \"nope\"";
        bad.push_back({f.study(), ""});
        bad.back().first["stages"][0]["model"] = "@sftt";
        bad.back().second = "Did you mean \"sft\"?";
        bad.push_back({f.sft("a"), ""});
        bad.back().first["leaning_rate"] = 1;
        bad.back().second = "learning_rate";
        bad.push_back({f.sft("a"), "holds neither config.json"});
        bad.back().first["model"] = f.root().string();
        for (const auto& [recipe, sentence] : bad) {
            auto error = error_of([&] { f.queue->submit(recipe); });
            QVERIFY(error);
            QVERIFY2(std::string(error->what()).find(sentence) != std::string::npos, error->what());
        }
        QVERIFY(f.workspace->runs().empty());
        QVERIFY(f.workspace->studies().empty());
        QVERIFY(fs::is_empty(f.workspace->folder() / "runs"));
    }

    void progressIsPassedOnAtMostFourTimesASecond() {
        QueueFixture f;
        f.engine.scripts["a"] = [](auto&, RunObserver& observer, auto&) {
            auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(1300);
            int step = 0;
            while (std::chrono::steady_clock::now() < end) {
                observer.on_progress({"training", ++step, 0, "steps", 1, 1, 1});
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            }
            return RunOutcome::finished;
        };
        f.queue->start();
        auto id = f.queue->submit(f.sft("a"))[0];
        f.queue->wait_until_idle();
        int progress = 0;
        for (const auto& record : f.heard_of(id))
            progress += record.status == RunStatus::running && record.progress.done > 0;
        QVERIFY2(progress >= 3 && progress <= 6, std::to_string(progress).c_str());
        QVERIFY(f.run(id).progress.done > 100); // the last one is not lost
    }

    void aListenerThatThrowsOrAsksBackDoesNoHarm() {
        QueueFixture f(false);
        RunQueue* queue = nullptr;
        f.queue = std::make_unique<RunQueue>(
            *f.workspace, [&]() -> Engine& { return f.engine; },
            [&](const RunRecord& record) {
                if (record.status == RunStatus::running) queue->stop(record.id);
                (void)f.workspace->runs();
                throw std::runtime_error("listener");
            });
        queue = f.queue.get();
        f.engine.scripts["a"] = ScriptedEngine::endless;
        queue->start();
        auto id = queue->submit(f.sft("a"))[0];
        queue->wait_until_idle();
        QCOMPARE(f.status(id), RunStatus::stopped);
    }

    void closingStopsTheRunningOneAndKeepsTheRestQueued() {
        QueueFixture f;
        f.engine.scripts["a"] = ScriptedEngine::endless;
        f.queue->start();
        auto a = f.queue->submit(f.sft("a"))[0], b = f.queue->submit(f.sft("b"))[0];
        QTRY_COMPARE(f.status(a), RunStatus::running);
        f.queue.reset();
        QCOMPARE(f.status(a), RunStatus::stopped);
        QCOMPARE(f.status(b), RunStatus::queued);
        f.make_queue(); // the next session
        f.engine.scripts.clear();
        f.queue->start();
        f.queue->resume(a);
        f.queue->wait_until_idle();
        QCOMPARE(f.status(a), RunStatus::finished);
        QCOMPARE(f.status(b), RunStatus::finished);
    }

    void onlyTheChosenRunUntilAllMay() {
        QueueFixture f;
        auto a = f.queue->submit(f.sft("a"))[0], b = f.queue->submit(f.sft("b"))[0];
        f.queue->start({b});
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"b"}));
        QCOMPARE(f.status(a), RunStatus::queued);
        QVERIFY(!f.queue->busy());
        f.queue->start();
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"b", "a"}));
    }

    void aPauseLetsTheRunningOneGoOnAndTakesNoOther() {
        QueueFixture f;
        std::atomic<bool> may_end{false};
        f.engine.scripts["a"] = [&](auto&, auto&, auto&) {
            while (!may_end)
                std::this_thread::sleep_for(std::chrono::milliseconds(1));
            return RunOutcome::finished;
        };
        f.queue->start();
        auto a = f.queue->submit(f.sft("a"))[0], b = f.queue->submit(f.sft("b"))[0];
        QTRY_COMPARE(f.status(a), RunStatus::running);
        f.queue->pause();
        QVERIFY(f.queue->busy());
        may_end = true;
        f.queue->wait_until_idle();
        QCOMPARE(f.status(a), RunStatus::finished);
        QCOMPARE(f.status(b), RunStatus::queued);
        QVERIFY(!f.queue->busy());
        f.queue->start();
        f.queue->wait_until_idle();
        QCOMPARE(f.status(b), RunStatus::finished);
    }

    void manyThreadsMayAskAtOnce() {
        QueueFixture f;
        f.queue->start();
        std::vector<std::thread> threads;
        for (int t = 0; t < 4; ++t)
            threads.emplace_back([&, t] {
                for (int i = 0; i < 8; ++i) {
                    auto id = f.queue->submit(f.sft(std::to_string(t)))[0];
                    if (i % 3 == 0) f.queue->cancel(id);
                    if (i % 3 == 1) f.queue->stop(id);
                    (void)f.queue->busy();
                }
            });
        for (auto& thread : threads)
            thread.join();
        f.queue->wait_until_idle();
        auto runs = f.workspace->runs();
        QCOMPARE(runs.size(), 32u);
        for (const auto& record : runs)
            QVERIFY(record.status == RunStatus::finished || record.status == RunStatus::cancelled
                    || record.status == RunStatus::stopped);
        QCOMPARE(f.engine.most_running(), 1);
    }
};

QTEST_GUILESS_MAIN(TestRunQueue)
#include "tst_run_queue.moc"
