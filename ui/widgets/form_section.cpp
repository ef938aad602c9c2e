#include "ui/widgets/form_section.h"

#include "ui/theme/text.h"

#include <QEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QScrollArea>
#include <QVBoxLayout>

namespace tempera {

namespace {

QLabel* makeHeading(const QString& text, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    QFont font = label->font();
    font.setPointSizeF(font.pointSizeF() + 1);
    font.setWeight(QFont::DemiBold);
    label->setFont(font);
    return label;
}

} // namespace

QLabel* makeTitle(const QString& text, QWidget* parent) {
    auto* label = new QLabel(text, parent);
    label->setFont(titleFont(label->font()));
    return label;
}

QScrollArea* makeFormScroll(QWidget* body, QWidget* parent) {
    auto* scroll = new QScrollArea(parent);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setWidget(body);
    scroll->setFocusPolicy(Qt::NoFocus);
    return scroll;
}

FormSection::FormSection(const QString& heading, const QString& sentence, QWidget* parent)
    : QWidget(parent), column_(new QVBoxLayout(this)), problem_(new QLabel(this)) {
    column_->setContentsMargins(0, 0, 0, 0);
    column_->setSpacing(4);
    if (!heading.isEmpty()) column_->addWidget(makeHeading(heading, this));
    if (!sentence.isEmpty()) {
        auto* about = new QLabel(sentence, this);
        about->setProperty("muted", true);
        about->setWordWrap(true);
        column_->addWidget(about);
        column_->addSpacing(4);
    }
    problem_->setProperty("problem", true);
    problem_->setWordWrap(true);
    problem_->setTextFormat(Qt::PlainText);
    problem_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    problem_->hide();
    column_->addWidget(problem_);
}

void FormSection::addField(const QString& label, QWidget* field) {
    addField(label, field, {});
}

void FormSection::addField(const QString& label, QWidget* field, std::initializer_list<QWidget*> beside) {
    auto* name = new QLabel(label, this);
    name->setBuddy(field);
    // a field of several widgets is told by the one that gets the keyboard
    QWidget* const told = field->focusProxy() ? field->focusProxy() : field;
    if (told->accessibleName().isEmpty()) told->setAccessibleName(QString(label).remove(u'&'));
    if (field->focusPolicy() == Qt::WheelFocus) field->setFocusPolicy(Qt::StrongFocus);
    field->installEventFilter(this);
    addWidget(name);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(field, 1);
    for (QWidget* widget : beside)
        row->addWidget(widget);
    column_->insertLayout(column_->count() - 1, row);
    column_->insertSpacing(column_->count() - 1, 4);
}

bool FormSection::eventFilter(QObject* watched, QEvent* event) {
    if (event->type() != QEvent::Wheel) return QWidget::eventFilter(watched, event);
    event->ignore(); // what holds the form gets it
    return true;
}

void FormSection::addRow(std::initializer_list<QWidget*> widgets) {
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    for (QWidget* widget : widgets)
        row->addWidget(widget);
    row->addStretch();
    column_->insertLayout(column_->count() - 1, row);
}

void FormSection::addWidget(QWidget* widget) {
    column_->insertWidget(column_->count() - 1, widget);
}

void FormSection::setProblem(const QString& sentence) {
    problem_->setText(sentence);
    problem_->setVisible(!sentence.isEmpty());
}

QString FormSection::problem() const {
    return problem_->isHidden() ? QString() : problem_->text();
}

} // namespace tempera
