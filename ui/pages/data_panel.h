#pragma once

#include "ui/data_types.h"
#include "ui/model_shelf.h"
#include "ui/widgets/fact_grid.h"

#include <QWidget>

#include <map>

class QComboBox;
class QSpinBox;
class QToolButton;

namespace tempera {

class FormSection;

/// How the rows of the open data set are read: what for, which column is which, by which tokenizer; below it
/// what is known of the split.
class DataPanel final : public QWidget {
    Q_OBJECT

public:
    explicit DataPanel(QWidget* parent = nullptr);

    /// Another data set or split: what is detected holds, unless the same columns were read in another way
    /// before.
    void setSplit(const DataSplitInfo& split);
    void setFacts(std::vector<Fact> facts);
    void setModels(const ShelfPointer& models);

    DataReading reading() const;
    TokenWish tokens() const;
    /// The columns as they are used; empty where they make no row of the task.
    ColumnMapping mapping() const;
    std::string modelReference() const;

    QComboBox* taskBox() const { return task_; }
    /// Of a role of the task, null where it has none of that name.
    QComboBox* columnBox(const std::string& role) const;
    /// Folds the columns out that are not detected and need not be there.
    QToolButton* moreButton() const { return more_; }
    QComboBox* modelBox() const { return model_; }
    QSpinBox* lengthBox() const { return length_; }
    FormSection* form() const { return form_; }
    FactGrid* facts() const { return facts_; }

Q_SIGNALS:
    void readingChanged();
    void tokensChanged();

private:
    void taskChosen();
    void rebuildRoles();
    QComboBox* makeColumnBox(const std::string& role, const ColumnMapping& detected, QWidget* parent);
    void fold(bool open);
    void check();

    DataSplitInfo split_;
    ShelfPointer models_ = std::make_shared<const std::vector<ShelvedModel>>();
    std::map<std::string, QComboBox*> columns_; ///< by role
    FormSection *form_, *roles_ = nullptr, *others_ = nullptr;
    QToolButton* more_;
    QWidget* roles_holder_;
    QComboBox *task_, *model_;
    QSpinBox* length_;
    FactGrid* facts_;
    bool filling_ = false;
};

/// The roles whose columns can be chosen for a task.
std::vector<std::string> roles_of(DataTask task);
/// "Fine-tuning", "Preferences" ...
QString taskText(DataTask task);

} // namespace tempera
