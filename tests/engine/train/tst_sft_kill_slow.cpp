#include "kill_harness.h"
#include "recording_observer.h"

#include "core/engine/train/sft.h"

using namespace tempera;
namespace fs = std::filesystem;

namespace {

Json recipe_of(const std::string& method) {
    return {{"kind", "sft"},         {"model", (golden / "models/llama-rope").string()},
            {"method", method},      {"data", (golden / "sft/rows.jsonl").string()},
            {"examples", 1000},      {"validation_examples", 2},
            {"eval_steps", 5},       {"lora_dropout", 0.1},
            {"batch_size", 3},       {"accumulation", 1},
            {"learning_rate", 1e-3}, {"warmup_steps", 5},
            {"max_length", 64},      {"max_steps", 60},
            {"checkpoint_steps", 1}, {"keep_checkpoints", 2},
            {"log_steps", 4},        {"micro_batch_tokens", 128}};
}

/// The process that is killed: goes on with the run in argv[2] until its end.
int work(char** argv) {
    RecordingObserver observer;
    fs::path folder = argv[2];
    try {
        run_sft({"sft", recipe_of(argv[3]), folder, fs::exists(folder / "checkpoints"), 2}, observer,
                observer.stop);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

} // namespace

class TestSftKillSlow : public QObject {
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
            method.toStdString(), 60, method == "lora" ? "adapter_model.safetensors" : "model.safetensors");
    }
};

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view(argv[1]) == "--work") return work(argv);
    QCoreApplication application(argc, argv);
    TestSftKillSlow test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_sft_kill_slow.moc"
