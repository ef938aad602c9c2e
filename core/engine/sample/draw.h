#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace tempera {

/// How the next token is chosen from its logits. The steps come in vLLM's order (v1/sample/sampler.py), each
/// on what the one before left over:
///  1. repetition penalty r: the logit of every token that occurs in prompt or output becomes l > 0 ? l / r :
///  l * r, once;
///  2. temperature: logits / T; below 1e-5 the largest logit is taken (the lowest id of equals) and the rest
///  is skipped;
///  3. min_p: drops tokens with p < min_p * max p;
///  4. top_k: keeps the k largest, and those equal to the k-th;
///  5. top_p: keeps the largest whose preceding mass is < top_p of what step 4 left; always at least one;
///  6. the draw: u of the sequence's random stream through the inverse of the distribution function, tokens
///  in order of id.
struct DrawSettings {
    double temperature = 1;
    double top_p = 1;
    int top_k = 0; ///< 0 = off
    double min_p = 0;
    double repetition_penalty = 1;
};

struct DrawnToken {
    std::int32_t id = 0;
    float logprob = 0; ///< of the unprocessed logits (temperature 1, nothing filtered), natural logarithm
    float tempered = 0; ///< the same of logits / T: what a policy gradient at temperature T differentiates
};

/// Draws from rows of logits, one thread at a time. No full sort anywhere: temperature alone takes two
/// vectorised passes, the filters one or two more plus a selection among the few candidates that can matter.
class TokenDrawer {
public:
    explicit TokenDrawer(std::int64_t vocab);

    /// `row` has `vocab` logits, all finite; it stays as it is. `uniform` in [0, 1).
    /// The log-probability is NaN where a logit is not finite after all.
    DrawnToken draw(const float* row, const DrawSettings& settings, std::span<const std::int32_t> prompt,
                    std::span<const std::int32_t> output, double uniform);

    /// Log-probability of one token at temperature 1.
    float logprob(const float* row, std::int32_t id);

    /// The distribution `draw` draws from: `vocab` probabilities. For tests and inspection.
    std::vector<double> distribution(const float* row, const DrawSettings& settings,
                                     std::span<const std::int32_t> prompt,
                                     std::span<const std::int32_t> output);

private:
    const float* penalise(const float* row, double penalty, std::span<const std::int32_t> prompt,
                          std::span<const std::int32_t> output);
    bool filters(const DrawSettings& settings) const;
    void gather(const float* row, float threshold, float largest, float inverse_t);
    void filter(const float* row, const DrawSettings& settings, float largest, double total);
    void keep_top_k(std::size_t k);
    void keep_top_p(double p, double total);
    std::int32_t draw_block(const float* row, float largest, float inverse_t, double target);
    std::int32_t draw_kept(double uniform) const;

    std::int64_t vocab_;
    std::vector<float> block_sums_;
    std::vector<float> block_;
    std::vector<std::int32_t> ids_; ///< candidates in order of id
    std::vector<float> logits_;
    std::vector<float> masses_;
    struct Ranked {
        float logit, mass;
        std::int32_t id;
    };
    std::vector<Ranked> ranked_;
    std::vector<float> penalised_; ///< copy of a row: sequences may share the original
    std::vector<std::uint32_t> marks_;
    std::uint32_t mark_ = 0;
};

} // namespace tempera
