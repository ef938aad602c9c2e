#include "ui/pages/figure5_page.h"

#include "core/recipe/catalogue.h"
#include "ui/charts/heat_map.h"
#include "ui/charts/score_curves.h"
#include "ui/charts/temperature_strip.h"
#include "ui/theme/text.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/tool_row.h"

#include <QCheckBox>
#include <QComboBox>
#include <QSplitter>
#include <QVBoxLayout>

#include <limits>

namespace tempera {

Figure5Page::Figure5Page(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    curves_ = new ScoreCurves(this);
    map_ = new HeatMap(this);
    strip_ = new TemperatureStrip(this);
    splitter_ = new QSplitter(Qt::Horizontal, this);
    splitter_->setObjectName(QStringLiteral("figure5"));
    splitter_->addWidget(curves_);
    splitter_->addWidget(map_);
    splitter_->setChildrenCollapsible(false);
    splitter_->setSizes({1000, 1000});

    paper_ = new QCheckBox(tr("&Paper's values"), this);
    paper_->setChecked(true);
    all_ = new QCheckBox(tr("&Every N"), this);
    all_->setToolTip(tr("Also draw the lines of the other N, thin"));
    map_choice_ = new QComboBox(this);
    map_choice_->addItem(tr("Viridis"));
    map_choice_->addItem(tr("Cividis"));
    map_choice_->setToolTip(tr("Colours of the map; cividis reads the same with a colour-vision deficiency"));
    map_choice_->setAccessibleName(tr("Colours of the map"));
    caption_ = new ElidedLabel({}, this);
    caption_->setProperty("muted", true);
    caption_->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
    auto* bar = new QWidget(this);
    auto* tools = new ToolRow(bar);
    tools->setSpacing(16);
    tools->addWidget(caption_);
    tools->addWidget(all_);
    tools->addWidget(paper_);
    tools->addWidget(map_choice_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(bar);
    auto* charts = new QVBoxLayout;
    charts->setContentsMargins(4, 0, 4, 0); // their titles begin where the caption does
    charts->setSpacing(0);
    charts->addWidget(splitter_, 1);
    charts->addWidget(strip_);
    column->addLayout(charts, 1);
    setReadingOrder({all_, paper_, map_choice_, curves_, map_, strip_});

    connect(all_, &QCheckBox::toggled, curves_, &ScoreCurves::setShowAll);
    connect(paper_, &QCheckBox::toggled, this, &Figure5Page::showReported);
    connect(map_choice_, &QComboBox::currentIndexChanged, this,
            [this](int index) { map_->setColorMap(index == 1 ? ColorMap::cividis : ColorMap::viridis); });
    connect(map_, &HeatMap::cellClicked, this, &Figure5Page::cellOpened);
    connect(curves_, &ScoreCurves::cellClicked, this, &Figure5Page::cellOpened);
    const double none = std::numeric_limits<double>::quiet_NaN();
    connect(map_, &HeatMap::cellHovered, this, [this, none](double temperature, int n) {
        curves_->setCursor(n > 0 ? temperature : none);
        strip_->highlight(n > 0 ? temperature : none);
    });
    connect(curves_, &PlotChart::cursorMoved, strip_, &TemperatureStrip::highlight);
}

Figure5Page::~Figure5Page() = default;

void Figure5Page::setData(const RunDataPointer& data) {
    const SweepTable table(data->cells);
    curves_->setTable(table);
    map_->setTable(table);
    strip_->setRows(data->rows);
    std::int64_t done = 0;
    std::int64_t total = 0;
    for (const SweepRow& row : data->rows) {
        done += row.samples_done;
        total += row.samples_total;
    }
    caption_->setText(total > 0
                          ? tr("%1 of %2 samples verified. Each N is estimated from the same pool; bands are "
                               "bootstrap 95 % intervals over problems.")
                                .arg(wholeText(done), wholeText(total))
                          : QString());
}

void Figure5Page::setPaperValues(const PaperValues& values) {
    values_ = std::make_unique<PaperValues>(values);
    paper_->setToolTip(tr("Overlay what the paper reports: %1").arg(toQt(values.source)));
    showReported();
}

void Figure5Page::showReported() {
    std::vector<ReportedScore> reported;
    if (values_ && paper_->isChecked()) {
        reported.push_back({1, std::nullopt, values_->sft, tr("paper, one sample")});
        reported.push_back({values_->best_n, values_->best_temperature, values_->best_of_n,
                            tr("paper, best of %1").arg(values_->best_n)});
    }
    curves_->setReported(std::move(reported));
}

} // namespace tempera
