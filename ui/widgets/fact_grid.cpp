#include "ui/widgets/fact_grid.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QGridLayout>
#include <QLabel>

namespace tempera {

FactGrid::FactGrid(QWidget* parent) : QWidget(parent), grid_(new QGridLayout(this)) {
    grid_->setContentsMargins(0, 0, 0, 0);
    grid_->setHorizontalSpacing(16);
    grid_->setVerticalSpacing(8);
    grid_->setColumnStretch(2, 1);
}

void FactGrid::setFacts(std::vector<Fact> facts) {
    if (facts == facts_) return;
    facts_ = std::move(facts);
    while (QLayoutItem* item = grid_->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    int row = 0;
    for (const Fact& fact : facts_) {
        auto* label = new QLabel(fact.label, this);
        label->setProperty("muted", true);
        label->setTextFormat(Qt::PlainText);
        grid_->addWidget(label, row, 0, Qt::AlignTop | Qt::AlignLeft);
        if (fact.warning) {
            auto* sign = new QLabel(this);
            sign->setPixmap(iconPixmap(*this, QStringLiteral("warning"), Theme::current().paused));
            grid_->addWidget(sign, row, 1, Qt::AlignTop);
        }
        auto* text = new QLabel(fact.text, this);
        text->setTextFormat(Qt::PlainText);
        text->setWordWrap(true);
        text->setTextInteractionFlags(Qt::TextSelectableByMouse);
        text->setFont(fact.mono ? monoFont(font()) : tabularFont(font()));
        text->setAccessibleName(QStringLiteral("%1: %2").arg(fact.label, fact.text));
        if (fact.warning)
            grid_->addWidget(text, row, 2);
        else
            grid_->addWidget(text, row, 1, 1, 2);
        ++row;
    }
}

QString FactGrid::text() const {
    QString text;
    for (const Fact& fact : facts_)
        text += QStringLiteral("%1: %2\n").arg(fact.label, fact.text);
    return text;
}

} // namespace tempera
