#pragma once

#include "ui/key_ring.h"

#include <QWidget>

class QLabel;
class QLineEdit;
class QPushButton;

namespace tempera {

/// A key or token of a KeyRing: typed once, stored, never shown again; below it, where it lies.
class SecretField final : public QWidget {
    Q_OBJECT

public:
    explicit SecretField(KeyRing& keys, QWidget* parent = nullptr);

    /// `variable` = the environment variable that goes first, "" = none.
    void setName(const QString& name, const QString& variable);
    QLineEdit* line() const { return line_; }
    QPushButton* storeButton() const { return store_; }
    QPushButton* forgetButton() const { return forget_; }
    QString state() const;

private:
    void storeTyped();
    void refresh();

    KeyRing& keys_;
    QString name_, variable_;
    QLineEdit* line_;
    QPushButton *store_, *forget_;
    QLabel* state_;
};

} // namespace tempera
