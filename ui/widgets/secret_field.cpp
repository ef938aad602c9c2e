#include "ui/widgets/secret_field.h"

#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace tempera {

SecretField::SecretField(KeyRing& keys, QWidget* parent) : QWidget(parent), keys_(keys) {
    line_ = new QLineEdit(this);
    line_->setEchoMode(QLineEdit::Password);
    store_ = new QPushButton(tr("Store"), this);
    store_->setEnabled(false);
    forget_ = new QPushButton(tr("Forget"), this);
    state_ = new QLabel(this);
    state_->setWordWrap(true);
    state_->setTextFormat(Qt::PlainText);
    state_->setProperty("muted", true);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(line_, 1);
    row->addWidget(store_);
    row->addWidget(forget_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    column->addLayout(row);
    column->addWidget(state_);
    setFocusProxy(line_);
    connect(line_, &QLineEdit::textChanged, this,
            [this](const QString& text) { store_->setEnabled(!text.trimmed().isEmpty()); });
    connect(line_, &QLineEdit::returnPressed, this, &SecretField::storeTyped);
    connect(store_, &QPushButton::clicked, this, &SecretField::storeTyped);
    connect(forget_, &QPushButton::clicked, this, [this] { keys_.set(name_, {}); });
    connect(&keys_, &KeyRing::changed, this, [this](const QString& name) {
        if (name == name_) refresh();
    });
}

void SecretField::setName(const QString& name, const QString& variable) {
    if (name != name_) line_->clear();
    name_ = name;
    variable_ = variable;
    keys_.load({name});
    refresh();
}

void SecretField::storeTyped() {
    const QString secret = line_->text().trimmed();
    line_->clear();
    if (!secret.isEmpty()) keys_.set(name_, secret);
}

void SecretField::refresh() {
    const KeyRing::Place place = keys_.place(name_, variable_);
    QString text;
    switch (place) {
    case KeyRing::Place::environment:
        text = tr("It is taken from the environment variable %1.").arg(variable_);
        break;
    case KeyRing::Place::keychain:
        text = tr("It is in the desktop's keychain.");
        break;
    case KeyRing::Place::session:
        text = tr("It is in memory until Tempera closes.");
        if (!keys_.problem().isEmpty()) text += tr(" The keychain did not take it: %1").arg(keys_.problem());
        break;
    case KeyRing::Place::loading:
        text = tr("Asking the desktop's keychain …");
        break;
    case KeyRing::Place::none:
        text = variable_.isEmpty() ? tr("None is set.")
                                   : tr("None is set, neither here nor in %1.").arg(variable_);
        break;
    }
    state_->setText(text);
    line_->setPlaceholderText(place == KeyRing::Place::none ? tr("paste it here")
                                                            : tr("set; type another one to replace it"));
    forget_->setEnabled(place == KeyRing::Place::keychain || place == KeyRing::Place::session);
    setAccessibleDescription(text);
}

QString SecretField::state() const {
    return state_->text();
}

} // namespace tempera
