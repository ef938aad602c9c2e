#include "recording_observer.h"
#include "training_fixture.h"

#include "core/base/files.h"
#include "core/engine/checkpoint/checkpoint.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/model/weights.h"
#include "core/engine/train/dpo.h"
#include "core/engine/train/reward.h"
#include "core/engine/train/rloo.h"
#include "core/engine/train/sft.h"
#include "tests/support/sentence.h"

#include <QtTest>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

/// A short run of any trainer in a temporary folder, on a tiny model.
struct TestRun {
    QTemporaryDir folder;
    Json recipe;
    RecordingObserver observer;

    explicit TestRun(const std::string& kind, const std::string& model = "models/qwen2-tied") {
        recipe = {{"kind", kind},          {"model", (golden / model).string()},
                  {"examples", 0},         {"validation_examples", 0},
                  {"eval_steps", 0},       {"checkpoint_steps", 0},
                  {"warmup_steps", 0},     {"batch_size", 4},
                  {"learning_rate", 1e-2}, {"max_steps", 4}};
        if (kind != "rloo")
            recipe.update({{"data", (golden / kind / "rows.jsonl").string()}, {"max_length", 64}});
        else
            recipe.update({{"chat_template", "plain"},
                           {"rewards", {"repetition", "length:0.5"}},
                           {"k", 2},
                           {"max_tokens", 8}});
    }
    fs::path path() const { return folder.path().toStdString(); }
    void write_rows(const std::string& rows) {
        write_file_atomic(path() / "rows.jsonl", rows);
        recipe["data"] = (path() / "rows.jsonl").string();
    }
    RunOutcome run(bool resume = false, std::int64_t stop_after = -1) {
        observer.stop = StopToken();
        observer.stop_after = stop_after;
        const std::string kind = recipe.at("kind");
        const auto train = kind == "sft"    ? run_sft
                           : kind == "dpo"  ? run_dpo
                           : kind == "rloo" ? run_rloo
                                            : run_reward;
        return train({kind, recipe, path(), resume, 2}, observer, observer.stop);
    }
};

std::string rows_of(const std::string& kind) {
    if (kind != "rloo") return read_file(golden / kind / "rows.jsonl", 1 << 20);
    std::string rows;
    for (int k = 1; k <= 8; ++k)
        rows += Json{{"query", "the answer " + std::to_string(k)}, {"nums", {1, 2, 3}}, {"target", 6}}.dump()
                + "\n";
    return rows;
}

} // namespace

class TestTrainingRun : public QObject {
    Q_OBJECT

    QTemporaryDir cache_;

private Q_SLOTS:
    void initTestCase() { qputenv("TEMPERA_CACHE", cache_.path().toUtf8()); }

