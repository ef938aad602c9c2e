#include "core/engine/train/dpo_loss.h"

#include <QTest>
#include <cmath>

using namespace tempera;

class TestDpoLoss : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void lossFormulas_data() {
        QTest::addColumn<int>("type");
        QTest::addColumn<double>("smoothing");
        QTest::addColumn<double>("value");
        // beta .1, log-ratios 1.2 and -.7, 4 and 7 tokens. sigmoid, hinge, robust: TRL 1.16.
        QTest::newRow("sigmoid") << int(DpoLossType::sigmoid) << 0.0 << 0.6026529;
        QTest::newRow("hinge") << int(DpoLossType::hinge) << 0.0 << 0.81;
        QTest::newRow("ipo") << int(DpoLossType::ipo) << 0.0 << 21.16;
        QTest::newRow("robust") << int(DpoLossType::robust) << 0.1 << 0.5789029;
        QTest::newRow("conservative") << int(DpoLossType::sigmoid) << 0.1 << 0.6216529;
    }
    void lossFormulas() {
        QFETCH(int, type);
        QFETCH(double, smoothing);
        QFETCH(double, value);
        DpoLoss loss{DpoLossType(type), 0.1, smoothing};
        PairLogprobs reference{-3, -2}, policy{-1.8, -2.7};
        PairLoss pair = pair_loss(loss, policy, reference, 4, 7);
        QVERIFY2(std::fabs(pair.loss - value) < 1e-6, qPrintable(QString::number(pair.loss, 'g', 9)));
        QVERIFY(std::fabs(pair.reward_chosen - 0.12) < 1e-12);
        QVERIFY(std::fabs(pair.reward_rejected + 0.07) < 1e-12);
        const double h = 1e-6;
        auto slope = [&](double c, double r) {
            auto at = [&](double s) {
                return pair_loss(loss, {policy.chosen + s * c, policy.rejected + s * r}, reference, 4, 7)
                    .loss;
            };
            return (at(h) - at(-h)) / (2 * h);
        };
        QVERIFY(std::fabs(slope(1, 0) - pair.d_chosen) < 1e-7);
        QVERIFY(std::fabs(slope(0, 1) - pair.d_rejected) < 1e-7);
        for (double far : {1e4, -1e4}) // no overflow on either side
            QVERIFY(std::isfinite(pair_loss(loss, {far, 0}, {0, far}, 4, 7).loss));
    }
};

QTEST_GUILESS_MAIN(TestDpoLoss)
#include "tst_dpo_loss.moc"
