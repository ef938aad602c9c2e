#pragma once

#include "ui/data_types.h"
#include "ui/rate_meter.h"

#include <QElapsedTimer>
#include <QWidget>

class QComboBox;
class QLabel;
class QProgressBar;
class QPushButton;
class QSplitter;
class QStackedWidget;
class QTreeView;

namespace tempera {

class EmptyState;
class IssueTreeModel;
class LengthHistogramChart;

/// Reads a split through: how many rows can be used, what is the matter with the others, how long they are.
class CheckView final : public QWidget {
    Q_OBJECT

public:
    explicit CheckView(QWidget* parent = nullptr);

    /// The splits whose prompts a test split must not hold; the one that is checked is left out.
    void setSplits(const DataOverview& overview, std::size_t current);
    void setRunning(bool running);
    void setProgress(double share, std::int64_t rows);
    /// Null: not checked yet.
    void setReport(const std::shared_ptr<const ValidationReport>& report, std::int64_t max_length);
    void setProblem(const QString& sentence);
    /// "PATH#SPLIT" of the split to compare with; "" = none.
    std::string compared() const;

    QPushButton* button() const { return button_; }
    QComboBox* comparedBox() const { return compared_; }
    QTreeView* issues() const { return issues_; }
    LengthHistogramChart* lengths() const { return lengths_; }
    QLabel* summary() const { return summary_; }
    QSplitter* splitter() const { return splitter_; }

Q_SIGNALS:
    void checkRequested();
    void stopRequested();
    /// A row of the split, from 0, is to be shown.
    void rowRequested(qint64 index);

private:
    void rowActivated();

    IssueTreeModel* model_;
    EmptyState* empty_;
    QStackedWidget* stack_;
    QSplitter* splitter_;
    QTreeView* issues_;
    LengthHistogramChart* lengths_;
    QComboBox* compared_;
    QWidget* compared_field_; ///< the box with its label
    QLabel *summary_, *status_;
    QProgressBar* bar_;
    QPushButton* button_;
    RateMeter meter_;
    QElapsedTimer clock_;
    bool running_ = false;
};

} // namespace tempera
