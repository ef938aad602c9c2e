#include "ui/widgets/banner.h"

#include "ui/theme/icons.h"
#include "ui/theme/theme.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace tempera {

Banner::Banner(Kind kind, const QString& sentence, const QString& details, QWidget* parent) : QFrame(parent) {
    setObjectName(QStringLiteral("banner"));
    const char* names[] = {"info", "warning", "error"};
    setProperty("kind", QString::fromLatin1(names[static_cast<int>(kind)]));
    const Theme& theme = Theme::current();
    auto* symbol = new QLabel(this);
    const QColor color = kind == Kind::error     ? theme.failed
                         : kind == Kind::warning ? theme.paused
                                                 : theme.accent;
    symbol->setPixmap(
        iconPixmap(*this, kind == Kind::info ? QStringLiteral("info") : QStringLiteral("warning"), color));
    label_ = new QLabel(sentence, this);
    label_->setWordWrap(true);
    label_->setTextFormat(Qt::PlainText);
    label_->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    QSizePolicy policy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    policy.setHeightForWidth(true); // a long sentence gets all its lines
    label_->setSizePolicy(policy);

    row_ = new QHBoxLayout;
    row_->setSpacing(8);
    row_->addWidget(symbol);
    row_->addWidget(label_, 1);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 8, 12, 8);
    column->addLayout(row_);

    details_ = new QPlainTextEdit(details, this);
    details_->setReadOnly(true);
    details_->setMaximumHeight(120);
    details_->setAccessibleName(tr("Details"));
    details_->hide();
    column->addWidget(details_);
    if (!details.isEmpty()) {
        auto* more = new QPushButton(tr("Details"), this);
        more->setCheckable(true);
        connect(more, &QPushButton::toggled, details_, &QWidget::setVisible);
        row_->addWidget(more);
    }
    if (kind == Kind::error) {
        auto* copy = new QPushButton(icon(QStringLiteral("copy")), tr("Copy"), this);
        connect(copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(text()); });
        row_->addWidget(copy);
    }
    close_ = new QPushButton(icon(QStringLiteral("cancel")), {}, this);
    close_->setProperty("link", true);
    close_->setToolTip(tr("Dismiss"));
    close_->setAccessibleName(tr("Dismiss this message"));
    row_->addWidget(close_);
    connect(close_, &QPushButton::clicked, this, &Banner::closed);
    setAccessibleName(sentence);
}

QPushButton* Banner::addAction(const QString& text) {
    auto* button = new QPushButton(text, this);
    if (actions_ == 0) button->setProperty("primary", true);
    row_->insertWidget(2 + actions_++, button);
    // By Tab, too, before what stands right of it.
    QWidget* next = row_->itemAt(2 + actions_)->widget();
    QWidget::setTabOrder(next, button);
    QWidget::setTabOrder(button, next);
    return button;
}

void Banner::setClosable(bool closable) {
    close_->setVisible(closable);
}

QString Banner::text() const {
    const QString details = details_->toPlainText();
    return details.isEmpty() ? label_->text() : label_->text() + u'\n' + details;
}

} // namespace tempera
