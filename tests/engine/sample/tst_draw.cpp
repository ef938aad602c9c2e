#include "core/base/random.h"
#include "core/engine/sample/draw.h"

#include <QTest>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

using namespace tempera;

namespace {

std::vector<float> logits(std::int64_t vocab, std::uint64_t seed, double spread) {
    RandomStream random(seed);
    std::vector<float> row(static_cast<std::size_t>(vocab));
    for (float& x : row)
        x = static_cast<float>((random.uniform() + random.uniform() + random.uniform() - 1.5) * spread);
    return row;
}

/// The steps of draw.h one after the other, by sorting everything, in double.
std::vector<double> by_the_book(const std::vector<float>& row, const DrawSettings& s,
                                const std::vector<std::int32_t>& seen) {
    std::vector<double> l(row.begin(), row.end());
    std::vector<std::int32_t> distinct = seen;
    std::sort(distinct.begin(), distinct.end());
    distinct.erase(std::unique(distinct.begin(), distinct.end()), distinct.end());
    for (std::int32_t id : distinct) {
        double& x = l[static_cast<std::size_t>(id)];
        x = x > 0 ? x / s.repetition_penalty : x * s.repetition_penalty;
    }
    std::vector<std::size_t> order(l.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return l[a] > l[b]; });
    std::vector<double> p(l.size(), 0);
    const double top = l[order[0]];
    if (s.temperature < 1e-5) {
        p[order[0]] = 1;
        return p;
    }
    std::vector<std::size_t> kept;
    for (std::size_t i : order) {
        double mass = std::exp((l[i] - top) / s.temperature);
        if (mass < s.min_p) continue;
        if (s.top_k > 0 && kept.size() >= static_cast<std::size_t>(s.top_k) && l[i] < l[kept.back()]) break;
        p[i] = mass;
        kept.push_back(i);
    }
    double total = std::accumulate(p.begin(), p.end(), 0.0), above = 0;
    for (std::size_t rank = 0; rank < kept.size(); ++rank) {
        double mass = p[kept[rank]];
        if (rank > 0 && above >= s.top_p * total) p[kept[rank]] = 0;
        above += mass;
    }
    total = std::accumulate(p.begin(), p.end(), 0.0);
    for (double& x : p)
        x /= total;
    return p;
}

} // namespace

