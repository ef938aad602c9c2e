#include "ui/jobs.h"

#include "core/base/error.h"

#include <mutex>
#include <thread>

namespace tempera {

namespace {

/// What the job's thread tells; guarded by `mutex`.
struct Told {
    std::mutex mutex;
    JobProgress progress;
    bool ended = false;
    Jobs::State state = Jobs::State::running;
    std::string sentence;
};

void carry_out(const Jobs::Work& work, Told& told, const StopToken& stop) {
    const auto report = [&told](const JobProgress& progress) {
        const std::lock_guard lock(told.mutex);
        told.progress = progress;
    };
    Jobs::State state = Jobs::State::done;
    std::string sentence;
    try {
        sentence = work(report, stop);
    } catch (const Error& error) {
        state = error.kind() == ErrorKind::stopped ? Jobs::State::stopped : Jobs::State::failed;
        sentence = error.what();
    } catch (const std::exception& error) {
        state = Jobs::State::failed;
        sentence = error.what();
    }
    const std::lock_guard lock(told.mutex);
    told.state = state;
    told.sentence = std::move(sentence);
    told.ended = true;
}

} // namespace

struct Jobs::Job {
    View view;
    StopToken stop;
    Told told;
    RateMeter meter;
    std::thread thread;

    bool running() const { return view.state == State::running || view.state == State::stopping; }
};

Jobs::Jobs(QObject* parent) : QObject(parent) {
    clock_.start();
    timer_.setInterval(200);
    connect(&timer_, &QTimer::timeout, this, &Jobs::poll);
}

Jobs::~Jobs() {
    for (auto& [id, job] : jobs_)
        job->stop.request(StopRequest::cancel);
    for (auto& [id, job] : jobs_)
        if (job->thread.joinable()) job->thread.join();
}

int Jobs::start(const QString& title, Work work) {
    std::erase_if(jobs_, [&](const auto& each) {
        const Job& job = *each.second;
        return job.view.state == State::done || (!job.running() && job.view.title == title);
    });
    auto job = std::make_unique<Job>();
    job->view.title = title;
    Told& told = job->told;
    job->thread =
        std::thread([work = std::move(work), &told, stop = job->stop] { carry_out(work, told, stop); });
    jobs_[++last_id_] = std::move(job);
    timer_.start();
    Q_EMIT listed();
    return last_id_;
}

void Jobs::stop(int id) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || found->second->view.state != State::running) return;
    found->second->stop.request(StopRequest::cancel);
    found->second->view.state = State::stopping;
    Q_EMIT changed(id);
}

void Jobs::dismiss(int id) {
    const auto found = jobs_.find(id);
    if (found == jobs_.end() || found->second->running()) return;
    jobs_.erase(found);
    Q_EMIT listed();
}

std::vector<int> Jobs::ids() const {
    std::vector<int> ids;
    for (const auto& [id, job] : jobs_)
        ids.push_back(id);
    return ids;
}

Jobs::View Jobs::view(int id) const {
    const auto found = jobs_.find(id);
    return found == jobs_.end() ? View{} : found->second->view;
}

bool Jobs::active() const {
    for (const auto& [id, job] : jobs_)
        if (job->running()) return true;
    return false;
}

void Jobs::poll() {
    std::vector<std::pair<int, bool>> ended;
    for (const int id : ids()) {
        Job& job = *jobs_.at(id);
        if (!job.running()) continue;
        {
            const std::lock_guard lock(job.told.mutex);
            job.view.progress = job.told.progress;
            if (job.told.ended) {
                job.view.state = job.told.state;
                job.view.sentence = QString::fromStdString(job.told.sentence);
            }
        }
        job.meter.add(double(clock_.elapsed()) / 1000, job.view.progress.done);
        job.view.rate = job.meter.rate();
        job.view.eta_seconds = job.meter.eta(job.view.progress.total);
        if (!job.running()) {
            job.thread.join();
            ended.emplace_back(id, job.view.state == State::done);
        }
        Q_EMIT changed(id);
    }
    if (!active()) timer_.stop();
    for (const auto& [id, done] : ended)
        Q_EMIT this->ended(id, done);
}

} // namespace tempera
