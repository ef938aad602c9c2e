#include "core/stats/calibration.h"

#include <QtTest>
#include <cmath>

using namespace tempera;

class TestCalibration : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void surenessMeetsTheShareOfRightOnes() {
        // Certainty 0.75 is a margin of ln 3. Three of four are right: calibrated.
        double m = std::log(3);
        std::vector<double> margins{m, m, m, -m};
        QVERIFY(expected_calibration_error(margins) < 1e-12);
        margins = {m, m, -m, -m}; // half are right
        QVERIFY(std::fabs(expected_calibration_error(margins) - 0.25) < 1e-12);
        margins = {-40, -40}; // certainly wrong
        QVERIFY(std::fabs(expected_calibration_error(margins) - 1) < 1e-9);
        margins = {40, 40};
        QVERIFY(expected_calibration_error(margins) < 1e-9);
        margins = {0, 0}; // a tie counts as wrong
        QVERIFY(std::fabs(expected_calibration_error(margins) - 0.5) < 1e-12);
        QVERIFY(std::isnan(expected_calibration_error({})));
    }

    void binsDoNotCancelOneAnother() {
        // Sure of 0.55 and always right, sure of 0.95 and right at half: errors add, weighted by size.
        auto margin = [](double p) { return std::log(p / (1 - p)); };
        std::vector<double> margins{margin(0.56), margin(0.56), margin(0.96), -margin(0.96)};
        double expected = 0.5 * (1 - 0.56) + 0.5 * (0.96 - 0.5);
        QVERIFY(std::fabs(expected_calibration_error(margins) - expected) < 1e-12);
    }

    void correlationOfKnownSeries() {
        std::vector<double> x{1, 2, 3, 4}, y{2, 4, 6, 8}, z{8, 6, 4, 2}, flat{5, 5, 5, 5};
        QVERIFY(std::fabs(correlation(x, y) - 1) < 1e-12);
        QVERIFY(std::fabs(correlation(x, z) + 1) < 1e-12);
        QVERIFY(std::isnan(correlation(x, flat)));
        QVERIFY(std::isnan(correlation(std::span(x).first(1), std::span(y).first(1))));
        std::vector<double> a{1, 2, 3}, b{1, 3, 2};
        QVERIFY(std::fabs(correlation(a, b) - 0.5) < 1e-12);
    }
};

QTEST_APPLESS_MAIN(TestCalibration)
#include "tst_calibration.moc"
