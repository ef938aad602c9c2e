#include "kill_harness.h"
#include "recording_observer.h"

#include "core/engine/train/dpo.h"

using namespace tempera;
namespace fs = std::filesystem;

namespace {

Json recipe_of(const std::string& method) {
    return {{"kind", "dpo"},
            {"model", (golden / "models/llama-rope").string()},
            {"method", method},
            {"data", (golden / "dpo/rows.jsonl").string()},
            {"examples", 1000},
            {"validation_examples", 2},
            {"eval_steps", 5},
            {"disable_dropout", false},
            {"lora_dropout", 0.1},
            {"batch_size", 3},
            {"accumulation", 1},
            {"learning_rate", 1e-3},
            {"warmup_steps", 5},
            {"max_length", 64},
            {"max_steps", 40},
            {"checkpoint_steps", 1},
            {"keep_checkpoints", 2},
            {"log_steps", 4},
            {"micro_batch_tokens", 128}};
}

/// The process that is killed: goes on with the run in argv[2] until its end.
int work(char** argv) {
    RecordingObserver observer;
    fs::path folder = argv[2];
    try {
        run_dpo({"dpo", recipe_of(argv[3]), folder, fs::exists(folder / "checkpoints"), 2}, observer,
                observer.stop);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

} // namespace

class TestDpoKillSlow : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void killedRunsResumeBitEqual_data() {
        QTest::addColumn<QString>("method");
        QTest::newRow("full") << "full";
        QTest::newRow("lora") << "lora";
    }
    void killedRunsResumeBitEqual() {
        QFETCH(QString, method);
        verify_killed_runs_resume_bit_equal(
            method.toStdString(), 40, method == "lora" ? "adapter_model.safetensors" : "model.safetensors");
    }
};

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view(argv[1]) == "--work") return work(argv);
    QCoreApplication application(argc, argv);
    TestDpoKillSlow test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_dpo_kill_slow.moc"
