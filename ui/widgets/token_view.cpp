#include "ui/widgets/token_view.h"

#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHelpEvent>
#include <QLabel>
#include <QScrollBar>
#include <QStringDecoder>
#include <QTextBlock>
#include <QTextEdit>
#include <QToolTip>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

namespace {

/// Neighbours differ, so that each token is seen.
QColor backgroundOf(const PreviewToken& token, bool even, const Theme& theme) {
    QColor color = token.learnt ? theme.done : theme.axis;
    const bool contrast = theme.scheme == Scheme::contrast;
    color.setAlphaF(token.learnt ? (even ? 0.30f : 0.18f)
                    : contrast   ? (even ? 0.35f : 0.2f)
                                 : (even ? 0.22f : 0.10f));
    return color;
}

/// A text is laid out whole, on the GUI thread: so many tokens take it some ten milliseconds.
constexpr std::size_t most_first = 3000, most_around = 500;

/// A line break is seen as such, and breaks the line.
QString visibleText(QString text) { // "" = a part of a character
    text.replace(u'\n', QStringLiteral("↵\u2029"));
    text.replace(u'\t', QStringLiteral("→   "));
    return text.isEmpty() ? QString(u'·') : text;
}

} // namespace

TokenView::TokenView(QWidget* parent)
    : QWidget(parent), titles_(new QComboBox(this)), summary_(new QLabel(this)), text_(new QTextEdit(this)) {
    titles_->setAccessibleName(tr("Which text of the row"));
    titles_->hide();
    summary_->setTextFormat(Qt::RichText);
    summary_->setFont(tabularFont(font()));
    summary_->setWordWrap(true);
    text_->setReadOnly(true);
    text_->setFont(monoFont(font()));
    text_->setTabChangesFocus(true);
    text_->setFrameShape(QFrame::NoFrame);
    text_->setAccessibleName(tr("Tokens of the row"));
    text_->viewport()->installEventFilter(this);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    auto* head = new QHBoxLayout;
    head->setSpacing(12);
    head->addWidget(titles_, 0, Qt::AlignTop);
    head->addWidget(summary_, 1);
    column->addLayout(head);
    column->addWidget(text_, 1);
    connect(titles_, &QComboBox::activated, this, &TokenView::refill);
}

void TokenView::setPreviews(std::vector<TokenPreview> previews, std::int64_t max_length) {
    previews_ = std::move(previews);
    max_length_ = max_length;
    const QString before = titles_->currentText();
    titles_->clear();
    for (const TokenPreview& preview : previews_)
        titles_->addItem(toQt(preview.title));
    titles_->setCurrentIndex(std::max(0, titles_->findText(before)));
    titles_->setVisible(previews_.size() > 1);
    refill();
}

void TokenView::setProblem(const QString& sentence) {
    previews_.clear();
    titles_->hide();
    written_.clear();
    text_->clear();
    summary_->setText(sentence.toHtmlEscaped());
}

const TokenPreview* TokenView::shown() const {
    const auto place = std::size_t(std::max(0, titles_->currentIndex()));
    return place < previews_.size() ? &previews_[place] : nullptr;
}

std::vector<TokenView::Range> TokenView::shownRanges(const TokenPreview& preview) const {
    const std::size_t count = preview.tokens.size();
    std::vector<Range> ranges{{0, std::min(count, most_first)}};
    const auto begins = [&](auto part) {
        return std::size_t(std::find_if(preview.tokens.begin(), preview.tokens.end(), part)
                           - preview.tokens.begin());
    };
    std::size_t places[] = {begins([](const PreviewToken& token) { return token.learnt; }),
                            begins([](const PreviewToken& token) { return token.cut; })};
    std::sort(std::begin(places), std::end(places));
    for (const std::size_t place : places) {
        if (place >= count) continue;
        const std::size_t from = std::max(ranges.back().end, place - std::min(place, most_around));
        const std::size_t to = std::min(count, place + most_around);
        if (from >= to) continue;
        if (from == ranges.back().end)
            ranges.back().end = to;
        else
            ranges.push_back({from, to});
    }
    return ranges;
}

void TokenView::refill() {
    text_->clear();
    written_.clear();
    const TokenPreview* preview = shown();
    if (!preview) return;
    writeTokens(*preview);
    writeSummary(*preview);
}

