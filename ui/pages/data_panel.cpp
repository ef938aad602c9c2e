#include "ui/pages/data_panel.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/fact_grid.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/shrinkable.h"

#include <QComboBox>
#include <QSpinBox>
#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

namespace {

constexpr DataTask tasks[] = {DataTask::sft, DataTask::preferences, DataTask::prompts, DataTask::countdown};

/// What has to be chosen where nothing is detected.
std::vector<std::string> needed_roles(DataTask task) {
    switch (task) {
    case DataTask::sft:
        return {"messages", "prompt", "completion"};
    case DataTask::preferences:
        return {"chosen", "rejected", "prompt"};
    case DataTask::prompts:
        return {"prompt", "messages"};
    case DataTask::countdown:
        break;
    }
    return {"nums", "target"};
}

std::vector<std::string> names_of(const std::vector<DataColumn>& columns) {
    std::vector<std::string> names;
    for (const DataColumn& column : columns)
        names.push_back(column.name);
    return names;
}

} // namespace

std::vector<std::string> roles_of(DataTask task) {
    switch (task) {
    case DataTask::sft:
        return {"messages", "prompt", "input", "completion", "text", "nums", "target"};
    case DataTask::preferences:
        return {"chosen",         "rejected", "prompt",     "input", "score_chosen",
                "score_rejected", "margin",   "completion", "text",  "score"};
    case DataTask::prompts:
        return {"prompt", "input", "messages", "constraints", "nums", "target"};
    case DataTask::countdown:
        break;
    }
    return {"nums", "target"};
}

QString taskText(DataTask task) {
    switch (task) {
    case DataTask::sft:
        return DataPanel::tr("Fine-tuning");
    case DataTask::preferences:
        return DataPanel::tr("Preferences");
    case DataTask::prompts:
        return DataPanel::tr("Prompts to answer");
    case DataTask::countdown:
        break;
    }
    return DataPanel::tr("Countdown problems");
}

DataPanel::DataPanel(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    form_ = new FormSection({}, {}, this);
    task_ = new QComboBox(form_);
    shrinkable(task_, 8);
    roles_holder_ = new QWidget(form_);
    auto* holder = new QVBoxLayout(roles_holder_);
    holder->setContentsMargins(0, 0, 0, 0);
    holder->setSpacing(4);
    more_ = new QToolButton(roles_holder_);
    more_->setObjectName(QStringLiteral("groupHead"));
    more_->setText(tr("More columns"));
    more_->setToolTip(tr("What else a row may have for this use"));
    more_->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    more_->setCheckable(true);
    more_->setAutoRaise(true);
    model_ = new QComboBox(form_);
    shrinkable(model_, 8);
    model_->addItem(tr("none: count characters"), QString());
    length_ = new QSpinBox(form_);
    length_->setRange(8, 1 << 20);
    length_->setValue(1024);
    length_->setSuffix(tr(" tokens"));
    length_->setButtonSymbols(QAbstractSpinBox::NoButtons);
    form_->addField(tr("Rows are &for"), task_);
    form_->addWidget(roles_holder_);
    form_->addField(tr("&Tokenizer of"), model_);
    form_->addField(tr("Rows are &cut at"), length_);
    facts_ = new FactGrid(this);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 12, 16, 12);
    column->setSpacing(16);
    column->addWidget(form_);
    column->addWidget(facts_);
    column->addStretch();
    connect(more_, &QToolButton::toggled, this, &DataPanel::fold);
    connect(task_, &QComboBox::currentIndexChanged, this, [this] {
        if (!filling_) taskChosen();
    });
    connect(model_, &QComboBox::currentIndexChanged, this, [this] {
        if (!filling_) Q_EMIT tokensChanged();
    });
    connect(length_, &QSpinBox::valueChanged, this, &DataPanel::tokensChanged);
}

void DataPanel::setSplit(const DataSplitInfo& split) {
    const bool same = names_of(split.columns) == names_of(split_.columns) && task_->count() > 0;
    split_ = split;
    if (same) {
        check();
        return;
    }
    filling_ = true;
    task_->clear();
    for (const DataTask task : tasks) {
        const bool detected = std::any_of(split.detected.begin(), split.detected.end(),
                                          [&](const DetectedTask& each) { return each.task == task; });
        task_->addItem(detected ? tr("%1 (detected)").arg(taskText(task)) : taskText(task), int(task));
    }
    const DataTask first = split.detected.empty() ? DataTask::sft : split.detected.front().task;
    task_->setCurrentIndex(task_->findData(int(first)));
    filling_ = false;
    taskChosen();
}

