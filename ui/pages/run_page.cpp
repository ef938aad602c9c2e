#include "ui/pages/run_page.h"

#include "ui/charts/chart_link.h"
#include "ui/charts/line_chart.h"
#include "ui/pages/metric_panels.h"
#include "ui/theme/text.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSlider>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

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
    auto* reset = new QPushButton(tr("Show all"), this);
    reset->setToolTip(tr("Undo zooming and panning in all charts (double click in a chart)"));
    connect(reset, &QPushButton::clicked, this, [this] {
        for (LineChart* chart : shown_)
            chart->resetView();
    });
    auto* tools = new QHBoxLayout;
    tools->setContentsMargins(16, 8, 16, 4);
    tools->setSpacing(8);
    tools->addWidget(smoothing_label);
    tools->addWidget(smoothing_);
    tools->addWidget(smoothing_value);
    tools->addStretch();
    tools->addWidget(reset);

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
    scroll->setWidget(body);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addLayout(tools);
    column->addWidget(scroll, 1);
}

LineChart* RunPage::chartFor(const ShownPanel& panel) {
    LineChart*& chart = charts_[panel.key];
    if (chart) return chart;
    chart = new LineChart(panel.title, tr("step"), panel.unit, this);
    chart->setEmptyText(tr("Appears with the first logged step."));
    chart->setMinimumHeight(180);
    chart->setRedrawDelay(8 * static_cast<int>(charts_.size()));
    link_->add(chart);
    return chart;
}

void RunPage::arrange(const std::vector<LineChart*>& charts) {
    if (charts == shown_) return;
    for (LineChart* chart : shown_) {
        grid_->removeWidget(chart);
        chart->setVisible(std::find(charts.begin(), charts.end(), chart) != charts.end());
    }
    for (int row = 0; row < grid_->rowCount(); ++row)
        grid_->setRowStretch(row, 0);
    shown_ = charts;
    for (int place = 0; place < int(shown_.size()); ++place) {
        grid_->addWidget(shown_[std::size_t(place)], place / 2, place % 2);
        grid_->setRowStretch(place / 2, 1);
        shown_[std::size_t(place)]->show();
    }
}

void RunPage::setData(const RunDataPointer& data) {
    const bool other_run = !data_ || data_->run_id != data->run_id;
    data_ = data;
    std::vector<ChartEvent> events;
    for (const RunEvent& event : data->events)
        if (event.step >= 0 && event.kind != "log" && event.kind != "evaluation")
            events.push_back(
                {double(event.step), toQt(event.kind),
                 tr("step %1: %2 %3").arg(event.step).arg(toQt(event.kind), toQt(event.message))});
    std::vector<LineChart*> charts;
    for (ShownPanel& panel : panelsFor(data->metrics)) {
        LineChart* chart = chartFor(panel);
        chart->setLines(std::move(panel.lines));
        chart->setEvents(events);
        if (other_run) chart->resetView();
        charts.push_back(chart);
    }
    arrange(charts);
}

LineChart* RunPage::chart(const QString& key) const {
    const auto found = charts_.find(key);
    return found != charts_.end() && std::count(shown_.begin(), shown_.end(), found->second) > 0
               ? found->second
               : nullptr;
}

double RunPage::smoothing() const {
    return smoothing_->value() / 100.0;
}

void RunPage::setSmoothing(double weight) {
    smoothing_->setValue(static_cast<int>(weight * 100 + 0.5));
}

} // namespace tempera
