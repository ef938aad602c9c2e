#include "ui/pages/run_page.h"

#include "ui/charts/chart_link.h"
#include "ui/charts/line_chart.h"
#include "ui/theme/text.h"

#include <QGridLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QPushButton>
#include <QScrollArea>
#include <QSlider>
#include <QVBoxLayout>

namespace tempera {

RunPage::RunPage(QWidget* parent) : QWidget(parent), link_(new ChartLink(this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    const auto panel = [this](const QString& key, const QString& title, const QString& unit,
                              std::vector<std::pair<std::string, QString>> metrics, bool always) {
        auto* chart = new LineChart(title, tr("step"), unit, this);
        chart->setEmptyText(tr("Appears with the first logged step."));
        chart->setMinimumHeight(180);
        chart->setRedrawDelay(8 * static_cast<int>(panels_.size()));
        link_->add(chart);
        panels_.push_back({key, chart, std::move(metrics), always});
    };
    panel(QStringLiteral("loss"), tr("Loss"), tr("nats per token"),
          {{"loss", tr("train")}, {"eval_loss", tr("validation")}}, true);
    panel(QStringLiteral("accuracy"), tr("Token accuracy"), tr("share"),
          {{"mean_token_accuracy", tr("train")}, {"eval_mean_token_accuracy", tr("validation")}}, true);
    panel(QStringLiteral("learning_rate"), tr("Learning rate"), {}, {{"learning_rate", {}}}, true);
    panel(QStringLiteral("throughput"), tr("Throughput"), tr("tokens/s"), {{"tokens_per_second", {}}}, true);
    panel(QStringLiteral("grad_norm"), tr("Gradient norm"), tr("before clipping"), {{"grad_norm", {}}},
          false);
    panel(QStringLiteral("entropy"), tr("Entropy"), tr("nats"), {{"entropy", {}}}, false);

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
        for (const Panel& panel : panels_)
            panel.chart->resetView();
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
    arrange();
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

void RunPage::arrange() {
    int place = 0;
    for (const Panel& panel : panels_) {
        const bool measured = data_ && data_->metrics.count(panel.metrics.front().first) > 0;
        const bool shown = panel.always || measured;
        panel.chart->setVisible(shown);
        if (!shown) continue;
        if (grid_->indexOf(panel.chart) < 0) grid_->addWidget(panel.chart, place / 2, place % 2);
        ++place;
    }
    for (int row = 0; row < 3; ++row)
        grid_->setRowStretch(row, 1);
    grid_->setColumnStretch(0, 1);
    grid_->setColumnStretch(1, 1);
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
    for (const Panel& panel : panels_) {
        std::vector<LineChart::Line> lines;
        for (const auto& [metric, name] : panel.metrics) {
            const auto found = data->metrics.find(metric);
            if (found == data->metrics.end()) continue;
            const bool evaluation = metric.starts_with("eval_");
            lines.push_back({name, found->second, evaluation ? 1 : 0, evaluation});
        }
        panel.chart->setLines(std::move(lines));
        panel.chart->setEvents(events);
        if (other_run) panel.chart->resetView();
    }
    arrange();
}

LineChart* RunPage::chart(const QString& key) const {
    for (const Panel& panel : panels_)
        if (panel.key == key) return panel.chart;
    return nullptr;
}

double RunPage::smoothing() const {
    return smoothing_->value() / 100.0;
}

void RunPage::setSmoothing(double weight) {
    smoothing_->setValue(static_cast<int>(weight * 100 + 0.5));
}

} // namespace tempera
