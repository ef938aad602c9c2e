#pragma once

#include "ui/feed_types.h"

#include <QWidget>

class QLabel;

namespace tempera {

class FunnelBars;

/// A run that writes synthetic data: how many problems were asked for, read, right and new, and what that
/// took. Why each of the others was rejected stands with the samples.
class FunnelPage final : public QWidget {
    Q_OBJECT

public:
    explicit FunnelPage(QWidget* parent = nullptr);

    void setData(const RunDataPointer& data);
    FunnelBars* bars() const { return bars_; }
    QString sentence() const;

private:
    FunnelBars* bars_;
    QLabel* sentence_;
};

} // namespace tempera
