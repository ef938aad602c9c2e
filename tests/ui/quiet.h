#pragma once

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QEvent>
#include <QTest>

namespace tempera::test {

/// Sees what keeps a window moving: what other threads deliver, what is laid out, what is painted.
class Movement final : public QObject {
public:
    Movement() {
        since_.start();
        QCoreApplication::instance()->installEventFilter(this);
    }
    /// Milliseconds since the last of it.
    qint64 still() const { return since_.elapsed(); }

protected:
    bool eventFilter(QObject*, QEvent* event) override {
        switch (event->type()) {
        case QEvent::MetaCall:
        case QEvent::LayoutRequest:
        case QEvent::Resize:
        case QEvent::Show:
        case QEvent::UpdateRequest:
        case QEvent::Paint:
            since_.restart();
            break;
        default:
            break;
        }
        return false;
    }

private:
    QElapsedTimer since_;
};

/// Runs the event loop until nothing moved for `still` milliseconds, at most for `longest`: what was asked
/// for has come and is shown, and no longer is waited than that takes.
inline void waitUntilStill(int still, int longest) {
    const Movement movement;
    QElapsedTimer timer;
    timer.start();
    while (movement.still() < still && timer.elapsed() < longest)
        QTest::qWait(5);
}

} // namespace tempera::test
