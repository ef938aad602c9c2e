#pragma once

#include <QString>
#include <QWidget>

class QLabel;
class QScrollArea;
class QVBoxLayout;

namespace tempera {

/// A page's or form's title: four points larger, semibold.
QLabel* makeTitle(const QString& text, QWidget* parent);

/// `body` scrolled up and down, as wide as there is room; Tab goes past the frame.
QScrollArea* makeFormScroll(QWidget* body, QWidget* parent);

/// A part of a form: a heading, a muted sentence, and fields in one column, each with its label above it. The
/// wheel scrolls the form and changes no field.
class FormSection final : public QWidget {
    Q_OBJECT

public:
    FormSection(const QString& heading, const QString& sentence, QWidget* parent = nullptr);

    /// The label above is the field's buddy and its accessible name.
    void addField(const QString& label, QWidget* field);
    /// A field with what stands beside it, e.g. its button.
    void addField(const QString& label, QWidget* field, std::initializer_list<QWidget*> beside);
    /// Widgets in a line, from the left.
    void addRow(std::initializer_list<QWidget*> widgets);
    void addWidget(QWidget* widget);
    /// A line in the colour of problems below what was added last; "" hides it.
    void setProblem(const QString& sentence);
    QString problem() const;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QVBoxLayout* column_;
    QLabel* problem_;
};

} // namespace tempera
