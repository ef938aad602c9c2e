#include "ui/pages/settings_page.h"

#include "ui/pages/endpoint_form.h"
#include "ui/pages/settings_forms.h"
#include "ui/theme/text.h"
#include "ui/widgets/entry_side.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/notices.h"
#include "ui/widgets/page_stack.h"

#include <QLabel>
#include <QLineEdit>
#include <QScrollArea>
#include <QVBoxLayout>

#include <utility>

namespace tempera {

namespace {

const QString machine_key = QStringLiteral("machine");
const QString hub_key = QStringLiteral("hub");
const QString endpoint_prefix = QStringLiteral("endpoint:");

} // namespace

SettingsPage::SettingsPage(SettingsStore& settings, KeyRing& keys, Notices& notices, const QString& workspace,
                           QWidget* parent)
    : QWidget(parent), keys_(keys), notices_(notices), shelf_(keys.lookup()) {
    setObjectName(QStringLiteral("page"));
    setAttribute(Qt::WA_StyledBackground);
    side_ = new EntrySide({tr("Search settings"), tr("Settings"), tr("Add an endpoint"),
                           QStringLiteral("new-run"), tr("A server that speaks OpenAI's API")},
                          this);
    machine_ = new MachineForm(settings, workspace, this);
    hub_ = new HubForm(settings, keys, this);
    endpoint_ = new EndpointForm(shelf_, keys, this);
    title_ = makeTitle({}, this);
    title_->setContentsMargins(16, 12, 16, 8);
    stack_ = new PageStack(this);
    machine_page_ = framed(machine_);
    hub_page_ = framed(hub_);
    endpoint_page_ = framed(endpoint_);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(title_);
    column->addWidget(stack_, 1);
    connect(side_, &EntrySide::chosen, this, &SettingsPage::showSection);
    connect(side_, &EntrySide::moreRequested, this, &SettingsPage::addEndpoint);
    connect(machine_, &MachineForm::workspaceRequested, this, &SettingsPage::workspaceRequested);
    connect(&shelf_, &EndpointShelf::changed, this, &SettingsPage::listEntries);
    connect(&shelf_, &EndpointShelf::failed, this,
            [this](const QString& sentence) { notices_.notice(Banner::Kind::error, sentence); });
    connect(&keys_, &KeyRing::changed, this, &SettingsPage::listEntries);
    connect(endpoint_, &EndpointForm::removeRequested, this, &SettingsPage::removeEndpoint);
    connect(endpoint_, &EndpointForm::renamed, this,
            [this](const QString& name) { wanted_ = endpoint_prefix + name; });
    listEntries();
    showSection(machine_key);
}

QWidget* SettingsPage::framed(QWidget* form) {
    auto* body = new QWidget(this);
    body->setObjectName(QStringLiteral("formBody"));
    body->setMaximumWidth(640);
    auto* inside = new QVBoxLayout(body);
    inside->setContentsMargins(16, 8, 16, 24);
    inside->addWidget(form);
    inside->addStretch();
    QScrollArea* scroll = makeFormScroll(body, this);
    stack_->addWidget(scroll);
    return scroll;
}

void SettingsPage::showEvent(QShowEvent* event) {
    QWidget::showEvent(event);
    shelf_.refresh(); // the command line may have changed the file
}

void SettingsPage::hideEvent(QHideEvent* event) {
    QWidget::hideEvent(event);
    endpoint_->saveNow();
}

void SettingsPage::listEntries() {
    std::vector<Entry> entries;
    const auto add = [&](const QString& key, const QString& heading, const QString& text,
                         const QString& summary, const QString& symbol, const QString& words) {
        Entry entry;
        entry.key = key;
        entry.heading = heading;
        entry.text = text;
        entry.summary = summary;
        entry.symbol = symbol;
        entry.tip = text;
        entry.words = words;
        entries.push_back(std::move(entry));
    };
    add(machine_key, tr("General"), tr("This machine"), {}, QStringLiteral("settings"),
        tr("threads processor workspace folder cache"));
    add(hub_key, tr("General"), tr("Hub"), {}, QStringLiteral("download"),
        tr("token mirror offline cache hugging face key"));
    for (const ShelvedEndpoint& each : shelf_.endpoints()) {
        const QString name = toQt(each.endpoint.name);
        add(endpoint_prefix + name, tr("Endpoints"), name, each.own ? tr("yours") : QString(),
            QStringLiteral("endpoint"),
            toQt(each.endpoint.base_url + " " + each.endpoint.model + " ") + tr("key price limit server"));
    }
    side_->setEntries(std::move(entries));
    if (wanted_.startsWith(endpoint_prefix) && shelf_.find(fromQt(wanted_.mid(endpoint_prefix.size()))))
        showSection(std::exchange(wanted_, {}));
    else if (const ShelvedEndpoint* shown = shelf_.find(fromQt(endpoint_->name())))
        endpoint_->setEndpoint(*shown);
}

void SettingsPage::showSection(const QString& key) {
    wanted_.clear();
    side_->select(key);
    if (key.startsWith(endpoint_prefix)) {
        const ShelvedEndpoint* endpoint = shelf_.find(fromQt(key.mid(endpoint_prefix.size())));
        if (!endpoint) {
            wanted_ = key;
            return;
        }
        title_->setText(tr("Endpoint %1").arg(toQt(endpoint->endpoint.name)));
        endpoint_->setEndpoint(*endpoint);
        stack_->setCurrentWidget(endpoint_page_);
    } else {
        title_->setText(key == hub_key ? tr("Hub") : tr("This machine"));
        stack_->setCurrentWidget(key == hub_key ? hub_page_ : machine_page_);
    }
}

void SettingsPage::addEndpoint() {
    Endpoint endpoint;
    for (int number = 1; endpoint.name.empty() || shelf_.find(endpoint.name); ++number)
        endpoint.name = "endpoint-" + std::to_string(number);
    endpoint.base_url = "http://127.0.0.1:8000/v1";
    wanted_ = endpoint_prefix + toQt(endpoint.name);
    shelf_.save(endpoint);
}

void SettingsPage::removeEndpoint(QString name) { // a copy: the form forgets its own
    const ShelvedEndpoint* shelved = shelf_.find(fromQt(name));
    if (!shelved || !shelved->own) return;
    const ShelvedEndpoint before = *shelved;
    endpoint_->forget(); // what is shown next replaces what was typed
    shelf_.remove(fromQt(name));
    if (before.built_in)
        wanted_ = endpoint_prefix + name;
    else
        showSection(machine_key);
    notices_.offerUndo(
        before.built_in ? tr("“%1” is as shipped again.").arg(name)
                        : tr("The endpoint “%1” is deleted.").arg(name),
        [this, before] {
            endpoint_->forget();
            wanted_ = endpoint_prefix + toQt(before.endpoint.name);
            shelf_.save(before.endpoint);
        },
        [this, before] {
            if (!before.built_in) keys_.set(toQt(before.endpoint.name), {});
        });
}

} // namespace tempera
