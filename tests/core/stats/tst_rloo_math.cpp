#include "core/base/error.h"
#include "core/base/random.h"
#include "core/stats/rloo.h"

#include <QTest>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

using namespace tempera;

namespace {

const double nothing = std::numeric_limits<double>::quiet_NaN();

bool near(double a, double b, double tolerance = 1e-12) {
    return std::abs(a - b) <= tolerance;
}

/// A five-token policy and reference.
constexpr std::array<double, 5> policy = {0.5, 0.2, 0.15, 0.1, 0.05};
constexpr std::array<double, 5> reference = {0.2, 0.2, 0.3, 0.1, 0.2};

double difference(std::size_t token) {
    return std::log(policy[token]) - std::log(reference[token]);
}

double loss_of(std::vector<float> logprobs, const std::vector<float>& old, const std::vector<float>& ref,
               double advantage, const PolicyObjective& objective) {
    return policy_terms(logprobs, old, ref, advantage, objective).loss;
}

} // namespace

class TestRlooMath : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void advantagesAsTrlPrintsThem() {
        const auto a = leave_one_out(std::vector<double>{1, 0, 0, 1}, 4);
        const std::vector<double> wanted = {2.0 / 3, -2.0 / 3, -2.0 / 3, 2.0 / 3};
        for (std::size_t i = 0; i < 4; ++i)
            QVERIFY(near(a.advantages[i], wanted[i]));
        QVERIFY(near(a.baselines[0], 1.0 / 3));
        QCOMPARE(a.groups_without_variance, std::int64_t{0});
    }

    /// Bug 17: groups are prompt-major, and one prompt's rewards change nothing for another.
    void groupsDoNotMix() {
        std::vector<double> rewards;
        for (int g = 0; g < 5; ++g)
            for (int s = 0; s < 3; ++s)
                rewards.push_back(100 * g + s * s);
        const auto before = leave_one_out(rewards, 3);
        for (std::size_t g = 0; g < 5; ++g) {
            QVERIFY(
                near(before.advantages[3 * g] + before.advantages[3 * g + 1] + before.advantages[3 * g + 2],
                     0, 1e-9));
            QVERIFY(near(before.advantages[3 * g + 2], 4 - 0.5, 1e-9)); // nothing of the hundreds
        }
        rewards[4] += 7;
        const auto after = leave_one_out(rewards, 3);
        for (std::size_t i = 0; i < rewards.size(); ++i)
            QCOMPARE(before.advantages[i] == after.advantages[i], i / 3 != 1);
    }

    void aGroupsAdvantagesSumToZero() {
        RandomStream random(3);
        for (int k : {2, 3, 8}) {
            std::vector<double> rewards;
            for (int i = 0; i < 6 * k; ++i)
                rewards.push_back(random.uniform() * 4 - 2);
            for (bool normalise : {false, true}) {
                const auto a = leave_one_out(rewards, k, normalise).advantages;
                for (auto begin = a.begin(); begin != a.end(); begin += k)
                    QVERIFY(near(std::accumulate(begin, begin + k, 0.0), 0, 1e-12));
            }
        }
    }

    void whatNoFunctionScoresIsNoBaseline() {
        const auto a = leave_one_out(std::vector<double>{1, nothing, 0, nothing, 5, nothing}, 3);
        QCOMPARE(a.advantages, (std::vector<double>{1, 0, -1, 0, 0, 0}));
        QVERIFY(std::isnan(a.baselines[1]) && std::isnan(a.baselines[4]));
        QCOMPARE(leave_one_out(std::vector<double>{.1, .1, .1, .1, 1, 0}, 2).groups_without_variance,
                 std::int64_t{2});
        QVERIFY_THROWS_EXCEPTION(Error, leave_one_out(std::vector<double>{1, 2, 3}, 2));
        QVERIFY_THROWS_EXCEPTION(Error, leave_one_out(std::vector<double>{1}, 1));
    }

    /// Bug 13: the mean of k1 and k3 under the policy is the divergence; k3 is never negative, and the sign
    /// is the policy's.
    void equalRewardsHaveNoAdvantageAtAll() {
        for (double advantage : leave_one_out(std::vector<double>(7, 0.1), 7).advantages)
            QCOMPARE(advantage, 0.0);
    }

    /// Rewards that are all the same, and divergences of rounding alone: no difference is left for a
    /// normaliser or Adam to blow up. A true difference of either counts as TRL has it.
    void roundingOfTheDivergenceIsNoReward() {
        const double nothing = std::numeric_limits<double>::quiet_NaN();
        const std::vector<MeasuredKl> noise = {{1e-6, 1e-4}, {-8e-5, 1e-4}, {nothing, 0}, {5e-6, 1e-4}};
        auto left = [&](std::vector<double> rewards, std::vector<MeasuredKl> kl) {
            return rewards_after_kl(rewards, kl, 2, 0.05);
        };
        auto after = left({0.1, 0.1, nothing, nothing}, noise);
        QCOMPARE(after[0], after[1]);
        QVERIFY(std::isnan(after[2]));
        QCOMPARE(leave_one_out(after, 2, true, 1e-8).advantages, std::vector<double>(4, 0.0));
        after = left({0.1, 0.2}, {noise[0], noise[1]}); // the rewards differ
        QCOMPARE(after, (std::vector<double>{0.1 - 0.05 * 1e-6, 0.2 + 0.05 * 8e-5}));
        after = left({0.1, 0.1}, {{1e-3, 1e-4}, {0, 1e-4}}); // the divergences do
        QCOMPARE(after, (std::vector<double>{0.1 - 0.05 * 1e-3, 0.1}));
        QCOMPARE(groups_alike(std::vector<double>{0.1, 0.1, 0, 1, nothing, nothing}, 2), std::int64_t{1});
    }

    void kl1AndKl3AreTheDivergenceOnAverage() {
        double exact = 0, k1 = 0, k2 = 0, k3 = 0;
        for (std::size_t t = 0; t < policy.size(); ++t) {
            const double d = difference(t);
            exact += policy[t] * d;
            k1 += policy[t] * kl_estimate(KlEstimator::k1, d);
            k2 += policy[t] * kl_estimate(KlEstimator::k2, d);
            k3 += policy[t] * kl_estimate(KlEstimator::k3, d);
            QVERIFY(kl_estimate(KlEstimator::k3, d) >= 0);
            QVERIFY(kl_estimate(KlEstimator::k2, d) >= 0);
        }
        QVERIFY(exact > 0.1);
        QVERIFY(near(k1, exact, 1e-9));
        QVERIFY(near(k3, exact, 1e-9));
        QVERIFY(!near(k2, exact, 1e-3)); // biased
        for (auto e : {KlEstimator::k1, KlEstimator::k2, KlEstimator::k3})
            for (double d : {-2.0, -0.3, 0.0, 0.7}) {
                const double step = 1e-5;
                QVERIFY(near(kl_slope(e, d),
                             (kl_estimate(e, d + step) - kl_estimate(e, d - step)) / (2 * step), 1e-8));
            }
        QCOMPARE(kl_of_sequence(KlEstimator::k1, std::vector<float>{-1, -2}, {}), 0.0);
        QVERIFY(
            near(kl_of_sequence(KlEstimator::k1, std::vector<float>{-1, -2}, std::vector<float>{-2, -4}), 3));
        QVERIFY_THROWS_EXCEPTION(Error, kl_estimator_from("k4"));
    }

    void rewardsAreSummedPenalisedNormalisedClippedInThisOrder() {
        const std::vector<std::vector<double>> rewards = {{1, nothing, 3, nothing},
                                                          {0.5, 2, nothing, nothing}};
        RewardShaping shaping{{2, -1}, 0.25, false, 0};
        auto shaped = shape_rewards(rewards, {false, true, true, true}, shaping);
        QVERIFY(near(shaped[0], 1.5) && near(shaped[1], -2.25) && near(shaped[2], 5.75)
                && std::isnan(shaped[3]));
        shaping.clip = 2;
        shaped = shape_rewards(rewards, {false, true, true, true}, shaping);
        QVERIFY(near(shaped[1], -2) && near(shaped[2], 2) && std::isnan(shaped[3]));
        shaping.normalise = true;
        shaping.clip = 1;
        shaped = shape_rewards(rewards, {false, true, true, true}, shaping);
        const double mean = 5.0 / 3,
                     deviation = std::sqrt(
                         (std::pow(1.5 - mean, 2) + std::pow(-2.25 - mean, 2) + std::pow(5.75 - mean, 2))
                         / 2);
        QVERIFY(near(shaped[0], (1.5 - mean) / deviation, 1e-7));
        QVERIFY(near(shaped[2], 1)); // clipped after it was normalised
    }

    /// Bug 15: the penalty falls on cut completions alone.
    void onlyCutCompletionsAreFined() {
        const auto shaped = shape_rewards(std::vector<std::vector<double>>{{1, 1, 1}}, {false, true, false},
                                          {{1}, 3, false, 0});
        QCOMPARE(shaped, (std::vector<double>{1, -2, 1}));
    }

    void gradientsAreThoseOfTheLoss_data() {
        QTest::addColumn<bool>("tokens");
        QTest::addColumn<double>("advantage");
        QTest::addColumn<double>("kl");
        for (bool tokens : {false, true})
            for (double advantage : {1.3, -0.7, 0.0})
                for (double kl : {0.0, 0.2})
                    QTest::addRow("%d %g %g", tokens, advantage, kl) << tokens << advantage << kl;
    }
    void gradientsAreThoseOfTheLoss() {
        QFETCH(bool, tokens);
        QFETCH(double, advantage);
        QFETCH(double, kl);
        // log ratios inside the clip, below and above it
        const std::vector<float> old = {-1.0f, -2.5f, -0.75f, -3.0f}, ref = {-1.5f, -2.0f, -1.0f, -4.0f};
        for (float shift : {0.02f, 0.6f, -0.5f}) {
            const std::vector<float> now = {-1.0f + shift, -2.5f, -0.75f, -3.0f + shift / 2};
            for (auto estimator : {KlEstimator::k1, KlEstimator::k2, KlEstimator::k3}) {
                const PolicyObjective objective{tokens, 0.1, 0.3, kl, estimator};
                const auto terms = policy_terms(now, old, ref, advantage, objective);
                for (std::size_t t = 0; t < now.size(); ++t) {
                    const float step = 1.0f / 1024;
                    auto up = now, down = now;
                    up[t] += step;
                    down[t] -= step;
                    const double slope = (loss_of(up, old, ref, advantage, objective)
                                          - loss_of(down, old, ref, advantage, objective))
                                         / (2 * static_cast<double>(step));
                    QVERIFY2(near(terms.d_logprob[t], slope, 2e-4),
                             qPrintable(QString("%1 %2").arg(terms.d_logprob[t]).arg(slope)));
                }
            }
        }
    }

    /// Bug 11, its arithmetic: equal log-probabilities give the ratio 1 and clip nothing, and the gradient is
    /// REINFORCE's.
    void theFirstStepIsReinforce() {
        const std::vector<float> logprobs = {-1.25f, -0.5f, -7.0f};
        for (bool tokens : {false, true}) {
            const auto terms =
                policy_terms(logprobs, logprobs, {}, 0.8, {tokens, 0.0, 0.0, 0, KlEstimator::k1});
            QCOMPARE(terms.ratio, 1.0);
            QCOMPARE(terms.clipped_low + terms.clipped_high, 0.0);
            QCOMPARE(terms.d_logprob, std::vector<double>(3, -0.8));
        }
    }
};

QTEST_APPLESS_MAIN(TestRlooMath)
#include "tst_rloo_math.moc"
