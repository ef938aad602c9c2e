#include "core/engine/model/token_scores.h"

#include "core/base/error.h"
#include "core/engine/kernels/gemm.h"
#include "core/engine/kernels/gradient.h"
#include "core/engine/kernels/pointwise.h"

#include <algorithm>
#include <c10/core/GradMode.h>

namespace tempera {

namespace {

bool native(const at::Tensor& x) {
    return x.device().is_cpu() && x.scalar_type() == at::kFloat;
}

void check_head(const Linear& head) {
    if (!head.lora.empty() || head.bias.defined())
        fail(ErrorKind::unsupported,
             "An adapter or a bias on lm_head is not supported; leave lm_head out of the targets.");
}

/// One chunk of rows on its way through the head.
struct Chunk {
    const at::Tensor& hidden;
    const at::Tensor& weight;
    const at::Tensor& targets;
    double temperature;
    std::int64_t begin, count;

    at::Tensor rows() const { return hidden.narrow(0, begin, count); }
    const std::int32_t* ids() const { return targets.const_data_ptr<std::int32_t>() + begin; }
    std::size_t at() const { return static_cast<std::size_t>(begin); }

    /// Consumes the chunk's logits.
    void backward(const at::Tensor& logits, const std::vector<float>& logsumexps,
                  const std::vector<float>& d_logprob, const at::Tensor& d_hidden) const {
        kernels::softmax_backward(logits.mutable_data_ptr<float>(), ids(), logsumexps.data() + at(),
                                  d_logprob.data() + at(), count, weight.size(0), temperature);
        kernels::matmul_nn_into(d_hidden.narrow(0, begin, count), logits, weight);
        if (at::Tensor sum = gradient_of(weight); sum.defined()) kernels::accumulate_tn(sum, logits, rows());
    }
};

/// The same out of ATen operations, for other devices and types.
struct Reference {
    const at::Tensor& hidden;
    const Linear& head;
    const at::Tensor& targets;
    double temperature;
    std::int64_t begin, count;

    at::Tensor wanted() const {
        return targets.narrow(0, begin, count).to(hidden.device(), at::kLong).unsqueeze(1);
    }
    at::Tensor all_logprobs() const {
        at::Tensor weight = head.weight.detach().to(hidden.scalar_type());
        at::Tensor logits = at::matmul(hidden.narrow(0, begin, count), weight.t()).to(at::kFloat);
        return at::log_softmax(logits / temperature, -1);
    }
    void score(TokenScores& scores) const {
        at::Tensor all = all_logprobs(), entropy = -(all.exp() * all).sum(-1).cpu().contiguous(),
                   own = all.gather(1, wanted()).squeeze(1).cpu().contiguous();
        scores.logprobs.insert(scores.logprobs.end(), own.const_data_ptr<float>(),
                               own.const_data_ptr<float>() + count);
        scores.entropies.insert(scores.entropies.end(), entropy.const_data_ptr<float>(),
                                entropy.const_data_ptr<float>() + count);
    }
    void backward(const std::vector<float>& d_logprob, const at::Tensor& d_hidden) const {
        at::Tensor d =
            at::tensor(at::ArrayRef<float>(d_logprob.data() + begin, static_cast<std::size_t>(count)))
                .to(hidden.device())
                .unsqueeze(1);
        at::Tensor g = all_logprobs().exp().mul_(-d / temperature);
        g.scatter_add_(1, wanted(), d / temperature);
        g = g.to(hidden.scalar_type());
        d_hidden.narrow(0, begin, count).copy_(at::matmul(g, head.weight.detach().to(hidden.scalar_type())));
        if (at::Tensor sum = gradient_of(head.weight); sum.defined())
            sum.add_(at::matmul(g.t(), hidden.narrow(0, begin, count)).to(sum.scalar_type()));
    }
};

} // namespace

TokenScores score_tokens(const at::Tensor& hidden_with_graph, const Linear& head, const at::Tensor& targets,
                         double temperature, const std::vector<float>* d_logprob, at::Tensor* d_hidden,
                         std::int64_t chunk_rows) {
    check_head(head);
    c10::NoGradGuard no_grad;
    at::Tensor hidden = hidden_with_graph.detach().contiguous();
    if (d_logprob) *d_hidden = at::empty_like(hidden);
    const std::int64_t n = hidden.size(0), v = head.weight.size(0);
    TokenScores scores;
    if (!native(hidden)) {
        for (std::int64_t begin = 0; begin < n; begin += chunk_rows) {
            Reference part{hidden, head, targets, temperature, begin, std::min(chunk_rows, n - begin)};
            part.score(scores);
            if (d_logprob) part.backward(*d_logprob, *d_hidden);
        }
        return scores;
    }
    for (auto* list : {&scores.logprobs, &scores.logsumexps, &scores.entropies})
        list->resize(static_cast<std::size_t>(n));
    at::Tensor buffer = at::empty({std::min(n, chunk_rows), v}, hidden.options());
    for (std::int64_t begin = 0; begin < n; begin += chunk_rows) {
        Chunk part{hidden, head.weight, targets, temperature, begin, std::min(chunk_rows, n - begin)};
        at::Tensor logits = buffer.narrow(0, 0, part.count);
        kernels::matmul_nt_into(logits, part.rows(), head.weight);
        kernels::softmax_statistics(logits.const_data_ptr<float>(), part.ids(), part.count, v, temperature,
                                    scores.logprobs.data() + part.at(), scores.logsumexps.data() + part.at(),
                                    scores.entropies.data() + part.at(), nullptr);
        if (d_logprob) part.backward(logits, scores.logsumexps, *d_logprob, *d_hidden);
    }
    return scores;
}

at::Tensor backward_tokens(const at::Tensor& hidden_with_graph, const Linear& head, const at::Tensor& targets,
                           double temperature, const TokenScores& scores, const std::vector<float>& d_logprob,
                           std::int64_t chunk_rows) {
    c10::NoGradGuard no_grad;
    at::Tensor hidden = hidden_with_graph.detach().contiguous(), d_hidden = at::empty_like(hidden);
    const std::int64_t n = hidden.size(0), v = head.weight.size(0);
    at::Tensor buffer = native(hidden) ? at::empty({std::min(n, chunk_rows), v}, hidden.options()) : hidden;
    for (std::int64_t begin = 0; begin < n; begin += chunk_rows) {
        const std::int64_t count = std::min(chunk_rows, n - begin);
        if (!native(hidden)) {
            Reference{hidden, head, targets, temperature, begin, count}.backward(d_logprob, d_hidden);
            continue;
        }
        Chunk part{hidden, head.weight, targets, temperature, begin, count};
        at::Tensor logits = buffer.narrow(0, 0, count);
        kernels::matmul_nt_into(logits, part.rows(), head.weight);
        part.backward(logits, scores.logsumexps, d_logprob, d_hidden);
    }
    return d_hidden;
}

} // namespace tempera
