#pragma once

#include <QWidget>

class QButtonGroup;
class QVBoxLayout;

namespace tempera {

/// The narrow column of areas at the window's left edge.
class Rail final : public QWidget {
    Q_OBJECT

public:
    explicit Rail(QWidget* parent = nullptr);

    /// `id` is what areaChosen tells; `tip` names the key.
    void addArea(int id, const QString& symbol, const QString& text, const QString& tip);
    /// What is added behind it stands at the bottom.
    void addStretch();
    void setCurrent(int id);
    int current() const;

Q_SIGNALS:
    /// By mouse or key, not by setCurrent().
    void areaChosen(int id);

private:
    QVBoxLayout* column_;
    QButtonGroup* areas_;
};

} // namespace tempera
