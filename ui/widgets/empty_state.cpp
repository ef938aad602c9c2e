#include "ui/widgets/empty_state.h"

#include <QEvent>
#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

EmptyState::EmptyState(const QString& sentence, const QString& action, QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    label_ = new QLabel(sentence, this);
    label_->setAlignment(Qt::AlignCenter);
    label_->setWordWrap(true);
    label_->setProperty("muted", true);
    button_ = new QPushButton(action, this);
    button_->setProperty("primary", true);
    button_->setVisible(!action.isEmpty());
    if (action.isEmpty()) button_->setFocusPolicy(Qt::NoFocus);
    connect(button_, &QPushButton::clicked, this, &EmptyState::triggered);
    auto* column = new QVBoxLayout(this);
    column->setSpacing(16);
    column->addStretch();
    column->addWidget(label_, 0, Qt::AlignHCenter);
    column->addWidget(button_, 0, Qt::AlignHCenter);
    column->addStretch();
    fitLabel();
}

/// A layout gives a wrapped label in its middle the height of its narrowest shape; this one has a shape of
/// its own.
void EmptyState::fitLabel() {
    if (label_->text().isEmpty()) return;
    const int width =
        std::min(fontMetrics().horizontalAdvance(label_->text()) + 8, fontMetrics().averageCharWidth() * 62);
    label_->setFixedSize(width, label_->heightForWidth(width));
}

void EmptyState::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) fitLabel();
}

void EmptyState::setSentence(const QString& sentence) {
    label_->setText(sentence);
    fitLabel();
}

} // namespace tempera
