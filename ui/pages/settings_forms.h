#pragma once

#include "ui/background.h"
#include "ui/key_ring.h"
#include "ui/settings_store.h"

#include <QWidget>

class QCheckBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace tempera {

class FormSection;
class SecretField;

/// The hub: token, address, whether it is asked at all, where its files are kept.
class HubForm final : public QWidget {
    Q_OBJECT

public:
    HubForm(SettingsStore& settings, KeyRing& keys, QWidget* parent = nullptr);
    SecretField* token() const { return token_; }
    QLineEdit* mirrorField() const { return mirror_; }
    QLineEdit* cacheField() const { return cache_; }
    QCheckBox* offlineBox() const { return offline_; }
    FormSection* addressForm() const { return address_form_; }
    FormSection* cacheForm() const { return cache_form_; }

private:
    SecretField* token_;
    FormSection *address_form_, *cache_form_;
    QLineEdit *mirror_, *cache_;
    QCheckBox* offline_;
    Background background_; ///< the last member: its thread ends first
};

/// Where runs are kept, and how many threads they get.
class MachineForm final : public QWidget {
    Q_OBJECT

public:
    MachineForm(SettingsStore& settings, const QString& workspace, QWidget* parent = nullptr);
    QSpinBox* threadsBox() const { return threads_; }
    QLineEdit* workspaceField() const { return workspace_; }
    QPushButton* openButton() const { return open_; }

Q_SIGNALS:
    /// Another workspace is to be opened now.
    void workspaceRequested(const QString& folder);

private:
    QSpinBox* threads_;
    QLineEdit* workspace_;
    QPushButton* open_;
};

} // namespace tempera
