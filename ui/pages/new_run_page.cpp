#include "ui/pages/new_run_page.h"

#include "core/base/error.h"
#include "core/recipe/study.h"
#include "ui/forms/plan.h"
#include "ui/forms/recipe_form.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/reading_order.h"
#include "ui/widgets/shrinkable.h"

#include <QCheckBox>
#include <QClipboard>
#include <QComboBox>
#include <QGuiApplication>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QSignalBlocker>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

namespace {

/// As tall as its text needs, up to half a page; more is scrolled.
class PlanScroll final : public QScrollArea {
public:
    explicit PlanScroll(QWidget* parent) : QScrollArea(parent) {
        setWidgetResizable(true);
        setFrameShape(QFrame::NoFrame);
        setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
        setObjectName(QStringLiteral("planScroll"));
        QSizePolicy policy(QSizePolicy::Preferred, QSizePolicy::Maximum);
        policy.setHeightForWidth(true);
        setSizePolicy(policy);
    }
    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override {
        const int most = fontMetrics().lineSpacing() * 14;
        return widget() ? std::min(widget()->heightForWidth(width), most) : most;
    }
    QSize sizeHint() const override { return {200, heightForWidth(width())}; }
    QSize minimumSizeHint() const override { return {120, fontMetrics().lineSpacing() * 3}; }
};

QLabel* fieldLabel(const QString& text, QWidget* buddy, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setBuddy(buddy);
    return label;
}

} // namespace

NewRunPage::NewRunPage(std::vector<CatalogueEntry> shipped, QWidget* parent)
    : QWidget(parent), shipped_(std::move(shipped)) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    start_from_ = new QComboBox(this);
    shrinkable(start_from_, 8);
    start_from_->setAccessibleName(tr("Start from"));
    for (const CatalogueEntry& entry : shipped_)
        start_from_->addItem(icon(is_study(entry.recipe) ? QStringLiteral("study") : QStringLiteral("runs")),
                             toQt(entry.title.empty() ? entry.name : entry.title), toQt(entry.name));
    for (const RecipeKind& kind : recipe_kinds())
        start_from_->addItem(icon(toQt(kind.kind)), tr("Empty: %1").arg(toQt(kind.title)),
                             QString(QStringLiteral("kind:") + toQt(kind.kind)));
    // What runs on any machine stands first; an empty workspace tells of it.
    start_from_->setCurrentIndex(std::max(0, start_from_->findData(QStringLiteral("figure-5"))));
    about_ = new QLabel(this);
    about_->setTextFormat(Qt::PlainText);
    about_->setWordWrap(true);
    about_->setProperty("muted", true);
    name_ = new QLineEdit(this);
    name_->setPlaceholderText(tr("chosen for you when left empty"));
    name_->setMaxLength(120);
    all_ = new QCheckBox(tr("&All fields"), this);
    problem_ = new QLabel(this);
    problem_->setProperty("problem", true);
    problem_->setWordWrap(true);
    problem_->hide();

    form_body_ = new QWidget(this);
    form_body_->setObjectName(QStringLiteral("formBody"));
    auto* outer = new QVBoxLayout(form_body_);
    outer->setContentsMargins(16, 12, 16, 16);
    outer->setSpacing(4);
    auto* head = new QHBoxLayout;
    head->addWidget(makeTitle(tr("New run"), this), 1);
    head->addWidget(all_);
    outer->addLayout(head);
    outer->addSpacing(8);
    outer->addWidget(fieldLabel(tr("Start &from"), start_from_, this));
    outer->addWidget(start_from_);
    outer->addWidget(about_);
    outer->addSpacing(8);
    outer->addWidget(fieldLabel(tr("&Name"), name_, this));
    outer->addWidget(name_);
    outer->addWidget(problem_);
    outer->addSpacing(8);
    form_column_ = new QVBoxLayout;
    form_column_->setSpacing(12);
    outer->addLayout(form_column_);
    outer->addStretch();
    form_body_->setMaximumWidth(640);
    auto* scroll = new QScrollArea(this);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setFocusPolicy(Qt::NoFocus); // its keys reach it from what is inside
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(form_body_);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 16, 0);
    row->addWidget(scroll, 3);
    row->addWidget(buildSide(), 2);

    setFocusProxy(start_from_);
    check_timer_.setSingleShot(true);
    check_timer_.setInterval(60);
    connect(&check_timer_, &QTimer::timeout, this, &NewRunPage::check);
    connect(start_from_, &QComboBox::currentIndexChanged, this, &NewRunPage::chosen);
    connect(name_, &QLineEdit::textChanged, &check_timer_, qOverload<>(&QTimer::start));
    connect(all_, &QCheckBox::toggled, this, [this](bool all) {
        for (RecipeForm* form : forms_)
            form->showAll(all);
    });
}

