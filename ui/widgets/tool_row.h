#pragma once

#include <QLayout>

namespace tempera {

/// The controls above a page: side by side while there is room, in further rows where there is not (a narrow
/// window, large text). Those with an expanding policy share what is left of their row.
class ToolRow final : public QLayout {
public:
    explicit ToolRow(QWidget* parent = nullptr);
    ~ToolRow() override;

    void addStretch();
    /// A muted label, the first of `fields` its buddy, and the fields: they stay together in a row. Returns
    /// what holds them.
    QWidget* addLabelled(const QString& text, const QList<QWidget*>& fields);

    void addItem(QLayoutItem* item) override;
    int count() const override { return static_cast<int>(items_.size()); }
    QLayoutItem* itemAt(int index) const override;
    QLayoutItem* takeAt(int index) override;
    Qt::Orientations expandingDirections() const override { return Qt::Horizontal; }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize minimumSize() const override;
    QSize sizeHint() const override;
    void setGeometry(const QRect& rect) override;

private:
    /// Places the items where `place`; returns the height they take.
    int arrange(const QRect& rect, bool place) const;

    QList<QLayoutItem*> items_;
};

} // namespace tempera
