#include "ui/widgets/chat_view.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/banner.h"

#include <QFrame>
#include <QHBoxLayout>
#include <QLabel>
#include <QScrollBar>
#include <QVBoxLayout>

namespace tempera {

namespace {

/// A label lays out its whole text each time: what is longer stands in the Tokens view and the JSON.
constexpr int longest_bubble = 20000;

bool isAnswer(const ChatTurn& turn) {
    return turn.role == QStringLiteral("assistant") || turn.role == QStringLiteral("chosen")
           || turn.role == QStringLiteral("rejected");
}

} // namespace

ChatView::ChatView(QWidget* parent) : QScrollArea(parent) {
    auto* body = new QWidget(this);
    body->setObjectName(QStringLiteral("formBody"));
    column_ = new QVBoxLayout(body);
    column_->setContentsMargins(16, 16, 16, 16);
    column_->setSpacing(12);
    column_->setAlignment(Qt::AlignTop);
    setWidget(body);
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setAccessibleName(tr("Messages of the row"));
}

void ChatView::setRow(const ShownRow& row) {
    const bool same = row.index == row_.index && row.json == row_.json;
    row_ = row;
    while (QLayoutItem* item = column_->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    if (!row.problem.isEmpty()) {
        auto* banner = new Banner(Banner::Kind::warning, row.problem, {}, widget());
        banner->setClosable(false);
        column_->addWidget(banner);
        addBubble({tr("as it stands in the file"), row.json, {}, false});
    }
    for (const ChatTurn& turn : row.turns)
        addBubble(turn);
    if (!same) verticalScrollBar()->setValue(0);
    setAccessibleDescription(text());
}

void ChatView::addBubble(const ChatTurn& turn) {
    const Theme& theme = Theme::current();
    auto* bubble = new QFrame(widget());
    bubble->setObjectName(QStringLiteral("bubble"));
    bubble->setProperty("answer", isAnswer(turn));
    auto* who = new QLabel(turn.role, bubble);
    QFont bold = who->font();
    bold.setWeight(QFont::DemiBold);
    who->setFont(bold);
    auto* head = new QHBoxLayout;
    head->setSpacing(8);
    if (turn.role == QStringLiteral("chosen") || turn.role == QStringLiteral("rejected")) {
        const bool chosen = turn.role == QStringLiteral("chosen");
        auto* sign = new QLabel(bubble);
        sign->setPixmap(iconPixmap(*this,
                                   chosen ? QStringLiteral("verdict-right") : QStringLiteral("verdict-none"),
                                   chosen ? theme.done : theme.failed));
        head->addWidget(sign);
    }
    head->addWidget(who);
    auto* note = new QLabel(turn.learnt && turn.note.isEmpty() && turn.role == QStringLiteral("assistant")
                                ? tr("learnt")
                                : turn.note,
                            bubble);
    note->setProperty("muted", true);
    head->addWidget(note, 1);
    const bool cut = turn.text.size() > longest_bubble;
    auto* text = new QLabel(cut ? turn.text.left(longest_bubble) + u'…' : turn.text, bubble);
    text->setTextFormat(Qt::PlainText);
    text->setWordWrap(true);
    text->setTextInteractionFlags(Qt::TextSelectableByMouse);
    if (cut) text->setToolTip(tr("The first %1 characters").arg(longest_bubble));
    if (!row_.problem.isEmpty()) text->setFont(monoFont(font()));
    if (turn.text.isEmpty()) {
        text->setText(tr("(empty)"));
        text->setProperty("muted", true);
    }
    auto* column = new QVBoxLayout(bubble);
    column->setContentsMargins(12, 8, 12, 12);
    column->setSpacing(4);
    column->addLayout(head);
    column->addWidget(text);
    auto* line = new QHBoxLayout; // questions keep to the left, answers to the right
    line->setContentsMargins(isAnswer(turn) ? 48 : 0, 0, isAnswer(turn) ? 0 : 48, 0);
    auto* holder = new QWidget(widget());
    holder->setLayout(line);
    line->addWidget(bubble);
    column_->addWidget(holder);
}

QString ChatView::text() const {
    QStringList lines;
    if (!row_.problem.isEmpty()) lines << row_.problem;
    for (const ChatTurn& turn : row_.turns)
        lines << QStringLiteral("%1: %2").arg(turn.role, turn.text);
    return lines.join(u'\n');
}

} // namespace tempera
