#include "core/base/error.h"
#include "core/base/json.h"
#include "core/stats/win_rate.h"
#include "tests/support/paths.h"

#include <QTest>
#include <cmath>

using namespace tempera;

namespace {

/// Values of scipy and statsmodels (tests/golden/make_win_rate.py).
const Json& golden() {
    static const Json values = read_json_file(source_dir() + "/tests/golden/win_rate/cases.json");
    return values;
}

bool close(double a, double b, double relative = 1e-10) {
    return std::abs(a - b) <= relative * std::max(std::abs(b), 1e-300) + 1e-15;
}

} // namespace

class TestWinRate : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void wilsonIntervalsAreThoseOfStatsmodels() {
        QVERIFY(golden()["wilson"].size() > 20);
        for (const Json& entry : golden()["wilson"]) {
            const Interval interval = wilson_interval(entry["successes"], entry["trials"]);
            QVERIFY2(close(interval.low, entry["low"]), entry.dump().c_str());
            QVERIFY2(close(interval.high, entry["high"]), entry.dump().c_str());
        }
        QCOMPARE(wilson_interval(0, 0).low, 0.0);
        QCOMPARE(wilson_interval(0, 0).high, 1.0);
        QVERIFY_THROWS_EXCEPTION(Error, wilson_interval(3, 2));
        QVERIFY_THROWS_EXCEPTION(Error, wilson_interval(-1, 2));
    }

    void signTestsAreThoseOfScipy() {
        QVERIFY(golden()["sign"].size() > 10);
        for (const Json& entry : golden()["sign"]) {
            QVERIFY2(close(sign_test(entry["wins"], entry["losses"]), entry["p"], 1e-9),
                     entry.dump().c_str());
            QVERIFY(sign_test(entry["wins"], entry["losses"]) == sign_test(entry["losses"], entry["wins"]));
        }
        QCOMPARE(sign_test(0, 0), 1.0);
    }

    /// A bootstrap draws: the ends agree with scipy's to a small part of the standard error.
    void scoresAreComparedAsScipyDoes() {
        for (const Json& entry : golden()["scores"]) {
            const auto base = entry["base"].get<std::vector<double>>();
            const auto tuned = entry["tuned"].get<std::vector<double>>();
            const WinRate found = win_rate(base, tuned, 20000, 3);
            QCOMPARE(found.wins, entry["wins"].get<std::int64_t>());
            QCOMPARE(found.losses, entry["losses"].get<std::int64_t>());
            QCOMPARE(found.ties, entry["ties"].get<std::int64_t>());
            QCOMPARE(found.prompts, static_cast<std::int64_t>(base.size()));
            QVERIFY(close(found.p, entry["p"], 1e-9));
            QVERIFY(close(found.difference.mean, entry["mean"]));
            QVERIFY(close(found.tuned_mean - found.base_mean, entry["mean"], 1e-9));
            const double allowed =
                0.05 * entry["error"].get<double>() + entry["grain"].get<double>(); // means come in steps
            QVERIFY(std::abs(found.difference.low - entry["low"].get<double>()) < allowed);
            QVERIFY(std::abs(found.difference.high - entry["high"].get<double>()) < allowed);
            const WinRate again = win_rate(base, tuned, 20000, 3);
            QVERIFY(again.difference.low == found.difference.low
                    && again.difference.high == found.difference.high);
        }
    }

    void aTieIsNoWinAndNoEvidence() {
        const std::vector<double> base = {1, 1, 1, 0.5}, tuned = {1, 1, 1, 1};
        const WinRate found = win_rate(base, tuned, 100, 0);
        QCOMPARE(found.rate, 0.25);
        QCOMPARE(found.ties, 3);
        QCOMPARE(found.p, 1.0); // one win of one
        const WinRate same = win_rate(base, base, 100, 0);
        QCOMPARE(same.rate, 0.0);
        QCOMPARE(same.p, 1.0);
        QCOMPARE(same.difference.low, 0.0);
    }

    void pairsWithoutAScoreAreLeftOutAndCounted() {
        const std::vector<double> base = {0, std::nan(""), 0}, tuned = {1, 1, std::nan("")};
        const WinRate found = win_rate(base, tuned, 100, 0);
        QCOMPARE(found.prompts, 1);
        QCOMPARE(found.unscored, 2);
        QCOMPARE(found.rate, 1.0);
        QCOMPARE(win_rate({}, {}, 100, 0).prompts, 0);
        QVERIFY_THROWS_EXCEPTION(Error, win_rate(base, std::vector<double>{1}, 100, 0));
        QVERIFY_THROWS_EXCEPTION(Error,
                                 win_rate(std::vector<double>{INFINITY}, std::vector<double>{1}, 1, 0));
    }
};

QTEST_APPLESS_MAIN(TestWinRate)
#include "tst_win_rate.moc"
