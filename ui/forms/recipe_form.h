#pragma once

#include "core/recipe/field.h"

#include <QWidget>

#include <set>

#include <vector>

class QToolButton;
class QVBoxLayout;

namespace tempera {

class FieldEditor;

/// The form of one kind of run, made from its declared fields: in one column, folded by group, simple or
/// complete.
class RecipeForm final : public QWidget {
    Q_OBJECT

public:
    explicit RecipeForm(const RecipeKind& kind, QWidget* parent = nullptr);

    /// Keys that are no fields (name, stage, title ...) are kept and handed back by recipe().
    void setRecipe(const Json& recipe);
    /// What stands in the form; a field whose text is no value keeps its last one, and valid() is false.
    Json recipe() const;
    bool valid() const;
    void showAll(bool all);
    /// Shows each problem under its field; returns those that belong to no field here.
    std::vector<FieldProblem> setProblems(const std::vector<FieldProblem>& problems);
    FieldEditor* editor(const std::string& field) const;
    int visibleFields() const;

Q_SIGNALS:
    void edited();

private:
    struct Group {
        QString name;
        QToolButton* head;
        QWidget* body;
        std::vector<FieldEditor*> editors;
    };
    Group& group(const QString& name, QVBoxLayout* column);
    void arrange();
    /// Brings the defaults, and the fields that were not set, in line with those that were.
    void adapt();

    RecipeKind kind_;
    Json recipe_ = Json::object();
    std::vector<FieldEditor*> editors_;
    std::vector<Group> groups_;
    bool all_ = false;
    std::set<std::string> given_; ///< fields that the recipe or the user has set
    bool filling_ = false;
};

} // namespace tempera
