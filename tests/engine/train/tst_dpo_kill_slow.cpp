#include "kill_harness.h"

#include "core/engine/train/dpo.h"

using namespace tempera;

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
            {method.toStdString(), 40, method == "lora" ? "adapter_model.safetensors" : "model.safetensors"});
    }
};

int main(int argc, char** argv) {
    return kill_test_main<TestDpoKillSlow>(argc, argv, run_dpo, recipe_of);
}

#include "tst_dpo_kill_slow.moc"
