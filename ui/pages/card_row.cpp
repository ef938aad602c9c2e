#include "ui/pages/card_row.h"

#include "ui/pages/completion_card.h"

#include <QHBoxLayout>
#include <QScrollBar>
#include <QTextBrowser>

#include <algorithm>

namespace tempera {

namespace {

constexpr int at_once = 12; // more than a window shows
constexpr int each_turn = 3;

} // namespace

CardRow::CardRow(QWidget* parent) : QScrollArea(parent) {
    setObjectName(QStringLiteral("cards"));
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::NoFocus);
    auto* body = new QWidget(this);
    auto* row = new QHBoxLayout(body);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    setWidget(body);
    fill_timer_.setInterval(0);
    fill_timer_.setSingleShot(true);
    connect(&fill_timer_, &QTimer::timeout, this, [this] { fill(each_turn); });
}

CompletionCard* CardRow::newCard() {
    auto* card = new CompletionCard(widget());
    widget()->layout()->addWidget(card);
    const auto place_of = [this, card] {
        return static_cast<int>(std::find(cards_.begin(), cards_.end(), card) - cards_.begin());
    };
    connect(card, &CompletionCard::pressed, this, [this, place_of] { setCurrent(place_of()); });
    connect(card, &CompletionCard::opened, this, &CardRow::toggleWhole);
    connect(card, &CompletionCard::tokenHovered, this, [this, place_of] {
        if (place_of() != current_) setCurrent(place_of());
        Q_EMIT tokenChanged();
    });
    connect(card->body()->verticalScrollBar(), &QScrollBar::valueChanged, this, [this, card](int value) {
        for (CompletionCard* other : cards_)
            if (other != card) other->body()->verticalScrollBar()->setValue(value);
    });
    return card;
}

void CardRow::setCompletions(const QString& key, std::vector<Completion> completions, int chosen,
                             int counted) {
    const bool other = key != key_;
    if (other) current_ = 0;
    if (other || completions.size() != completions_.size()) pieces_.clear();
    key_ = key;
    completions_ = std::move(completions);
    chosen_ = chosen;
    counted_ = counted;
    arrange();
}

std::vector<std::size_t> CardRow::order() const {
    std::vector<std::size_t> order;
    for (const bool pinned : {true, false})
        for (std::size_t i = 0; i < completions_.size(); ++i)
            if ((pins_.count(completions_[i].index) > 0) == pinned) order.push_back(i);
    return order;
}

int CardRow::otherPlace(const std::vector<std::size_t>& order) const {
    int best = -1, best_rank = 3;
    for (int place = 0; place < int(order.size()); ++place) {
        if (place == current_) continue;
        const std::size_t i = order[std::size_t(place)];
        const int rank = pins_.count(completions_[i].index) > 0 ? 0 : int(i) == chosen_ ? 1 : 2;
        if (rank < best_rank) {
            best = place;
            best_rank = rank;
        }
    }
    return best;
}

void CardRow::arrange() {
    order_ = order();
    current_ = std::clamp(current_, 0, std::max(0, int(completions_.size()) - 1));
    other_ = difference_ ? otherPlace(order_) : -1;
    words_ = {};
    if (other_ >= 0)
        words_ = wordDiff(completions_[order_[std::size_t(current_)]].text,
                          completions_[order_[std::size_t(other_)]].text);
    filled_ = 0;
    fill(at_once);
    if (current_ >= at_once && current_ < int(cards_.size())) dress(std::size_t(current_));
}

/// Laying out a hundred long texts would hold the window up, so that only the first cards are dressed at
/// once, and a few at each turn of the event loop.
void CardRow::fill(int count) {
    const std::size_t end = std::min(completions_.size(), filled_ + std::size_t(count));
    while (cards_.size() < end)
        cards_.push_back(newCard());
    for (; filled_ < end; ++filled_)
        dress(filled_);
    if (filled_ < completions_.size()) {
        fill_timer_.start();
        return;
    }
    fill_timer_.stop();
    for (std::size_t place = filled_; place < cards_.size(); ++place)
        cards_[place]->hide();
}

