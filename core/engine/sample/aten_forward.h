#pragma once

#include "core/engine/model/decoder.h"
#include "core/engine/sample/decode_backend.h"
#include "core/engine/sample/rotary_table.h"

#include <ATen/ATen.h>
#include <ATen/TensorIndexing.h>
#include <cstdint>
#include <memory>
#include <vector>

namespace tempera {

/// The decoder through ATen, for other devices and types than fp32 on the CPU: prompts one by one with causal
/// attention, sequences as rows of one padded cache per layer. Norms are computed in fp32, as transformers
/// does. Not bit-identical across batch sizes, since the library's products are not.
class AtenForward final : public DecodeBackend {
public:
    /// Keeps a reference to `decoder`.
    explicit AtenForward(const Decoder& decoder);
    ~AtenForward() override;

    bool run(std::span<const Chain> chains) override;
    std::unique_ptr<TokenCache> make_cache() override;
    std::int64_t max_batch() const override { return 64; }
    std::int64_t parallel_chains() const override { return 1; }
    std::int64_t padded_vocab() const override { return (decoder_.config.vocab_size + 15) / 16 * 16; }
    std::int64_t cache_bytes_per_token() const override;

private:
    class Cache;
    /// Caches of all sequences: keys and values (rows, kv_heads, length, head_dim) per layer.
    struct Rows {
        std::vector<at::Tensor> keys, values;
        std::vector<std::int64_t> free;
        std::int64_t count = 0;
        std::int64_t length = 0;
    };
    struct Rotation {
        at::Tensor cosines, sines; ///< (tokens, 1, head_dim)
    };

    bool read_prompt(Batch lanes);
    bool step(Batch lanes);
    bool emit(const at::Tensor& hidden, Batch lanes);
    void grow_rows(std::int64_t rows, std::int64_t length);
    void enter_row(Cache& own, const Cache& prompt, std::int64_t prompt_tokens);
    Rotation rotation(Batch lanes);
    at::Tensor embed(Batch lanes) const;
    at::Tensor feed_forward(const DecoderLayer& layer, const at::Tensor& x) const;
    struct Heads {
        at::Tensor q, k, v; ///< (tokens, heads or kv_heads, head_dim)
    };
    Heads project(const DecoderLayer& layer, const at::Tensor& x, const Rotation& rotation) const;

    const Decoder& decoder_;
    RotaryTable rotary_;
    std::shared_ptr<Rows> rows_;
};

} // namespace tempera
