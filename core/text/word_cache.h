#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// Remembers the ids of recent words. Four places a bucket, so that a look-up is bounded whatever the words
/// are; where a bucket is full the oldest entry gives way, and where the arenas are full everything does. Not
/// thread-safe: one a thread.
class WordCache {
public:
    static constexpr std::size_t longest_word = 128;

    /// The calling thread's cache for the tokenizer named by `key` (never reused). A thread keeps two; the
    /// one unused longer is given up.
    static WordCache& of_this_thread(std::uint64_t key);

    /// A name for one more tokenizer.
    static std::uint64_t new_key();

    static std::uint64_t hash(std::string_view word);

    /// Appends the ids of `word` to `out`: remembered ones, or those that `encode` appends.
    template <class Encode>
    static void encode(std::uint64_t key, std::string_view word, std::vector<std::int32_t>& out,
                       Encode&& encode) {
        if (word.size() > longest_word) return encode();
        WordCache& cache = of_this_thread(key);
        std::uint64_t hash = WordCache::hash(word);
        Found found = cache.find(word, hash);
        if (found.ids) {
            out.insert(out.end(), found.ids, found.ids + found.count);
            return;
        }
        std::size_t before = out.size();
        encode();
        cache.insert(word, hash, std::span(out).subspan(before));
    }

    /// Nullptr data where the word is unknown. Valid until the next insert.
    struct Found {
        const std::int32_t* ids;
        std::size_t count;
    };
    Found find(std::string_view word, std::uint64_t hash) const;
    void insert(std::string_view word, std::uint64_t hash, std::span<const std::int32_t> ids);

private:
    struct Slot {
        std::uint32_t tag = 0; ///< high half of the hash
        std::uint32_t word_offset = 0;
        std::uint32_t ids_offset = 0;
        std::uint16_t word_length = 0; ///< 0 = free
        std::uint16_t ids_count = 0;
    };
    static constexpr std::size_t buckets = 8192, ways = 4, most_bytes = 1u << 20, most_ids = 1u << 19;

    void clear();

    std::uint64_t key_ = 0;
    std::uint64_t last_use_ = 0;
    std::vector<Slot> slots_;
    std::vector<std::uint8_t> next_way_;
    std::string words_;
    std::vector<std::int32_t> ids_;
};

} // namespace tempera
