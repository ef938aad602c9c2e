#pragma once

#include "ui/widgets/banner.h"

#include <QWidget>

#include <functional>
#include <map>
#include <vector>

class QVBoxLayout;

namespace tempera {

/// The lines above the page: what happened, and what can be undone for a while.
class Notices final : public QWidget {
    Q_OBJECT

public:
    explicit Notices(QWidget* parent = nullptr);

    /// The line that says it; a sentence that stands there already is not said twice.
    Banner* notice(Banner::Kind kind, const QString& sentence, const QString& details = {});
    /// A line with Undo for ten seconds; `expire` is called where it was not undone.
    void offerUndo(const QString& sentence, std::function<void()> undo, std::function<void()> expire);
    /// Undoes what was offered last, if anything is.
    void undoNewest();
    /// What Tab comes from to the first of them.
    void setAnchor(QWidget* anchor) { anchor_ = anchor; }
    /// What is still offered is no longer: the window closes.
    void expireAll();
    std::vector<Banner*> banners() const;
    /// How long Undo is offered, for tests.
    void setUndoTime(int milliseconds) { undo_ms_ = milliseconds; }

private:
    void end(Banner* banner);
    /// Below the notices that are there, on the screen and by Tab.
    void place(Banner* banner);

    QVBoxLayout* column_;
    QWidget* anchor_ = nullptr;
    std::map<Banner*, std::function<void()>> pending_; ///< what `expire` does
    int undo_ms_ = 10000;
};

} // namespace tempera
