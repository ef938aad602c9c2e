#include "ui/pages/sample_card.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/elided_label.h"

#include <QEvent>
#include <QGraphicsOpacityEffect>
#include <QHBoxLayout>
#include <QLabel>
#include <QMouseEvent>
#include <QStyle>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace tempera {

namespace {

constexpr qsizetype card_limit = 6000;
constexpr qsizetype whole_limit = 200000;

QColor verdictColor(const Theme& theme, double score) {
    if (score >= 1) return theme.done;
    return score > 0 ? theme.failed : theme.queued;
}

} // namespace

SampleCard::SampleCard(QWidget* parent) : QFrame(parent) {
    setObjectName(QStringLiteral("card"));
    symbol_ = new QLabel(this);
    score_ = new QLabel(this);
    QFont strong = tabularFont(font());
    strong.setWeight(QFont::DemiBold);
    score_->setFont(strong);
    marks_ = new QLabel(this);
    marks_->setProperty("muted", true);
    facts_ = new ElidedLabel({}, this);
    facts_->setProperty("muted", true);
    facts_->setFont(tabularFont(font()));
    equation_ = new ElidedLabel({}, this, Qt::ElideMiddle);
    equation_->setFont(monoFont(font()));
    reason_ = new QLabel(this);
    reason_->setWordWrap(true);
    reason_->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    reason_->setTextFormat(Qt::PlainText);
    // The same room in every card, so that equations stand in one line.
    reason_->setFixedHeight(reason_->fontMetrics().lineSpacing() * 3);
    reason_->setProperty("muted", true);
    body_ = new QTextBrowser(this);
    body_->setFont(monoFont(font()));
    body_->setOpenLinks(false);
    body_->setUndoRedoEnabled(false);
    body_->setTabChangesFocus(true);
    body_->setFocusPolicy(Qt::ClickFocus);
    body_->setFrameShape(QFrame::NoFrame);
    body_->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    body_->viewport()->installEventFilter(this);

    auto* head = new QHBoxLayout;
    head->setSpacing(6);
    head->addWidget(symbol_);
    head->addWidget(score_);
    head->addStretch();
    head->addWidget(marks_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 8, 8);
    column->setSpacing(4);
    column->addLayout(head);
    column->addWidget(facts_);
    column->addWidget(body_, 1);
    column->addWidget(equation_);
    column->addWidget(reason_);
    setMinimumWidth(236);
}

void SampleCard::setSample(const Sample& sample, const QString& target, bool in_think) {
    sample_ = sample;
    target_ = target;
    in_think_ = in_think;
    refresh();
}

void SampleCard::setWhole(bool whole) {
    if (whole_ == whole) return;
    whole_ = whole;
    refresh();
}

QString SampleCard::render(const QString& text, bool in_think, qsizetype limit, const QPalette& palette) {
    const Theme& theme = Theme::of(palette);
    QColor mark = theme.accent;
    const QString dim = QStringLiteral("<span style='color:%1'>").arg(theme.muted.name());
    const QString answer = QStringLiteral("<span style='color:%1; font-weight:600'>").arg(mark.name());
    QString html;
    bool thinking = in_think;
    bool answering = false;
    if (thinking) html += dim;
    const QString shown = text.left(limit);
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
        }
    }
    if (answering) html += QStringLiteral("</span>");
    if (thinking) html += QStringLiteral("</span>");
    if (text.size() > limit)
        html += QStringLiteral("<br><i>%1</i>")
                    .arg(tr("… %1 more characters; Enter shows all").arg(text.size() - limit));
    return QStringLiteral("<div style='white-space:pre-wrap; overflow-wrap:anywhere'>%1</div>").arg(html);
}

QString SampleCard::equationLine() const {
    if (sample_.equation.empty()) return tr("no answer");
    QString line = toQt(sample_.equation);
    if (!sample_.value.empty()) {
        line += QStringLiteral(" = ") + toQt(sample_.value);
        if (!target_.isEmpty()) line += sample_.score >= 1 ? tr("  (target)") : tr("  ≠ %1").arg(target_);
    }
    return line;
}

void SampleCard::refresh() {
    const Theme& theme = Theme::current();
    const QColor color = verdictColor(theme, sample_.score);
    symbol_->setPixmap(
        icon(verdictIconName(sample_.score), color).pixmap(QSize(16, 16), devicePixelRatioF()));
    score_->setText(scoreText(sample_.score));
    QStringList marks{tr("#%1").arg(sample_.sample_index + 1)};
    if (pinned_) marks.prepend(tr("pinned"));
    if (chosen_) marks.prepend(tr("chosen"));
    marks_->setText(marks.join(QStringLiteral(" · ")));
    facts_->setText(tr("%1 tokens · %2 · logprob %3")
                        .arg(sample_.token_ids.size())
                        .arg(toQt(sample_.finish), QString::number(sample_.logprob, 'f', 1)));
    const QString text = toQt(sample_.text);
    body_->setHtml(render(text, in_think_, whole_ ? whole_limit : card_limit, palette()));
    equation_->setText(equationLine());
    reason_->setText(toQt(sample_.reason).left(160));
    reason_->setToolTip(toQt(sample_.reason).left(2000).toHtmlEscaped());
    const QString verdict = sample_.score >= 1  ? tr("right")
                            : sample_.score > 0 ? tr("wrong")
                                                : tr("no answer");
    setAccessibleName(tr("Sample %1, %2%3")
                          .arg(sample_.sample_index + 1)
                          .arg(verdict, chosen_ ? tr(", chosen") : QString()));
    setAccessibleDescription(equationLine() + QStringLiteral(". ") + toQt(sample_.reason));
    body_->setAccessibleName(tr("Text of sample %1").arg(sample_.sample_index + 1));
}

void SampleCard::setMark(const char* name, bool value) {
    if (property(name).toBool() == value) return;
    setProperty(name, value);
    style()->unpolish(this);
    style()->polish(this);
}

void SampleCard::setChosen(bool chosen) {
    setMark("chosen", chosen);
    if (chosen_ == chosen) return;
    chosen_ = chosen;
    refresh();
}

void SampleCard::setCurrent(bool current) {
    setMark("current", current);
    current_ = current;
}

void SampleCard::setPinned(bool pinned) {
    if (pinned_ == pinned) return;
    pinned_ = pinned;
    refresh();
}

void SampleCard::setCounted(bool counted) {
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

void SampleCard::mousePressEvent(QMouseEvent* event) {
    Q_EMIT pressed();
    QFrame::mousePressEvent(event);
}

bool SampleCard::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() == QEvent::MouseButtonPress) Q_EMIT pressed();
    if (event->type() == QEvent::MouseButtonDblClick) {
        Q_EMIT opened();
        return true;
    }
    return QFrame::eventFilter(watched, event);
}

void SampleCard::changeEvent(QEvent* event) {
    QFrame::changeEvent(event);
    if (event->type() == QEvent::PaletteChange) refresh();
}

} // namespace tempera
