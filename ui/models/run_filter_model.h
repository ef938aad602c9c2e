#pragma once

#include <QSortFilterProxyModel>

namespace tempera {

/// Rows whose name, tags, notes or state hold every word of the search; a study stays while one of its stages
/// does.
class RunFilterModel final : public QSortFilterProxyModel {
    Q_OBJECT

public:
    explicit RunFilterModel(QObject* parent = nullptr);
    void setSearch(const QString& text);

protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override;

private:
    QStringList words_;
};

} // namespace tempera
