#pragma once

#include "ui/feed_types.h"
#include "ui/models/prompt_list_model.h"

#include <QTimer>
#include <QWidget>

#include <optional>

class QComboBox;
class QFrame;
class QLabel;
class QLineEdit;
class QListView;
class QPlainTextEdit;
class QSplitter;
class QStackedWidget;
class QToolButton;

namespace tempera {

class EmptyState;
class SampleRow;

/// The samples of a sweep: prompts at a temperature at the left, the prompt on top, its completions side by
/// side. J/K or up/down: prompt; H/L or left/right: sample; 1..9 pin; F next filter; C copies Markdown; Enter
/// full size.
class SamplesPage final : public QWidget {
    Q_OBJECT

public:
    explicit SamplesPage(QWidget* parent = nullptr);

    void setData(const RunDataPointer& data);
    /// Opens a cell of the map: its temperature, and the best of N.
    void showCell(double temperature, int n);
    void setPrompts(const PromptListPointer& prompts);
    void setSamples(const SampleSetPointer& samples);

    double temperature() const;
    int bestOf() const;
    VerdictFilter filter() const;
    void setFilter(VerdictFilter filter);
    QString markdown() const;
    SampleRow* row() const { return row_; }
    QListView* promptList() const { return list_; }
    QLineEdit* searchBox() const { return search_; }
    QSplitter* splitter() const { return splitter_; }
    /// What the page needs now; nullopt while there is nothing to ask for.
    std::optional<PromptQuery> query() const;

Q_SIGNALS:
    void promptsWanted(const tempera::PromptQuery& query);
    void samplesWanted(const QString& run_id, double temperature, qint64 prompt_index);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QWidget* buildTools();
    QWidget* buildPrompt();
    void askPrompts();
    void askSamples();
    void foldPrompt(bool open);
    bool handleKey(QKeyEvent* event);
    void movePrompt(int by);
    void refreshCounts(int largest_n);
    void showState();

    RunDataPointer data_;
    SampleSetPointer samples_;
    std::optional<PromptQuery> asked_;
    std::int64_t wanted_prompt_ = -1;
    PromptListModel* model_;
    QComboBox *temperature_, *best_of_, *filter_;
    QLineEdit* search_;
    QLabel *position_, *prompt_title_;
    QListView* list_;
    QPlainTextEdit* prompt_text_;
    QToolButton* fold_;
    QFrame* prompt_;
    SampleRow* row_;
    QSplitter* splitter_;
    QStackedWidget* stack_;
    EmptyState* empty_;
    QTimer search_timer_;
};

} // namespace tempera
