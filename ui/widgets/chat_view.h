#pragma once

#include "ui/data_types.h"

#include <QScrollArea>

class QVBoxLayout;

namespace tempera {

/// The messages of a row in reading order, each in its bubble: who says it, what, and whether it is learnt.
class ChatView final : public QScrollArea {
    Q_OBJECT

public:
    explicit ChatView(QWidget* parent = nullptr);

    void setRow(const ShownRow& row);
    /// "user: ...", the messages one after the other, for the clipboard and a screen reader.
    QString text() const;

private:
    void addBubble(const ChatTurn& turn);

    ShownRow row_;
    QVBoxLayout* column_;
};

} // namespace tempera
