#include "ui/work_areas.h"

#include "ui/key_ring.h"
#include "ui/model_shelf.h"
#include "ui/pages/data_page.h"
#include "ui/pages/models_page.h"
#include "ui/pages/settings_page.h"
#include "ui/run_feed.h"
#include "ui/settings_store.h"
#include "ui/widgets/entry_side.h"
#include "ui/widgets/work_stack.h"

namespace tempera {

WorkAreas::WorkAreas(const Parts& parts, QWidget* parent) : QObject(parent) {
    keys_ = parts.keys ? parts.keys : new KeyRing(sessionSecretStore(), this);
    shelf_ = new ModelShelf(parts.settings, parts.feed.workspaceFolder(), this);
    store_ = new SettingsStore(parts.settings, this);
    models_ = new ModelsPage(parts.feed, *shelf_, parts.notices, parent);
    settings_ = new SettingsPage(*store_, *keys_, parts.notices, parts.feed.workspaceFolder(), parent);
    data_ = new DataPage(parts.feed, *shelf_, parts.settings, parts.notices, parent);
    list_ = {{QStringLiteral("data"), tr("Data"), tr("What models learn from and are asked (Alt+2)"),
              QKeySequence(Qt::ALT | Qt::Key_2), data_->side(), data_},
             {QStringLiteral("models"), tr("Models"), tr("What can be trained and asked (Alt+3)"),
              QKeySequence(Qt::ALT | Qt::Key_3), models_->side(), models_},
             {QStringLiteral("settings"), tr("Settings"), tr("Endpoints, keys, folders, threads (Ctrl+,)"),
              QKeySequence(Qt::CTRL | Qt::Key_Comma), settings_->side(), settings_, true}};
    connect(data_, &DataPage::newRunRequested, this, &WorkAreas::newRunRequested);
    connect(models_, &ModelsPage::newRunRequested, this, &WorkAreas::newRunRequested);
    connect(models_, &ModelsPage::runOpened, this, &WorkAreas::runOpened);
    connect(settings_, &SettingsPage::workspaceRequested, this, &WorkAreas::workspaceRequested);
    const auto tell_hub = [this] {
        models_->setHub(hub());
        data_->setHub(hub());
    };
    connect(store_, &SettingsStore::changed, this, [this, tell_hub] {
        tell_hub();
        Q_EMIT runSettingsChanged();
    });
    tell_hub();
}

int WorkAreas::threads() const {
    return store_->threads();
}

HubSource WorkAreas::hub() const {
    return hubSource(*store_, *keys_);
}

QStringList WorkAreas::underWay() const {
    QStringList titles;
    for (const Jobs* jobs : {&models_->stack()->jobs(), &data_->stack()->jobs()})
        for (const int id : jobs->ids()) {
            const Jobs::View job = jobs->view(id);
            if (job.state == Jobs::State::running || job.state == Jobs::State::stopping) titles << job.title;
        }
    return titles;
}

void WorkAreas::setCatalogue(const CataloguePointer& catalogue) {
    data_->setCatalogue(catalogue);
    models_->setCatalogue(catalogue);
}

} // namespace tempera
