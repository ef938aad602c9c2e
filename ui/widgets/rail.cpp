#include "ui/widgets/rail.h"

#include "ui/theme/icons.h"

#include <QApplication>
#include <QButtonGroup>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

Rail::Rail(QWidget* parent)
    : QWidget(parent), column_(new QVBoxLayout(this)), areas_(new QButtonGroup(this)) {
    setObjectName(QStringLiteral("rail"));
    setAttribute(Qt::WA_StyledBackground);
    column_->setContentsMargins(4, 8, 4, 8);
    column_->setSpacing(4);
    connect(areas_, &QButtonGroup::idClicked, this, &Rail::areaChosen);
}

void Rail::addArea(int id, const QString& symbol, const QString& text, const QString& tip) {
    auto* button = new QToolButton(this);
    button->setIcon(icon(symbol));
    const int side = iconSide(QApplication::font()) * 3 / 2;
    button->setIconSize(QSize(side, side));
    button->setText(text);
    button->setToolButtonStyle(Qt::ToolButtonTextUnderIcon);
    button->setCheckable(true);
    button->setToolTip(tip);
    button->setAccessibleName(text);
    button->setFocusPolicy(Qt::TabFocus);
    areas_->addButton(button, id);
    column_->addWidget(button);
    button->ensurePolished(); // its padding is known then
    QFont current = button->font();
    current.setWeight(QFont::DemiBold); // as the current area's is
    const QFontMetrics wide(current), plain(button->font());
    int width = 64;
    for (const QAbstractButton* each : areas_->buttons())
        width = std::max(width, each->sizeHint().width() + wide.horizontalAdvance(each->text())
                                    - plain.horizontalAdvance(each->text()));
    for (QAbstractButton* each : areas_->buttons())
        each->setFixedWidth(width);
}

void Rail::addStretch() {
    column_->addStretch();
}

void Rail::setCurrent(int id) {
    if (QAbstractButton* button = areas_->button(id)) button->setChecked(true);
}

int Rail::current() const {
    return areas_->checkedId();
}

} // namespace tempera