    /// The same number of rows with other content is other data.
    void changedDataIsNotResumed_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<int>("held_out");
        QTest::addColumn<QString>("word");
        QTest::addColumn<QString>("with");
        QTest::newRow("sft") << "sft" << 0 << "(3 + 17)"
                             << "(3 + 18)";
        QTest::newRow("sft, held out") << "sft" << 8 << "(3 + 17)"
                                       << "(3 + 18)";
        QTest::newRow("dpo") << "dpo" << 0 << "3 * 17 = 51"
                             << "3 * 17 = 52";
        QTest::newRow("reward, text") << "reward" << 0 << "Blue"
                                      << "Four";
        QTest::newRow("reward, score") << "reward" << 0 << "8.5"
                                       << "8.25";
        QTest::newRow("rloo, prompt") << "rloo" << 0 << "answer"
                                      << "question";
        QTest::newRow("rloo, facts") << "rloo" << 0 << "\"target\":6"
                                     << "\"target\":9";
    }
    void changedDataIsNotResumed() {
        QFETCH(QString, kind);
        QFETCH(int, held_out);
        QFETCH(QString, word);
        QFETCH(QString, with);
        TestRun run(kind.toStdString(), kind == "reward" ? "encoders/bert" : "models/qwen2-tied");
        run.recipe["validation_examples"] = held_out;
        if (kind == "reward") run.recipe["objective"] = "regression";
        const std::string before = rows_of(kind.toStdString());
        std::string after = before;
        after.replace(after.find(word.toStdString()), static_cast<std::size_t>(word.size()),
                      with.toStdString());
        run.write_rows(before);
        QVERIFY(run.run(false, 1) == RunOutcome::stopped);
        run.write_rows(after);
        const std::string said = test::sentence_of([&] { run.run(true); });
        QVERIFY2(said.find("Put the data back") != said.npos, said.c_str());
        run.write_rows(before);
        QVERIFY(run.run(true) == RunOutcome::finished);
        QVERIFY(run.observer.has_event("resumed", "step 1."));
    }

    /// Its checkpoints do not say what they were trained on.
    void aRunOfAnOlderProgramIsResumed() {
        TestRun run("sft");
        QVERIFY(run.run(false, 2) == RunOutcome::stopped);
        const fs::path checkpoints = run.path() / "checkpoints", kept = run.path() / "kept";
        fs::rename(checkpoints / "2", kept);
        write_checkpoint(checkpoints, 2, [&](const fs::path& folder) {
            for (const char* name : {"model", "optimiser.safetensors"})
                fs::copy(kept / name, folder / name, fs::copy_options::recursive);
            Json state = read_json_file(kept / "state.json");
            QVERIFY(state.erase("data") == 1);
            write_file_atomic(folder / "state.json", state.dump());
        });
        QVERIFY(run.run(true, 3) == RunOutcome::stopped);
        QVERIFY(run.observer.has_event("resumed", "step 2."));
        QVERIFY(!read_json_file(checkpoints / "3/state.json").at("data").get<std::string>().empty());
    }

    /// PEFT takes no adapter for the base of another: the result stands on the model under both, the
    /// checkpoints on the adapter that was given.
    void anAdapterTrainedOnAnAdapterStandsOnItsBase_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<int>("patience");
        for (const char* kind : {"sft", "dpo", "rloo"})
            QTest::newRow(kind) << kind << 0;
        QTest::newRow("sft, the best checkpoint") << "sft" << 2;
    }
    void anAdapterTrainedOnAnAdapterStandsOnItsBase() {
        QFETCH(QString, kind);
        QFETCH(int, patience);
        TestRun run(kind.toStdString(), "models/qwen2-tied-qv");
        run.write_rows(rows_of(kind.toStdString()));
        run.recipe.update({{"method", "lora"}, {"checkpoint_steps", 1}, {"keep_checkpoints", 20}});
        if (patience)
            run.recipe.update({{"validation_examples", 3},
                               {"eval_steps", 1},
                               {"patience", patience},
                               {"learning_rate", 0.05},
                               {"max_steps", 20}});
        QVERIFY(run.run(false, 1) == RunOutcome::stopped);
        QVERIFY(run.run(true) == RunOutcome::finished);
        std::int64_t wanted_step = 0;
        for (const CheckpointRecord& record : run.observer.checkpoints)
            if (!patience || record.best) wanted_step = record.step;
        QVERIFY(wanted_step >= 1);
        QCOMPARE(wanted_step<run.observer.checkpoints.back().step, patience> 0);

        const fs::path stack = run.path() / "checkpoints" / std::to_string(wanted_step) / "model";
        QCOMPARE(adapter_chain(stack).adapters.size(), std::size_t{2});
        const AdapterChain result = adapter_chain(run.path() / "model");
        QCOMPARE(result.adapters.size(), std::size_t{1});
        QCOMPARE(result.base, fs::canonical(golden / "models/qwen2-tied"));
        const Decoder wanted = load_decoder(stack), found = load_decoder(run.path() / "model");
        const auto a = huggingface_weights(wanted), b = huggingface_weights(found);
        for (std::size_t k = 0; k < a.size(); ++k)
            QVERIFY2(at::allclose(b[k].view, a[k].view, 1e-5, 1e-6), a[k].name.c_str());
    }
};

QTEST_APPLESS_MAIN(TestTrainingRun)
#include "tst_training_run.moc"
