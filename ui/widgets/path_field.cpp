#include "ui/widgets/path_field.h"

#include "ui/theme/icons.h"

#include <QDragEnterEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMimeData>
#include <QPushButton>

namespace tempera {

PathField::PathField(Kind kind, const QString& filter, QWidget* parent)
    : QWidget(parent), kind_(kind), filter_(filter), line_(new QLineEdit(this)) {
    line_->setPlaceholderText(kind == Kind::file ? tr("/path/to/file") : tr("/path/to/folder"));
    auto* browse = new QPushButton(icon(QStringLiteral("folder")), tr("Choose…"), this);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    row->addWidget(line_, 1);
    row->addWidget(browse);
    setFocusProxy(line_);
    setAcceptDrops(true);
    line_->setAcceptDrops(false); // it would insert "file://"
    connect(browse, &QPushButton::clicked, this, &PathField::browse);
}

void PathField::browse() {
    auto* dialog = new QFileDialog(this, kind_ == Kind::file ? tr("Choose a file") : tr("Choose a folder"),
                                   line_->text(), filter_);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(kind_ == Kind::file ? QFileDialog::ExistingFile : QFileDialog::Directory);
    connect(dialog, &QFileDialog::fileSelected, line_, &QLineEdit::setText);
    dialog->open();
}

void PathField::dragEnterEvent(QDragEnterEvent* event) {
    if (event->mimeData()->hasUrls() && event->mimeData()->urls().first().isLocalFile())
        event->acceptProposedAction();
}

void PathField::dropEvent(QDropEvent* event) {
    line_->setText(event->mimeData()->urls().first().toLocalFile());
    event->acceptProposedAction();
}

} // namespace tempera
