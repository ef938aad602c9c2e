#include "ui/pages/completion_card.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/clamped_label.h"
#include "ui/widgets/elided_label.h"

#include <QEvent>
#include <QGraphicsOpacityEffect>
#include <QHBoxLayout>
#include <QHelpEvent>
#include <QLabel>
#include <QMouseEvent>
#include <QScrollBar>
#include <QStyle>
#include <QTextBrowser>
#include <QTextCursor>
#include <QToolTip>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

namespace {

constexpr qsizetype card_limit = 6000;
// Laid out at once within the 50 ms that the window may take: see tst_much_data.
constexpr qsizetype whole_limit = 10000;
constexpr int longest_word = 50;
constexpr std::size_t token_limit = 4096;

QColor verdictColor(const Theme& theme, Completion::Verdict verdict) {
    switch (verdict) {
    case Completion::Verdict::right:
    case Completion::Verdict::above:
        return theme.done;
    case Completion::Verdict::wrong:
    case Completion::Verdict::below:
        return theme.failed;
    case Completion::Verdict::none:
    case Completion::Verdict::plain:
        break;
    }
    return theme.queued;
}

QString symbolOf(Completion::Verdict verdict) {
    switch (verdict) {
    case Completion::Verdict::right:
        return QStringLiteral("verdict-right");
    case Completion::Verdict::wrong:
        return QStringLiteral("verdict-wrong");
    case Completion::Verdict::above:
        return QStringLiteral("verdict-above");
    case Completion::Verdict::below:
        return QStringLiteral("verdict-below");
    case Completion::Verdict::none:
    case Completion::Verdict::plain:
        break;
    }
    return QStringLiteral("verdict-none");
}

/// A row per number, its name at the left and its value at the right.
QString numbersTable(const Completion& completion) {
    const QString muted = Theme::current().muted.name();
    QString html = QStringLiteral("<table width='100%' cellspacing='0' cellpadding='0'>");
    for (const auto& [name, value] : completion.numbers) {
        const QString shown = name.size() > 24 ? name.left(23) + u'…' : name;
        html += QStringLiteral("<tr><td style='color:%1'>%2</td><td align='right'>%3</td></tr>")
                    .arg(muted, shown.toHtmlEscaped(), value.toHtmlEscaped());
    }
    return html + QStringLiteral("</table>");
}

} // namespace

CompletionCard::CompletionCard(QWidget* parent) : QFrame(parent) {
    setObjectName(QStringLiteral("card"));
    symbol_ = new QLabel(this);
    score_ = new QLabel(this);
    QFont strong = tabularFont(font());
    strong.setWeight(QFont::DemiBold);
    score_->setFont(strong);
    marks_ = new ElidedLabel({}, this);
    marks_->setAlignment(Qt::AlignRight | Qt::AlignVCenter);
    marks_->setProperty("muted", true);
    facts_ = new ElidedLabel({}, this);
    facts_->setProperty("muted", true);
    facts_->setFont(tabularFont(font()));
    numbers_ = new QLabel(this);
    numbers_->setTextFormat(Qt::RichText);
    numbers_->setFont(tabularFont(font()));
    numbers_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    answer_ = new ElidedLabel({}, this, Qt::ElideMiddle);
    answer_->setFont(monoFont(font()));
    note_ = new ClampedLabel(3, this); // the same room in every card, so that answers stand in one line
    note_->setProperty("muted", true);
    body_ = new QTextBrowser(this);
    body_->setFont(monoFont(font()));
    body_->setOpenLinks(false);
    body_->setUndoRedoEnabled(false);
    body_->document()->setDocumentMargin(0); // flush with what stands over and under it
    body_->setTabChangesFocus(true);
    body_->setFocusPolicy(Qt::ClickFocus);
    body_->setFrameShape(QFrame::NoFrame);
    body_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    body_->viewport()->setMouseTracking(true);
    body_->viewport()->installEventFilter(this);

    auto* head = new QHBoxLayout;
    head->setSpacing(6);
    head->addWidget(symbol_);
    head->addWidget(score_);
    head->addWidget(marks_, 1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 8, 8);
    column->setSpacing(4);
    column->addLayout(head);
    column->addWidget(facts_);
    column->addWidget(numbers_);
    column->addWidget(body_, 1);
    column->addWidget(answer_);
    column->addWidget(note_);
    setMinimumWidth(fontMetrics().averageCharWidth() * 34);
}

void CompletionCard::setCompletion(const Completion& completion) {
    completion_ = completion;
    token_ = -1;
    pieces_.clear();
    ranges_.reset();
    refresh();
}

void CompletionCard::setWhole(bool whole) {
    if (whole_ == whole) return;
    whole_ = whole;
    refreshBody();
}

void CompletionCard::setLens(Lens lens, const std::vector<QString>& pieces) {
    if (lens_ == lens && pieces_ == pieces) return;
    lens_ = lens;
    pieces_ = pieces;
    if (lens == Lens::none) token_ = -1;
    refreshBody();
}

