#pragma once

#include "ui/charts/chart.h"

#include <map>
#include <string>
#include <vector>

namespace tempera {

/// How many of the problems a teacher was asked for could be read, are right, and are new: four bars, each
/// with its count and its share of what was asked.
class FunnelBars final : public Chart {
    Q_OBJECT

public:
    explicit FunnelBars(QWidget* parent = nullptr);

    /// The headlines of a run of kind synthetic.
    void setCounts(const std::map<std::string, double>& headline);
    QRectF barRect(int step) const;

    void paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) override;
    QString csv() const override;
    QString summary() const override;
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;
    void restyle() override;

private:
    struct Step {
        QString name;
        double count = 0;
    };
    QRectF bar(const QSizeF& size, const ChartStyle& style, int step) const;
    QString valueText(const Step& step) const;
    void paintAll(QPainter& painter, const QSizeF& size, const ChartStyle& style) const;

    std::vector<Step> steps_;
};

} // namespace tempera
