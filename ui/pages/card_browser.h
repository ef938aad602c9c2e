#pragma once

#include "ui/pages/completion.h"
#include "ui/pages/token_lens.h"
#include "ui/token_texts.h"

#include <QWidget>

#include <functional>

class QAbstractItemModel;
class QComboBox;
class QFrame;
class QLabel;
class QListView;
class QPlainTextEdit;
class QPushButton;
class QSplitter;
class QToolButton;

namespace tempera {

class CardRow;
class ElidedLabel;
class LensLegend;

/// What the pages of completions have in common: a list of prompts at the left; right of it the prompt on top
/// and its completions side by side; below them, while a lens is on, its colours and the current token. J/K
/// or up/down: list; H/L or left/right: card; 1..9 pin; D difference; T next lens; comma and full stop:
/// token; P prompt; Enter full size, Escape back.
class CardBrowser final : public QWidget {
    Q_OBJECT

public:
    /// `model` is shown through a PromptDelegate; `list_name` is read aloud.
    CardBrowser(QAbstractItemModel* model, const QString& list_name, QWidget* parent = nullptr);

    /// `context` goes with the title where a completion is copied.
    void setPrompt(const QString& title, const QString& text, const QString& context = {});
    /// One line over the list; "" = none.
    void setListCaption(const QString& text);
    QString listCaption() const;
    /// As CardRow's.
    void setCompletions(const QString& key, std::vector<Completion> completions, int chosen, int counted);
    /// Until the next completions come: those of another run must not stand there.
    void clear();
    /// The answer to piecesWanted with this key: the text of every token, or why there is none.
    void setPieces(const QString& key, std::vector<std::vector<QString>> pieces, const QString& problem);
    /// Keys that are the page's own; asked first.
    void setPageKeys(std::function<bool(int key)> keys) { page_keys_ = std::move(keys); }
    bool handleKey(QKeyEvent* event);
    void moveCurrent(int by);
    void copyMarkdown() const;
    QString markdown() const;

    QListView* list() const { return list_; }
    CardRow* row() const { return row_; }
    QSplitter* splitter() const { return splitter_; }
    /// For the page's tools.
    QComboBox* lensBox() const { return lens_; }
    QPushButton* differenceButton() const { return difference_; }
    QLabel* positionLabel() const { return position_; }
    QString tokenLineText() const;

Q_SIGNALS:
    void currentChanged(int row);
    void piecesWanted(const QString& key, const std::vector<tempera::TokenList>& tokens);

protected:
    void keyPressEvent(QKeyEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    QFrame* buildPrompt();
    QWidget* buildStrip();
    void foldPrompt(bool open);
    void chooseLens();
    void askPieces();
    void refreshStrip();
    void refreshPosition();

    std::function<bool(int)> page_keys_;
    QListView* list_;
    ElidedLabel* list_caption_;
    QLabel *prompt_title_, *position_;
    QPlainTextEdit* prompt_text_;
    QToolButton* fold_;
    QPushButton* difference_;
    QComboBox* lens_;
    CardRow* row_;
    QSplitter* splitter_;
    QWidget* strip_;
    LensLegend* legend_;
    ElidedLabel* token_;
    QString asked_key_, problem_, context_;
};

} // namespace tempera
