#include "core/stats/health.h"

#include <QTest>
#include <cmath>
#include <functional>
#include <limits>
#include <random>

using namespace tempera;

namespace {

/// A run of `steps` logs whose metrics are functions of the log's number.
struct MadeRun {
    MetricHistory history;
    void add(const std::string& name, int logs, const std::function<double(int)>& value, int every = 1) {
        for (int i = 0; i < logs; ++i)
            history[name].push_back({every * (i + 1), value(i)});
    }
    bool fires(const std::string& rule, HealthLimits limits = {}) const {
        for (const HealthFinding& finding : check_health(history, limits))
            if (finding.rule == rule) return true;
        return false;
    }
    std::size_t findings() const { return check_health(history, {}).size(); }
};

double wobble(int i) {
    return 0.01 * std::sin(2.4 * i);
}

/// 40 healthy logs, an evaluation every 5.
MadeRun healthy() {
    MadeRun run;
    run.add("reward", 40, [](int i) { return 0.3 + 0.005 * i + wobble(i); });
    run.add(
        "eval_score", 8, [](int i) { return 0.3 + 0.03 * i + wobble(i); }, 5);
    run.add("entropy", 40, [](int i) { return 0.8 * std::exp(-0.02 * i); });
    run.add("kl_sum", 40, [](int i) { return 0.1 * i; });
    run.add("frac_reward_alike", 40, [](int i) { return 0.4 + wobble(i); });
    run.add("completions/mean_length", 40, [](int i) { return 50 + i * 0.3; });
    run.add("grad_norm", 40, [](int i) { return 2 + 50 * wobble(i); });
    run.add(
        "eval_loss", 8, [](int i) { return 1 - 0.05 * i; }, 5);
    return run;
}

} // namespace

