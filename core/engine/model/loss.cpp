#include "core/engine/model/loss.h"

#include "core/base/error.h"
#include "core/engine/kernels/gemm.h"
#include "core/engine/kernels/gradient.h"
#include "core/engine/kernels/pointwise.h"

#include <algorithm>
#include <torch/csrc/autograd/custom_function.h>

namespace tempera {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

bool native(const at::Tensor& x) {
    return x.device().is_cpu() && x.scalar_type() == at::kFloat;
}

const std::int32_t* ids_of(const at::Tensor& targets) {
    return targets.const_data_ptr<std::int32_t>();
}

void check_head(const Linear& head) {
    if (!head.lora.empty() || head.bias.defined())
        fail(ErrorKind::unsupported,
             "An adapter or a bias on lm_head is not supported; leave lm_head out of the targets.");
}

/// Logits of rows [begin, begin + count), float, in `buffer`.
at::Tensor chunk_logits(const at::Tensor& buffer, const at::Tensor& hidden, const at::Tensor& weight,
                        std::int64_t begin, std::int64_t count) {
    at::Tensor logits = buffer.narrow(0, 0, count);
    kernels::matmul_nt_into(logits, hidden.narrow(0, begin, count), weight);
    return logits;
}

/// As cross_entropy(), out of ATen operations, for other devices and types.
CrossEntropySums cross_entropy_reference(const at::Tensor& hidden, const Linear& head,
                                         const at::Tensor& targets, double scale, at::Tensor* d_hidden,
                                         std::int64_t chunk_rows) {
    CrossEntropySums sums;
    at::Tensor weight = head.weight.detach().to(hidden.scalar_type());
    for (std::int64_t begin = 0; begin < hidden.size(0); begin += chunk_rows) {
        std::int64_t count = std::min(chunk_rows, hidden.size(0) - begin);
        at::Tensor rows = hidden.narrow(0, begin, count),
                   wanted = targets.narrow(0, begin, count).to(hidden.device(), at::kLong);
        at::Tensor logits = at::matmul(rows, weight.t()).to(at::kFloat);
        at::Tensor logprob = at::log_softmax(logits, -1), p = logprob.exp();
        sums.negative_logprob -= logprob.gather(1, wanted.unsqueeze(1)).sum(at::kDouble).item<double>();
        sums.entropy -= (p * logprob).sum(at::kDouble).item<double>();
        sums.correct += (logits.argmax(-1) == wanted).sum().item<std::int64_t>();
        sums.tokens += count;
        if (!d_hidden) continue;
        p.scatter_add_(1, wanted.unsqueeze(1), at::full({count, 1}, -1.0, p.options()));
        at::Tensor d = p.mul_(scale).to(hidden.scalar_type());
        d_hidden->narrow(0, begin, count).copy_(at::matmul(d, weight));
        if (at::Tensor sum = gradient_of(head.weight); sum.defined())
            sum.add_(at::matmul(d.t(), rows).to(sum.scalar_type()));
    }
    return sums;
}

struct LogprobFunction : Function<LogprobFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& hidden, const at::Tensor& weight,
                              const at::Tensor& targets, double temperature, std::int64_t chunk_rows,
                              TokenStatistics* statistics) {
        std::int64_t n = hidden.size(0), v = weight.size(0);
        at::Tensor logprob = at::empty({n}, hidden.options()), logsumexp = at::empty({n}, hidden.options());
        at::Tensor buffer = at::empty({std::min(n, chunk_rows), v}, hidden.options());
        for (std::int64_t begin = 0; begin < n; begin += chunk_rows) {
            std::int64_t count = std::min(chunk_rows, n - begin);
            at::Tensor logits = chunk_logits(buffer, hidden, weight, begin, count);
            kernels::softmax_statistics(
                logits.const_data_ptr<float>(), ids_of(targets) + begin, count, v, temperature,
                logprob.mutable_data_ptr<float>() + begin, logsumexp.mutable_data_ptr<float>() + begin,
                statistics ? statistics->entropy.mutable_data_ptr<float>() + begin : nullptr,
                statistics ? statistics->correct.mutable_data_ptr<std::uint8_t>() + begin : nullptr);
        }
        context->save_for_backward({hidden, weight, targets, logsumexp});
        context->saved_data["temperature"] = temperature;
        context->saved_data["chunk_rows"] = chunk_rows;
        return logprob;
    }
    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        at::Tensor hidden = saved[0], weight = saved[1], d = gradients[0].contiguous(),
                   dx = at::empty_like(hidden);
        double temperature = context->saved_data["temperature"].toDouble();
        std::int64_t chunk_rows = context->saved_data["chunk_rows"].toInt(), n = hidden.size(0),
                     v = weight.size(0);
        at::Tensor buffer = at::empty({std::min(n, chunk_rows), v}, hidden.options());
        for (std::int64_t begin = 0; begin < n; begin += chunk_rows) {
            std::int64_t count = std::min(chunk_rows, n - begin);
            at::Tensor logits = chunk_logits(buffer, hidden, weight, begin, count);
            kernels::softmax_backward(logits.mutable_data_ptr<float>(), ids_of(saved[2]) + begin,
                                      saved[3].const_data_ptr<float>() + begin,
                                      d.const_data_ptr<float>() + begin, count, v, temperature);
            kernels::matmul_nn_into(dx.narrow(0, begin, count), logits, weight);
            if (at::Tensor sum = gradient_of(weight); sum.defined())
                kernels::accumulate_tn(sum, logits, hidden.narrow(0, begin, count));
        }
        return {dx, {}, {}, {}, {}, {}};
    }
};

} // namespace

