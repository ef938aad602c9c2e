#pragma once

#include <QStackedWidget>

namespace tempera {

/// Pages of which one shows. They take the room there is: a page whose text would like to be taller never
/// squeezes what stands above the stack.
class PageStack final : public QStackedWidget {
public:
    using QStackedWidget::QStackedWidget;
    bool hasHeightForWidth() const override { return false; }
};

} // namespace tempera