void CompletionCard::setDifference(std::optional<std::vector<TextRange>> ranges, const QString& other) {
    if (ranges_ == ranges && compared_with_ == other) return;
    ranges_ = std::move(ranges);
    compared_with_ = other;
    refresh();
}

bool CompletionCard::setCurrentToken(int token) {
    if (token == token_) return true;
    if (token >= 0 && (!lensShown() || std::size_t(token) >= std::min(pieces_.size(), token_limit)))
        return false;
    token_ = token;
    refreshBody();
    if (token_ >= 0) body_->scrollToAnchor(QString::number(token_));
    return true;
}

QString CompletionCard::tokenText() const {
    return lensShown() && token_ >= 0 && std::size_t(token_) < pieces_.size()
               ? tokenLine(completion_, std::size_t(token_), pieces_[std::size_t(token_)])
               : QString();
}

QString CompletionCard::render(const QString& text, bool in_think, qsizetype limit) {
    const Theme& theme = Theme::current();
    QColor mark = theme.accent;
    const QString dim = QStringLiteral("<span style='color:%1'>").arg(theme.muted.name());
    const QString answer = QStringLiteral("<span style='color:%1; font-weight:600'>").arg(mark.name());
    QString html;
    bool thinking = in_think;
    bool answering = false;
    if (thinking) html += dim;
    const QString shown = text.left(limit);
    int unbroken = 0; // a text without a space takes Qt's line breaking the square of its length
    for (qsizetype at = 0; at < shown.size();) {
        const auto tag = [&](QLatin1String name) { return QStringView(shown).mid(at).startsWith(name); };
        if (!thinking && tag(QLatin1String("<think>"))) {
            html += dim + QStringLiteral("&lt;think&gt;");
            thinking = true;
            at += 7;
        } else if (thinking && tag(QLatin1String("</think>"))) {
            html += QStringLiteral("&lt;/think&gt;</span>");
            thinking = false;
            at += 8;
        } else if (!answering && tag(QLatin1String("<answer>"))) {
            html += QStringLiteral("&lt;answer&gt;") + answer;
            answering = true;
            at += 8;
        } else if (answering && tag(QLatin1String("</answer>"))) {
            html += QStringLiteral("</span>&lt;/answer&gt;");
            answering = false;
            at += 9;
        } else {
            const QChar c = shown[at++];
            html += c == u'<'   ? QStringLiteral("&lt;")
                    : c == u'>' ? QStringLiteral("&gt;")
                    : c == u'&' ? QStringLiteral("&amp;")
                                : QString(c);
            unbroken = c.isSpace() ? 0 : unbroken + 1;
            if (unbroken >= longest_word && !c.isHighSurrogate()) {
                html += QChar(0x200b); // zero width space
                unbroken = 0;
            }
        }
    }
    if (answering) html += QStringLiteral("</span>");
    if (thinking) html += QStringLiteral("</span>");
    if (text.size() > limit)
        html += QStringLiteral("<br><i>%1</i>")
                    .arg((limit == card_limit ? tr("… %1 more characters; Enter shows more")
                                              : tr("… %1 more characters; C copies all"))
                             .arg(text.size() - limit));
    return QStringLiteral("<div style='white-space:pre-wrap; overflow-wrap:anywhere'>%1</div>").arg(html);
}

void CompletionCard::showTokens() {
    const Theme& theme = Theme::current();
    QTextCursor cursor(body_->document());
    const std::size_t count = std::min(pieces_.size(), token_limit);
    for (std::size_t i = 0; i < count; ++i) {
        QString piece = pieces_[i];
        piece.replace(u'\n', QStringLiteral("↵\n")); // a line end has a probability too
        QTextCharFormat format;
        format.setForeground(theme.text);
        const QColor tint = lensTint(lens_, lensValue(lens_, completion_, i), theme);
        if (tint.alpha() > 0) format.setBackground(tint);
        format.setAnchor(true);
        format.setAnchorHref(QString::number(i));
        format.setAnchorNames({QString::number(i)});
        if (completion_.masked && lens_ == Lens::mask) format.setFontStrikeOut(true);
        if (int(i) == token_) {
            format.setUnderlineStyle(QTextCharFormat::SingleUnderline);
            format.setUnderlineColor(theme.accent);
            format.setFontWeight(QFont::Bold);
        }
        cursor.insertText(piece, format);
    }
    if (count < pieces_.size())
        cursor.insertText(tr(" … %1 more tokens").arg(pieces_.size() - count), QTextCharFormat());
}

