#pragma once

#include "core/engine/sample/decode_backend.h"
#include "core/engine/sample/lane_kernels.h"
#include "core/format/model_config.h"

#include <cstdint>
#include <memory>
#include <vector>

namespace tempera {

/// Where the keys and values of a layer and head lie in a page: kv_page_tokens tokens of all layers and
/// heads, fp32. Per layer and key-value head: keys as tiles (head_dim, 16), so that 16 scores come from one
/// vector; then values (tokens, head_dim). head_dim is padded to a multiple of 16 with zeros.
struct KvLayout {
    explicit KvLayout(const ModelConfig& config);
    std::int64_t head_dim;
    std::int64_t head_floats; ///< of one layer and head
    std::int64_t page_floats;
    std::int64_t kv_heads;

    std::int64_t offset(std::int64_t layer, std::int64_t head) const {
        return (layer * kv_heads + head) * head_floats;
    }
    std::int64_t bytes_per_token() const { return page_floats * 4 / kv_page_tokens; }
};

/// Hands out pages and takes them back for the next sequence. Not thread-safe: the scheduler alone uses it.
class KvPool {
public:
    explicit KvPool(const KvLayout& layout) : layout_(layout) {}
    ~KvPool();
    KvPool(const KvPool&) = delete;
    KvPool& operator=(const KvPool&) = delete;

    const KvLayout& layout() const { return layout_; }
    float* take();
    void give_back(float* page) { free_.push_back(page); }

private:
    KvLayout layout_;
    std::vector<float*> all_;
    std::vector<float*> free_;
};

/// The cached tokens of one prompt, or of one sequence behind its prompt. Gives its pages back when it dies.
class KvPages final : public TokenCache {
public:
    explicit KvPages(KvPool& pool) : pool_(&pool) {}
    ~KvPages() override;
    KvPages(const KvPages&) = delete;
    KvPages& operator=(const KvPages&) = delete;

    void reserve(std::int64_t tokens) override;
    std::span<float* const> pages() const { return pages_; }

private:
    KvPool* pool_;
    std::vector<float*> pages_;
};

} // namespace tempera
