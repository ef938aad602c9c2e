#pragma once

#include <QPaintDevice>
#include <QPaintEngine>
#include <QPainter>
#include <QSizeF>

#include <memory>

namespace tempera {

/// A paint device that passes everything on to another painter, text as filled outlines: QSvgGenerator would
/// name the font instead, and the figure would look different on a machine without it.
class OutlineDevice final : public QPaintDevice {
public:
    OutlineDevice(QPainter& target, const QSizeF& size);
    ~OutlineDevice() override;
    QPaintEngine* paintEngine() const override;

protected:
    int metric(PaintDeviceMetric metric) const override;

private:
    QSizeF size_;
    std::unique_ptr<QPaintEngine> engine_;
};

} // namespace tempera
