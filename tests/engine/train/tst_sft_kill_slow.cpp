#include "kill_harness.h"

#include "core/engine/train/sft.h"

using namespace tempera;

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
            {method.toStdString(), 60, method == "lora" ? "adapter_model.safetensors" : "model.safetensors"});
    }
};

int main(int argc, char** argv) {
    return kill_test_main<TestSftKillSlow>(argc, argv, run_sft, recipe_of);
}

#include "tst_sft_kill_slow.moc"
