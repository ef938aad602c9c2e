#pragma once

#include "recording_observer.h"
#include "training_fixture.h"

#include "core/engine/train/rloo.h"

#include <QTemporaryDir>

namespace tempera {

inline std::string model_path(const std::string& name) {
    return (golden / "models" / name).string();
}

/// Keeps the rollouts too.
class RolloutObserver : public RecordingObserver {
public:
    std::vector<RolloutGroup> groups;
    void on_rollouts(std::span<const RolloutGroup> list) override {
        groups.insert(groups.end(), list.begin(), list.end());
    }
};

/// A run in a temporary folder on one of the tiny models. They are random, so what varies is rewarded.
struct RlooTestRun {
    QTemporaryDir folder;
    Json recipe;
    RolloutObserver observer;

    explicit RlooTestRun(const std::string& model = "qwen2-tied", const std::string& method = "full") {
        recipe = {{"kind", "rloo"},
                  {"model", model_path(model)},
                  {"data", "countdown"},
                  {"prompt_style", "short"},
                  {"examples", 40},
                  {"validation_examples", 0},
                  {"rewards", {"repetition", "length:0.5"}},
                  {"method", method},
                  {"k", 3},
                  {"kl_coef", 0.05},
                  {"temperature", 0.8},
                  {"max_tokens", 16},
                  {"batch_size", 12},
                  {"learning_rate", 3e-3},
                  {"max_steps", 4},
                  {"eval_steps", 0},
                  {"checkpoint_steps", 0}};
    }
    std::filesystem::path path() const { return folder.path().toStdString(); }
    RunOutcome run(bool resume = false) {
        observer.stop = StopToken();
        return run_rloo({"rloo", recipe, path(), resume, 2}, observer, observer.stop);
    }
    double metric(std::int64_t step, const std::string& name) { return observer.metrics.at(step).at(name); }
};

} // namespace tempera