void NewRunPage::showEvent(QShowEvent* event) {
    if (base_.empty()) chosen(start_from_->currentIndex()); // not before: forms take their time
    QWidget::showEvent(event);
}

QWidget* NewRunPage::buildSide() {
    auto* side = new QWidget(this);
    auto* box = new QFrame(side);
    box->setObjectName(QStringLiteral("planBox"));
    plan_scroll_ = new PlanScroll(box);
    plan_ = new QLabel;
    plan_scroll_->setWidget(plan_);
    plan_scroll_->setAccessibleName(tr("Plan"));
    plan_->setTextFormat(Qt::RichText);
    plan_->setWordWrap(true);
    plan_->setAlignment(Qt::AlignTop);
    plan_->setFont(tabularFont(font()));
    plan_->setAccessibleName(tr("Plan"));
    auto* inside = new QVBoxLayout(box);
    inside->setContentsMargins(16, 12, 16, 12);
    inside->addWidget(plan_scroll_);
    json_ = new QPlainTextEdit(side);
    json_->setReadOnly(true);
    json_->setFont(monoFont(font()));
    json_->setLineWrapMode(QPlainTextEdit::WidgetWidth);
    json_->setTabChangesFocus(true);
    json_->setAccessibleName(tr("Recipe as JSON"));
    start_ = new QPushButton(icon(QStringLiteral("start"), QColor()), tr("Start"), side);
    start_->setProperty("primary", true);
    start_->setToolTip(tr("Put it into the queue (Ctrl+Return)"));
    start_->setShortcut(QKeySequence(Qt::CTRL | Qt::Key_Return));
    start_->setIcon({});
    copy_ = new QPushButton(icon(QStringLiteral("copy")), tr("Copy JSON"), side);
    connect(copy_, &QPushButton::clicked, this,
            [this] { QGuiApplication::clipboard()->setText(json_->toPlainText()); });
    connect(start_, &QPushButton::clicked, this, [this] {
        check();
        if (startable()) Q_EMIT startRequested(recipe());
    });
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(copy_);
    buttons->addStretch();
    buttons->addWidget(start_);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 16, 0, 16);
    column->setSpacing(12);
    column->addWidget(box);
    column->addWidget(json_, 1);
    column->addLayout(buttons);
    return side;
}

void NewRunPage::chosen(int index) {
    const QString key = start_from_->itemData(index).toString();
    if (key.startsWith(QStringLiteral("kind:"))) {
        const RecipeKind& kind = recipe_kind(fromQt(key.mid(5)));
        about_->setText(toQt(kind.help));
        showRecipe(Json{{"kind", kind.kind}});
        return;
    }
    if (index < 0 || index >= int(shipped_.size())) return;
    about_->setText(toQt(shipped_[std::size_t(index)].about));
    showRecipe(shipped_[std::size_t(index)].recipe);
}

bool NewRunPage::choose(const QString& name) {
    const int index = start_from_->findData(name);
    if (index < 0) return false;
    if (index == start_from_->currentIndex())
        chosen(index);
    else
        start_from_->setCurrentIndex(index); // and chosen() follows
    return true;
}

void NewRunPage::setRecipe(const Json& recipe_or_study) {
    // It is none of those listed: its kind stands in their place.
    const auto kind =
        std::ranges::find(recipe_kinds(), recipe_or_study.value("kind", std::string()), &RecipeKind::kind);
    const bool known = kind != recipe_kinds().end();
    const QSignalBlocker quiet(start_from_);
    start_from_->setPlaceholderText(known ? toQt(kind->title) : tr("A study"));
    start_from_->setCurrentIndex(-1);
    about_->setText(known ? toQt(kind->help) : QString());
    showRecipe(recipe_or_study);
}

void NewRunPage::showRecipe(const Json& recipe_or_study) {
    base_ = recipe_or_study;
    if (base_.is_object() && !is_study(base_)) base_.erase("stage"); // a study's run as a run of its own
    const QSignalBlocker quiet(name_);
    const auto name = base_.find("name");
    name_->setText(name != base_.end() && name->is_string() ? toQt(name->get<std::string>()) : QString());
    rebuildForms();
    check();
}

