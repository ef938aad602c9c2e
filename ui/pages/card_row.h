#pragma once

#include "ui/pages/completion.h"
#include "ui/pages/token_lens.h"
#include "ui/pages/word_diff.h"
#include "ui/token_texts.h"

#include <QScrollArea>
#include <QTimer>

#include <map>
#include <set>

namespace tempera {

class CompletionCard;

/// The completions of one prompt as cards side by side in equal columns, scrolling in lock-step. Pinned ones
/// stand first.
class CardRow final : public QScrollArea {
    Q_OBJECT

public:
    explicit CardRow(QWidget* parent = nullptr);

    /// `key` names the prompt: with another one the first card is current again. `chosen`: position of the
    /// one with the accent edge, -1 = none; those from `counted` on are dimmed.
    void setCompletions(const QString& key, std::vector<Completion> completions, int chosen, int counted);
    void move(int by);
    void togglePin(int index);
    /// Only the current card, over the whole room; again: all of them.
    void toggleWhole();
    bool whole() const { return whole_; }
    /// The current card beside the one it is compared with (the first pinned, else the chosen, else the first
    /// other one), what differs underlined; again: all of them.
    void toggleDifference();
    bool difference() const { return difference_; }

    Lens lens() const { return lens_; }
    void setLens(Lens lens);
    /// What any of the cards could show.
    std::vector<Lens> lenses() const;
    /// The text of every token, per completion in their order.
    void setPieces(std::vector<std::vector<QString>> pieces);
    bool hasPieces() const { return !pieces_.empty(); }
    std::vector<TokenList> tokens() const;
    void moveToken(int by);
    /// All about the current token of the current card.
    QString tokenText() const;

    CompletionCard* currentCard() const;
    std::vector<CompletionCard*> shownCards() const;
    const QString& key() const { return key_; }
    int position() const { return current_; }

Q_SIGNALS:
    void currentChanged();
    void tokenChanged();

private:
    CompletionCard* newCard();
    void arrange();
    void fill(int count);
    void dress(std::size_t place);
    void setCurrent(int position);
    /// Positions of the completions in the order of the cards.
    std::vector<std::size_t> order() const;
    int otherPlace(const std::vector<std::size_t>& order) const;

    QString key_;
    std::vector<Completion> completions_;
    std::vector<std::vector<QString>> pieces_;
    int chosen_ = -1;
    int counted_ = 0;
    int current_ = 0; ///< place in the row
    bool whole_ = false, difference_ = false;
    Lens lens_ = Lens::none;
    std::set<int> pins_; ///< by Completion::index
    std::vector<CompletionCard*> cards_;
    // What arrange() found, for the cards that are dressed later.
    std::vector<std::size_t> order_;
    int other_ = -1; ///< place of the card that the current one is compared with
    WordDiff words_;
    std::size_t filled_ = 0; ///< cards that show what they should
    QTimer fill_timer_;
};

} // namespace tempera
