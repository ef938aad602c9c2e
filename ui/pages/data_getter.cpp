#include "ui/pages/data_getter.h"

#include "ui/theme/icons.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/hub_fetch.h"
#include "ui/widgets/path_field.h"

#include <QFileDialog>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

namespace tempera {

DataGetter::DataGetter(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    auto* body = new QWidget(this);
    body->setObjectName(QStringLiteral("formBody"));
    body->setMaximumWidth(640);
    form_ =
        new FormSection(tr("From this machine"),
                        tr("A file, or a folder with the splits of one data set: Parquet, JSON lines, JSON, "
                           "CSV. It is read where it lies; files of any size open at once."),
                        body);
    auto* path = new PathField(PathField::Kind::file,
                               tr("Data sets (*.parquet *.jsonl *.ndjson *.json *.csv *.tsv)"), form_);
    path_ = path->line();
    path_->setPlaceholderText(tr("/path/to/file or folder"));
    auto* folder = new QPushButton(icon(QStringLiteral("folder")), tr("Choose a folder…"), form_);
    open_ = new QPushButton(tr("Open"), form_);
    open_->setProperty("primary", true);
    open_->setEnabled(false);
    form_->addField(tr("&File or folder"), path);
    form_->addRow({open_, folder});
    auto* inside = new QVBoxLayout(body);
    inside->setContentsMargins(16, 12, 16, 24);
    inside->setSpacing(24);
    inside->addWidget(makeTitle(tr("Open data"), body));
    inside->addWidget(form_);
    hub_ = new HubFetch(HubKind::data_set, body);
    inside->addWidget(hub_);
    inside->addStretch();
    QScrollArea* scroll = makeFormScroll(body, this);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(scroll);
    const auto open = [this] {
        if (const QString chosen = path_->text().trimmed(); !chosen.isEmpty()) Q_EMIT openRequested(chosen);
    };
    connect(path_, &QLineEdit::textChanged, this, [this](const QString& text) {
        open_->setEnabled(!text.trimmed().isEmpty());
        form_->setProblem({});
    });
    connect(path_, &QLineEdit::returnPressed, this, open);
    connect(open_, &QPushButton::clicked, this, open);
    connect(folder, &QPushButton::clicked, this, [this] {
        auto* dialog = new QFileDialog(this, tr("Choose the folder of a data set"), path_->text());
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setFileMode(QFileDialog::Directory);
        connect(dialog, &QFileDialog::fileSelected, path_, &QLineEdit::setText);
        dialog->open();
    });
}

} // namespace tempera
