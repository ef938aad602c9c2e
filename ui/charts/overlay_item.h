#pragma once

#include <functional>
#include <qcustomplot.h>

namespace tempera {

/// A plot item that paints through a function, so that a chart can place labels with the geometry of the
/// moment.
class OverlayItem final : public QCPAbstractItem {
public:
    OverlayItem(QCustomPlot* plot, std::function<void(QCPPainter&)> paint)
        : QCPAbstractItem(plot), paint_(std::move(paint)) {
        setLayer(QStringLiteral("legend")); // above whatever is plotted later
        setClipToAxisRect(false);
        setSelectable(false);
    }
    double selectTest(const QPointF&, bool, QVariant*) const override { return -1; }

protected:
    void draw(QCPPainter* painter) override { paint_(*painter); }
    QRect clipRect() const override { return mParentPlot->viewport(); }

private:
    std::function<void(QCPPainter&)> paint_;
};

} // namespace tempera
