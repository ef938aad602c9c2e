#include "ui/pages/run_page.h"

#include "ui/charts/chart_link.h"
#include "ui/charts/line_chart.h"
#include "ui/charts/path_chart.h"
#include "ui/pages/metric_panels.h"
#include "ui/theme/text.h"
#include "ui/widgets/reading_order.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSlider>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

/// A chart takes a few milliseconds to make: hundreds at once would hold the window up.
static constexpr std::size_t new_at_once = 8;

RunPage::RunPage(QWidget* parent) : QWidget(parent), link_(new ChartLink(this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    smoothing_ = new QSlider(Qt::Horizontal, this);
    smoothing_->setRange(0, 99);
    smoothing_->setValue(80);
    smoothing_->setFixedWidth(120);
    smoothing_->setAccessibleName(tr("Smoothing"));
    auto* smoothing_label = new QLabel(tr("Smoothing"), this);
    smoothing_label->setProperty("muted", true);
    auto* smoothing_value = new QLabel(this);
    smoothing_value->setFont(tabularFont(font()));
    smoothing_value->setText(scoreText(0.8));
    connect(smoothing_, &QSlider::valueChanged, this, [this, smoothing_value](int value) {
        smoothing_value->setText(scoreText(value / 100.0));
        Q_EMIT smoothingChanged(value / 100.0);
    });
    reset_ = new QPushButton(tr("Show all"), this);
    reset_->setToolTip(tr("Undo zooming and panning in all charts (double click in a chart)"));
    connect(reset_, &QPushButton::clicked, this, [this] {
        for (PlotChart* chart : shown_)
            chart->resetView();
    });
    auto* tools = new QHBoxLayout;
    tools->setContentsMargins(16, 8, 16, 4);
    tools->setSpacing(8);
    tools->addWidget(smoothing_label);
    tools->addWidget(smoothing_);
    tools->addWidget(smoothing_value);
    tools->addStretch();
    tools->addWidget(reset_);

    auto* body = new QWidget(this);
    body->setObjectName(QStringLiteral("page"));
    grid_ = new QGridLayout(body);
    grid_->setContentsMargins(4, 0, 4, 4);
    grid_->setSpacing(4);
    grid_->setColumnStretch(0, 1);
    grid_->setColumnStretch(1, 1);
    auto* scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus); // its keys reach it from what is inside
    scroll->setWidget(body);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(tools);
    column->addWidget(scroll, 1);
    more_timer_.setSingleShot(true);
    more_timer_.setInterval(0);
    connect(&more_timer_, &QTimer::timeout, this, [this] { setData(data_); });
}

void RunPage::setRun(const RunRecord& run) {
    const bool over = has_ended(run.status);
    if (run.kind == kind_ && over == ended_) return;
    kind_ = run.kind;
    ended_ = over;
    for (const auto& [key, chart] : charts_)
        chart->setEmptyText(emptyText());
}

QString RunPage::emptyText() const {
    return ended_ ? tr("The run ended before it logged a step.") : tr("Appears with the first logged step.");
}

LineChart* RunPage::chartFor(const ShownPanel& panel) {
    LineChart*& chart = charts_[panel.key];
    if (chart) return chart;
    chart = new LineChart(panel.title, tr("step"), panel.unit, this);
    chart->setEmptyText(emptyText());
    chart->setMinimumHeight(fontMetrics().height() * 12);
    chart->setRedrawDelay(8 * static_cast<int>(charts_.size()));
    link_->add(chart);
    return chart;
}

/// The path of the policy away from its reference, and what it gained: as the literature on over-optimisation
/// plots it, against the KL of whole completions where that is measured.
PathChart* RunPage::pathFor(const RunData& data) {
    const auto series = [&](const char* name) {
        const auto found = data.metrics.find(name);
        return found == data.metrics.end() ? nullptr : found->second;
    };
    const SeriesPointer sums = series("kl_sum");
    const SeriesPointer kl = sums ? sums : series("kl"), reward = series("reward");
    if (!kl || !reward) return nullptr;
    if (!path_) {
        path_ = new PathChart(tr("Reward against KL"), {}, tr("reward"), this);
        path_->setMinimumHeight(fontMetrics().height() * 12);
        path_->setRedrawDelay(4);
        link_->addCursorOnly(path_);
    }
    path_->setXLabel(sums ? tr("KL of a whole completion, nats") : tr("KL to the reference, nats"));
    path_->setData(kl, reward);
    return path_;
}

void RunPage::arrange(const std::vector<PlotChart*>& charts) {
    if (charts == shown_) return;
    const auto [old, fresh] = std::mismatch(shown_.begin(), shown_.end(), charts.begin(), charts.end());
    for (auto chart = old; chart != shown_.end(); ++chart) {
        grid_->removeWidget(*chart);
        (*chart)->setVisible(std::find(charts.begin(), charts.end(), *chart) != charts.end());
    }
    for (int row = 0; row < grid_->rowCount(); ++row)
        grid_->setRowStretch(row, row < int(charts.size() + 1) / 2 ? 1 : 0);
    for (auto chart = fresh; chart != charts.end(); ++chart) {
        const int place = static_cast<int>(chart - charts.begin());
        grid_->addWidget(*chart, place / 2, place % 2);
        grid_->setRowStretch(place / 2, 1);
        (*chart)->show();
    }
    shown_ = charts;
    std::vector<QWidget*> order{smoothing_, reset_};
    order.insert(order.end(), shown_.begin(), shown_.end());
    setReadingOrder(order);
}

void RunPage::setData(const RunDataPointer& data) {
    if (!data_ || data_->run_id != data->run_id) { // what was zoomed was another run's
        for (const auto& [key, chart] : charts_)
            chart->resetView();
        if (path_) path_->resetView();
    }
    data_ = data;
    std::vector<ChartEvent> events;
    for (const RunEvent& event : data->events)
        if (event.step >= 0 && event.kind != "log" && event.kind != "evaluation")
            events.push_back(
                {double(event.step), toQt(event.kind),
                 tr("Step %1, %2: %3").arg(event.step).arg(toQt(event.kind), toQt(event.message))});
    std::vector<PlotChart*> charts;
    PathChart* path = pathFor(*data);
    const std::size_t most = charts_.size() + new_at_once;
    for (ShownPanel& panel : panelsFor(data->metrics, kind_)) {
        if (charts_.size() == most && charts_.count(panel.key) == 0) {
            more_timer_.start(); // the rest at the next turns of the event loop
            break;
        }
        LineChart* chart = chartFor(panel);
        chart->setLines(std::move(panel.lines));
        chart->setEvents(events);
        charts.push_back(chart);
        if (path && panel.key == QLatin1String("kl")) charts.push_back(path);
    }
    arrange(charts);
}

LineChart* RunPage::chart(const QString& key) const {
    const auto found = charts_.find(key);
    return found != charts_.end() && shows(found->second) ? found->second : nullptr;
}

PathChart* RunPage::path() const {
    return shows(path_) ? path_ : nullptr;
}

bool RunPage::shows(const PlotChart* chart) const {
    return std::find(shown_.begin(), shown_.end(), chart) != shown_.end();
}

double RunPage::smoothing() const {
    return smoothing_->value() / 100.0;
}

void RunPage::setSmoothing(double weight) {
    smoothing_->setValue(static_cast<int>(weight * 100 + 0.5));
}

} // namespace tempera
