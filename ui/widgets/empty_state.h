#pragma once

#include <QWidget>

class QLabel;
class QPushButton;

namespace tempera {

/// What an empty page shows: one sentence on what will be here, and the one button that starts it.
class EmptyState final : public QWidget {
    Q_OBJECT

public:
    EmptyState(const QString& sentence, const QString& action, QWidget* parent = nullptr);
    void setSentence(const QString& sentence);
    QPushButton* button() const { return button_; }

Q_SIGNALS:
    void triggered();

protected:
    void changeEvent(QEvent* event) override;

private:
    void fitLabel();

    QLabel* label_;
    QPushButton* button_;
};

} // namespace tempera
