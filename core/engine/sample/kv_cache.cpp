#include "core/engine/sample/kv_cache.h"

#include "core/base/error.h"

#include <cstdlib>
#include <cstring>

namespace tempera {

KvLayout::KvLayout(const ModelConfig& config)
    : head_dim((config.head_dim + 15) / 16 * 16), head_floats(2 * kv_page_tokens * head_dim),
      page_floats(config.layers * config.kv_heads * head_floats), kv_heads(config.kv_heads) {}

KvPool::~KvPool() {
    for (float* page : all_)
        std::free(page);
}

float* KvPool::take() {
    if (free_.empty()) {
        std::size_t bytes =
            (static_cast<std::size_t>(layout_.page_floats) * sizeof(float) + 4095) / 4096 * 4096;
        auto* page = static_cast<float*>(std::aligned_alloc(4096, bytes));
        if (!page)
            fail(ErrorKind::io,
                 "Not enough memory for the key-value cache: use fewer slots or fewer tokens.");
        std::memset(page, 0, bytes); // also the padding of head_dim, which is never written
        all_.push_back(page);
        return page;
    }
    float* page = free_.back();
    free_.pop_back();
    return page;
}

KvPages::~KvPages() {
    for (float* page : pages_)
        pool_->give_back(page);
}

void KvPages::reserve(std::int64_t tokens) {
    while (static_cast<std::int64_t>(pages_.size()) * kv_page_tokens < tokens)
        pages_.push_back(pool_->take());
}

} // namespace tempera
