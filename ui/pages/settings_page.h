#pragma once

#include "ui/endpoint_shelf.h"
#include "ui/key_ring.h"
#include "ui/settings_store.h"

#include <QWidget>

class QLabel;
class QStackedWidget;

namespace tempera {

class EndpointForm;
class EntrySide;
class HubForm;
class MachineForm;
class Notices;

/// The Settings area: this machine, the hub, and the endpoints. Every change holds at once and is remembered.
class SettingsPage final : public QWidget {
    Q_OBJECT

public:
    /// All outlive the page.
    SettingsPage(SettingsStore& settings, KeyRing& keys, Notices& notices, const QString& workspace,
                 QWidget* parent = nullptr);

    /// The list that stands beside the page.
    EntrySide* side() const { return side_; }
    EndpointForm* endpointForm() const { return endpoint_; }
    HubForm* hubForm() const { return hub_; }
    MachineForm* machineForm() const { return machine_; }
    EndpointShelf& endpoints() { return shelf_; }
    /// "machine", "hub", or "endpoint:NAME".
    void showSection(const QString& key);
    void addEndpoint();

Q_SIGNALS:
    void workspaceRequested(const QString& folder);

protected:
    void showEvent(QShowEvent* event) override;
    void hideEvent(QHideEvent* event) override;

private:
    QWidget* framed(QWidget* form);
    void listEntries();
    void removeEndpoint(QString name);

    KeyRing& keys_;
    Notices& notices_;
    EndpointShelf shelf_;
    EntrySide* side_;
    QLabel* title_;
    QStackedWidget* stack_;
    MachineForm* machine_;
    HubForm* hub_;
    EndpointForm* endpoint_;
    QWidget *machine_page_, *hub_page_, *endpoint_page_;
    QString wanted_; ///< shown as soon as it is listed
};

} // namespace tempera
