#include "ui/charts/export_dialog.h"

#include "ui/charts/chart.h"
#include "ui/charts/chart_export.h"

#include <QComboBox>
#include <QDialogButtonBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QStandardPaths>

namespace tempera {

namespace {

QDoubleSpinBox* lengthBox(double value, QWidget* parent) {
    auto* box = new QDoubleSpinBox(parent);
    box->setRange(20, 1000);
    box->setDecimals(0);
    box->setSuffix(QStringLiteral(" mm"));
    box->setValue(value);
    return box;
}

} // namespace

ExportDialog::ExportDialog(Chart& chart, QWidget* parent) : QDialog(parent), chart_(chart) {
    setWindowTitle(tr("Export “%1”").arg(chart.title()));
    const ExportSize size = ExportSize::forWidth(160, chart.size());
    format_ = new QComboBox(this);
    format_->addItem(tr("PDF, vector with embedded fonts"), QStringLiteral("pdf"));
    format_->addItem(tr("SVG, vector with text as outlines"), QStringLiteral("svg"));
    format_->addItem(tr("PNG, 300 dots per inch"), QStringLiteral("png"));
    format_->addItem(tr("CSV, the numbers"), QStringLiteral("csv"));
    width_ = lengthBox(size.width_mm, this);
    height_ = lengthBox(size.height_mm, this);
    // One column of a two-column paper is about 85 mm, a full page 160 to 180 mm.
    width_->setToolTip(tr("85 mm fits one column of a paper, 160 to 180 mm the page."));
    const double ratio = size.height_mm / size.width_mm;
    connect(width_, &QDoubleSpinBox::valueChanged, this,
            [this, ratio](double value) { height_->setValue(value * ratio); });

    QString base = chart.title().toLower();
    base.replace(QRegularExpression(QStringLiteral("[^a-z0-9]+")), QStringLiteral("-"));
    const QString folder = QStandardPaths::writableLocation(QStandardPaths::PicturesLocation);
    const bool there = !folder.isEmpty() && QFileInfo(folder).isDir(); // not everyone has it
    file_ =
        new QLineEdit((there ? QDir(folder) : QDir::home()).filePath(base + QStringLiteral(".pdf")), this);
    file_->setMinimumWidth(360);
    auto* browse = new QPushButton(tr("Browse…"), this);
    connect(browse, &QPushButton::clicked, this, &ExportDialog::chooseFile);
    auto* file_row = new QHBoxLayout;
    file_row->addWidget(file_, 1);
    file_row->addWidget(browse);

    problem_ = new QLabel(this);
    problem_->setProperty("problem", true);
    problem_->setWordWrap(true);
    problem_->setTextFormat(Qt::PlainText); // it names a file
    problem_->hide();

    auto* form = new QFormLayout(this);
    form->setRowWrapPolicy(QFormLayout::WrapAllRows);
    form->setContentsMargins(16, 16, 16, 16);
    form->setSpacing(8);
    form->addRow(tr("&Format"), format_);
    form->addRow(tr("&Width"), width_);
    form->addRow(tr("&Height"), height_);
    form->addRow(tr("F&ile"), file_row);
    qobject_cast<QLabel*>(form->labelForField(file_row))->setBuddy(file_);
    form->addRow(problem_);
    auto* buttons = new QDialogButtonBox(QDialogButtonBox::Save | QDialogButtonBox::Cancel, this);
    buttons->button(QDialogButtonBox::Save)->setText(tr("Export"));
    buttons->button(QDialogButtonBox::Save)->setProperty("primary", true);
    for (QAbstractButton* button : buttons->buttons())
        button->setIcon({}); // the style's own are of another set
    form->addRow(buttons);
    connect(buttons, &QDialogButtonBox::accepted, this, &ExportDialog::accept);
    connect(buttons, &QDialogButtonBox::rejected, this, &ExportDialog::reject);
    connect(format_, &QComboBox::currentIndexChanged, this, &ExportDialog::formatChanged);
}

void ExportDialog::setFileName(const QString& file_name) {
    file_->setText(file_name);
    const int index = format_->findData(QFileInfo(file_name).suffix().toLower());
    if (index >= 0) format_->setCurrentIndex(index);
}

QString ExportDialog::fileName() const {
    return file_->text();
}

void ExportDialog::formatChanged() {
    const QString ending = format_->currentData().toString();
    const QFileInfo info(file_->text());
    file_->setText(info.dir().filePath(info.completeBaseName() + u'.' + ending));
    width_->setEnabled(ending != QLatin1String("csv"));
    height_->setEnabled(ending != QLatin1String("csv"));
}

void ExportDialog::chooseFile() {
    const QString ending = format_->currentData().toString();
    const QString name = QFileDialog::getSaveFileName(
        this, windowTitle(), file_->text(), QStringLiteral("%1 (*.%2)").arg(ending.toUpper(), ending));
    if (!name.isEmpty()) setFileName(name);
}

/// A wrapped text asks for its height only where the layout is told its width: without this the sentence and
/// the buttons under it are squeezed.
void ExportDialog::fitProblem() {
    layout()->activate();
    problem_->setMinimumHeight(problem_->heightForWidth(problem_->width()));
    layout()->activate();
    resize(width(), std::max(height(), layout()->totalMinimumSize().height()));
}

void ExportDialog::accept() {
    const QString problem = exportChart(chart_, file_->text(), {width_->value(), height_->value()});
    problem_->setText(problem);
    problem_->setVisible(!problem.isEmpty());
    if (problem.isEmpty())
        QDialog::accept();
    else
        fitProblem();
}

} // namespace tempera
