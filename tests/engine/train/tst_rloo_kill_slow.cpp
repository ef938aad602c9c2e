#include "kill_harness.h"
#include "rloo_test_run.h"

#include <algorithm>

using namespace tempera;

namespace {

Json recipe_of(const std::string& method) {
    Json recipe = RlooTestRun("llama-rope", method).recipe;
    recipe.update({{"iterations", 3},
                   {"max_steps", 48},
                   {"checkpoint_steps", 1},
                   {"validation_examples", 4},
                   {"eval_steps", 7},
                   {"log_steps", 4},
                   {"lora_dropout", 0.1}});
    return recipe;
}

} // namespace

class TestRlooKillSlow : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void killedRunsResumeBitEqual_data() {
        QTest::addColumn<QString>("method");
        QTest::newRow("full") << "full";
        QTest::newRow("lora") << "lora";
    }
    void killedRunsResumeBitEqual() {
        QFETCH(QString, method);
        std::vector<std::int64_t> went_on_from;
        verify_killed_runs_resume_bit_equal(
            {method.toStdString(),
             48,
             method == "lora" ? "adapter_model.safetensors" : "model.safetensors",
             {"checkpoints/47/rollout.json"}},
            &went_on_from);
        // Between the iterations over a rollout, which is then read again.
        QVERIFY(
            std::count_if(went_on_from.begin(), went_on_from.end(), [](auto step) { return step % 3 != 0; })
            >= 2);
    }
};

int main(int argc, char** argv) {
    return kill_test_main<TestRlooKillSlow>(argc, argv, run_rloo, recipe_of);
}

#include "tst_rloo_kill_slow.moc"
