#include "ui/theme/icons.h"

#include "ui/theme/resources.h"
#include "ui/theme/text.h"

#include <QApplication>
#include <QFile>
#include <QFontInfo>
#include <QHash>
#include <QIconEngine>
#include <QPainter>
#include <QPalette>
#include <QPixmap>
#include <QSvgRenderer>
#include <QWidget>

#include <algorithm>

namespace tempera {

namespace {

QByteArray iconSource(const QString& name) {
    initResources();
    QFile file(QStringLiteral(":/tempera/icons/%1.svg").arg(name));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

class TintedIcon final : public QIconEngine {
public:
    TintedIcon(QString name, QColor color) : name_(std::move(name)), color_(color) {}

    void paint(QPainter* painter, const QRect& rect, QIcon::Mode mode, QIcon::State) override {
        const QPalette palette = QApplication::palette();
        QColor ink = color_.isValid() ? color_ : palette.color(QPalette::ButtonText);
        if (mode == QIcon::Disabled) ink = palette.color(QPalette::Disabled, QPalette::ButtonText);
        if (mode == QIcon::Selected && !color_.isValid()) ink = palette.color(QPalette::HighlightedText);
        drawIcon(*painter, name_, rect, ink);
    }
    QPixmap pixmap(const QSize& size, QIcon::Mode mode, QIcon::State state) override {
        QPixmap result(size);
        result.fill(Qt::transparent);
        QPainter painter(&result);
        paint(&painter, QRect(QPoint(), size), mode, state);
        return result;
    }
    QIconEngine* clone() const override { return new TintedIcon(*this); }

private:
    QString name_;
    QColor color_;
};

} // namespace

QIcon icon(const QString& name, const QColor& color) {
    return QIcon(new TintedIcon(name, color));
}

int iconSide(const QFont& font) {
    return std::max(16, qRound(QFontInfo(font).pixelSize() * 1.2));
}

QPixmap iconPixmap(const QWidget& widget, const QString& name, const QColor& color, double times) {
    const int side = qRound(iconSide(QApplication::font()) * times);
    return icon(name, color).pixmap(QSize(side, side), widget.devicePixelRatioF());
}

void drawIcon(QPainter& painter, const QString& name, const QRectF& where, const QColor& color) {
    QByteArray svg = iconSource(name);
    svg.replace("currentColor", color.name(QColor::HexRgb).toLatin1());
    QSvgRenderer renderer(svg);
    if (!renderer.isValid()) return;
    const double side = std::min(where.width(), where.height());
    QRectF square(0, 0, side, side);
    square.moveCenter(where.center());
    painter.save();
    painter.setRenderHint(QPainter::Antialiasing);
    painter.setOpacity(painter.opacity() * color.alphaF());
    renderer.render(&painter, square);
    painter.restore();
}

QString stateIconName(RunStatus status) {
    return QStringLiteral("state-") + toQt(name_of(status));
}

} // namespace tempera
