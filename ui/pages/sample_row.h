#pragma once

#include "ui/feed_types.h"

#include <QScrollArea>

#include <set>

namespace tempera {

class SampleCard;

/// The completions of one prompt as cards side by side in equal columns, scrolling in lock-step. Pinned ones
/// stand first; the one a verifier picks from the first `n` is marked.
class SampleRow final : public QScrollArea {
    Q_OBJECT

public:
    explicit SampleRow(QWidget* parent = nullptr);

    void setSamples(const SampleSetPointer& set, int n);
    void move(int by);
    void togglePin(int sample_index);
    /// Only the current card, over the whole room; again: all of them.
    void toggleWhole();
    bool whole() const { return whole_; }
    SampleCard* currentCard() const;
    std::vector<SampleCard*> shownCards() const;
    /// The sample the verifier picks from the first n: the highest score, the earliest of equals; -1 where
    /// there is none.
    static int chosenOf(const std::vector<Sample>& samples, int n);
    int position() const { return current_; }

Q_SIGNALS:
    void currentChanged();

private:
    void arrange();
    void setCurrent(int position);

    SampleSetPointer set_;
    int n_ = 0;
    int current_ = 0;
    bool whole_ = false;
    std::set<int> pins_;
    std::vector<SampleCard*> cards_;
};

} // namespace tempera
