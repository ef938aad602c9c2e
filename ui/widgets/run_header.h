#pragma once

#include "core/store/records.h"

#include <QWidget>

class QLabel;
class QProgressBar;
class QPushButton;

namespace tempera {

class ElidedLabel;

/// Head of a run's page: name, state, how far, how fast, until when; Stop, Resume, Cancel.
class RunHeader final : public QWidget {
    Q_OBJECT

public:
    explicit RunHeader(QWidget* parent = nullptr);

    void setRun(const RunRecord& run);
    void setProgress(const Progress& progress);
    /// No buttons act: the workspace is open read-only.
    void setReadOnly(bool read_only);
    QString statusLine() const;

Q_SIGNALS:
    void stopRequested();
    void resumeRequested();
    void cancelRequested();

private:
    void refresh();

    RunRecord run_;
    bool read_only_ = false;
    QLabel* symbol_;
    ElidedLabel* name_;
    ElidedLabel* status_;
    QProgressBar* bar_;
    QPushButton *stop_, *resume_, *cancel_;
};

} // namespace tempera
