#pragma once

#include "core/base/json.h"
#include "core/store/local_models.h"
#include "ui/data_reader.h"
#include "ui/model_shelf.h"
#include "ui/pages/data_facts.h"
#include "ui/widgets/banner.h"

#include <QPointer>
#include <QTimer>
#include <QWidget>

class QComboBox;
class QLabel;
class QPushButton;
class QSpinBox;
class QSplitter;
class QStackedWidget;
class QTabBar;
class QTableView;

namespace tempera {

class ChatView;
class CheckView;
class DataPanel;
class ElidedLabel;
class RowTableModel;
class TokenView;

/// One data set: its rows as a table, as conversations and as tokens, and what a check of all of them found.
class DataView final : public QWidget {
    Q_OBJECT

public:
    explicit DataView(QWidget* parent = nullptr);

    /// Opens it; opened() or failed() follows. What is open already is read again and shows the same row.
    void open(const QString& path);
    void setModels(const ShelfPointer& models);
    QString path() const { return path_; }
    /// What the data set that is shown is to the hub; an empty name = nothing.
    void setOrigin(CachedRepository origin);
    std::size_t split() const { return split_; }
    qint64 row() const { return row_; }
    /// Shows a row of the split in the table and makes it the one that the other tabs show.
    void goTo(qint64 row);
    void setRow(qint64 row);
    void showTab(int tab);

    DataReader* reader() const { return reader_; }
    QTabBar* tabs() const { return tabs_; }
    QTableView* table() const { return table_; }
    RowTableModel* model() const { return model_; }
    ChatView* chat() const { return chat_; }
    TokenView* tokenView() const { return tokens_; }
    CheckView* checkView() const { return check_; }
    DataPanel* panel() const { return panel_; }
    QComboBox* splitBox() const { return split_box_; }
    QSpinBox* rowBox() const { return row_box_; }
    QLabel* countLabel() const { return count_label_; }
    QLabel* noRowsLabel() const { return no_rows_; }
    /// Null where nothing is the matter.
    Banner* trouble() const { return trouble_; }
    QPushButton* useButton() const { return use_; }
    QSplitter* splitter() const { return splitter_; }

    enum Tab { rows_tab, chat_tab, tokens_tab, check_tab };

Q_SIGNALS:
    void opened(const QString& path);
    void failed(const QString& sentence);
    void newRunRequested(const tempera::Json& recipe);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* buildHead();
    QWidget* buildTokens();
    void buildTable();
    void connectReader();
    void overviewArrived(const DataOverviewPointer& overview);
    void splitChosen(int split);
    void counted(const SplitCount& count);
    void countOthers();
    /// Says on the page what is the matter with the open data; "" = nothing is.
    void showTrouble(const QString& sentence);
    /// What stands where rows would.
    void showNoRows();
    /// Makes the columns as wide as the first rows are, within bounds.
    void fitColumns();
    void readingChanged();
    /// Asks for the current row, soon.
    void wantRow();
    void askForRow();
    void startCheck();
    void showName();
    void showFacts();
    void showUses();
    std::string reference() const;

    DataReader* reader_;
    QString path_;
    CachedRepository origin_;
    DataOverviewPointer overview_;
    std::size_t split_ = 0;
    qint64 row_ = 0;
    qint64 row_before_ = -1; ///< to go to once it is there again; -1 = none
    QString split_before_;
    SplitCount count_;
    std::map<std::size_t, std::int64_t> other_rows_; ///< of the splits that were counted
    bool fitted_ = false; ///< the columns; from then on their widths are the user's
    std::shared_ptr<const ValidationReport> report_;
    std::int64_t checked_length_ = 0;

    ElidedLabel *name_, *about_;
    QComboBox* split_box_;
    QLabel *split_label_, *count_label_;
    QPushButton* use_;
    QTabBar* tabs_;
    QSpinBox* row_box_;
    QStackedWidget* stack_;
    QTableView* table_;
    RowTableModel* model_;
    ChatView* chat_;
    TokenView* tokens_;
    CheckView* check_;
    DataPanel* panel_;
    QSplitter* splitter_;
    QTimer row_timer_, late_timer_;
    QPointer<Banner> trouble_;
    QLabel* no_rows_;
};

} // namespace tempera