void NewRunPage::rebuildForms() {
    while (QLayoutItem* item = form_column_->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    forms_.clear();
    const auto add = [this](const Json& recipe) {
        const RecipeKind& kind = recipe_kind(recipe.value("kind", std::string()));
        const std::string stage = recipe.value("stage", std::string());
        if (!stage.empty()) {
            auto* head = new QLabel(QStringLiteral("%1: %2").arg(toQt(stage), toQt(kind.title)), form_body_);
            QFont font = head->font();
            font.setWeight(QFont::DemiBold);
            font.setPointSizeF(font.pointSizeF() + 1);
            head->setFont(font);
            form_column_->addWidget(head);
        }
        auto* form = new RecipeForm(kind, form_body_);
        form->showAll(all_->isChecked());
        form->setRecipe(recipe);
        connect(form, &RecipeForm::edited, &check_timer_, qOverload<>(&QTimer::start));
        form_column_->addWidget(form);
        forms_.push_back(form);
    };
    try {
        if (is_study(base_))
            for (const Json& stage : base_.at("stages"))
                add(stage);
        else
            add(base_);
    } catch (const std::exception& error) {
        problem_->setText(toQt(error.what()));
        problem_->show();
    }
    std::vector<QWidget*> order{all_, start_from_, name_};
    order.insert(order.end(), forms_.begin(), forms_.end());
    order.insert(order.end(), {plan_scroll_, json_, copy_, start_});
    setReadingOrder(order);
    for (RecipeForm* form : forms_)
        settleLayouts(form, form_body_);
}

Json NewRunPage::recipe() const {
    const std::string name = fromQt(name_->text().trimmed());
    Json recipe = base_;
    if (is_study(base_)) {
        for (std::size_t i = 0; i < forms_.size(); ++i)
            recipe["stages"][i] = forms_[i]->recipe();
        if (!name.empty()) recipe["title"] = name;
        return recipe;
    }
    if (!forms_.empty()) recipe = forms_.front()->recipe();
    if (name.empty())
        recipe.erase("name");
    else
        recipe["name"] = name;
    return recipe;
}

void NewRunPage::check() {
    check_timer_.stop();
    const Json now = recipe();
    std::vector<FieldProblem> rest;
    try {
        const std::vector<FieldProblem> problems = check_recipe_or_study(now);
        for (RecipeForm* form : forms_) {
            const std::string prefix =
                is_study(now) ? form->recipe().value("stage", std::string()) + "." : std::string();
            std::vector<FieldProblem> own;
            for (const FieldProblem& problem : problems)
                if (problem.field.starts_with(prefix))
                    own.push_back({problem.field.substr(prefix.size()), problem.sentence});
            for (FieldProblem& left : form->setProblems(own))
                rest.push_back(std::move(left));
        }
        sound_ = problems.empty();
        if (!sound_ && rest.empty() && forms_.empty()) rest = problems;
    } catch (const std::exception& error) {
        rest.push_back({"", error.what()});
        sound_ = false;
    }
    for (const RecipeForm* form : forms_)
        sound_ = sound_ && form->valid();
    problem_->setText(rest.empty() ? QString() : toQt(rest.front().sentence));
    problem_->setVisible(!rest.empty());
    refreshPlan(now);
    start_->setEnabled(startable());
}

bool NewRunPage::startable() const {
    return sound_ && !read_only_;
}

void NewRunPage::refreshPlan(const Json& recipe) {
    QString html =
        QStringLiteral("<b>%1</b><table cellspacing=0 cellpadding=0 width='100%'>").arg(tr("Plan"));
    for (const PlanLine& line : planOf(recipe, *catalogue_)) {
        if (line.text.isEmpty())
            html += QStringLiteral("<tr><td colspan=2 style='padding-top:6px'><b>%1</b></td></tr>")
                        .arg(line.label.toHtmlEscaped());
        else
            html += QStringLiteral("<tr><td style='color:%3; padding:2px 12px 2px 0'>%1</td><td "
                                   "style='padding:2px 0'>%2</td></tr>")
                        .arg(line.label.toHtmlEscaped(), line.text.toHtmlEscaped(),
                             palette().color(QPalette::PlaceholderText).name());
    }
    plan_->setText(html + QStringLiteral("</table>"));
    plan_scroll_->updateGeometry(); // its height follows the text's
    const QString text = toQt(recipe.dump(2, ' ', false, Json::error_handler_t::replace));
    if (json_->toPlainText() != text) json_->setPlainText(text);
}

void NewRunPage::setEarlierRuns(const CataloguePointer& catalogue) {
    catalogue_ = catalogue;
    if (isVisible()) refreshPlan(recipe());
}

void NewRunPage::setReadOnly(bool read_only) {
    read_only_ = read_only;
    start_->setToolTip(read_only ? tr("The workspace is open read-only")
                                 : tr("Put it into the queue (Ctrl+Return)"));
    start_->setEnabled(startable());
}

} // namespace tempera
