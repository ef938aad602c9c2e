#pragma once

#include <QColor>
#include <QRect>
#include <QString>

#include <vector>

class QPainter;

namespace tempera {

/// Labels at the right of a plot area, each as near to its line's end as the others allow.
class LabelStack {
public:
    LabelStack(const QRect& area, int line_height) : area_(area), height_(line_height) {}

    void add(double y, const QString& text, const QColor& color) { labels_.push_back({y, text, color}); }
    void paint(QPainter& painter);
    /// The placed middles, in the order of their y, for tests.
    std::vector<double> place();

private:
    struct Label {
        double y;
        QString text;
        QColor color;
    };
    QRect area_;
    int height_;
    std::vector<Label> labels_;
};

} // namespace tempera
