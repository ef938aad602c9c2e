#include "ui/pages/funnel_page.h"

#include "ui/charts/funnel_bars.h"
#include "ui/theme/text.h"

#include <QLabel>
#include <QVBoxLayout>

#include <cmath>

namespace tempera {

namespace {

/// The last value of a metric; 0 where there is none.
double lastOf(const RunData& data, const char* name) {
    const auto found = data.metrics.find(name);
    return found == data.metrics.end() || found->second->y.empty() ? 0 : found->second->y.back();
}

} // namespace

FunnelPage::FunnelPage(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    bars_ = new FunnelBars(this);
    sentence_ = new QLabel(this);
    sentence_->setProperty("muted", true);
    sentence_->setFont(tabularFont(font()));
    sentence_->setWordWrap(true);
    sentence_->setContentsMargins(12, 0, 12, 12);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(4, 0, 4, 0); // the chart's title begins below the run's
    column->setSpacing(8);
    column->addWidget(bars_);
    column->addWidget(sentence_);
    column->addStretch(1);
    setFocusProxy(bars_);
}

void FunnelPage::setData(const RunDataPointer& data) {
    bars_->setCounts(data->headline);
    const auto kept = data->headline.find("new");
    QString text = kept != data->headline.end() && kept->second > 0
                       ? tr("Samples shows every problem, and why it was kept or rejected. The kept ones are "
                            "in artifacts/synthetic.jsonl, with their provenance beside them.")
                       : tr("No problem has been kept. Samples shows every one that came, and why it was "
                            "rejected.");
    const double tokens = lastOf(*data, "prompt_tokens") + lastOf(*data, "completion_tokens");
    QStringList spent;
    if (tokens > 0) spent << tr("%1 tokens").arg(wholeText(std::llround(tokens)));
    if (const double cost = lastOf(*data, "cost"); cost > 0)
        spent << tr("a price of %1").arg(cost, 0, 'f', 2); // in the currency of the endpoint's prices
    if (!spent.isEmpty()) text = tr("The teacher took %1. ").arg(spent.join(tr(" at "))) + text;
    sentence_->setText(text);
}

QString FunnelPage::sentence() const {
    return sentence_->text();
}

} // namespace tempera
