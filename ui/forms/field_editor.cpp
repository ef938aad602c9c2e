#include "ui/forms/field_editor.h"

#include "core/base/error.h"
#include "core/recipe/catalogue.h"
#include "ui/forms/field_text.h"
#include "ui/theme/text.h"

#include <QCheckBox>
#include <QComboBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalBlocker>
#include <QStyle>
#include <QToolTip>
#include <QVBoxLayout>

namespace tempera {

FieldEditor::FieldEditor(const Field& field, QWidget* parent) : QWidget(parent), field_(field) {
    const QString name = toQt(field_.label.empty() ? field_.name : field_.label);
    label_ = new QLabel(name, this);
    default_ = new QLabel(this);
    default_->setProperty("muted", true);
    reset_ = new QPushButton(tr("reset"), this);
    reset_->setProperty("link", true);
    reset_->setAccessibleName(tr("Reset %1 to its default").arg(name));
    problem_ = new QLabel(this);
    problem_->setProperty("problem", true);
    problem_->setWordWrap(true);
    problem_->setObjectName(QStringLiteral("problem"));
    buildInput();
    label_->setBuddy(input_);
    input_->setAccessibleName(name);
    input_->setAccessibleDescription(toQt(field_.help));
    input_->installEventFilter(this);
    setToolTip(help());

    auto* head = new QHBoxLayout;
    head->setSpacing(4);
    head->addWidget(label_);
    head->addStretch();
    head->addWidget(default_);
    head->addWidget(reset_);
    auto* row = new QHBoxLayout;
    row->setSpacing(4);
    row->addWidget(input_, 1);
    if (browse_) row->addWidget(browse_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(4);
    column->addLayout(head);
    column->addLayout(row);
    column->addWidget(problem_);
    connect(reset_, &QPushButton::clicked, this, &FieldEditor::reset);
    setValue(field_.default_value);
}

void FieldEditor::buildInput() {
    switch (field_.type) {
    case Field::Type::boolean:
        input_ = check_ = new QCheckBox(tr("on"), this);
        connect(check_, &QCheckBox::toggled, this, &FieldEditor::textChanged);
        return;
    case Field::Type::choice:
        input_ = combo_ = new QComboBox(this);
        for (const std::string& choice : field_.choices)
            combo_->addItem(toQt(choice));
        connect(combo_, &QComboBox::currentTextChanged, this, &FieldEditor::textChanged);
        return;
    case Field::Type::model:
    case Field::Type::data_file:
        input_ = combo_ = new QComboBox(this);
        combo_->setEditable(true);
        combo_->setInsertPolicy(QComboBox::NoInsert);
        if (field_.type == Field::Type::model)
            for (const std::string& model : named_models())
                combo_->addItem(toQt(model));
        for (const std::string& choice : field_.choices)
            combo_->addItem(toQt(choice));
        line_ = combo_->lineEdit();
        connect(combo_, &QComboBox::currentTextChanged, this, &FieldEditor::textChanged);
        browse_ = new QPushButton(tr("Browse…"), this);
        connect(browse_, &QPushButton::clicked, this, &FieldEditor::browse);
        return;
    default:
        break;
    }
    input_ = line_ = new QLineEdit(this);
    connect(line_, &QLineEdit::textChanged, this, &FieldEditor::textChanged);
    if (field_.unit.empty()) return;
    unit_ = new QLabel(toQt(field_.unit), line_);
    unit_->setProperty("muted", true);
    unit_->setAttribute(Qt::WA_TransparentForMouseEvents);
    auto* inside = new QHBoxLayout(line_);
    inside->setContentsMargins(0, 0, 8, 0);
    inside->addStretch();
    inside->addWidget(unit_);
    line_->setTextMargins(0, 0, unit_->sizeHint().width() + 8, 0);
}

QString FieldEditor::help() const {
    QStringList lines{toQt(field_.help)};
    if (const QString range = rangeText(field_); !range.isEmpty()) lines << tr("Range: %1").arg(range);
    lines << tr("Default: %1")
                 .arg(fieldText(field_.default_value).isEmpty() ? tr("empty")
                                                                : fieldText(field_.default_value));
    lines << tr("In files and on the command line: %1").arg(toQt(field_.name));
    lines.removeAll(QString());
    // As rich text a tip wraps instead of running across the screen.
    QString html = lines.join(u'\n').toHtmlEscaped();
    return QStringLiteral("<p>%1</p>").arg(html.replace(u'\n', QStringLiteral("<br>")));
}

QString FieldEditor::text() const {
    if (check_) return check_->isChecked() ? QStringLiteral("true") : QStringLiteral("false");
    return combo_ ? combo_->currentText() : line_->text();
}

void FieldEditor::setText(const QString& text) {
    if (check_)
        check_->setChecked(text == QLatin1String("true"));
    else if (combo_ && !combo_->isEditable())
        combo_->setCurrentText(text);
    else if (combo_)
        combo_->setEditText(text);
    else
        line_->setText(text);
}

void FieldEditor::setValue(const Json& value) {
    {
        const QSignalBlocker quiet(this);
        setText(fieldText(value));
    }
    textChanged();
}

void FieldEditor::setDefault(const Json& value) {
    if (field_.default_value == value) return;
    field_.default_value = value;
    input_->setToolTip(help());
    refresh();
}

void FieldEditor::reset() {
    setValue(field_.default_value);
}

void FieldEditor::textChanged() {
    parse_problem_.clear();
    try {
        value_ = parse_field_value(field_, fromQt(text()));
    } catch (const Error& error) {
        value_.reset();
        parse_problem_ = toQt(error.what());
    }
    refresh();
    Q_EMIT edited();
}

void FieldEditor::setProblem(const QString& sentence) {
    if (sentence == check_problem_) return;
    check_problem_ = sentence;
    refresh();
}

QString FieldEditor::problem() const {
    return parse_problem_.isEmpty() ? check_problem_ : parse_problem_;
}

bool FieldEditor::changedFromDefault() const {
    return !value_ || *value_ != field_.default_value;
}

void FieldEditor::refresh() {
    const QString wrong = problem();
    problem_->setText(wrong);
    problem_->setVisible(!wrong.isEmpty());
    const bool changed = changedFromDefault();
    const QString fallback = fieldText(field_.default_value);
    default_->setText(tr("default %1")
                          .arg(fallback.isEmpty()       ? tr("empty")
                               : fallback.length() > 24 ? fallback.left(23) + QChar(0x2026)
                                                        : fallback));
    default_->setVisible(changed);
    reset_->setVisible(changed);
    if (line_ && line_->property("invalid").toBool() != !wrong.isEmpty()) {
        line_->setProperty("invalid", !wrong.isEmpty());
        line_->style()->unpolish(line_);
        line_->style()->polish(line_);
    }
}

void FieldEditor::browse() {
    const QString chosen =
        field_.type == Field::Type::model
            ? QFileDialog::getExistingDirectory(this, tr("Folder of a model"))
            : QFileDialog::getOpenFileName(this, tr("Data file"), {},
                                           tr("Data (*.jsonl *.ndjson *.json *.csv *.tsv *.parquet);;All "
                                              "files (*)"));
    if (!chosen.isEmpty()) setText(chosen);
}

void FieldEditor::keyPressEvent(QKeyEvent* event) {
    if (event->key() == Qt::Key_F1)
        QToolTip::showText(input_->mapToGlobal(QPoint(0, input_->height())), help(), input_);
    else
        QWidget::keyPressEvent(event);
}

bool FieldEditor::eventFilter(QObject* watched, QEvent* event) {
    // A wheel over a form scrolls the form; it must not change the values it passes over.
    if (event->type() == QEvent::Wheel && combo_) {
        event->ignore();
        return true;
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace tempera
