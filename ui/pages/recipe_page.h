#pragma once

#include "core/base/json.h"
#include "core/store/records.h"

#include <QWidget>

class QPushButton;
class QTableWidget;

namespace tempera {

/// The complete recipe of a run as a table, what differs from the defaults marked; to copy, or to start from
/// anew.
class RecipePage final : public QWidget {
    Q_OBJECT

public:
    explicit RecipePage(QWidget* parent = nullptr);
    void setRun(const RunRecord& run);

Q_SIGNALS:
    void reuseRequested(const tempera::Json& recipe);

private:
    QTableWidget* table_;
    QPushButton* reuse_;
    std::string shown_;
};

} // namespace tempera
