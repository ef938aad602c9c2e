#include "scripted_engine.h"

#include <thread>

using namespace tempera;
using namespace tempera::test;
using Names = std::vector<std::string>;

/// Runs that go on from what others left: the stages of a study, and references from run to run.
class TestQueueStudies : public QObject {
    Q_OBJECT

private slots:
    void aStudyRunsItsStagesInOrderAndHandsOnTheModel() {
        QueueFixture f;
        f.queue->start();
        auto ids = f.queue->submit(f.study());
        QCOMPARE(ids.size(), 2u);
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"train", "sweep"}));
        QCOMPARE(f.run(ids[0]).stage, std::string("sft"));
        QCOMPARE(f.run(ids[1]).stage, std::string("sweep"));
        QCOMPARE(f.engine.requests()[1].recipe["model"].get<std::string>(),
                 (f.workspace->run_folder(ids[0]) / "model").string());
        QCOMPARE(f.workspace->studies().size(), 1u);
        QCOMPARE(f.run(ids[0]).study, f.workspace->studies()[0].id);
        QVERIFY(f.run(ids[1]).recipe.find("@sft")
                != std::string::npos); // the stored recipe keeps the reference
    }

    void aFailedStageBlocksItsDependentsUntilItIsResumed() {
        QueueFixture f;
        std::atomic<bool> healthy{false};
        f.engine.scripts["train"] = [&](const RunRequest& request, RunObserver& observer,
                                        const StopToken& stop) -> RunOutcome {
            if (!healthy) fail(ErrorKind::numeric, "NaN");
            return ScriptedEngine::ordinary(request, observer, stop);
        };
        f.queue->start();
        auto ids = f.queue->submit(f.study());
        auto other = f.queue->submit(f.sft("other"))[0];
        f.queue->wait_until_idle();
        QCOMPARE(f.status(ids[0]), RunStatus::failed);
        QCOMPARE(f.status(ids[1]), RunStatus::queued);
        QCOMPARE(f.run(ids[1]).error,
                 "Waits for stage \"sft\", which failed: resume that run (" + ids[0] + ") to go on.");
        QCOMPARE(f.status(other), RunStatus::finished); // others pass by
        QVERIFY(!f.queue->busy());
        healthy = true;
        f.queue->resume(ids[0]);
        f.queue->wait_until_idle();
        QCOMPARE(f.status(ids[1]), RunStatus::finished);
        QVERIFY(f.run(ids[1]).error.empty());
    }

    void anUnchangedStageIsReused() {
        QueueFixture f;
        f.queue->start();
        auto first = f.queue->submit(f.study());
        f.queue->wait_until_idle();
        auto second = f.queue->submit(f.study());
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"train", "sweep"})); // nothing ran twice
        QCOMPARE(f.status(second[0]), RunStatus::finished);
        QCOMPARE(f.run(second[0]).headline.at("eval_loss"), 0.25);
        QCOMPARE(f.run(second[0]).progress.done, 3);
        f.workspace->remove_run(first[0]); // the copy stands by itself
        QVERIFY(fs::exists(f.workspace->run_folder(second[0]) / "model/config.json"));
        RunReader reader(f.workspace->run_folder(second[0]));
        QCOMPARE(reader.metric("loss").size(), 3u);
        QVERIFY(reader.events().back().message.find(first[0]) != std::string::npos);
    }

    void aChangedStageRunsAgainAndSoDoesWhatDependsOnIt() {
        QueueFixture f;
        f.queue->start();
        f.queue->submit(f.study());
        f.queue->wait_until_idle();
        Json changed = f.study();
        changed["stages"][1]["seed"] = 77;
        f.queue->submit(changed);
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"train", "sweep", "train", "sweep"}));
        Json only_sweep = f.study();
        only_sweep["stages"][0]["seed"] = 78;
        f.queue->submit(only_sweep);
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"train", "sweep", "train", "sweep", "sweep"}));
        write_file_atomic(f.root() / "base/config.json", "{\"other\":1}"); // another base under the same name
        f.queue->submit(f.study());
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.requests().size(), 7u);
    }

    void aRunAskedForTwiceRunsTwice() {
        QueueFixture f;
        f.queue->start();
        f.queue->submit(f.sft("a"));
        f.queue->submit(f.sft("a"));
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"a", "a"}));
    }

    void aRunStartsFromAnotherRunsResult() {
        QueueFixture f;
        f.engine.scripts["a"] = [](const RunRequest& request, RunObserver& observer, const StopToken& stop) {
            std::this_thread::sleep_for(std::chrono::milliseconds(30));
            return ScriptedEngine::ordinary(request, observer, stop);
        };
        f.queue->start();
        auto a = f.queue->submit(f.sft("a"))[0];
        Json recipe = f.sft("b");
        recipe["model"] = "run:" + a;
        f.queue->submit(recipe); // waits for a
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"a", "b"}));
        QCOMPARE(f.engine.requests()[1].recipe["model"].get<std::string>(),
                 (f.workspace->run_folder(a) / "model").string());
    }

    void aStageReadsTheDataThatAnotherLeft() {
        QueueFixture f;
        f.engine.scripts["pairs"] = [](const RunRequest& request, RunObserver&, const StopToken&) {
            fs::create_directories(request.folder / "artifacts");
            write_file_atomic(request.folder / "artifacts/pairs.jsonl", "{}\n");
            write_file_atomic(request.folder / "artifacts/best.jsonl", "{}\n");
            return RunOutcome::finished;
        };
        Json train = f.sft("train"), pairs = {{"kind", "pairs"}, {"name", "pairs"}, {"stage", "pairs"}};
        train["stage"] = "sft";
        train["data"] = "@pairs/best.jsonl";
        pairs["model"] = train["model"];
        const Json study = {{"study", "s"}, {"stages", {train, pairs}}};
        f.queue->start();
        auto ids = f.queue->submit(study);
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"pairs", "train"}));
        QCOMPARE(f.engine.requests()[1].recipe["data"].get<std::string>(),
                 (f.workspace->run_folder(ids[0]) / "artifacts/best.jsonl").string());
        auto again = f.queue->submit(study); // both stages are reused, the data with them
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"pairs", "train"}));
        QVERIFY(fs::exists(f.workspace->run_folder(again[0]) / "artifacts/best.jsonl"));
        Json other = study;
        other["stages"][1]["seed"] = 3; // other pairs: trained anew
        f.queue->submit(other);
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"pairs", "train", "pairs", "train"}));
        Json file = study;
        file["stages"][0]["data"] = "@pairs/pairs.jsonl";
        f.queue->submit(file);
        f.queue->wait_until_idle();
        QCOMPARE(f.engine.names(), (Names{"pairs", "train", "pairs", "train", "train"}));
    }
};

QTEST_GUILESS_MAIN(TestQueueStudies)
#include "tst_queue_studies.moc"