void TokenView::writeTokens(const TokenPreview& preview) {
    const Theme& theme = Theme::current();
    QTextCursor cursor(text_->document());
    cursor.beginEditBlock();
    std::size_t next = 0;
    const auto leaveOut = [&](std::size_t until) {
        if (next == until) return;
        QTextCharFormat format;
        format.setForeground(theme.muted);
        format.setFontItalic(true);
        cursor.insertText(
            tr("\u2029%1 more tokens are not shown\u2029").arg(wholeText(std::int64_t(until - next))),
            format);
        written_.emplace_back(cursor.position(), -1);
        next = until;
    };
    for (const Range& range : shownRanges(preview)) {
        leaveOut(range.begin);
        QStringDecoder decoder(QStringDecoder::Utf8); // a character of several tokens stands at its last one
        for (; next < range.end; ++next) {
            const PreviewToken& token = preview.tokens[next];
            QTextCharFormat format;
            format.setForeground(token.cut ? theme.muted : theme.text);
            format.setFontStrikeOut(token.cut);
            format.setBackground(backgroundOf(token, next % 2 == 0, theme));
            cursor.insertText(
                visibleText(decoder.decode(QByteArrayView(token.text.data(), qsizetype(token.text.size())))),
                format);
            written_.emplace_back(cursor.position(), std::int64_t(next));
        }
    }
    leaveOut(preview.tokens.size());
    cursor.endEditBlock();
    text_->verticalScrollBar()->setValue(0);
}

void TokenView::writeSummary(const TokenPreview& preview) {
    const Theme& theme = Theme::current();
    std::int64_t learnt = 0, cut = 0;
    for (const PreviewToken& token : preview.tokens) {
        learnt += token.learnt && !token.cut;
        cut += token.cut;
    }
    const auto patch = [](const QColor& color, const QString& words) {
        return QStringLiteral("<span style='background:rgba(%1,%2,%3,%4)'>&nbsp;&nbsp;&nbsp;</span>&nbsp;%5")
            .arg(color.red())
            .arg(color.green())
            .arg(color.blue())
            .arg(color.alpha())
            .arg(words.toHtmlEscaped());
    };
    const auto total = std::int64_t(preview.tokens.size());
    QStringList parts{tr("%1 tokens").arg(wholeText(total))};
    parts << patch(backgroundOf({{}, 0, true, false}, true, theme), tr("%1 learnt").arg(wholeText(learnt)));
    parts << patch(backgroundOf({}, true, theme), tr("%1 read only").arg(wholeText(total - learnt - cut)));
    if (cut > 0)
        parts << QStringLiteral("<s>abc</s>&nbsp;%1")
                     .arg(tr("%1 cut at %2").arg(wholeText(cut), wholeText(max_length_)));
    QString text = parts.join(QStringLiteral("&nbsp;&nbsp; "));
    if (learnt == 0 && preview.title != "prompt")
        text += QStringLiteral("<br><span style='color:%1'>%2</span>")
                    .arg(theme.paused.name(),
                         tr("No token is left to learn: training leaves this row out.").toHtmlEscaped());
    summary_->setText(text);
}

QString TokenView::summary() const {
    QTextDocument plain;
    plain.setHtml(summary_->text());
    return plain.toPlainText();
}

QString TokenView::tokenLine(const QPoint& at) const {
    const int position = text_->cursorForPosition(at).position();
    const auto found = std::find_if(written_.begin(), written_.end(),
                                    [&](const auto& each) { return each.first > position; });
    if (found == written_.end() || found->second < 0) return {};
    const auto i = std::size_t(found->second);
    const PreviewToken& token = shown()->tokens[i];
    QString piece = toQt(token.text);
    piece.replace(u'\n', QStringLiteral("\\n"));
    const QString part = token.cut ? tr("cut") : token.learnt ? tr("learnt") : tr("read only");
    return tr("token %1: “%2”, id %3, %4")
        .arg(wholeText(std::int64_t(i + 1)))
        .arg(piece)
        .arg(token.id)
        .arg(part);
}

bool TokenView::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() != QEvent::ToolTip) return QWidget::eventFilter(watched, event);
    auto* help = static_cast<QHelpEvent*>(event);
    QToolTip::showText(help->globalPos(), tokenLine(help->pos()), text_->viewport());
    return true;
}

void TokenView::changeEvent(QEvent* event) {
    QWidget::changeEvent(event);
    if (event->type() == QEvent::PaletteChange && !previews_.empty()) refill();
}

} // namespace tempera
