#include "core/text/word_cache.h"

#include <atomic>
#include <cstring>

namespace tempera {

std::uint64_t WordCache::new_key() {
    static std::atomic<std::uint64_t> keys{0};
    return ++keys;
}

WordCache& WordCache::of_this_thread(std::uint64_t key) {
    thread_local WordCache caches[2];
    thread_local std::uint64_t clock = 0;
    ++clock;
    for (WordCache& cache : caches)
        if (cache.key_ == key && !cache.slots_.empty()) {
            cache.last_use_ = clock;
            return cache;
        }
    WordCache& oldest = caches[0].last_use_ <= caches[1].last_use_ ? caches[0] : caches[1];
    oldest.clear();
    oldest.key_ = key;
    oldest.last_use_ = clock;
    return oldest;
}

void WordCache::clear() {
    slots_.assign(buckets * ways, {});
    next_way_.assign(buckets, 0);
    words_.clear();
    ids_.clear();
}

std::uint64_t WordCache::hash(std::string_view word) {
    constexpr std::uint64_t factor = 0x9E3779B97F4A7C15ull;
    std::uint64_t h = word.size() * factor;
    const char* data = word.data();
    std::size_t left = word.size();
    auto mix = [&](std::uint64_t part) {
        h = (h ^ part) * factor;
        h ^= h >> 29;
    };
    for (; left >= 8; data += 8, left -= 8) {
        std::uint64_t part;
        std::memcpy(&part, data, 8);
        mix(part);
    }
    std::uint64_t tail = 0;
    std::memcpy(&tail, data, left);
    mix(tail);
    return h ^ h >> 32;
}

WordCache::Found WordCache::find(std::string_view word, std::uint64_t hash) const {
    const Slot* bucket = &slots_[(hash & (buckets - 1)) * ways];
    auto tag = static_cast<std::uint32_t>(hash >> 32);
    for (std::size_t way = 0; way < ways; ++way) {
        const Slot& slot = bucket[way];
        if (slot.tag == tag && slot.word_length == word.size()
            && std::memcmp(words_.data() + slot.word_offset, word.data(), word.size()) == 0)
            return {ids_.data() + slot.ids_offset, slot.ids_count};
    }
    return {nullptr, 0};
}

void WordCache::insert(std::string_view word, std::uint64_t hash, std::span<const std::int32_t> ids) {
    if (word.empty() || word.size() > longest_word) return;
    if (words_.size() + word.size() > most_bytes || ids_.size() + ids.size() > most_ids) clear();
    std::size_t bucket = hash & (buckets - 1);
    Slot& slot = slots_[bucket * ways + next_way_[bucket]];
    next_way_[bucket] = static_cast<std::uint8_t>((next_way_[bucket] + 1) % ways);
    slot.tag = static_cast<std::uint32_t>(hash >> 32);
    slot.word_offset = static_cast<std::uint32_t>(words_.size());
    slot.ids_offset = static_cast<std::uint32_t>(ids_.size());
    slot.word_length = static_cast<std::uint16_t>(word.size());
    slot.ids_count = static_cast<std::uint16_t>(ids.size());
    words_ += word;
    ids_.insert(ids_.end(), ids.begin(), ids.end());
}

} // namespace tempera
