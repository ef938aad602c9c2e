#pragma once

#include "ui/models/entry_list_model.h"

#include <QWidget>

class QLineEdit;
class QListView;
class QPushButton;

namespace tempera {

/// The list beside a page: what there is to choose from, a search box above, below it the way to more.
class EntrySide final : public QWidget {
    Q_OBJECT

public:
    struct Words {
        QString search; ///< the search box's own text
        QString list;   ///< accessible name of the list
        QString more;   ///< the button below; "" = none
        QString more_symbol;
        QString more_tip;
        bool picks_first = true; ///< the first entry is chosen where nothing else is
    };
    explicit EntrySide(const Words& words, QWidget* parent = nullptr);

    void setEntries(std::vector<Entry> entries);
    /// Marks it now, or as soon as it is listed, and tells nobody; "" = chooses the first there is, or none.
    void select(const QString& key);
    /// Shows none as chosen: the page shows something else. It may be chosen again.
    void unmark();
    /// "" = none.
    QString current() const;
    QListView* view() const { return view_; }
    QLineEdit* searchBox() const { return search_; }
    QPushButton* moreButton() const { return more_; }

Q_SIGNALS:
    /// By the user, or the first entry where there was none to choose before.
    void chosen(const QString& key);
    void moreRequested();

private:
    void currentChanged();
    void restore();

    EntryListModel* model_;
    QLineEdit* search_;
    QListView* view_;
    QPushButton* more_;
    QString chosen_;
    const bool picks_first_;
    bool marked_ = true; ///< whether the page shows what is chosen
    bool restoring_ = false;
};

} // namespace tempera
