#pragma once

#include "core/base/json.h"
#include "ui/model_shelf.h"
#include "ui/widgets/fact_grid.h"

#include <QWidget>

class QComboBox;
class QLineEdit;
class QPushButton;

namespace tempera {

class ElidedLabel;
class FormSection;

/// What the files of a model say of it, in the order a reader asks.
std::vector<Fact> factsOf(const ShelvedModel& model);

/// The kinds of run that can start from a model and the field it goes into, each as a recipe with that field
/// set.
std::vector<std::pair<QString, Json>> usesOf(const ShelvedModel& model);

/// One model: what it is, and what can be done with it.
class ModelView final : public QWidget {
    Q_OBJECT

public:
    explicit ModelView(QWidget* parent = nullptr);

    /// `shelf` for the bases that an adapter may be merged into.
    void setModel(const ShelvedModel& model, const ShelfPointer& shelf);
    std::string reference() const { return model_.model.reference; }
    FactGrid* facts() const { return facts_; }
    QPushButton* useButton() const { return use_; }
    QPushButton* fetchButton() const { return fetch_; }
    QPushButton* copyButton() const { return copy_; }
    QPushButton* removeButton() const { return remove_; }
    QPushButton* mergeButton() const { return merge_; }
    QComboBox* baseBox() const { return base_; }
    QLineEdit* mergedName() const { return merged_name_; }
    FormSection* mergeForm() const { return merge_form_; }

Q_SIGNALS:
    void newRunRequested(const tempera::Json& recipe);
    void runOpened(const QString& run_id);
    void fetchRequested(const QString& reference);
    void copyRequested(const QString& reference);
    void removeRequested(const QString& reference);
    /// `name` of the folder that is to hold the merged model.
    void mergeRequested(const QString& adapter, const QString& base, const QString& name);

private:
    QWidget* buildHead();
    QWidget* buildMergeForm();
    /// `keep`: the base that was chosen stays.
    void showMergeForm(const ShelfPointer& shelf, bool keep);
    void showUses();

    ShelvedModel model_;
    ElidedLabel *name_, *place_;
    FactGrid* facts_;
    QPushButton *use_, *fetch_, *open_run_, *open_folder_, *copy_, *remove_;
    FormSection* merge_form_;
    QComboBox* base_;
    QLineEdit* merged_name_;
    QPushButton* merge_;
};

} // namespace tempera
