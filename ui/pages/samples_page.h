#pragma once

#include "ui/feed_types.h"
#include "ui/models/prompt_list_model.h"
#include "ui/models/scoring.h"

#include <QTimer>
#include <QWidget>

#include <optional>

class QComboBox;
class QLineEdit;
class QListView;
class QSplitter;
class QStackedWidget;

namespace tempera {

class CardBrowser;
class CardRow;
class EmptyState;

/// The samples of a run: prompts at a temperature at the left, the prompt on top, its completions side by
/// side. Keys as CardBrowser's, and F: next filter; slash: search.
class SamplesPage final : public QWidget {
    Q_OBJECT

public:
    explicit SamplesPage(QWidget* parent = nullptr);

    /// Which run the data that follow are of.
    void setRun(const RunRecord& run);
    void setData(const RunDataPointer& data);
    /// Opens a cell of the map: its temperature, and the best of N.
    void showCell(double temperature, int n);
    void setPrompts(const PromptListPointer& prompts);
    void setSamples(const SampleSetPointer& samples);

    double temperature() const;
    int bestOf() const;
    VerdictFilter filter() const;
    void setFilter(VerdictFilter filter);
    CardBrowser* browser() const { return browser_; }
    CardRow* row() const;
    QListView* promptList() const { return list_; }
    QLineEdit* searchBox() const { return search_; }
    QSplitter* splitter() const;
    /// What the page needs now; nullopt while there is nothing to ask for.
    std::optional<PromptQuery> query() const;

Q_SIGNALS:
    void promptsWanted(const tempera::PromptQuery& query);
    void samplesWanted(const QString& run_id, double temperature, qint64 prompt_index);

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    QWidget* buildTools();
    void askPrompts();
    void askSamples();
    bool pageKey(int key);
    void showSamples();
    void refreshCounts(int largest_n);
    void showState();

    RunDataPointer data_;
    SampleSetPointer samples_;
    std::optional<PromptQuery> asked_, answered_;
    Scoring scoring_ = Scoring::verdict;
    QString system_;
    bool ended_ = false;
    std::int64_t wanted_prompt_ = -1;
    PromptListModel* model_;
    QComboBox *temperature_, *best_of_, *filter_;
    QLineEdit* search_;
    CardBrowser* browser_;
    QListView* list_;
    QStackedWidget* stack_;
    EmptyState* empty_;
    QTimer search_timer_;
};

} // namespace tempera
