#include "ui/forms/recipe_form.h"

#include "core/recipe/adapted.h"
#include "ui/forms/field_editor.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"

#include <QToolButton>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

RecipeForm::RecipeForm(const RecipeKind& kind, QWidget* parent) : QWidget(parent), kind_(kind) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    for (const Field& field : kind_.fields) {
        Group& in = group(toQt(field.group.empty() ? std::string("Other") : field.group), column);
        auto* editor = new FieldEditor(field, in.body);
        in.body->layout()->addWidget(editor);
        in.editors.push_back(editor);
        editors_.push_back(editor);
        connect(editor, &FieldEditor::edited, this, [this, editor] {
            if (filling_) return;
            // What was put back to its default is not set: it may follow the other fields again.
            if (editor->changedFromDefault())
                given_.insert(editor->field().name);
            else
                given_.erase(editor->field().name);
            adapt();
            Q_EMIT edited();
        });
    }
    arrange();
}

RecipeForm::Group& RecipeForm::group(const QString& name, QVBoxLayout* column) {
    for (Group& known : groups_)
        if (known.name == name) return known;
    auto* head = new QToolButton(this);
    head->setObjectName(QStringLiteral("groupHead"));
    head->setText(name);
    head->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    head->setCheckable(true);
    head->setChecked(true);
    head->setAutoRaise(true);
    QFont font = head->font();
    font.setWeight(QFont::DemiBold);
    head->setFont(font);
    head->setAccessibleName(tr("Group %1").arg(name));
    auto* body = new QWidget(this);
    auto* inside = new QVBoxLayout(body);
    inside->setContentsMargins(0, 0, 0, 0);
    inside->setSpacing(12);
    column->addWidget(head);
    column->addWidget(body);
    const auto fold = [head, body](bool open) {
        head->setIcon(icon(open ? QStringLiteral("unfold") : QStringLiteral("fold")));
        body->setVisible(open);
    };
    connect(head, &QToolButton::toggled, this, fold);
    fold(true);
    groups_.push_back({name, head, body, {}});
    return groups_.back();
}

void RecipeForm::arrange() {
    for (const Group& group : groups_) {
        bool any = false;
        for (FieldEditor* editor : group.editors) {
            // What is wrong or was changed is never hidden by the simple form.
            const bool shown = all_ || editor->field().simple || !editor->problem().isEmpty();
            editor->setVisible(shown);
            any = any || shown;
        }
        group.head->setVisible(any && all_);
        group.body->setVisible(any && (!all_ || group.head->isChecked()));
    }
}

void RecipeForm::showAll(bool all) {
    all_ = all;
    arrange();
}

void RecipeForm::setRecipe(const Json& recipe) {
    filling_ = true;
    recipe_ = recipe;
    given_.clear();
    for (FieldEditor* editor : editors_) {
        const auto found = recipe.find(editor->field().name);
        if (found == recipe.end()) continue;
        editor->setValue(*found);
        given_.insert(editor->field().name);
        recipe_.erase(editor->field().name);
    }
    filling_ = false;
    adapt();
    arrange();
    Q_EMIT edited();
}

Json RecipeForm::recipe() const {
    Json recipe = recipe_;
    recipe["kind"] = kind_.kind;
    for (const FieldEditor* editor : editors_)
        if (const auto value = editor->value(); value && given_.count(editor->field().name) > 0)
            recipe[editor->field().name] = *value;
    return recipe;
}

void RecipeForm::adapt() {
    const Json adapted = adapted_recipe(recipe());
    filling_ = true;
    for (FieldEditor* editor : editors_) {
        const std::string& name = editor->field().name;
        if (given_.count(name) > 0) continue;
        editor->setDefault(adapted.at(name));
        if (editor->value() != adapted.at(name))
            editor->setValue(adapted.at(name)); // never while it is typed
    }
    for (const std::string& name : given_) { // the default of a set field is what it would be without
        Json without = recipe();
        without.erase(name);
        editor(name)->setDefault(adapted_recipe(without).at(name));
    }
    filling_ = false;
}

bool RecipeForm::valid() const {
    return std::all_of(editors_.begin(), editors_.end(),
                       [](const FieldEditor* editor) { return editor->problem().isEmpty(); });
}

std::vector<FieldProblem> RecipeForm::setProblems(const std::vector<FieldProblem>& problems) {
    std::vector<FieldProblem> rest;
    for (const FieldProblem& problem : problems)
        if (!editor(problem.field)) rest.push_back(problem);
    for (FieldEditor* editor : editors_) {
        const auto found = std::find_if(problems.begin(), problems.end(), [&](const FieldProblem& p) {
            return p.field == editor->field().name;
        });
        editor->setProblem(found == problems.end() ? QString() : toQt(found->sentence));
    }
    arrange();
    return rest;
}

FieldEditor* RecipeForm::editor(const std::string& field) const {
    for (FieldEditor* editor : editors_)
        if (editor->field().name == field) return editor;
    return nullptr;
}

int RecipeForm::visibleFields() const {
    return static_cast<int>(
        std::count_if(editors_.begin(), editors_.end(),
                      [this](const FieldEditor* editor) { return editor->isVisibleTo(this); }));
}

} // namespace tempera