class TestDraw : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void distributionFollowsTheSteps() {
        const std::vector<std::int32_t> prompt{3, 5, 5, 70, 9}, output{9, 11, 3};
        std::vector<std::int32_t> seen = prompt;
        seen.insert(seen.end(), output.begin(), output.end());
        int cases = 0;
        for (std::int64_t vocab : {73, 512, 4096, 49152})
            for (double spread : {0.0, 1.0, 8.0, 40.0})
                for (double t : {0.0, 0.05, 0.7, 1.3})
                    for (double top_p : {1.0, 0.95, 0.5, 1e-9})
                        for (int top_k : {0, 1, 40})
                            for (double min_p : {0.0, 0.1})
                                for (double penalty : {1.0, 1.3}) {
                                    if (vocab > 4096 && (cases % 7) != 0 && ++cases) continue;
                                    ++cases;
                                    // at spread 0 every logit is equal, and the ties must come out as
                                    // documented
                                    auto row =
                                        logits(vocab, static_cast<std::uint64_t>(vocab + cases), spread);
                                    auto original = row;
                                    DrawSettings s{t, top_p, top_k, min_p, penalty};
                                    TokenDrawer drawer(vocab);
                                    auto found = drawer.distribution(row.data(), s, prompt, output);
                                    QVERIFY(row == original);
                                    auto wanted = by_the_book(original, s, seen);
                                    double worst = 0;
                                    for (std::size_t i = 0; i < found.size(); ++i)
                                        worst = std::max(worst, std::abs(found[i] - wanted[i]));
                                    if (worst > 2e-5)
                                        QFAIL(qPrintable(
                                            QString(
                                                "vocab %1 spread %2 T %3 p %4 k %5 min_p %6 r %7: off by %8")
                                                .arg(vocab)
                                                .arg(spread)
                                                .arg(t)
                                                .arg(top_p)
                                                .arg(top_k)
                                                .arg(min_p)
                                                .arg(penalty)
                                                .arg(worst)));
                                }
    }

    void frequenciesPassChiSquare_data() {
        QTest::addColumn<double>("temperature");
        QTest::addColumn<double>("top_p");
        QTest::addColumn<int>("top_k");
        QTest::newRow("temperature alone") << 0.9 << 1.0 << 0;
        QTest::newRow("top-p") << 1.2 << 0.8 << 0;
        QTest::newRow("top-k") << 1.0 << 1.0 << 12;
    }
    void frequenciesPassChiSquare() {
        QFETCH(double, temperature);
        QFETCH(double, top_p);
        QFETCH(int, top_k);
        const int vocab = 1200, draws = 40000; // more than two blocks of partial sums
        auto row = logits(vocab, 5, 14);
        TokenDrawer drawer(vocab);
        DrawSettings s{temperature, top_p, top_k, 0, 1};
        auto p = drawer.distribution(row.data(), s, {}, {});
        std::vector<int> counts(vocab, 0);
        for (int i = 0; i < draws; ++i) {
            RandomStream random(11, 3, static_cast<std::uint32_t>(i));
            ++counts[static_cast<std::size_t>(drawer.draw(row.data(), s, {}, {}, random.uniform_at(0)).id)];
        }
        double statistic = 0, rest_expected = 0, rest_seen = 0;
        int cells = 0;
        for (std::size_t i = 0; i < p.size(); ++i) {
            double expected = p[i] * draws;
            if (expected < 5) {
                rest_expected += expected;
                rest_seen += counts[i];
                if (p[i] == 0) QCOMPARE(counts[i], 0);
                continue;
            }
            statistic += (counts[i] - expected) * (counts[i] - expected) / expected;
            ++cells;
        }
        if (rest_expected > 0)
            statistic += (rest_seen - rest_expected) * (rest_seen - rest_expected) / rest_expected;
        double degrees =
            cells - (rest_expected > 0 ? 0 : 1); // Wilson-Hilferty: normal to three digits from 3 degrees on
        double z = (std::cbrt(statistic / degrees) - (1 - 2 / (9 * degrees))) / std::sqrt(2 / (9 * degrees));
        QVERIFY2(
            std::abs(z) < 3.3,
            qPrintable(QString("chi-square %1 with %2 degrees: z = %3").arg(statistic).arg(degrees).arg(z)));
    }

    void logprobIsOfTheUnprocessedLogits() {
        const int vocab = 5000;
        auto row = logits(vocab, 9, 10);
        double total = 0;
        for (float x : row)
            total += std::exp(static_cast<double>(x));
        TokenDrawer drawer(vocab);
        for (DrawSettings s : {DrawSettings{}, DrawSettings{0.3, 0.9, 20, 0.02, 1.4}, DrawSettings{0}}) {
            std::vector<std::int32_t> seen{1, 2, 3};
            DrawnToken t = drawer.draw(row.data(), s, seen, {}, 0.77);
            double wanted = static_cast<double>(row[static_cast<std::size_t>(t.id)]) - std::log(total);
            QVERIFY(std::abs(static_cast<double>(t.logprob) - wanted) < 2e-6);
            QVERIFY(std::abs(static_cast<double>(drawer.logprob(row.data(), t.id)) - wanted) < 2e-6);
        }
    }

    /// The ends of [0, 1) and rows where almost all mass is one token.
    void extremesStayInside() {
        for (int vocab : {1, 7, 513, 1024}) {
            TokenDrawer drawer(vocab);
            std::vector<float> row(static_cast<std::size_t>(vocab), -200.0f);
            row[static_cast<std::size_t>(vocab / 2)] = 90;
            for (double u : {0.0, 0.5, 1 - 0x1p-24}) {
                QCOMPARE(drawer.draw(row.data(), {}, {}, {}, u).id, vocab / 2);
                QCOMPARE(drawer.draw(row.data(), {1, .9}, {}, {}, u).id, vocab / 2);
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestDraw)
#include "tst_draw.moc"
