#include "ui/pages/settings_forms.h"

#include "core/base/resources.h"
#include "core/net/http.h"
#include "ui/theme/text.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/path_field.h"
#include "ui/widgets/secret_field.h"

#include <QCheckBox>
#include <QDir>
#include <QFileInfo>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSpinBox>
#include <QThread>
#include <QVBoxLayout>

#include <algorithm>

namespace tempera {

namespace {

QVBoxLayout* makeColumn(QWidget* widget) {
    auto* column = new QVBoxLayout(widget);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(24);
    return column;
}

QString fromEnvironment(const char* name, const QString& otherwise) {
    const QString value = qEnvironmentVariable(name);
    return value.isEmpty() ? otherwise : value;
}

/// A folder that is not there yet is made; "" = the usual one.
QString problemOfFolder(const QString& folder) {
    if (folder.isEmpty()) return {};
    if (!QDir::isAbsolutePath(folder)) return HubForm::tr("Give the whole path, from / on.");
    QFileInfo there(folder); // or the nearest folder above it
    while (!there.exists() && !there.isRoot())
        there = QFileInfo(there.path());
    if (!there.isDir()) return HubForm::tr("%1 is a file: give a folder.").arg(there.filePath());
    if (!there.isWritable())
        return HubForm::tr("Nothing can be written into %1: give another folder.").arg(there.filePath());
    return {};
}

} // namespace

HubForm::HubForm(SettingsStore& settings, KeyRing& keys, QWidget* parent) : QWidget(parent) {
    auto* token_form = new FormSection(tr("Token"),
                                       tr("Only gated and private models and data sets need one. It is kept "
                                          "in the desktop's keychain and goes to the hub alone."),
                                       this);
    token_ = new SecretField(keys, token_form);
    token_->setName(QLatin1String(KeyRing::hub_name), QStringLiteral("HF_TOKEN"));
    token_form->addField(tr("&Token"), token_);
    address_form_ = new FormSection(tr("Address"), {}, this);
    mirror_ = new QLineEdit(settings.mirror(), address_form_);
    mirror_->setPlaceholderText(fromEnvironment("HF_ENDPOINT", QStringLiteral("https://huggingface.co")));
    mirror_->setClearButtonEnabled(true);
    offline_ = new QCheckBox(tr("&Offline: use what is in the cache, ask nobody"), address_form_);
    offline_->setChecked(settings.offline());
    address_form_->addField(tr("&Mirror"), mirror_);
    address_form_->addWidget(offline_);
    auto* cache_form = cache_form_ = new FormSection(
        tr("Cache"), tr("Laid out as huggingface_hub's, so that what Python fetched is used."), this);
    auto* cache = new PathField(PathField::Kind::folder, {}, cache_form);
    cache_ = cache->line();
    cache_->setText(settings.hubCache());
    cache_->setPlaceholderText(
        fromEnvironment("HF_HUB_CACHE", fromEnvironment("HF_HOME", QStringLiteral("~/.cache/huggingface"))
                                            + QStringLiteral("/hub")));
    cache_form->addField(tr("&Folder"), cache);
    auto* column = makeColumn(this);
    for (QWidget* form : {token_form, address_form_, cache_form})
        column->addWidget(form);
    connect(mirror_, &QLineEdit::textChanged, this, [this, &settings](const QString& typed) {
        const QString url = typed.trimmed();
        const bool fine = url.isEmpty() || origin_of(fromQt(url)).has_value();
        address_form_->setProblem(fine ? QString()
                                       : tr("Give an address that begins with https://, or none."));
        if (fine) settings.setMirror(url);
    });
    connect(offline_, &QCheckBox::toggled, &settings, &SettingsStore::setOffline);
    connect(cache_, &QLineEdit::textChanged, this, [this, &settings](const QString& typed) {
        const QString folder = typed.trimmed();
        background_.compute(
            this, [folder] { return problemOfFolder(folder); },
            [this, folder, &settings](const QString& problem, const QString& error) {
                if (folder != cache_->text().trimmed()) return; // more was typed meanwhile
                cache_form_->setProblem(error.isEmpty() ? problem : error);
                if (cache_form_->problem().isEmpty()) settings.setHubCache(folder);
            });
    });
}

MachineForm::MachineForm(SettingsStore& settings, const QString& workspace, QWidget* parent)
    : QWidget(parent) {
    auto* processor = new FormSection(
        tr("Processor"), tr("Fewer than there are leave some to other programs. Holds from the next run on."),
        this);
    threads_ = new QSpinBox(processor);
    const int cores = std::max(1, QThread::idealThreadCount());
    threads_->setRange(0, cores);
    threads_->setButtonSymbols(QAbstractSpinBox::NoButtons); // as every field's: the arrow keys step
    threads_->setSpecialValueText(tr("all (%1)").arg(cores));
    threads_->setValue(std::min(settings.threads(), cores));
    processor->addField(tr("&Threads of a run"), threads_);
    auto* folders = new FormSection(
        tr("Workspace"),
        tr("Runs, their samples and their models lie in it. Every workspace is whole in itself."), this);
    auto* field = new PathField(PathField::Kind::folder, {}, folders);
    workspace_ = field->line();
    workspace_->setText(workspace);
    open_ = new QPushButton(tr("Open this one"), folders);
    open_->setEnabled(false);
    folders->addField(tr("&Folder"), field);
    folders->addRow({open_});
    auto* cache = new FormSection(
        tr("Imported models"),
        tr("Models from packages and GGUF files, made anew where they are missing. $TEMPERA_CACHE moves it."),
        this);
    auto* cache_folder_label = new QLabel(toQt(cache_folder().string()), cache);
    cache_folder_label->setFont(monoFont(font()));
    cache_folder_label->setWordWrap(true);
    cache_folder_label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    cache->addWidget(cache_folder_label);
    auto* column = makeColumn(this);
    for (QWidget* form : {processor, folders, cache})
        column->addWidget(form);
    connect(threads_, &QSpinBox::valueChanged, &settings, &SettingsStore::setThreads);
    connect(workspace_, &QLineEdit::textChanged, this, [this, workspace](const QString& typed) {
        open_->setEnabled(!typed.trimmed().isEmpty() && typed.trimmed() != workspace);
    });
    connect(open_, &QPushButton::clicked, this,
            [this] { Q_EMIT workspaceRequested(workspace_->text().trimmed()); });
}

} // namespace tempera
