#pragma once

#include <QWidget>

class QLineEdit;
class QPushButton;
class QVBoxLayout;

namespace tempera {

class FormSection;
class HubFetch;

/// Where data sets come from.
class DataGetter final : public QWidget {
    Q_OBJECT

public:
    explicit DataGetter(QWidget* parent = nullptr);
    HubFetch* hub() const { return hub_; }
    QLineEdit* pathField() const { return path_; }
    QPushButton* openButton() const { return open_; }
    FormSection* form() const { return form_; }

Q_SIGNALS:
    void openRequested(const QString& path);

private:
    FormSection* form_;
    HubFetch* hub_;
    QLineEdit* path_;
    QPushButton* open_;
};

} // namespace tempera