void CompletionCard::showDifference() {
    const Theme& theme = Theme::current();
    const QString text = completion_.text.left(whole_ ? whole_limit : card_limit);
    QTextCharFormat plain, marked;
    plain.setForeground(theme.muted);
    QColor tint = theme.seriesColor(1);
    tint.setAlphaF(0.28f);
    marked.setForeground(theme.text);
    marked.setBackground(tint);
    marked.setUnderlineStyle(QTextCharFormat::SingleUnderline);
    QTextCursor cursor(body_->document());
    qsizetype at = 0;
    for (const TextRange& range : *ranges_) {
        if (range.begin >= text.size()) break;
        cursor.insertText(text.sliced(at, range.begin - at), plain);
        at = std::min(range.end, text.size());
        cursor.insertText(text.sliced(range.begin, at - range.begin), marked);
    }
    cursor.insertText(text.sliced(at), plain);
}

void CompletionCard::refreshBody() {
    const int kept = body_->verticalScrollBar()->value();
    if (ranges_) {
        body_->clear();
        showDifference();
    } else if (lensShown()) {
        body_->clear();
        showTokens();
    } else {
        body_->setHtml(render(completion_.text, completion_.in_think, whole_ ? whole_limit : card_limit));
    }
    body_->verticalScrollBar()->setValue(kept);
}

void CompletionCard::refresh() {
    const QColor color = verdictColor(Theme::current(), completion_.verdict);
    symbol_->setVisible(completion_.verdict != Completion::Verdict::plain);
    symbol_->setPixmap(iconPixmap(*this, symbolOf(completion_.verdict), color));
    score_->setText(completion_.score);
    QStringList marks{completion_.caption};
    if (pinned_) marks.prepend(tr("pinned"));
    if (chosen_) marks.prepend(tr("chosen"));
    if (ranges_) marks.prepend(tr("against %1").arg(compared_with_));
    marks_->setText(marks.join(QStringLiteral(" · ")));
    facts_->setText(completion_.facts);
    numbers_->setVisible(!completion_.numbers.empty());
    numbers_->setText(completion_.numbers.empty() ? QString() : numbersTable(completion_));
    refreshBody();
    answer_->setVisible(!completion_.answer.isEmpty());
    answer_->setText(completion_.answer);
    note_->setText(completion_.note);
    setAccessibleName(
        tr("Sample %1, %2%3")
            .arg(completion_.caption, completion_.verdict_words, chosen_ ? tr(", chosen") : QString()));
    QStringList said{completion_.score, completion_.facts};
    for (const auto& [name, value] : completion_.numbers)
        said << name + u' ' + value;
    said << completion_.answer << completion_.note;
    said.removeAll(QString());
    setAccessibleDescription(said.join(QStringLiteral(". ")));
    body_->setAccessibleName(tr("Text of sample %1").arg(completion_.caption));
}

void CompletionCard::setMark(const char* name, bool value) {
    if (property(name).toBool() == value) return;
    setProperty(name, value);
    style()->unpolish(this);
    style()->polish(this);
}

void CompletionCard::setChosen(bool chosen) {
    setMark("chosen", chosen);
    if (chosen_ == chosen) return;
    chosen_ = chosen;
    refresh();
}

void CompletionCard::setCurrent(bool current) {
    setMark("current", current);
    current_ = current;
}

void CompletionCard::setPinned(bool pinned) {
    if (pinned_ == pinned) return;
    pinned_ = pinned;
    refresh();
}

void CompletionCard::setCounted(bool counted) {
    if (counted_ == counted) return;
    counted_ = counted;
    if (counted) {
        setGraphicsEffect(nullptr);
        return;
    }
    auto* dim = new QGraphicsOpacityEffect(this);
    dim->setOpacity(0.45);
    setGraphicsEffect(dim);
}

void CompletionCard::mousePressEvent(QMouseEvent* event) {
    Q_EMIT pressed();
    QFrame::mousePressEvent(event);
}

bool CompletionCard::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::MouseButtonPress) Q_EMIT pressed();
    if (event->type() == QEvent::MouseMove && lensShown()) {
        const QString anchor = body_->anchorAt(static_cast<QMouseEvent*>(event)->pos());
        if (!anchor.isEmpty() && anchor.toInt() != token_) {
            setCurrentToken(anchor.toInt());
            Q_EMIT tokenHovered();
        }
    }
    if (event->type() == QEvent::ToolTip && lensShown()) {
        const auto* help = static_cast<QHelpEvent*>(event);
        const QString anchor = body_->anchorAt(help->pos());
        const auto token = static_cast<std::size_t>(anchor.toInt());
        if (anchor.isEmpty() || token >= pieces_.size())
            QToolTip::hideText();
        else
            QToolTip::showText(help->globalPos(), tipText(tokenLine(completion_, token, pieces_[token])),
                               body_);
        return true;
    }
    if (event->type() == QEvent::MouseButtonDblClick) {
        Q_EMIT opened();
        return true;
    }
    return QFrame::eventFilter(watched, event);
}

void CompletionCard::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) refresh();
}

} // namespace tempera
