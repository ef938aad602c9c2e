#pragma once

#include "ui/model_shelf.h"

#include <QWidget>

class QComboBox;
class QLineEdit;
class QPushButton;

namespace tempera {

class FormSection;
class HubFetch;

/// Where models come from: the hub, packages, GGUF files, folders that lie somewhere.
class ModelGetter final : public QWidget {
    Q_OBJECT

public:
    explicit ModelGetter(QWidget* parent = nullptr);

    /// Which packages are there already.
    void setModels(const ShelfPointer& models);
    /// The workspace cannot be written: nothing is imported into it.
    void setReadOnly(bool read_only);

    HubFetch* hub() const { return hub_; }
    QLineEdit* fileField() const { return file_; }
    QLineEdit* nameField() const { return name_; }
    QComboBox* typeBox() const { return type_; }
    QPushButton* importButton() const { return import_; }
    QLineEdit* folderField() const { return folder_; }
    QPushButton* addButton() const { return add_; }
    FormSection* importForm() const { return import_form_; }
    FormSection* folderForm() const { return folder_form_; }
    const std::vector<QPushButton*>& packageButtons() const { return packages_; }

Q_SIGNALS:
    void packageRequested(const QString& name);
    /// `type` is "F32", "F16" or "BF16".
    void importRequested(const QString& file, const QString& name, const QString& type);
    void folderAdded(const QString& path);

private:
    QWidget* buildPackages();
    QWidget* buildImport();
    QWidget* buildFolder();
    void check();

    HubFetch* hub_;
    std::vector<QPushButton*> packages_;
    FormSection *import_form_ = nullptr, *folder_form_ = nullptr;
    QLineEdit *file_ = nullptr, *name_ = nullptr, *folder_ = nullptr;
    QComboBox* type_;
    QPushButton *import_, *add_;
    bool read_only_ = false;
    QString chosen_name_; ///< that was made from the file's, until the user types another
};

} // namespace tempera
