#pragma once

#include "ui/endpoint_shelf.h"
#include "ui/key_ring.h"

#include <QTimer>
#include <QWidget>

class QCheckBox;
class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;
class QPushButton;
class QSpinBox;

namespace tempera {

class FormSection;
class SecretField;

/// One endpoint: where it is, its key, what it allows and costs, and whether it answers. What is typed is
/// saved a moment after, where it can be used.
class EndpointForm final : public QWidget {
    Q_OBJECT

public:
    EndpointForm(EndpointShelf& shelf, KeyRing& keys, QWidget* parent = nullptr);

    /// What was typed for another one is saved first.
    void setEndpoint(const ShelvedEndpoint& endpoint);
    /// What is typed is forgotten: the next setEndpoint() fills every field.
    void forget();
    /// Saves what would be saved in a moment.
    void saveNow();
    QString name() const { return name_; }
    /// As it is typed.
    Endpoint endpoint() const;

    QLineEdit* nameField() const { return name_field_; }
    QLineEdit* urlField() const { return url_; }
    QComboBox* modelBox() const { return model_; }
    QLineEdit* variableField() const { return variable_; }
    SecretField* secretField() const { return secret_; }
    QPushButton* testButton() const { return test_; }
    QLabel* testLine() const { return result_; }
    QPushButton* removeButton() const { return remove_; }
    QSpinBox* concurrencyBox() const { return concurrency_; }
    FormSection* form() const { return place_; }

Q_SIGNALS:
    void removeRequested(const QString& name);
    /// It goes by that name from now on.
    void renamed(const QString& name);

private:
    QWidget* buildPlace();
    QWidget* buildKey();
    QWidget* buildLimits();
    void edited();
    void save();
    void clearTest();
    void showTest(const EndpointTest& result);
    void toggleTest();
    void keyChanged(const QString& name);

    EndpointShelf& shelf_;
    KeyRing& keys_;
    QString name_;
    ShelvedEndpoint shown_;
    FormSection *place_, *key_form_;
    QLineEdit *name_field_, *url_, *variable_;
    SecretField* secret_;
    QComboBox *model_, *dialect_;
    QLabel *result_, *result_symbol_;
    QPushButton *test_, *remove_;
    QSpinBox* concurrency_;
    QDoubleSpinBox *requests_, *tokens_, *price_in_, *price_out_;
    QCheckBox* plain_http_;
    QTimer save_timer_;
    int tests_under_way_ = 0; ///< those that were stopped answer too
    bool filling_ = false, testing_ = false, stopped_ = false;
};

} // namespace tempera
