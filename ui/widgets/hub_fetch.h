#pragma once

#include "ui/background.h"
#include "ui/hub_access.h"

#include <QWidget>

class QLineEdit;
class QPushButton;

namespace tempera {

class FactGrid;
class FormSection;

/// Names a repository of the hub, looks up what a download would fetch, and asks for it.
class HubFetch final : public QWidget {
    Q_OBJECT

public:
    explicit HubFetch(HubKind kind, QWidget* parent = nullptr);
    /// Stops a look-up.
    ~HubFetch() override;

    void setSource(HubSource source);
    /// Looks up again what is shown, for the cache has changed.
    void refresh();
    QLineEdit* nameField() const { return name_; }
    QPushButton* lookUpButton() const { return look_up_; }
    QPushButton* downloadButton() const { return download_; }
    FactGrid* facts() const { return facts_; }
    FormSection* form() const { return form_; }

Q_SIGNALS:
    void downloadRequested(const tempera::HubPlan& plan);
    /// All of it is in the cache.
    void present(const tempera::HubPlan& plan);

private:
    void nameChanged();
    void lookUp();
    void planArrived(const HubPlan& plan);

    HubKind kind_;
    HubSource source_;
    std::optional<HubPlan> plan_;
    StopToken stop_;
    bool looking_ = false;
    FormSection* form_;
    QLineEdit* name_;
    FactGrid* facts_;
    QPushButton *look_up_, *download_;
    Background background_; ///< the last member: its thread ends first
};

} // namespace tempera
