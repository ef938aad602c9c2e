#pragma once

#include <QObject>
#include <QString>

#include <functional>
#include <memory>

namespace tempera {

/// A thread that does one task after the other, so that the GUI thread never waits for a disk or a network.
class Background final : public QObject {
    Q_OBJECT

public:
    explicit Background(QObject* parent = nullptr);
    /// Waits until every task has run.
    ~Background() override;

    /// Runs `task` there and then `done` here, with "" or what went wrong; not where `context` is gone by
    /// then.
    void perform(QObject* context, std::function<void()> task, std::function<void(const QString&)> done);

    /// The same for a task with a result.
    template <typename Task, typename Done>
    void compute(QObject* context, Task task, Done done) {
        auto result = std::make_shared<decltype(task())>();
        perform(
            context, [result, task = std::move(task)] { *result = task(); },
            [result, done = std::move(done)](const QString& error) { done(std::move(*result), error); });
    }

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tempera
