#include "ui/background.h"

#include <QPointer>

#include <condition_variable>
#include <deque>
#include <exception>
#include <mutex>
#include <thread>

namespace tempera {

struct Background::State {
    struct Task {
        std::function<void()> run;
        std::function<void(const QString&)> done; ///< on the thread
    };
    std::mutex mutex;
    std::condition_variable wake;
    std::deque<Task> tasks;
    bool quit = false;
    std::thread thread;

    void loop() {
        for (;;) {
            Task task;
            {
                std::unique_lock lock(mutex);
                wake.wait(lock, [this] { return quit || !tasks.empty(); });
                if (tasks.empty()) return;
                task = std::move(tasks.front());
                tasks.pop_front();
            }
            QString error;
            try {
                task.run();
            } catch (const std::exception& problem) {
                error = QString::fromUtf8(problem.what());
            }
            task.done(error);
        }
    }
};

Background::Background(QObject* parent) : QObject(parent), state_(std::make_unique<State>()) {
    state_->thread = std::thread([this] { state_->loop(); });
}

Background::~Background() {
    {
        const std::lock_guard lock(state_->mutex);
        state_->quit = true;
    }
    state_->wake.notify_all();
    state_->thread.join();
}

void Background::perform(QObject* context, std::function<void()> task,
                         std::function<void(const QString&)> done) {
    const auto deliver = [this, done = std::move(done),
                          guard = QPointer<QObject>(context)](const QString& error) {
        QMetaObject::invokeMethod(
            this,
            [done, guard, error] {
                if (guard) done(error);
            },
            Qt::QueuedConnection);
    };
    {
        const std::lock_guard lock(state_->mutex);
        state_->tasks.push_back({std::move(task), deliver});
    }
    state_->wake.notify_one();
}

} // namespace tempera
