#include "core/base/random.h"
#include "core/stats/series.h"

#include <QTest>
#include <algorithm>
#include <cmath>

using namespace tempera;

class TestSeries : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void downsampleKeepsPeaksAndEnds() {
        std::vector<SeriesPoint> points;
        RandomStream random(1);
        for (int i = 0; i < 100000; ++i)
            points.push_back({static_cast<double>(i), random.uniform()});
        points[54321].y = 50;
        points[7].y = -50;
        auto kept = downsample(points, 1000);
        QVERIFY(kept.size() <= 1000 && kept.size() > 900);
        QCOMPARE(kept.front().x, 0.0);
        QCOMPARE(kept.back().x, 99999.0);
        QVERIFY(std::is_sorted(kept.begin(), kept.end(), [](auto a, auto b) { return a.x < b.x; }));
        auto has = [&](double x, double y) {
            return std::any_of(kept.begin(), kept.end(), [&](auto p) { return p.x == x && p.y == y; });
        };
        QVERIFY(has(54321, 50));
        QVERIFY(has(7, -50));
    }

    void downsampleByHand() {
        std::vector<SeriesPoint> points{{0, 3}, {1, 5}, {2, 1}, {3, 2}, {4, 2}, {5, 0}, {6, 9}, {7, 4}};
        QCOMPARE(downsample(points, 8).size(), std::size_t{8});
        auto kept = downsample(points, 7); // two runs of three: {5, 1, 2} and {2, 0, 9}
        std::vector<double> x;
        for (auto point : kept)
            x.push_back(point.x);
        QCOMPARE(x, (std::vector<double>{0, 1, 2, 5, 6, 7}));
        QCOMPARE(downsample(points, 3).size(), points.size());
        QVERIFY(downsample({}, 10).empty());
    }

    void downsampleLeavesGaps() {
        std::vector<SeriesPoint> points;
        for (int i = 0; i < 1000; ++i)
            points.push_back({static_cast<double>(i), i >= 400 && i < 700 ? std::nan("")
                                                      : i == 500          ? 1e9
                                                                          : 1.0});
        auto kept = downsample(points, 100);
        auto gaps = std::count_if(kept.begin(), kept.end(), [](auto p) { return std::isnan(p.y); });
        QVERIFY(gaps > 10 && gaps < 40);
    }

    void averages() {
        double nan = std::nan("");
        auto moved = moving_average(std::vector<double>{nan, 1, 3, nan, 5, 7}, 2);
        QVERIFY(std::isnan(moved[0]));
        QCOMPARE((std::vector<double>{moved.begin() + 1, moved.end()}), (std::vector<double>{1, 2, 2, 4, 6}));
        auto smooth = exponential_average(std::vector<double>{nan, 2, 4, nan, INFINITY}, 0.5);
        QVERIFY(std::isnan(smooth[0]));
        QCOMPARE(smooth[1], 2.0); // free of the start's bias
        QCOMPARE(smooth[2], (0.25 * 2 + 0.5 * 4) / 0.75);
        QCOMPARE(smooth[3], smooth[2]);
        QCOMPARE(smooth[4], smooth[2]);
        QCOMPARE(exponential_average(std::vector<double>{3, 9}, 0)[1], 9.0);
    }
};

QTEST_APPLESS_MAIN(TestSeries)
#include "tst_series.moc"
