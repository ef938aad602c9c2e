#pragma once

#include <QFrame>

class QHBoxLayout;
class QLabel;
class QPlainTextEdit;
class QPushButton;

namespace tempera {

/// A line across the top of the page: what happened, why, what to do. "Details" folds out the rest, "Copy"
/// copies all.
class Banner final : public QFrame {
    Q_OBJECT

public:
    enum class Kind { info, warning, error };

    Banner(Kind kind, const QString& sentence, const QString& details = {}, QWidget* parent = nullptr);

    /// A button before the closing one; the first one is the primary action.
    QPushButton* addAction(const QString& text);
    void setClosable(bool closable);
    QString text() const;

Q_SIGNALS:
    void closed();

private:
    QLabel* label_;
    QPlainTextEdit* details_;
    QHBoxLayout* row_;
    QPushButton* close_;
    int actions_ = 0;
};

} // namespace tempera
