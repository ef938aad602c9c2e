#pragma once

#include "ui/feed_types.h"

#include <QWidget>

class QPlainTextEdit;

namespace tempera {

/// What happened in a run, a line per event; new lines are appended, at most 500 at a time, so that a long
/// log never holds up the window.
class LogPage final : public QWidget {
    Q_OBJECT

public:
    explicit LogPage(QWidget* parent = nullptr);
    void setData(const RunDataPointer& data);
    QString text() const;

private:
    void appendSome();

    QPlainTextEdit* view_;
    RunDataPointer data_;
    std::int64_t shown_id_ = 0;
    bool pending_ = false;
};

} // namespace tempera