void DataPanel::setFacts(std::vector<Fact> facts) {
    facts_->setFacts(std::move(facts));
}

void DataPanel::setModels(const ShelfPointer& models) {
    models_ = models;
    filling_ = true;
    const QString before = model_->currentData().toString();
    model_->clear();
    model_->addItem(tr("none: count characters"), QString());
    for (const ShelvedModel& each : *models)
        if (each.info && each.info->tokenizer && each.info->tokenizer->problem.empty()
            && each.info->kind == ModelInfo::Kind::model)
            model_->addItem(toQt(each.model.name), toQt(each.model.reference));
    const int same = model_->findData(before);
    model_->setCurrentIndex(std::max(0, same));
    filling_ = false;
    if (same < 0) Q_EMIT tokensChanged();
}

void DataPanel::taskChosen() {
    rebuildRoles();
    check();
    Q_EMIT readingChanged();
}

QComboBox* DataPanel::makeColumnBox(const std::string& role, const ColumnMapping& detected, QWidget* parent) {
    auto* box = new QComboBox(parent);
    shrinkable(box, 8);
    const auto found = detected.column_of.find(role);
    box->addItem(found == detected.column_of.end() ? tr("–") : tr("%1 (detected)").arg(toQt(found->second)),
                 QString());
    for (const DataColumn& column : split_.columns) {
        box->addItem(toQt(column.name), toQt(column.name));
        box->setItemData(box->count() - 1, toQt(column.type + ": " + column.example), Qt::ToolTipRole);
    }
    connect(box, &QComboBox::currentIndexChanged, this, [this] {
        check();
        Q_EMIT readingChanged();
    });
    return box;
}

/// What is detected, or has to be chosen, stands open; what else there may be is folded away, so that what is
/// known of the rows is seen below.
void DataPanel::rebuildRoles() {
    delete roles_;
    delete others_;
    roles_ = new FormSection({}, {}, roles_holder_);
    others_ = new FormSection({}, {}, roles_holder_);
    columns_.clear();
    const auto task = DataTask(task_->currentData().toInt());
    const ColumnMapping detected = detect_columns(task, names_of(split_.columns));
    const std::vector<std::string> needed = needed_roles(task);
    bool any_other = false;
    for (const std::string& role : roles_of(task)) {
        const bool open = detected.empty() ? std::find(needed.begin(), needed.end(), role) != needed.end()
                                           : detected.column_of.contains(role);
        FormSection* section = open ? roles_ : others_;
        any_other |= !open;
        columns_[role] = makeColumnBox(role, detected, section);
        section->addField(toQt(role), columns_[role]);
    }
    auto* holder = static_cast<QVBoxLayout*>(roles_holder_->layout());
    holder->insertWidget(0, roles_);
    holder->addWidget(more_);
    holder->addWidget(others_);
    more_->setVisible(any_other);
    fold(more_->isChecked());
    setReadingOrder({task_, roles_, more_, others_, model_});
}

void DataPanel::fold(bool open) {
    more_->setIcon(icon(open ? QStringLiteral("unfold") : QStringLiteral("fold")));
    others_->setVisible(open);
    settleLayouts(roles_, this);
}

QComboBox* DataPanel::columnBox(const std::string& role) const {
    const auto found = columns_.find(role);
    return found == columns_.end() ? nullptr : found->second;
}

DataReading DataPanel::reading() const {
    DataReading reading;
    reading.task = DataTask(task_->currentData().toInt());
    for (const auto& [role, box] : columns_)
        if (const QString column = box->currentData().toString(); !column.isEmpty())
            reading.columns.column_of[role] = fromQt(column);
    return reading;
}

ColumnMapping DataPanel::mapping() const {
    const DataReading now = reading();
    return detect_columns(now.task, names_of(split_.columns), now.columns);
}

void DataPanel::check() {
    if (!split_.problem.isEmpty())
        form_->setProblem(split_.problem);
    else if (!split_.columns.empty() && mapping().empty())
        form_->setProblem(
            tr("These columns make no row for this: choose above which column is which, or another use."));
    else
        form_->setProblem({});
}

TokenWish DataPanel::tokens() const {
    TokenWish wish;
    wish.max_length = length_->value();
    const std::string reference = modelReference();
    for (const ShelvedModel& each : *models_)
        if (!reference.empty() && each.model.reference == reference) wish.model = each.model.path;
    return wish;
}

std::string DataPanel::modelReference() const {
    return fromQt(model_->currentData().toString());
}

} // namespace tempera