CrossEntropySums cross_entropy(const at::Tensor& hidden_with_graph, const Linear& head,
                               const at::Tensor& targets, double scale, at::Tensor* d_hidden,
                               std::int64_t chunk_rows) {
    check_head(head);
    c10::NoGradGuard no_grad;
    at::Tensor hidden = hidden_with_graph.detach().contiguous();
    if (d_hidden) *d_hidden = at::empty_like(hidden);
    if (!native(hidden)) return cross_entropy_reference(hidden, head, targets, scale, d_hidden, chunk_rows);
    CrossEntropySums sums;
    std::int64_t n = hidden.size(0), v = head.weight.size(0), c = std::min(n, chunk_rows);
    at::Tensor buffer = at::empty({c, v}, hidden.options());
    std::vector<float> logprob(static_cast<std::size_t>(c)), logsumexp(logprob), entropy(logprob),
        factor(logprob);
    std::vector<std::uint8_t> correct(logprob.size());
    std::fill(factor.begin(), factor.end(), static_cast<float>(-scale));
    for (std::int64_t begin = 0; begin < n; begin += chunk_rows) {
        std::int64_t count = std::min(chunk_rows, n - begin);
        at::Tensor logits = chunk_logits(buffer, hidden, head.weight, begin, count);
        kernels::softmax_statistics(logits.const_data_ptr<float>(), ids_of(targets) + begin, count, v, 1,
                                    logprob.data(), logsumexp.data(), entropy.data(), correct.data());
        for (std::size_t r = 0; r < static_cast<std::size_t>(count); ++r) {
            sums.negative_logprob -= static_cast<double>(logprob[r]);
            sums.entropy += static_cast<double>(entropy[r]);
            sums.correct += correct[r];
        }
        sums.tokens += count;
        if (!d_hidden) continue;
        kernels::softmax_backward(logits.mutable_data_ptr<float>(), ids_of(targets) + begin, logsumexp.data(),
                                  factor.data(), count, v, 1);
        kernels::matmul_nn_into(d_hidden->narrow(0, begin, count), logits, head.weight);
        if (at::Tensor sum = gradient_of(head.weight); sum.defined())
            kernels::accumulate_tn(sum, logits, hidden.narrow(0, begin, count));
    }
    return sums;
}

at::Tensor token_logprobs(const at::Tensor& hidden, const Linear& head, const at::Tensor& targets,
                          double temperature, std::int64_t chunk_rows, TokenStatistics* statistics) {
    check_head(head);
    if (statistics) {
        c10::NoGradGuard no_grad;
        // The mean over the vocabulary is linear: one dot product with the mean row of the head.
        at::Tensor mean_row = head.weight.detach().mean(0).to(hidden.scalar_type());
        statistics->mean_logit = at::mv(hidden.detach(), mean_row).to(at::kFloat);
    }
    if (native(hidden)) {
        if (statistics) {
            statistics->entropy = at::empty({hidden.size(0)}, hidden.options().requires_grad(false));
            statistics->correct = at::empty({hidden.size(0)}, at::kByte);
        }
        at::Tensor logprob = LogprobFunction::apply(hidden.contiguous(), head.weight, targets, temperature,
                                                    chunk_rows, statistics);
        if (statistics) statistics->correct = statistics->correct.to(at::kBool);
        return logprob;
    }
    at::Tensor logits =
        at::matmul(hidden, head.weight.to(hidden.scalar_type()).t()).to(at::kFloat) / temperature;
    at::Tensor wanted = targets.to(hidden.device(), at::kLong).unsqueeze(1);
    at::Tensor logprob = at::log_softmax(logits, -1);
    if (statistics) {
        at::Tensor all = logprob.detach();
        statistics->entropy = -(all.exp() * all).sum(-1);
        statistics->correct = logits.detach().argmax(-1) == wanted.squeeze(1);
    }
    return logprob.gather(1, wanted).squeeze(1);
}

} // namespace tempera
