#include "core/engine/kernels/multiarch.h"
#include "core/engine/kernels/pointwise.h"

#include <ATen/Parallel.h>
#include <cmath>
#include <limits>

namespace tempera::kernels {

namespace {

struct RowStatistics {
    float logsumexp = 0;
    float entropy = 0;
    bool correct = false;
};

TEMPERA_MULTIARCH float largest(const float* x, std::int64_t n) {
    float high = -std::numeric_limits<float>::infinity();
#pragma omp simd reduction(max : high)
    for (std::int64_t k = 0; k < n; ++k)
        high = x[k] > high ? x[k] : high;
    return high;
}

/// Sums of e^(s (x - high)) and of that times s (x - high).
TEMPERA_MULTIARCH void exponential_sums(const float* x, std::int64_t n, float high, float s, double* sum,
                                        double* weighted) {
    constexpr std::int64_t chunk = 1024; // float inside, double across: accurate and fast
    for (std::int64_t begin = 0; begin < n; begin += chunk) {
        std::int64_t end = begin + chunk < n ? begin + chunk : n;
        float part = 0, product = 0;
#pragma omp simd reduction(+ : part, product)
        for (std::int64_t k = begin; k < end; ++k) {
            float shifted = (x[k] - high) * s;
            float e = fast_exp(shifted);
            part += e;
            product += e * shifted;
        }
        *sum += static_cast<double>(part);
        *weighted += static_cast<double>(product);
    }
}

TEMPERA_MULTIARCH void scaled_softmax(float* x, std::int64_t n, float s, float logsumexp, float factor) {
    for (std::int64_t k = 0; k < n; ++k)
        x[k] = fast_exp(x[k] * s - logsumexp) * factor;
}

RowStatistics row_statistics(const float* x, std::int64_t v, std::int32_t target, float s) {
    float high = largest(x, v);
    double sum = 0, weighted = 0;
    exponential_sums(x, v, high, s, &sum, &weighted);
    RowStatistics row;
    row.logsumexp = static_cast<float>(static_cast<double>(high * s) + std::log(sum));
    row.entropy = static_cast<float>(std::log(sum) - weighted / sum);
    row.correct = x[target] == high;
    for (std::int64_t k = 0; row.correct && k < target; ++k)
        row.correct = x[k] != high;
    return row;
}

} // namespace

void softmax_statistics(const float* logits, const std::int32_t* targets, std::int64_t rows, std::int64_t v,
                        double temperature, float* logprob, float* logsumexp, float* entropy,
                        std::uint8_t* correct) {
    auto s = static_cast<float>(1 / temperature);
    at::parallel_for(0, rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t) {
            const float* x = logits + t * v;
            RowStatistics row = row_statistics(x, v, targets[t], s);
            if (logprob) logprob[t] = x[targets[t]] * s - row.logsumexp;
            if (logsumexp) logsumexp[t] = row.logsumexp;
            if (entropy) entropy[t] = row.entropy;
            if (correct) correct[t] = row.correct;
        }
    });
}

void softmax_backward(float* logits, const std::int32_t* targets, const float* logsumexp,
                      const float* d_logprob, std::int64_t rows, std::int64_t v, double temperature) {
    auto s = static_cast<float>(1 / temperature);
    at::parallel_for(0, rows, 1, [&](std::int64_t begin, std::int64_t end) {
        for (std::int64_t t = begin; t < end; ++t) {
            float* x = logits + t * v;
            scaled_softmax(x, v, s, logsumexp[t], -d_logprob[t] * s);
            x[targets[t]] += d_logprob[t] * s;
        }
    });
}

} // namespace tempera::kernels
