#pragma once

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace tempera {

/// Ticks at whole numbers, for what is counted, told by their digits up to ten million.
class StepTicker final : public QCPAxisTicker {
protected:
    double getTickStep(const QCPRange& range) override {
        return std::max(1.0, std::floor(QCPAxisTicker::getTickStep(range)));
    }
    QString getTickLabel(double tick, const QLocale& locale, QChar format, int precision) override {
        return std::abs(tick) < 1e7 ? QString::number(std::llround(tick))
                                    : QCPAxisTicker::getTickLabel(tick, locale, format, precision);
    }
};

} // namespace tempera
