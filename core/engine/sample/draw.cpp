#include "core/engine/sample/draw.h"

#include "core/engine/sample/lane_kernels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace tempera {

namespace {

constexpr double greedy_below = 1e-5; // as vLLM

} // namespace

TokenDrawer::TokenDrawer(std::int64_t vocab)
    : vocab_(vocab), block_sums_(static_cast<std::size_t>((vocab + row_block - 1) / row_block)),
      block_(static_cast<std::size_t>(row_block)), marks_(static_cast<std::size_t>(vocab), 0) {}

/// `row`, or a copy of it with every token seen penalised once.
const float* TokenDrawer::penalise(const float* row, double penalty, std::span<const std::int32_t> prompt,
                                   std::span<const std::int32_t> output) {
    if (penalty == 1) return row;
    const auto factor = static_cast<float>(penalty);
    penalised_.assign(row, row + vocab_);
    ++mark_;
    for (std::span<const std::int32_t> ids : {prompt, output})
        for (std::int32_t id : ids) {
            if (std::exchange(marks_[static_cast<std::size_t>(id)], mark_) == mark_) continue;
            float& logit = penalised_[static_cast<std::size_t>(id)];
            logit = logit > 0 ? logit / factor : logit * factor;
        }
    return penalised_.data();
}

bool TokenDrawer::filters(const DrawSettings& s) const {
    return s.min_p > 0 || s.top_p < 1 || (s.top_k > 0 && s.top_k < vocab_);
}

float TokenDrawer::logprob(const float* row, std::int32_t id) {
    const LaneKernels& k = lane_kernels();
    float largest = k.row_max(row, vocab_);
    RowSums sums = k.row_sums(row, vocab_, largest, 1, block_sums_.data());
    return static_cast<float>(static_cast<double>(row[id]) - static_cast<double>(largest)
                              - std::log(sums.raw));
}

/// Candidates: everything >= threshold, in order of id, with masses e^((l - largest) / T).
void TokenDrawer::gather(const float* row, float threshold, float largest, float inverse_t) {
    const LaneKernels& k = lane_kernels();
    ids_.resize(static_cast<std::size_t>(vocab_));
    ids_.resize(static_cast<std::size_t>(k.select(row, vocab_, threshold, ids_.data())));
    logits_.resize(ids_.size());
    masses_.resize(ids_.size());
    for (std::size_t i = 0; i < ids_.size(); ++i)
        logits_[i] = row[ids_[i]];
    k.temper(logits_.data(), static_cast<std::int64_t>(logits_.size()), largest, inverse_t, masses_.data());
}

void TokenDrawer::filter(const float* row, const DrawSettings& s, float largest, double total) {
    const double t = s.temperature;
    const auto inverse_t = static_cast<float>(1 / t);
    const double top = static_cast<double>(largest);
    const double floor =
        s.min_p > 0 ? top + std::log(std::min(s.min_p, 1.0)) * t : -std::numeric_limits<double>::infinity();
    const bool by_count = s.top_k > 0 && s.top_k < vocab_;
    // The candidates must hold the k largest, or the mass top_p asks for. Start near the top and widen; below
    // ln(vocab / (1 - p)) nats from the largest lies less than 1 - p of all mass.
    const double certain = s.top_p < 1 && !by_count
                               ? std::log(static_cast<double>(vocab_) / (1 - s.top_p)) + 0.1
                               : std::numeric_limits<double>::infinity();
    for (double reach = 4;; reach *= 2) {
        double threshold = top - std::min(reach, certain) * t;
        const bool everything = reach > 1000 || s.min_p > 0;
        if (everything) threshold = floor;
        gather(row, static_cast<float>(threshold), largest, inverse_t);
        if (everything || reach >= certain) break;
        if (by_count) {
            if (ids_.size() >= static_cast<std::size_t>(s.top_k)) break;
            continue;
        }
        double mass = 0;
        for (float m : masses_)
            mass += static_cast<double>(m);
        if (mass > (s.top_p + 1e-4) * total) break;
    }
    if (by_count && ids_.size() > static_cast<std::size_t>(s.top_k))
        keep_top_k(static_cast<std::size_t>(s.top_k));
    if (s.top_p >= 1) return;
    if (by_count || s.min_p > 0) {
        total = 0;
        for (float m : masses_)
            total += static_cast<double>(m);
    }
    keep_top_p(s.top_p, total);
}

void TokenDrawer::keep_top_k(std::size_t k) {
    std::vector<float>& order = block_;
    order.assign(logits_.begin(), logits_.end());
    auto kth = order.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(order.begin(), kth, order.end(), std::greater<>());
    const float threshold = *kth;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < ids_.size(); ++i) {
        if (logits_[i] < threshold) continue;
        ids_[kept] = ids_[i];
        logits_[kept] = logits_[i];
        masses_[kept++] = masses_[i];
    }
    ids_.resize(kept);
    logits_.resize(kept);
    masses_.resize(kept);
}

