#include "ui/pages/sample_row.h"

#include "ui/pages/sample_card.h"
#include "ui/theme/text.h"

#include "core/base/json.h"

#include <QHBoxLayout>
#include <QScrollBar>
#include <QTextBrowser>

#include <algorithm>

namespace tempera {

namespace {

QString targetOf(const PromptRecord& prompt) {
    const Json facts = Json::parse(prompt.facts, nullptr, false);
    if (!facts.is_object() || !facts.contains("target") || !facts["target"].is_number()) return {};
    return QString::number(facts["target"].get<double>(), 'g', 12);
}

} // namespace

SampleRow::SampleRow(QWidget* parent) : QScrollArea(parent) {
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::NoFocus);
    auto* body = new QWidget(this);
    auto* row = new QHBoxLayout(body);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(8);
    setWidget(body);
}

int SampleRow::chosenOf(const std::vector<Sample>& samples, int n) {
    int best = -1;
    for (int i = 0; i < std::min(n, int(samples.size())); ++i)
        if (best < 0 || samples[std::size_t(i)].score > samples[std::size_t(best)].score) best = i;
    return best;
}

void SampleRow::setSamples(const SampleSetPointer& set, int n) {
    const bool other = !set_ || set_->prompt.index != set->prompt.index || set_->run_id != set->run_id
                       || set_->temperature != set->temperature;
    set_ = set;
    n_ = n;
    if (other) current_ = 0;
    auto* row = static_cast<QHBoxLayout*>(widget()->layout());
    while (cards_.size() < set_->samples.size()) {
        auto* card = new SampleCard(widget());
        cards_.push_back(card);
        row->addWidget(card, 1);
        connect(card, &SampleCard::pressed, this, [this, card] {
            const auto shown = shownCards();
            setCurrent(static_cast<int>(std::find(shown.begin(), shown.end(), card) - shown.begin()));
        });
        connect(card, &SampleCard::opened, this, &SampleRow::toggleWhole);
        connect(card->body()->verticalScrollBar(), &QScrollBar::valueChanged, this, [this, card](int value) {
            for (SampleCard* other_card : cards_)
                if (other_card != card) other_card->body()->verticalScrollBar()->setValue(value);
        });
    }
    arrange();
}

void SampleRow::arrange() {
    if (!set_) return;
    const auto& samples = set_->samples;
    const int chosen = chosenOf(samples, n_);
    const QString target = targetOf(set_->prompt);
    const bool in_think = toQt(set_->prompt.text).trimmed().endsWith(QStringLiteral("<think>"));
    std::vector<std::size_t> order;
    for (const bool pinned : {true, false})
        for (std::size_t i = 0; i < samples.size(); ++i)
            if ((pins_.count(samples[i].sample_index) > 0) == pinned) order.push_back(i);
    current_ = std::clamp(current_, 0, std::max(0, int(samples.size()) - 1));
    for (std::size_t place = 0; place < cards_.size(); ++place) {
        SampleCard* card = cards_[place];
        const bool shown = place < order.size() && (!whole_ || int(place) == current_);
        card->setVisible(shown);
        if (place >= order.size()) continue;
        const Sample& sample = samples[order[place]];
        card->setWhole(whole_);
        const bool same = card->sample().text == sample.text
                          && card->sample().sample_index == sample.sample_index
                          && card->sample().temperature == sample.temperature
                          && card->sample().prompt_index == sample.prompt_index;
        if (!same) card->setSample(sample, target, in_think);
        card->setChosen(int(order[place]) == chosen);
        card->setPinned(pins_.count(sample.sample_index) > 0);
        card->setCounted(int(order[place]) < n_);
        card->setCurrent(int(place) == current_);
    }
}

std::vector<SampleCard*> SampleRow::shownCards() const {
    const std::size_t count = set_ ? std::min(set_->samples.size(), cards_.size()) : 0;
    return {cards_.begin(), cards_.begin() + static_cast<std::ptrdiff_t>(count)};
}

SampleCard* SampleRow::currentCard() const {
    const auto shown = shownCards();
    return current_ < int(shown.size()) ? shown[std::size_t(current_)] : nullptr;
}

void SampleRow::setCurrent(int position) {
    current_ = position;
    arrange();
    if (SampleCard* card = currentCard()) ensureWidgetVisible(card, 8, 0);
    Q_EMIT currentChanged();
}

void SampleRow::move(int by) {
    const int count = static_cast<int>(shownCards().size());
    if (count > 0) setCurrent(std::clamp(current_ + by, 0, count - 1));
}

void SampleRow::togglePin(int sample_index) {
    if (!pins_.erase(sample_index)) pins_.insert(sample_index);
    arrange();
}

void SampleRow::toggleWhole() {
    whole_ = !whole_;
    arrange();
}

} // namespace tempera
