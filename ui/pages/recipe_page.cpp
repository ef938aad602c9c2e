#include "ui/pages/recipe_page.h"

#include "core/recipe/field.h"
#include "ui/forms/field_text.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/reading_order.h"

#include <QClipboard>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QPushButton>
#include <QTableWidget>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

namespace {

const RecipeKind* kindOf(const std::string& name) {
    const auto& kinds = recipe_kinds();
    const auto found =
        std::find_if(kinds.begin(), kinds.end(), [&](const RecipeKind& kind) { return kind.kind == name; });
    return found == kinds.end() ? nullptr : &*found;
}

} // namespace

RecipePage::RecipePage(QWidget* parent) : QWidget(parent), table_(new QTableWidget(0, 3, this)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    table_->setHorizontalHeaderLabels({tr("Field"), tr("Value"), tr("Default")});
    table_->horizontalHeader()->setSectionResizeMode(QHeaderView::Interactive);
    table_->horizontalHeader()->setStretchLastSection(true);
    table_->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table_->horizontalHeader()->setHighlightSections(false);
    table_->verticalHeader()->hide();
    table_->setShowGrid(false);
    table_->setEditTriggers(QAbstractItemView::NoEditTriggers);
    table_->setSelectionBehavior(QAbstractItemView::SelectRows);
    table_->setWordWrap(false);
    table_->setColumnWidth(0, 240);
    table_->setColumnWidth(1, 280);
    table_->setAccessibleName(tr("Recipe of the run"));
    reuse_ = new QPushButton(icon(QStringLiteral("new-run")), tr("New run from this"), this);
    auto* copy = new QPushButton(icon(QStringLiteral("copy")), tr("Copy JSON"), this);
    connect(copy, &QPushButton::clicked, this, [this] {
        const Json recipe = Json::parse(shown_, nullptr, false);
        QGuiApplication::clipboard()->setText(recipe.is_discarded() ? toQt(shown_) : toQt(recipe.dump(2)));
    });
    connect(reuse_, &QPushButton::clicked, this, [this] {
        const Json recipe = Json::parse(shown_, nullptr, false);
        if (recipe.is_object()) Q_EMIT reuseRequested(recipe);
    });
    auto* tools = new QHBoxLayout;
    tools->setContentsMargins(4, 8, 12, 4);
    tools->addStretch();
    tools->addWidget(copy);
    tools->addWidget(reuse_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(12, 0, 4, 0);
    column->addLayout(tools);
    column->addWidget(table_);
    setReadingOrder({copy, reuse_, table_});
}

void RecipePage::setRun(const RunRecord& run) {
    if (run.recipe == shown_) return;
    shown_ = run.recipe;
    table_->setRowCount(0);
    const Json recipe = Json::parse(shown_, nullptr, false);
    if (!recipe.is_object()) return;
    const RecipeKind* kind = kindOf(run.kind);
    reuse_->setEnabled(kind != nullptr); // what was imported cannot be run again
    const auto add = [this](const QString& label, const QString& value, const QString& fallback,
                            const QString& tip, bool changed) {
        const int row = table_->rowCount();
        table_->insertRow(row);
        const QString texts[] = {label, value, fallback};
        for (int column = 0; column < 3; ++column) {
            auto* item = new QTableWidgetItem(texts[column]);
            item->setToolTip(tipText(column == 1 ? value : tip));
            QFont font = table_->font();
            if (changed && column == 1) font.setWeight(QFont::DemiBold);
            item->setFont(font);
            if (column == 2) item->setForeground(palette().color(QPalette::PlaceholderText));
            table_->setItem(row, column, item);
        }
    };
    for (const auto& [key, value] : recipe.items()) {
        if (kind && std::any_of(kind->fields.begin(), kind->fields.end(), [&](const Field& field) {
                return field.name == key;
            }))
            continue;
        QString label = toQt(key);
        if (!label.isEmpty()) label[0] = label[0].toUpper(); // as the labels of fields begin
        add(label, fieldText(value), {}, toQt(key), false);
    }
    if (!kind) return;
    for (const Field& field : kind->fields) {
        const auto value = recipe.find(field.name);
        if (value == recipe.end()) continue;
        const QString unit = field.unit.empty() ? QString() : u' ' + toQt(field.unit);
        const bool changed = *value != field.default_value;
        add(toQt(field.label.empty() ? field.name : field.label), fieldText(*value) + unit,
            changed ? fieldText(field.default_value) : QString(),
            QStringLiteral("%1\n%2").arg(toQt(field.name), toQt(field.help)), changed);
    }
}

} // namespace tempera
