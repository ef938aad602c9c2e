#include "ui/widgets/page_head.h"

#include "ui/theme/text.h"
#include "ui/widgets/elided_label.h"

#include <QHBoxLayout>
#include <QVBoxLayout>

namespace tempera {

PageHead::PageHead(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("header"));
    setAttribute(Qt::WA_StyledBackground);
    name_ = new ElidedLabel({}, this, Qt::ElideMiddle);
    name_->setFont(titleFont(font()));
    about_ = new ElidedLabel({}, this, Qt::ElideMiddle);
    about_->setProperty("muted", true);
    auto* names = new QVBoxLayout;
    names->setSpacing(2);
    names->addWidget(name_);
    names->addWidget(about_);
    line_ = new QHBoxLayout;
    line_->setSpacing(8);
    line_->addLayout(names, 1);
    column_ = new QVBoxLayout(this);
    column_->setContentsMargins(16, 12, 16, 12);
    column_->setSpacing(8);
    column_->addLayout(line_);
}

} // namespace tempera
