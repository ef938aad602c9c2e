#include "core/base/error.h"
#include "core/base/random.h"
#include "core/stats/best_of_n.h"
#include "tests/support/cpu_clock.h"

#include <QTest>
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

using namespace tempera;

namespace {

bool near(double a, double b, double tolerance = 1e-12) {
    return std::abs(a - b) <= tolerance;
}

/// Mean of the maximum over all subsets of size n, one by one.
double enumerated(const std::vector<double>& scores, int n) {
    double total = 0;
    int subsets = 0;
    for (unsigned mask = 0; mask < (1u << scores.size()); ++mask) {
        if (std::popcount(mask) != n) continue;
        double best = -1e300;
        for (std::size_t i = 0; i < scores.size(); ++i)
            if ((mask >> i) & 1) best = std::max(best, scores[i]);
        total += best;
        ++subsets;
    }
    return total / subsets;
}

} // namespace

class TestBestOfN : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void workedByHand() {
        // 5 samples, 2 pass, N = 2: 1 - C(3,2)/C(5,2) = 1 - 3/10.
        QVERIFY(near(pass_at_n(5, 2, 2), 0.7));
        QVERIFY(near(pass_at_n(10, 3, 1), 0.3));
        QCOMPARE(pass_at_n(10, 0, 10), 0.0);
        QCOMPARE(pass_at_n(10, 1, 10), 1.0);
        QCOMPARE(pass_at_n(4, 4, 1), 1.0);
        // Scores 0, .1, 1: pairs have maxima .1, 1, 1.
        auto curve = best_of_n_curve(std::vector<double>{1, 0, 0.1}, 10);
        QCOMPARE(curve.size(), std::size_t{3});
        QVERIFY(near(curve[0], 1.1 / 3));
        QVERIFY(near(curve[1], 2.1 / 3));
        QVERIFY(near(curve[2], 1.0));
        QVERIFY(best_of_n_curve({}, 5).empty());
    }

    void agreesWithEnumeration() {
        RandomStream random(1);
        for (int trial = 0; trial < 60; ++trial) {
            std::vector<double> scores(static_cast<std::size_t>(random.between(1, 11)));
            for (double& score : scores)
                score = trial % 3 == 0   ? random.between(0, 1)
                        : trial % 3 == 1 ? 0.1 * random.between(0, 10)
                                         : random.uniform() * 8 - 4;
            auto curve = best_of_n_curve(scores, 20);
            QCOMPARE(curve.size(), scores.size());
            for (int n = 1; n <= static_cast<int>(scores.size()); ++n) {
                QVERIFY(near(curve[static_cast<std::size_t>(n - 1)], enumerated(scores, n)));
                if (trial % 3 == 0) {
                    auto passes = std::count(scores.begin(), scores.end(), 1.0);
                    QVERIFY(near(pass_at_n(static_cast<std::int64_t>(scores.size()), passes, n),
                                 enumerated(scores, n)));
                }
            }
        }
    }

    void largePoolsStayExact() {
        std::vector<double> scores(5000, 0.0);
        scores[17] = 1;
        auto curve = best_of_n_curve(scores, 5000);
        for (std::size_t n = 1; n <= 5000; n += 613) {
            QVERIFY(near(curve[n - 1], static_cast<double>(n) / 5000));
            QVERIFY(near(pass_at_n(5000, 1, static_cast<std::int64_t>(n)), static_cast<double>(n) / 5000));
        }
        QVERIFY(near(pass_at_n(100000, 50000, 1), 0.5));
    }

    /// Pools of 10 from a known law: the mean estimate meets the truth for every N; the naive estimate does
    /// not.
    void isUnbiased() {
        constexpr int pools = 40000;
        const double share[] = {0.5, 0.3, 0.2}, value[] = {0, 0.1, 1};
        RandomStream random(3);
        std::vector<double> mean(10, 0.0), square(10, 0.0);
        double naive = 0;
        for (int pool = 0; pool < pools; ++pool) {
            std::vector<double> scores;
            for (int i = 0; i < 10; ++i) {
                double u = random.uniform();
                scores.push_back(u < 0.5 ? value[0] : u < 0.8 ? value[1] : value[2]);
            }
            auto curve = best_of_n_curve(scores, 10);
            for (std::size_t n = 0; n < 10; ++n) {
                mean[n] += curve[n] / pools;
                square[n] += curve[n] * curve[n] / pools;
            }
            // The plug-in estimate for N = 5 treats the pool as the law itself.
            double zero = static_cast<double>(std::count(scores.begin(), scores.end(), 0.0)) / 10;
            double pass = static_cast<double>(std::count(scores.begin(), scores.end(), 1.0)) / 10;
            naive += (1 - std::pow(1 - pass, 5) + 0.1 * (std::pow(1 - pass, 5) - std::pow(zero, 5))) / pools;
        }
        for (std::size_t n = 0; n < 10; ++n) {
            auto power = static_cast<double>(n + 1);
            double truth = value[2] * (1 - std::pow(1 - share[2], power))
                           + value[1] * (std::pow(1 - share[2], power) - std::pow(share[0], power));
            double error = std::sqrt((square[n] - mean[n] * mean[n]) / pools);
            QVERIFY2(std::abs(mean[n] - truth) < 4 * error,
                     qPrintable(QString("N %1: %2 vs %3").arg(n + 1).arg(mean[n]).arg(truth)));
        }
        double truth5 = 1 - std::pow(0.8, 5) + 0.1 * (std::pow(0.8, 5) - std::pow(0.5, 5));
        QVERIFY(truth5 - naive > 0.01);
    }

    void refusesNonsense() {
        QVERIFY_EXCEPTION_THROWN(pass_at_n(3, 4, 1), Error);
        QVERIFY_EXCEPTION_THROWN(pass_at_n(3, 1, 0), Error);
        QVERIFY_EXCEPTION_THROWN(pass_at_n(3, 1, 4), Error);
        QVERIFY_EXCEPTION_THROWN(best_of_n_curve(std::vector<double>{0, std::nan("")}, 1), Error);
        QVERIFY_EXCEPTION_THROWN(bootstrap_means({}, 1, 10, 0), Error);
        QVERIFY_EXCEPTION_THROWN(bootstrap_means(std::vector<double>{1, 2, 3}, 2, 10, 0), Error);
    }

    void bootstrapCoversTheTruth() {
        // Bernoulli(.4) over 100 problems: about 95 of 100 intervals hold .4; binomial scatter
        // allows 88..100.
        RandomStream random(5);
        int held = 0;
        for (int trial = 0; trial < 200; ++trial) {
            std::vector<double> values(100);
            for (double& value : values)
                value = random.uniform() < 0.4 ? 1 : 0;
            auto interval = bootstrap_means(values, 1, 500, static_cast<std::uint64_t>(trial))[0];
            QVERIFY(interval.low <= interval.mean && interval.mean <= interval.high);
            held += interval.low <= 0.4 && 0.4 <= interval.high;
        }
        QVERIFY2(held >= 178 && held <= 200, qPrintable(QString::number(held)));
    }

    void bootstrapMatchesTheNormalLaw() {
        // 400 values of 0 and 1, half each: standard error .025, interval .5 -+ 1.96 * .025.
        std::vector<double> values(400);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = static_cast<double>(i % 2);
        auto interval = bootstrap_means(values, 1, 4000, 9)[0];
        QVERIFY(near(interval.mean, 0.5));
        QVERIFY2(near(interval.low, 0.451, 0.005) && near(interval.high, 0.549, 0.005),
                 qPrintable(QString("%1 %2").arg(interval.low).arg(interval.high)));
        auto again = bootstrap_means(values, 1, 4000, 9)[0], other = bootstrap_means(values, 1, 40, 10)[0];
        QCOMPARE(again.low, interval.low);
        QVERIFY(other.low != interval.low);
        auto single = bootstrap_means(std::vector<double>{0.3, 0.6}, 2, 100, 0);
        QCOMPARE(single[1].low, 0.6);
        QCOMPARE(single[1].high, 0.6);
    }

    void columnsAreIndependentOfEachOther() {
        RandomStream random(6);
        std::vector<double> both, first;
        for (int i = 0; i < 50; ++i) {
            first.push_back(random.uniform());
            both.push_back(first.back());
            both.push_back(random.uniform());
        }
        auto alone = bootstrap_means(first, 1, 300, 4)[0], beside = bootstrap_means(both, 2, 300, 4)[0];
        QCOMPARE(alone.low, beside.low);
        QCOMPARE(alone.high, beside.high);
    }

    /// A whole map (200 problems, 7 temperatures, N to 10, 1,000 resamples) in well under a second.
    void wholeMapIsFast() {
        RandomStream random(7);
        std::vector<std::vector<double>> pools(200);
        for (auto& pool : pools)
            for (int i = 0; i < 10; ++i)
                pool.push_back(random.uniform() < 0.3 ? 1 : 0.1);
        pools.push_back({1.0, 1.0}); // unfinished: left out
        test::CpuClock timer;
        timer.start();
        std::vector<Interval> row;
        for (int temperature = 0; temperature < 7; ++temperature)
            row = best_of_n_means(pools, 10, 1000, 1);
        QVERIFY2(timer.elapsed() < test::allowed_ms(1000), qPrintable(QString("%1 ms").arg(timer.elapsed())));
        QCOMPARE(row.size(), std::size_t{10});
        for (std::size_t n = 1; n < row.size(); ++n)
            QVERIFY(row[n].mean > row[n - 1].mean);
        QVERIFY(row[0].low < row[0].mean && row[0].mean < row[0].high);
        QVERIFY(best_of_n_means(std::vector<std::vector<double>>{{1.0}}, 2, 10, 0).empty());
    }
};

QTEST_APPLESS_MAIN(TestBestOfN)
#include "tst_best_of_n.moc"
