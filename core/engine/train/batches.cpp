#include "core/engine/train/batches.h"

#include "core/base/random.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace tempera {

namespace {

std::int64_t divide_up(std::int64_t a, std::int64_t b) {
    return (a + b - 1) / b;
}

MicroBatch make_micro_batch(const std::vector<TokenExample>& examples, const std::vector<std::int64_t>& rows,
                            const std::vector<std::int64_t>& streams, at::Device device) {
    MicroBatch batch;
    batch.rows = rows;
    std::vector<std::span<const std::int32_t>> sequences;
    std::vector<std::int64_t> wanted;
    std::vector<std::int32_t> targets;
    std::int64_t begin = 0;
    for (std::int64_t row : rows) {
        const TokenExample& example = examples[static_cast<std::size_t>(row)];
        sequences.emplace_back(example.ids);
        for (std::int64_t t = example.first_target(); t < example.length(); ++t) {
            wanted.push_back(begin + t - 1);
            targets.push_back(example.ids[static_cast<std::size_t>(t)]);
        }
        begin += example.length();
    }
    batch.row = make_token_row(sequences, streams, device);
    batch.wanted = at::tensor(wanted, at::kLong).to(device);
    batch.targets = at::tensor(targets, at::kInt).to(device);
    return batch;
}

} // namespace

BatchPlan::BatchPlan(std::int64_t rows, std::int64_t batch_size, std::int64_t accumulation,
                     std::uint64_t seed)
    : rows_(rows), batch_size_(batch_size), accumulation_(accumulation),
      batches_per_epoch_(divide_up(rows, batch_size)),
      steps_per_epoch_(std::max<std::int64_t>(1, divide_up(batches_per_epoch_, accumulation))), seed_(seed) {}

std::int64_t BatchPlan::total_steps(double epochs, std::int64_t max_steps) const {
    if (max_steps > 0) return max_steps;
    return static_cast<std::int64_t>(std::ceil(epochs * static_cast<double>(steps_per_epoch_)));
}

std::vector<std::vector<std::int64_t>> BatchPlan::batches(std::int64_t step) {
    std::int64_t epoch = step / steps_per_epoch_, first = step % steps_per_epoch_ * accumulation_;
    if (epoch != epoch_) {
        RandomStream random(seed_, static_cast<std::uint64_t>(epoch), 0xda7a);
        order_ = shuffled_indices(rows_, random);
        epoch_ = epoch;
    }
    std::vector<std::vector<std::int64_t>> result;
    for (std::int64_t b = first; b < std::min(first + accumulation_, batches_per_epoch_); ++b) {
        auto begin = order_.begin() + b * batch_size_,
             end = order_.begin() + std::min((b + 1) * batch_size_, rows_);
        result.emplace_back(begin, end);
    }
    return result;
}

double BatchPlan::epoch_after(std::int64_t steps) const {
    std::int64_t inside = std::min(steps % steps_per_epoch_ * accumulation_, batches_per_epoch_);
    return static_cast<double>(steps / steps_per_epoch_)
           + static_cast<double>(inside) / static_cast<double>(batches_per_epoch_);
}

std::vector<std::int64_t> all_rows(const std::vector<std::vector<std::int64_t>>& batches) {
    std::vector<std::int64_t> rows;
    for (const auto& batch : batches)
        rows.insert(rows.end(), batch.begin(), batch.end());
    return rows;
}

std::vector<std::vector<std::size_t>> token_groups(std::span<const std::int64_t> lengths,
                                                   std::int64_t max_tokens) {
    std::vector<std::size_t> order(lengths.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return lengths[a] > lengths[b]; });
    std::vector<std::vector<std::size_t>> groups;
    std::int64_t tokens = 0;
    for (std::size_t i : order) {
        if (groups.empty() || tokens + lengths[i] > max_tokens) {
            groups.emplace_back();
            tokens = 0;
        }
        groups.back().push_back(i);
        tokens += lengths[i];
    }
    return groups;
}

std::vector<MicroBatch> make_micro_batches(const std::vector<TokenExample>& examples,
                                           const std::vector<std::int64_t>& rows, std::int64_t max_tokens,
                                           std::int64_t first_stream, at::Device device) {
    std::vector<std::int64_t> lengths;
    for (std::int64_t row : rows)
        lengths.push_back(examples[static_cast<std::size_t>(row)].length());
    std::vector<MicroBatch> batches;
    for (const auto& group : token_groups(lengths, max_tokens)) {
        std::vector<std::int64_t> members, streams;
        for (std::size_t i : group) {
            members.push_back(rows[i]);
            streams.push_back(first_stream + static_cast<std::int64_t>(i));
        }
        batches.push_back(make_micro_batch(examples, members, streams, device));
    }
    return batches;
}

} // namespace tempera
