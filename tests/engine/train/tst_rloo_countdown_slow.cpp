#include "rloo_test_run.h"

#include "core/engine/evaluate/sweep.h"
#include "core/engine/train/sft.h"
#include "core/stats/rloo.h"
#include "tests/support/paths.h"

#include <QtTest>
#include <numeric>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

/// Scores of all single samples of a sweep, by problem.
class SampleObserver : public RolloutObserver {
public:
    std::map<std::int64_t, std::vector<double>> scores;
    void on_samples(std::span<const Sample> samples) override {
        for (const Sample& sample : samples)
            scores[sample.prompt_index].push_back(sample.score);
    }
};

/// Mean score of single samples per problem: 400 held-out problems, 8 samples each at temperature 1.
std::vector<double> scores_of(const fs::path& model, const fs::path& folder) {
    fs::create_directory(folder);
    SampleObserver observer;
    const Json recipe = {{"kind", "sweep"}, {"model", model.string()}, {"prompt_style", "short"},
                         {"split", "test"}, {"problems", 400},         {"temperatures", {1.0}},
                         {"n", 8},          {"max_tokens", 80}};
    run_sweep({"sweep", recipe, folder, false, 2}, observer, observer.stop);
    std::vector<double> means;
    for (const auto& [problem, scores] : observer.scores)
        means.push_back(std::accumulate(scores.begin(), scores.end(), 0.0)
                        / static_cast<double>(scores.size()));
    return means;
}

} // namespace

class TestRlooCountdownSlow : public QObject {
    Q_OBJECT
private Q_SLOTS:
    /// A sixth of the steps of the study rloo-countdown: the verifier's verdict alone teaches the tiny model.
    void rlooRaisesTheSingleSampleScore() {
        QTemporaryDir folder;
        const fs::path path = folder.path().toStdString();
        for (const char* name : {"sft", "rloo"})
            fs::create_directory(path / name);
        const Json sft = {{"kind", "sft"},
                          {"model", source_dir() + "/resources/models/tiny"},
                          {"data", "countdown"},
                          {"prompt_style", "short"},
                          {"trace_style", "short"},
                          {"examples", 4000},
                          {"validation_examples", 0},
                          {"eval_steps", 0},
                          {"method", "full"},
                          {"learning_rate", 1e-3},
                          {"warmup_steps", 20},
                          {"epochs", 1},
                          {"batch_size", 32},
                          {"max_length", 256},
                          {"checkpoint_steps", 0},
                          {"micro_batch_tokens", 4096}};
        RecordingObserver quiet;
        QVERIFY(run_sft({"sft", sft, path / "sft", false, 2}, quiet, quiet.stop) == RunOutcome::finished);
        const Json rloo = {{"kind", "rloo"},
                           {"model", (path / "sft/model").string()},
                           {"data", "countdown"},
                           {"prompt_style", "short"},
                           {"examples", 20000},
                           {"validation_examples", 0},
                           {"eval_steps", 0},
                           {"checkpoint_steps", 0},
                           {"k", 8},
                           {"kl_coef", 0},
                           {"max_tokens", 80},
                           {"batch_size", 256},
                           {"learning_rate", 3e-4},
                           {"schedule", "constant"},
                           {"warmup_steps", 3},
                           {"max_steps", 50},
                           {"log_steps", 10},
                           {"micro_batch_tokens", 4096}};
        RolloutObserver observer;
        QVERIFY(run_rloo({"rloo", rloo, path / "rloo", false, 2}, observer, observer.stop)
                == RunOutcome::finished);
        const auto before = scores_of(path / "sft/model", path / "before"),
                   after = scores_of(path / "rloo/model", path / "after");
        QCOMPARE(before.size(), std::size_t{400});
        QCOMPARE(after.size(), before.size());
        // Paired over problems: the mean difference against its standard error.
        std::vector<double> gains;
        for (std::size_t i = 0; i < before.size(); ++i)
            gains.push_back(after[i] - before[i]);
        const MeanAndDeviation gain = mean_and_deviation(gains);
        const double error = gain.deviation / std::sqrt(static_cast<double>(gains.size()));
        qInfo("%.3f -> %.3f, +%.3f with a standard error of %.3f", mean_and_deviation(before).mean,
              mean_and_deviation(after).mean, gain.mean, error);
        QVERIFY(gain.mean > 3 * error);
        QVERIFY(gain.mean > 0.02);
    }
};

QTEST_GUILESS_MAIN(TestRlooCountdownSlow)
#include "tst_rloo_countdown_slow.moc"
