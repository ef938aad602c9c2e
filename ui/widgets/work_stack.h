#pragma once

#include "ui/jobs.h"

#include <QWidget>

#include <map>

class QStackedWidget;

namespace tempera {

class JobPanel;

/// What an area shows: one of its pages, and below it the long actions that are going on.
class WorkStack final : public QWidget {
    Q_OBJECT

public:
    /// `view` is the page on what is chosen, `getter` the one on how to get more.
    WorkStack(QWidget* view, QWidget* getter, QWidget* parent = nullptr);

    void showPage(QWidget* page);
    bool shows(const QWidget* page) const;
    Jobs& jobs() { return jobs_; }
    JobPanel* jobPanel() const { return panel_; }
    /// Starts a job, and tells by made() what it was to make once it has. What makes the same is not started
    /// beside it.
    void start(const QString& title, Jobs::Work work, const QString& result);

Q_SIGNALS:
    void made(const QString& result);

private:
    Jobs jobs_;
    QStackedWidget* stack_;
    JobPanel* panel_;
    std::map<int, QString> followed_; ///< by job: what it makes
};

} // namespace tempera
