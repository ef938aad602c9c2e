#pragma once

#include "core/engine/model/decoder.h"
#include "core/engine/sample/kv_cache.h"
#include "core/engine/sample/thread_team.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tempera {

/// Most lanes computed by one pass: the panel of activations stays in the second-level cache, and the product
/// is as fast with 64 columns as with more.
inline constexpr std::int64_t batch_lanes = 64;

/// One token to compute. Its key and value are appended to `own` (or, without one, to `prompt`: that is how a
/// prompt is read).
struct Lane {
    std::int32_t token = 0;
    std::int64_t position = 0;      ///< in the whole sequence
    KvPages* prompt = nullptr;      ///< shared by all samples of the prompt
    std::int64_t prompt_tokens = 0; ///< of it, in front of `own`; not used while the prompt itself is read
    KvPages* own = nullptr;
    float* logits = nullptr; ///< where its logits go: row of at least padded_vocab floats; null = not wanted
};

/// The decoder on fp32 weights in memory (not copied, not packed), a paged cache and own kernels
/// (panel_gemm.h, lane_kernels.h). The same code computes prompts and drawn tokens, and every lane alone:
/// logits are bit-identical whatever else is computed with them, at any number of threads. LoRA slices are
/// applied unmerged.
class LaneForward {
public:
    /// Keeps references to `decoder` and `team`. `supports(decoder)` must hold.
    LaneForward(const Decoder& decoder, ThreadTeam& team);
    ~LaneForward();

    /// fp32 on the CPU, contiguous.
    static bool supports(const Decoder& decoder);
    const KvLayout& layout() const { return layout_; }
    /// Floats of a row of logits: the vocabulary, up to a multiple of 16.
    std::int64_t padded_vocab() const { return (decoder_.config.vocab_size + 15) / 16 * 16; }

    /// A batch is at most batch_lanes lanes, computed together; lanes of the same prompt should be
    /// neighbours, and tokens of a prompt in order. A chain is a list of batches to be computed one after the
    /// other. Chains are independent of each other: a small model computes one per thread, a large one all of
    /// them with all threads. Pages must be reserved. Returns false where a hidden state is not finite.
    using Batch = std::span<const Lane>;
    using Chain = std::vector<Batch>;
    bool run(std::span<const Chain> chains);

    /// Whether chains are computed side by side: then several of them keep all threads busy.
    bool one_thread_per_batch() const { return one_thread_per_batch_; }

private:
    struct Weights;
    struct Buffers;
    class Pass;
    void grow_rotary(std::int64_t positions);

    const Decoder& decoder_;
    ThreadTeam& team_;
    KvLayout layout_;
    bool one_thread_per_batch_;
    std::unique_ptr<Weights> weights_;
    std::vector<std::unique_ptr<Buffers>> buffers_;
    std::vector<float> cosines_; ///< (positions, head_dim / 2)
    std::vector<float> sines_;
    std::vector<float> frequencies_;
    std::atomic<bool> finite_ = true;
};

} // namespace tempera
