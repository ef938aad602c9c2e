#include "core/engine/train/sft_step.h"

#include <c10/core/GradMode.h>
#include <cmath>
#include <numeric>

namespace tempera {

namespace {

void add(CrossEntropySums& sums, const CrossEntropySums& part) {
    sums.negative_logprob += part.negative_logprob;
    sums.entropy += part.entropy;
    sums.correct += part.correct;
    sums.tokens += part.tokens;
}

std::int64_t count_targets(const std::vector<TokenExample>& examples,
                           const std::vector<std::vector<std::int64_t>>& batches) {
    std::int64_t count = 0;
    for (const auto& batch : batches)
        for (std::int64_t row : batch)
            count += examples[static_cast<std::size_t>(row)].targets();
    return count;
}

at::Tensor hidden_of(const PassContext& context, const MicroBatch& micro, const DropoutSource& dropout) {
    return decoder_hidden(context.model, micro.row, context.rope, dropout, micro.wanted,
                          context.compute_type);
}

} // namespace

PassResult accumulate_gradients(const PassContext& context, const std::vector<TokenExample>& examples,
                                const std::vector<std::vector<std::int64_t>>& batches,
                                const DropoutSource& dropout, std::int64_t first_stream,
                                const StopToken& stop) {
    PassResult result;
    result.targets = count_targets(examples, batches);
    double loss_sum = 0, scale = 1 / static_cast<double>(std::max<std::int64_t>(result.targets, 1));
    for (const auto& batch : batches) {
        CrossEntropySums sums;
        for (const MicroBatch& micro :
             make_micro_batches(examples, batch, context.micro_batch_tokens, first_stream, context.device)) {
            if (stop.requested() == StopRequest::cancel) {
                result.cancelled = true;
                return result;
            }
            at::Tensor hidden = hidden_of(context, micro, dropout), d_hidden;
            CrossEntropySums part =
                cross_entropy(hidden, context.model.lm_head, micro.targets, scale, &d_hidden);
            if (!std::isfinite(part.negative_logprob)) {
                result.loss = part.negative_logprob;
                result.bad_rows = micro.rows;
                return result;
            }
            hidden.backward(d_hidden);
            add(sums, part);
            result.tokens += micro.row.tokens();
        }
        loss_sum += sums.negative_logprob;
        auto tokens = static_cast<double>(std::max<std::int64_t>(sums.tokens, 1));
        result.entropy += sums.entropy / tokens / static_cast<double>(batches.size());
        result.accuracy += static_cast<double>(sums.correct) / tokens / static_cast<double>(batches.size());
        first_stream += static_cast<std::int64_t>(batch.size());
    }
    result.loss = loss_sum * scale;
    return result;
}

PassResult evaluate(const PassContext& context, const std::vector<TokenExample>& examples,
                    const StopToken& stop) {
    c10::NoGradGuard no_grad;
    PassResult result;
    CrossEntropySums sums;
    std::vector<std::int64_t> rows(examples.size());
    std::iota(rows.begin(), rows.end(), std::int64_t{0});
    for (const MicroBatch& micro :
         make_micro_batches(examples, rows, context.micro_batch_tokens, 0, context.device)) {
        if (stop.requested() == StopRequest::cancel) {
            result.cancelled = true;
            return result;
        }
        add(sums,
            cross_entropy(hidden_of(context, micro, {}), context.model.lm_head, micro.targets, 0, nullptr));
        result.tokens += micro.row.tokens();
    }
    auto tokens = static_cast<double>(std::max<std::int64_t>(sums.tokens, 1));
    result.targets = sums.tokens;
    result.loss = sums.negative_logprob / tokens;
    result.entropy = sums.entropy / tokens;
    result.accuracy = static_cast<double>(sums.correct) / tokens;
    return result;
}

} // namespace tempera
