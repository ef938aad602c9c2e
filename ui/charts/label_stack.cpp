#include "ui/charts/label_stack.h"

#include <QPainter>

#include <algorithm>

namespace tempera {

std::vector<double> LabelStack::place() {
    std::stable_sort(labels_.begin(), labels_.end(),
                     [](const Label& a, const Label& b) { return a.y < b.y; });
    const double top = area_.top() + height_ / 2.0;
    const double bottom = area_.bottom() - height_ / 2.0;
    std::vector<double> middles;
    for (const Label& label : labels_) {
        double y = std::clamp(label.y, top, std::max(top, bottom));
        if (!middles.empty()) y = std::max(y, middles.back() + height_);
        middles.push_back(y);
    }
    // What was pushed out below moves the ones above it up again.
    double limit = bottom;
    for (auto middle = middles.rbegin(); middle != middles.rend(); ++middle) {
        *middle = std::min(*middle, limit);
        limit = *middle - height_;
    }
    return middles;
}

void LabelStack::paint(QPainter& painter) {
    const std::vector<double> middles = place();
    for (std::size_t i = 0; i < labels_.size(); ++i) {
        painter.setPen(labels_[i].color);
        painter.drawText(QRectF(area_.right() + 8, middles[i] - height_ / 2.0, 400, height_),
                         Qt::AlignLeft | Qt::AlignVCenter, labels_[i].text);
    }
}

} // namespace tempera
