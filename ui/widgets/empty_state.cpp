#include "ui/widgets/empty_state.h"

#include <QLabel>
#include <QPushButton>
#include <QVBoxLayout>

namespace tempera {

EmptyState::EmptyState(const QString& sentence, const QString& action, QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    label_ = new QLabel(sentence, this);
    label_->setAlignment(Qt::AlignCenter);
    label_->setWordWrap(true);
    label_->setProperty("muted", true);
    label_->setMaximumWidth(440);
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
    label_->setMinimumWidth(320);
}

void EmptyState::setSentence(const QString& sentence) {
    label_->setText(sentence);
}

} // namespace tempera
