#include "ui/charts/outline_device.h"

#include <QPainterPath>

namespace tempera {

namespace {

class OutlineEngine final : public QPaintEngine {
public:
    explicit OutlineEngine(QPainter& target) : QPaintEngine(AllFeatures), target_(target) {}

    bool begin(QPaintDevice*) override {
        setActive(true);
        return true;
    }
    bool end() override {
        setActive(false);
        return true;
    }
    Type type() const override { return User; }

    void updateState(const QPaintEngineState& state) override {
        const DirtyFlags dirty = state.state();
        if (dirty & DirtyPen) target_.setPen(state.pen());
        if (dirty & DirtyBrush) target_.setBrush(state.brush());
        if (dirty & DirtyBrushOrigin) target_.setBrushOrigin(state.brushOrigin());
        if (dirty & DirtyOpacity) target_.setOpacity(state.opacity());
        if (dirty & DirtyTransform) target_.setTransform(state.transform());
        if (dirty & DirtyClipEnabled) target_.setClipping(state.isClipEnabled());
        if (dirty & DirtyClipRegion) target_.setClipRegion(state.clipRegion(), state.clipOperation());
        if (dirty & DirtyClipPath) target_.setClipPath(state.clipPath(), state.clipOperation());
        if (dirty & DirtyHints) target_.setRenderHints(state.renderHints());
    }

    void drawPath(const QPainterPath& path) override { target_.drawPath(path); }
    void drawPolygon(const QPointF* points, int count, PolygonDrawMode mode) override {
        if (mode == PolylineMode)
            target_.drawPolyline(points, count);
        else if (mode == ConvexMode)
            target_.drawConvexPolygon(points, count);
        else
            target_.drawPolygon(points, count, mode == WindingMode ? Qt::WindingFill : Qt::OddEvenFill);
    }
    void drawPixmap(const QRectF& where, const QPixmap& pixmap, const QRectF& source) override {
        target_.drawPixmap(where, pixmap, source);
    }
    // drawTextItem is not overridden: the base class fills the glyphs' outlines through drawPath.

private:
    QPainter& target_;
};

} // namespace

OutlineDevice::OutlineDevice(QPainter& target, const QSizeF& size)
    : size_(size), engine_(std::make_unique<OutlineEngine>(target)) {}

OutlineDevice::~OutlineDevice() = default;

QPaintEngine* OutlineDevice::paintEngine() const {
    return engine_.get();
}

int OutlineDevice::metric(PaintDeviceMetric metric) const {
    switch (metric) {
    case PdmWidth:
        return static_cast<int>(size_.width());
    case PdmHeight:
        return static_cast<int>(size_.height());
    case PdmWidthMM:
        return static_cast<int>(size_.width() * 25.4 / 96);
    case PdmHeightMM:
        return static_cast<int>(size_.height() * 25.4 / 96);
    case PdmNumColors:
        return 0xffffff;
    case PdmDepth:
        return 32;
    case PdmDpiX:
    case PdmDpiY:
    case PdmPhysicalDpiX:
    case PdmPhysicalDpiY:
        return 96;
    case PdmDevicePixelRatio:
        return 1;
    case PdmDevicePixelRatioScaled:
        return static_cast<int>(devicePixelRatioFScale());
    default:
        return QPaintDevice::metric(metric);
    }
}

} // namespace tempera