class TestHealth : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void aHealthyRunIsLeftAlone() {
        QCOMPARE(healthy().findings(), std::size_t{0});
        QVERIFY(!healthy().fires("kl_limit", {10, 80}));
        QCOMPARE(MadeRun().findings(), std::size_t{0});
    }

    void aNumberThatIsNone() {
        MadeRun run = healthy();
        run.history["loss"] = {{1, 0.5}, {2, std::numeric_limits<double>::quiet_NaN()}};
        QVERIFY(run.fires("not_finite"));
        run.history["loss"].push_back({3, 0.4}); // it is the newest that counts
        QVERIFY(!run.fires("not_finite"));
    }

    void rewardUpScoreDown() {
        MadeRun run = healthy();
        auto& score = run.history["eval_score"];
        score[5].value = 0.50;
        score[6].value = 0.45;
        score[7].value = 0.40;
        QVERIFY(run.fires("reward_hacking"));
        MadeRun both = run; // where the reward falls too, it is not the reward that is gamed
        for (auto& point : both.history["reward"])
            if (point.step > 30) point.value = 0.4 - 0.01 * static_cast<double>(point.step - 30);
        QVERIFY(!both.fires("reward_hacking"));
        score[6].value = 0.51; // one bad evaluation is noise
        QVERIFY(!run.fires("reward_hacking"));
        score[5].value = 0.42, score[6].value = 0.41, score[7].value = 0.40; // a fall within the noise
        for (std::size_t i = 0; i < 5; ++i)
            score[i].value = 0.4;
        QVERIFY(!run.fires("reward_hacking"));
    }

    /// The score was gone at the second evaluation, and cannot fall any more.
    void aScoreThatIsGoneAtOnce() {
        MadeRun run;
        run.add("reward", 40, [](int i) { return std::min(0.9, 0.3 + 0.05 * i) + wobble(i); });
        run.history["eval_score"] = {{0, 0.2325}, {10, 0}, {20, 0}};
        QVERIFY(run.fires("reward_hacking"));
        MadeRun flat = run; // the reward does not rise
        for (auto& point : flat.history["reward"])
            point.value = 0.3 + wobble(static_cast<int>(point.step));
        QVERIFY(!flat.fires("reward_hacking"));
        run.history["eval_score"] = {{0, 0.2325}, {10, 0}, {20, 0.13}}; // recovers
        QVERIFY(!run.fires("reward_hacking"));
        run.history["eval_score"] = {{0, 0.08}, {10, 0.02}, {20, 0.02}}; // 100 prompts say no more
        QVERIFY(!run.fires("reward_hacking"));
        run.history["eval_score"] = {{0, 0.23}, {10, 0.35}, {20, 0.31}};
        QVERIFY(!run.fires("reward_hacking"));
    }

    void aFallIsMeasuredAgainstChance() {
        // twice the log-likelihood ratio of 8 and 0 of 100 against 4 and 4: 2 * (8 log 2 + 92 log 92/96 + 100
        // log 100/96)
        QVERIFY(std::abs(fall_in_deviations(0.08, 0, 100) - 3.379) < 1e-3);
        QVERIFY(std::abs(fall_in_deviations(0.08, 0, 400) - 2 * 3.379) < 2e-3);
        QVERIFY(std::abs(fall_in_deviations(0.55, 0.45, 10000) - 14.15) < 0.05); // near the normal's z, 14.14
        QCOMPARE(fall_in_deviations(0.3, 0.3, 100), 0.0);
        QCOMPARE(fall_in_deviations(0.3, 0.4, 100), 0.0);
        QVERIFY(std::isfinite(fall_in_deviations(1, 0, 100)));
    }

    /// With the number of prompts known a low score can fall too.
    void aLowScoreThatIsGone() {
        MadeRun run;
        run.add("reward", 40, [](int i) { return std::min(0.9, 0.3 + 0.05 * i) + wobble(i); });
        const auto gone = [&](std::vector<MetricPoint> scores, double prompts) {
            run.history["eval_score"] = std::move(scores);
            return run.fires("reward_hacking", {.eval_prompts = prompts});
        };
        QVERIFY(gone({{0, 0.08}, {10, 0}, {20, 0}}, 100));
        QVERIFY(!gone({{0, 0.08}, {10, 0}, {20, 0}}, 40)); // three right answers more or less
        QVERIFY(!gone({{0, 0.08}, {10, 0}, {20, 0}}, 0));
        QVERIFY(!gone({{0, 0.08}, {10, 0}, {20, 0.05}}, 100));
        QVERIFY(!gone({{0, 0.08}, {10, 0.02}, {20, 0.02}}, 100));
        QVERIFY(gone({{0, 0.08}, {10, 0.02}, {20, 0.02}}, 1000));
        QVERIFY(gone({{0, 0.23}, {10, 0}, {20, 0}}, 100));
        QVERIFY(!gone({{0, 0.23}, {10, 0.11}, {20, 0.11}}, 20));
        for (auto& point : run.history["reward"]) // no reward that rises, nothing that is gamed
            point.value = 0.3 + wobble(static_cast<int>(point.step));
        QVERIFY(!gone({{0, 0.08}, {10, 0}, {20, 0}}, 100));
    }

    /// Runs whose reward rises while the held-out score stands still but for chance.
    void scoresThatOnlyWaverAreLeftAlone() {
        const int runs = 400, prompts = 100;
        for (const double level : {0.02, 0.08, 0.3, 0.5}) {
            std::mt19937 random(7);
            std::binomial_distribution<int> right(prompts, level);
            int alarms = 0;
            for (int k = 0; k < runs; ++k) {
                HealthWatch watch({.eval_prompts = prompts});
                for (std::int64_t step = 0; step <= 100; ++step) {
                    std::vector<Metric> metrics{{"reward", 0.005 * static_cast<double>(step)}};
                    if (step % 5 == 0)
                        metrics.push_back({"eval_score", static_cast<double>(right(random)) / prompts});
                    for (const HealthFinding& finding : watch.add(step, metrics))
                        alarms += finding.rule == "reward_hacking";
                }
            }
            QVERIFY2(alarms <= runs / 20, qPrintable(QString("%1 at %2").arg(alarms).arg(level)));
        }
    }

    void divergenceOverItsLimit() {
        MadeRun run = healthy();
        run.history["kl_sum"].back().value = 60;
        QVERIFY(!run.fires("kl_limit", {50, 0})); // once
        run.history["kl_sum"].push_back({41, 55});
        QVERIFY(run.fires("kl_limit", {50, 0}));
        QVERIFY(!run.fires("kl_limit", {0, 0}));
        QVERIFY(!run.fires("kl_limit", {70, 0}));
    }

    void entropyThatCollapses() {
        MadeRun run = healthy();
        for (std::size_t i = 30; i < 40; ++i)
            run.history["entropy"][i].value = 0.02;
        QVERIFY(run.fires("entropy"));
        run.history.erase("reward"); // entropy of supervised training falls and may
        QVERIFY(!run.fires("entropy"));
    }

    void groupsWithoutVariance() {
        MadeRun run = healthy();
        auto& share = run.history["frac_reward_alike"];
        for (std::size_t i = 37; i < 40; ++i)
            share[i].value = 1;
        QVERIFY(run.fires("no_variance"));
        share[38].value = 0.97;
        QVERIFY(!run.fires("no_variance"));
    }

    void everythingIsMasked() {
        MadeRun run = healthy();
        run.add("completions/masked_ratio", 40, [](int i) { return i == 39 ? 1.0 : 0.5; });
        QVERIFY(!run.fires("all_masked"));
        run.history["completions/masked_ratio"].push_back({41, 1});
        QVERIFY(run.fires("all_masked"));
        run.history["frac_reward_alike"] = {{39, 1}, {40, 1}, {41, 1}};
        QVERIFY(!run.fires("no_variance")); // other prompts would not help
    }

    void lengthThatCreeps() {
        MadeRun run = healthy();
        run.history.erase("completions/mean_length");
        run.add("completions/mean_length", 40, [](int i) { return 40 + 1.5 * i; });
        QVERIFY(!run.fires("length")); // the reward rises with it
        for (auto& point : run.history["reward"])
            point.value = 0.3 + wobble(static_cast<int>(point.step));
        QVERIFY(run.fires("length"));
        MadeRun cut = healthy();
        QVERIFY(!cut.fires("length", {0, 80}));
        QVERIFY(cut.fires("length", {0, 62}));
    }

    void gradientsThatJump() {
        MadeRun run = healthy();
        run.history["grad_norm"].back().value = 25;
        QVERIFY(run.fires("gradient"));
        run.history["grad_norm"].back().value = 15;
        QVERIFY(!run.fires("gradient"));
        MadeRun settled; // what is not even cut is no spike
        settled.add("grad_norm", 40, [](int i) { return i == 39 ? 0.0192 : 0.000853; });
        QVERIFY(settled.fires("gradient"));
        QVERIFY(!settled.fires("gradient", {0, 0, 1}));
        settled.history["grad_norm"].back().value = 1.5;
        QVERIFY(settled.fires("gradient", {0, 0, 1}));
        MadeRun early;
        early.add("grad_norm", 3, [](int i) { return i == 2 ? 100.0 : 1.0; });
        QVERIFY(!early.fires("gradient")); // nothing to compare with yet
    }

    void validationLossThatRises() {
        MadeRun run = healthy();
        for (std::size_t i = 3; i < 8; ++i)
            run.history["eval_loss"][i].value = 0.8 + 0.03 * static_cast<double>(i);
        QVERIFY(run.fires("loss_rising"));
        run.history["eval_loss"][6].value = 0.8;
        QVERIFY(!run.fires("loss_rising"));
    }

    void everyRuleIsToldOnce() {
        HealthWatch watch({});
        const std::vector<Metric> stuck = {{"frac_reward_alike", 1}};
        std::size_t told = 0;
        for (int step = 1; step <= 6; ++step) {
            const auto findings = watch.add(step, stuck);
            QCOMPARE(findings.size(), std::size_t{step == 3 ? 1u : 0u});
            told += findings.size();
        }
        QCOMPARE(told, std::size_t{1});
        HealthWatch again({});
        again.restore({{"frac_reward_alike", {{1, 1}, {2, 1}, {3, 1}}}});
        QVERIFY(again.add(4, stuck).empty()); // the earlier session told it
    }
};

QTEST_APPLESS_MAIN(TestHealth)
#include "tst_health.moc"
