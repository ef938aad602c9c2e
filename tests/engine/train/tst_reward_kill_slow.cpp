#include "kill_harness.h"

#include "core/engine/train/reward.h"

using namespace tempera;

namespace {

Json recipe_of(const std::string& objective) {
    bool regression = objective == "regression";
    return {{"kind", "reward"},
            {"model", (golden / "encoders" / (regression ? "distilbert" : "deberta-v3")).string()},
            {"objective", objective},
            {"data", (golden / "reward/rows.jsonl").string()},
            {"examples", 0},
            {"validation_examples", 2},
            {"eval_steps", 5},
            {"batch_size", 2},
            {"accumulation", 2},
            {"learning_rate", 1e-3},
            {"warmup_steps", 5},
            {"max_length", 48},
            {"max_steps", 40},
            {"checkpoint_steps", 1},
            {"keep_checkpoints", 2},
            {"log_steps", 4},
            {"micro_batch_tokens", 128}};
}

} // namespace

class TestRewardKillSlow : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void killedRunsResumeBitEqual_data() {
        QTest::addColumn<QString>("objective");
        QTest::newRow("bradley-terry") << "bradley-terry";
        QTest::newRow("regression") << "regression";
    }
    void killedRunsResumeBitEqual() {
        QFETCH(QString, objective);
        verify_killed_runs_resume_bit_equal({objective.toStdString(), 40});
    }
};

int main(int argc, char** argv) {
    return kill_test_main<TestRewardKillSlow>(argc, argv, run_reward, recipe_of);
}

#include "tst_reward_kill_slow.moc"