/// Quickselect by mass: halves the range that holds the border until it is short, then sorts that.
void TokenDrawer::keep_top_p(double p, double total) {
    ranked_.clear();
    for (std::size_t i = 0; i < ids_.size(); ++i)
        ranked_.push_back({logits_[i], masses_[i], ids_[i]});
    auto before = [](const Ranked& a, const Ranked& b) {
        return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
    };
    const double wanted = p * total;
    double above = 0; // mass in front of `low`
    auto low = ranked_.begin(), high = ranked_.end();
    while (high - low > 64) {
        auto middle = low + (high - low) / 2;
        std::nth_element(low, middle, high, before);
        double half = 0;
        for (auto i = low; i < middle; ++i)
            half += static_cast<double>(i->mass);
        if (above + half >= wanted) {
            high = middle;
        } else {
            above += half;
            low = middle;
        }
    }
    std::sort(low, high, before);
    if (ranked_.empty()) return;
    auto last = low; // the last that is kept
    for (auto i = low; i < high && (above < wanted || i == ranked_.begin()); ++i) {
        last = i;
        above += static_cast<double>(i->mass);
    }
    const Ranked border = *last;
    std::size_t kept = 0;
    for (std::size_t i = 0; i < ids_.size(); ++i) {
        if (before(border, {logits_[i], masses_[i], ids_[i]})) continue;
        ids_[kept] = ids_[i];
        logits_[kept] = logits_[i];
        masses_[kept++] = masses_[i];
    }
    ids_.resize(kept);
    logits_.resize(kept);
    masses_.resize(kept);
}

std::int32_t TokenDrawer::draw_kept(double uniform) const {
    double total = 0;
    for (float m : masses_)
        total += static_cast<double>(m);
    double left = uniform * total;
    std::size_t choice = 0;
    for (std::size_t i = 0; i < masses_.size(); ++i) {
        if (masses_[i] > 0) choice = i;
        left -= static_cast<double>(masses_[i]);
        if (left < 0) break;
    }
    return ids_[choice];
}

std::int32_t TokenDrawer::draw_block(const float* row, float largest, float inverse_t, double target) {
    std::size_t block = 0;
    while (block + 1 < block_sums_.size() && target >= static_cast<double>(block_sums_[block]))
        target -= static_cast<double>(block_sums_[block++]);
    while (block > 0 && block_sums_[block] == 0)
        --block; // rounding led past the end
    const std::int64_t begin = static_cast<std::int64_t>(block) * row_block;
    const std::int64_t count = std::min(row_block, vocab_ - begin);
    block_.resize(static_cast<std::size_t>(std::max(row_block, count)));
    lane_kernels().temper(row + begin, count, largest, inverse_t, block_.data());
    std::int64_t choice = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        float mass = block_[static_cast<std::size_t>(i)];
        if (mass > 0) choice = i;
        target -= static_cast<double>(mass);
        if (target < 0) break;
    }
    return static_cast<std::int32_t>(begin + choice);
}

DrawnToken TokenDrawer::draw(const float* row, const DrawSettings& s, std::span<const std::int32_t> prompt,
                             std::span<const std::int32_t> output, double uniform) {
    const LaneKernels& k = lane_kernels();
    const bool greedy = s.temperature < greedy_below;
    const auto inverse_t = static_cast<float>(greedy ? 1 : 1 / s.temperature);
    float largest = k.row_max(row, vocab_);
    RowSums sums = k.row_sums(row, vocab_, largest, inverse_t, block_sums_.data());
    const double log_total = static_cast<double>(largest) + std::log(sums.raw);
    const double raw_largest = static_cast<double>(largest), hot_total = std::log(sums.hot);
    const float* raw = row;
    row = penalise(row, s.repetition_penalty, prompt, output);
    if (row != raw) {
        largest = k.row_max(row, vocab_);
        if (!greedy) sums = k.row_sums(row, vocab_, largest, inverse_t, block_sums_.data());
    }
    std::int32_t id = 0;
    if (greedy) {
        id = static_cast<std::int32_t>(k.row_argmax(row, vocab_));
    } else if (filters(s)) {
        filter(row, s, largest, sums.hot);
        id = draw_kept(uniform);
    } else {
        id = draw_block(row, largest, inverse_t, uniform * sums.hot);
    }
    const auto logit = static_cast<double>(raw[id]);
    return {id, static_cast<float>(logit - log_total),
            static_cast<float>((logit - raw_largest) * static_cast<double>(inverse_t) - hot_total)};
}

std::vector<double> TokenDrawer::distribution(const float* row, const DrawSettings& s,
                                              std::span<const std::int32_t> prompt,
                                              std::span<const std::int32_t> output) {
    const LaneKernels& k = lane_kernels();
    std::vector<double> result(static_cast<std::size_t>(vocab_), 0.0);
    row = penalise(row, s.repetition_penalty, prompt, output);
    if (s.temperature < greedy_below) {
        result[static_cast<std::size_t>(k.row_argmax(row, vocab_))] = 1;
    } else {
        const auto inverse_t = static_cast<float>(1 / s.temperature);
        const float largest = k.row_max(row, vocab_);
        RowSums sums = k.row_sums(row, vocab_, largest, inverse_t, block_sums_.data());
        if (filters(s))
            filter(row, s, largest, sums.hot);
        else
            gather(row, -std::numeric_limits<float>::infinity(), largest, inverse_t);
        double total = 0;
        for (float m : masses_)
            total += static_cast<double>(m);
        for (std::size_t i = 0; i < ids_.size(); ++i)
            result[static_cast<std::size_t>(ids_[i])] = static_cast<double>(masses_[i]) / total;
    }
    return result;
}

} // namespace tempera
