#pragma once

#include "ui/feed_types.h"

#include <QSet>
#include <QWidget>

#include <set>

class QLineEdit;
class QTreeView;

namespace tempera {

class RunFilterModel;
class RunTreeModel;

/// Studies and runs with a search box. A study as the selection means: follow whichever of its stages runs.
class RunList final : public QWidget {
    Q_OBJECT

public:
    explicit RunList(QWidget* parent = nullptr);

    void setCatalogue(const CataloguePointer& catalogue);
    /// Runs that are about to be deleted: they are not listed.
    void setHidden(const std::set<std::string>& run_ids);
    void setReadOnly(bool read_only) { read_only_ = read_only; }
    void select(const std::string& run_or_study_id);
    /// The run or study whose row is below that of this one, or else above it; "" = none.
    std::string beside(const std::string& run_or_study_id) const;
    /// The run to show for the selection, "" = none.
    std::string currentRun() const;
    QLineEdit* searchBox() const { return search_; }
    QTreeView* view() const { return view_; }
    RunTreeModel* model() const { return model_; }

Q_SIGNALS:
    void runSelected(const QString& run_id);
    void actionRequested(const QString& action,
                         const QString& run_id); ///< "stop", "resume", "cancel", "first", "reuse", "remove"

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void showMenu(const QPoint& at);
    void removeCurrent();
    QModelIndex indexOf(const std::string& run_or_study_id) const;
    void restoreSelection();
    void currentChanged();

    RunTreeModel* model_;
    RunFilterModel* filter_;
    QLineEdit* search_;
    QTreeView* view_;
    std::set<std::string> hidden_;
    CataloguePointer catalogue_ = std::make_shared<Catalogue>();
    QString selected_id_;
    QString shown_run_;
    QSet<QString> folded_;
    bool restoring_ = false;
    bool read_only_ = false;
};

} // namespace tempera