void CardRow::dress(std::size_t place) {
    CompletionCard* card = cards_[place];
    const bool current = int(place) == current_;
    const bool compared = other_ >= 0 && (current || int(place) == other_);
    const bool alone = whole_ || other_ >= 0;
    const std::size_t i = order_[place];
    card->setVisible(!alone || current || compared);
    card->setWhole(whole_);
    if (!(card->completion() == completions_[i])) card->setCompletion(completions_[i]);
    card->setChosen(int(i) == chosen_);
    card->setPinned(pins_.count(completions_[i].index) > 0);
    card->setCounted(int(i) < counted_);
    card->setCurrent(current);
    const int facing = current ? other_ : current_;
    card->setDifference(compared ? std::optional(current ? words_.only_a : words_.only_b) : std::nullopt,
                        compared ? completions_[order_[std::size_t(facing)]].caption : QString());
    card->setLens(lens_, i < pieces_.size() ? pieces_[i] : std::vector<QString>());
    if (!current) card->setCurrentToken(-1);
}

std::vector<CompletionCard*> CardRow::shownCards() const {
    const std::size_t count = std::min(completions_.size(), cards_.size());
    return {cards_.begin(), cards_.begin() + static_cast<std::ptrdiff_t>(count)};
}

CompletionCard* CardRow::currentCard() const {
    const auto shown = shownCards();
    return current_ < int(shown.size()) ? shown[std::size_t(current_)] : nullptr;
}

void CardRow::setCurrent(int position) {
    current_ = position;
    arrange();
    if (CompletionCard* card = currentCard()) ensureWidgetVisible(card, 8, 0);
    Q_EMIT currentChanged();
    Q_EMIT tokenChanged();
}

void CardRow::move(int by) {
    const int count = static_cast<int>(shownCards().size());
    if (count > 0) setCurrent(std::clamp(current_ + by, 0, count - 1)); // of those that are there by now
}

void CardRow::togglePin(int index) {
    const std::size_t kept = std::size_t(current_) < order_.size() ? order_[std::size_t(current_)] : 0;
    if (!pins_.erase(index)) pins_.insert(index);
    const std::vector<std::size_t> now = order(); // the cards change places; the same one stays current
    current_ = static_cast<int>(std::find(now.begin(), now.end(), kept) - now.begin());
    arrange();
}

void CardRow::toggleWhole() {
    whole_ = !whole_;
    arrange();
}

void CardRow::toggleDifference() {
    difference_ = !difference_;
    arrange();
}

void CardRow::setLens(Lens lens) {
    lens_ = lens;
    arrange();
    Q_EMIT tokenChanged();
}

std::vector<Lens> CardRow::lenses() const {
    std::vector<Lens> lenses{Lens::none};
    for (const Completion& completion : completions_)
        for (const Lens lens : lensesOf(completion))
            if (std::find(lenses.begin(), lenses.end(), lens) == lenses.end()) lenses.push_back(lens);
    std::sort(lenses.begin(), lenses.end());
    return lenses;
}

void CardRow::setPieces(std::vector<std::vector<QString>> pieces) {
    pieces_ = std::move(pieces);
    arrange();
}

std::vector<TokenList> CardRow::tokens() const {
    std::vector<TokenList> lists;
    for (const Completion& completion : completions_)
        lists.push_back({completion.model_field, completion.token_ids});
    return lists;
}

void CardRow::moveToken(int by) {
    CompletionCard* card = currentCard();
    if (!card || !card->lensShown()) return;
    card->setCurrentToken(std::max(0, card->currentToken() + by));
    Q_EMIT tokenChanged();
}

QString CardRow::tokenText() const {
    const CompletionCard* card = currentCard();
    return card ? card->tokenText() : QString();
}

} // namespace tempera
