#pragma once

#include "ui/feed_types.h"
#include "ui/models/comparison_list_model.h"

#include <QWidget>

class QComboBox;
class QLineEdit;
class QStackedWidget;

namespace tempera {

class CardBrowser;
class ElidedLabel;
class EmptyState;
class WinRateBars;

/// A win-rate evaluation: bars of all of the study, how this one came out in words, and its prompts with both
/// replies side by side, the worst first. Keys as CardBrowser's, and F: next filter; S: next order; slash:
/// search.
class WinRatePage final : public QWidget {
    Q_OBJECT

public:
    explicit WinRatePage(QWidget* parent = nullptr);

    /// Which run the data that follow are of.
    void setRun(const RunRecord& run);
    void setData(const RunDataPointer& data);
    WinRateBars* bars() const { return bars_; }
    CardBrowser* browser() const { return browser_; }
    QComboBox* orderBox() const { return order_; }
    QComboBox* filterBox() const { return filter_; }
    QLineEdit* searchBox() const { return search_; }
    QString sentence() const;

Q_SIGNALS:
    void runOpened(const QString& run_id);

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    QWidget* buildTools();
    bool pageKey(int key);
    void listChanged();
    void showComparison();
    void showState();

    RunDataPointer data_;
    bool ended_ = false;
    ComparisonListModel* model_;
    WinRateBars* bars_;
    ElidedLabel* sentence_;
    QComboBox *order_, *filter_;
    QLineEdit* search_;
    CardBrowser* browser_;
    QStackedWidget* stack_;
    EmptyState* empty_;
    std::int64_t prompt_ = -1; ///< the shown one
};

} // namespace tempera
