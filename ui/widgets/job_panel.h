#pragma once

#include "ui/jobs.h"

#include <QFrame>

class QLabel;
class QProgressBar;
class QPushButton;
class QVBoxLayout;

namespace tempera {

class ElidedLabel;

/// "312 MB of 942 MB   12.4 MB/s   14:32, in 50 s": what a job's line says while it goes on.
QString jobStatusText(const Jobs::View& job, const QDateTime& now);

/// A long action: what it is, how far, how fast, until when; Stop, and once it has ended, what came of it.
class JobRow final : public QFrame {
    Q_OBJECT

public:
    JobRow(Jobs& jobs, int id, QWidget* parent = nullptr);
    int id() const { return id_; }
    void refresh();
    QString text() const;
    QPushButton* button() const { return button_; }

private:
    Jobs& jobs_;
    int id_;
    ElidedLabel *title_, *status_;
    QLabel *symbol_, *sentence_;
    QProgressBar* bar_;
    QPushButton *copy_, *button_;
};

/// The jobs of a page, one below the other; takes no room without any.
class JobPanel final : public QWidget {
    Q_OBJECT

public:
    explicit JobPanel(Jobs& jobs, QWidget* parent = nullptr);
    std::vector<JobRow*> rows() const { return rows_; }

private:
    void rebuild();

    Jobs& jobs_;
    QVBoxLayout* column_;
    std::vector<JobRow*> rows_;
};

} // namespace tempera
