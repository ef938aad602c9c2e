#pragma once

#include "core/recipe/field.h"

#include <QWidget>

#include <optional>

class QCheckBox;
class QComboBox;
class QLabel;
class QLineEdit;
class QPushButton;

namespace tempera {

/// One field of a recipe: label above, unit inside the right edge, help on hover and F1, the default and a
/// reset where it was changed, what is wrong at once under it.
class FieldEditor final : public QWidget {
    Q_OBJECT

public:
    FieldEditor(const Field& field, QWidget* parent = nullptr);

    const Field& field() const { return field_; }
    void setValue(const Json& value);
    /// nullopt where what was typed is no value of the field's type; problem() then says why.
    std::optional<Json> value() const { return value_; }
    /// What the recipe's check says of this field; "" = nothing.
    void setProblem(const QString& sentence);
    QString problem() const;
    /// Other fields may change what stands for "not set".
    void setDefault(const Json& value);
    bool changedFromDefault() const;
    void reset();
    QWidget* input() const { return input_; }
    void setText(const QString& text);

Q_SIGNALS:
    void edited();

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void buildInput();
    void browse();
    QString text() const;
    void textChanged();
    void refresh();
    QString help() const;

    Field field_;
    std::optional<Json> value_;
    QString parse_problem_, check_problem_;
    QWidget* input_ = nullptr;
    QLineEdit* line_ = nullptr;
    QComboBox* combo_ = nullptr;
    QCheckBox* check_ = nullptr;
    QPushButton* browse_ = nullptr;
    QLabel *label_, *unit_ = nullptr, *problem_, *default_;
    QPushButton* reset_;
};

} // namespace tempera
