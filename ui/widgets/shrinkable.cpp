#include "ui/widgets/shrinkable.h"

#include <QComboBox>
#include <QLayout>

namespace tempera {

void shrinkable(QComboBox* box, int characters) {
    box->setSizeAdjustPolicy(QComboBox::AdjustToMinimumContentsLengthWithIcon);
    box->setMinimumContentsLength(characters);
    box->setToolTip(box->currentText());
    QObject::connect(box, &QComboBox::currentTextChanged, box, &QWidget::setToolTip);
}

void settleLayouts(QWidget* changed, const QWidget* top) {
    for (QWidget* at = changed; at; at = at->parentWidget()) {
        if (at->layout()) at->layout()->activate();
        if (at == top) return;
    }
}

} // namespace tempera
