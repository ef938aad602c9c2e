#pragma once

#include "ui/feed_types.h"

#include <QStatusBar>

namespace tempera {

class ElidedLabel;

/// CPU and memory, how many runs, the workspace, the last event. A status tip that a page sends is such an
/// event.
class StatusStrip final : public QStatusBar {
    Q_OBJECT

public:
    explicit StatusStrip(QWidget* parent = nullptr);

    void setLoad(const SystemLoad& load);
    void setCatalogue(const CataloguePointer& catalogue);
    void setWorkspace(const QString& folder);
    void setLastEvent(const QString& text);
    QString text() const;

private:
    ElidedLabel *load_, *queue_, *workspace_, *event_;
    std::map<std::string, RunStatus> known_;
    const qint64 opened_ms_;
};

} // namespace tempera
