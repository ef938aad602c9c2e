#pragma once

#include "core/recipe/catalogue.h"
#include "ui/feed_types.h"

#include <QTimer>
#include <QWidget>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPlainTextEdit;
class QPushButton;
class QScrollArea;
class QVBoxLayout;

namespace tempera {

class RecipeForm;

/// Starts a run: a shipped recipe or study, or an empty one of a kind, as a form; beside it the plan and the
/// JSON.
class NewRunPage final : public QWidget {
    Q_OBJECT

public:
    explicit NewRunPage(std::vector<CatalogueEntry> shipped, QWidget* parent = nullptr);

    void setEarlierRuns(const CataloguePointer& catalogue);
    void setReadOnly(bool read_only);
    /// Shows a recipe or study to be changed and started, e.g. an earlier run's.
    void setRecipe(const Json& recipe_or_study);
    /// Chooses a shipped recipe by name; false where there is none.
    bool choose(const QString& name);
    Json recipe() const;
    bool startable() const;
    const std::vector<RecipeForm*>& forms() const { return forms_; }
    QPushButton* startButton() const { return start_; }
    QCheckBox* allBox() const { return all_; }

Q_SIGNALS:
    void startRequested(const tempera::Json& recipe_or_study);

protected:
    void showEvent(QShowEvent* event) override;

private:
    QWidget* buildSide();
    void chosen(int index);
    void showRecipe(const Json& recipe_or_study);
    void rebuildForms();
    void check();
    void refreshPlan(const Json& recipe);

    std::vector<CatalogueEntry> shipped_;
    CataloguePointer catalogue_ = std::make_shared<Catalogue>();
    Json base_ = Json::object(); ///< what was chosen; {} = nothing yet
    std::vector<RecipeForm*> forms_;
    QComboBox* start_from_;
    QLineEdit* name_;
    QCheckBox* all_;
    QLabel *about_, *problem_;
    QWidget* form_body_;
    QVBoxLayout* form_column_;
    QScrollArea* plan_scroll_;
    QLabel* plan_;
    QPlainTextEdit* json_;
    QPushButton *copy_, *start_;
    QTimer check_timer_;
    bool read_only_ = false;
    bool sound_ = false;
};

} // namespace tempera
