#pragma once

#include <qcustomplot.h>

#include <algorithm>
#include <cmath>

namespace tempera {

/// Ticks at whole numbers, for what is counted.
class StepTicker final : public QCPAxisTicker {
protected:
    double getTickStep(const QCPRange& range) override {
        return std::max(1.0, std::floor(QCPAxisTicker::getTickStep(range)));
    }
};

} // namespace tempera
