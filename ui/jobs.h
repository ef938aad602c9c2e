#pragma once

#include "core/base/stop_token.h"
#include "ui/rate_meter.h"

#include <QElapsedTimer>
#include <QObject>
#include <QString>
#include <QTimer>

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace tempera {

/// How far a long action is. `total` 0 = not known.
struct JobProgress {
    std::string phase; ///< "Fetching model.safetensors"; may be empty
    double done = 0;
    double total = 0;
    bool bytes = true; ///< else things
};

/// Long actions that are no runs: downloads, imports, merges, copies. Each has a thread of its own; what is
/// seen of it here is looked up a few times a second. Used on the GUI thread.
class Jobs final : public QObject {
    Q_OBJECT

public:
    enum class State { running, stopping, done, failed, stopped };
    struct View {
        QString title;
        State state = State::running;
        JobProgress progress;
        double rate = 0; ///< per second
        double eta_seconds = -1;
        QString sentence; ///< what came of it, or what went wrong
    };
    using Report = std::function<void(const JobProgress&)>;
    /// Runs on the job's thread: reports, ends soon after `stop`, returns a sentence on what came of it, or
    /// throws.
    using Work = std::function<std::string(const Report&, const StopToken& stop)>;

    explicit Jobs(QObject* parent = nullptr);
    /// Stops what runs and waits for it.
    ~Jobs() override;

    /// Those that are done leave the list; what failed or was stopped stays until it is dismissed, or tried
    /// again under its title.
    int start(const QString& title, Work work);
    void stop(int id);
    /// Takes an ended one out of the list.
    void dismiss(int id);
    /// In the order they were started.
    std::vector<int> ids() const;
    View view(int id) const;
    bool active() const;

Q_SIGNALS:
    void listed();        ///< a job was added or dismissed
    void changed(int id); ///< its view
    void ended(int id, bool done);

private:
    struct Job;
    void poll();

    std::map<int, std::unique_ptr<Job>> jobs_;
    int last_id_ = 0;
    QTimer timer_;
    QElapsedTimer clock_;
};

} // namespace tempera
