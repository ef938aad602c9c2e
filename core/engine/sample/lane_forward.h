#pragma once

#include "core/engine/model/decoder.h"
#include "core/engine/sample/kv_cache.h"
#include "core/engine/sample/rotary_table.h"
#include "core/engine/sample/thread_team.h"

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace tempera {

/// Most lanes computed by one pass: the panel of activations stays in the second-level cache, and the product
/// is as fast with 64 columns as with more.
inline constexpr std::int64_t batch_lanes = 64;

/// The decoder on fp32 weights in memory (not copied, not packed), a paged cache and own kernels
/// (panel_gemm.h, lane_kernels.h). The same code computes prompts and drawn tokens, and every lane alone:
/// logits are bit-identical whatever else is computed with them, at any number of threads. LoRA slices are
/// applied unmerged.
class LaneForward final : public DecodeBackend {
public:
    /// Keeps references to `decoder` and `team`. `supports(decoder)` must hold.
    LaneForward(const Decoder& decoder, ThreadTeam& team);
    ~LaneForward() override;

    /// fp32 on the CPU, contiguous.
    static bool supports(const Decoder& decoder);

    /// A small model computes one chain per thread, a large one all of them with all threads.
    bool run(std::span<const Chain> chains) override;
    std::unique_ptr<TokenCache> make_cache() override { return std::make_unique<KvPages>(pool_); }
    std::int64_t max_batch() const override { return batch_lanes; }
    std::int64_t parallel_chains() const override { return one_thread_per_batch_ ? team_.size() : 1; }
    std::int64_t padded_vocab() const override { return (decoder_.config.vocab_size + 15) / 16 * 16; }
    std::int64_t cache_bytes_per_token() const override { return pool_.layout().bytes_per_token(); }

private:
    struct Weights;
    struct Buffers;
    class Pass;

    const Decoder& decoder_;
    ThreadTeam& team_;
    KvPool pool_;
    bool one_thread_per_batch_;
    std::unique_ptr<Weights> weights_;
    std::vector<std::unique_ptr<Buffers>> buffers_;
    RotaryTable rotary_;
    std::atomic<bool> finite_ = true;
};

} // namespace tempera
