#pragma once

#include "core/base/json.h"
#include "core/text/vocabulary.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tempera {

/// Merge rules: (left id, right id) -> (rank, id of the merged token). Open addressing, read-only after the
/// load.
class MergeTable {
public:
    struct Merge {
        std::uint32_t rank = none;
        std::int32_t id = -1;
    };
    static constexpr std::uint32_t none = 0xffffffffu;

    void reserve(std::size_t merges);
    /// False where the pair has a rule already.
    bool insert(std::int32_t left, std::int32_t right, Merge merge);
    Merge find(std::int32_t left, std::int32_t right) const {
        if (slots_.empty()) return {};
        std::uint64_t key = key_of(left, right);
        for (std::size_t i = slot_of(key);; i = (i + 1) & mask_) {
            if (slots_[i].key == key) return slots_[i].merge;
            if (slots_[i].key == empty) return {};
        }
    }

private:
    struct Slot {
        std::uint64_t key = empty;
        Merge merge;
    };
    static constexpr std::uint64_t empty = ~0ull;

    static std::uint64_t key_of(std::int32_t left, std::int32_t right) {
        return static_cast<std::uint64_t>(static_cast<std::uint32_t>(left)) << 32
               | static_cast<std::uint32_t>(right);
    }
    std::size_t slot_of(std::uint64_t key) const { return (key * 0x9E3779B97F4A7C15ull) >> shift_ & mask_; }

    std::vector<Slot> slots_;
    std::size_t mask_ = 0;
    int shift_ = 40;
};

/// Byte-level BPE (Sennrich et al. 2016 over GPT-2's byte alphabet): a word's bytes become tokens, then the
/// adjacent pair with the lowest rank is merged, leftmost first, until no rule applies.
///
/// Where the vocabulary lacks a byte, the byte becomes `unk_token`, or nothing if there is none, as in
/// tokenizers. Thread-safe; every thread remembers recent words on its own.
class Bpe {
public:
    /// `json` is the "model" object. Throws Error(bad_input) for merges of unknown tokens, a pair that stands
    /// twice, wrong types; Error(unsupported) for dropout, byte_fallback and affixes.
    static Bpe from_json(const Json& json, const Vocabulary& vocabulary, const std::string& source);

    /// Appends the ids of one pre-token, given as raw UTF-8.
    void encode_word(std::string_view word, std::vector<std::int32_t>& out) const;

    /// The same without the memory of recent words (for tests and long words).
    void encode_word_uncached(std::string_view word, std::vector<std::int32_t>& out) const;

private:
    void read_merges(const Json& merges, const Vocabulary& vocabulary, const std::string& source);
    void append_bytes(std::string_view word, std::vector<std::int32_t>& symbols) const;
    void merge_short(std::vector<std::int32_t>& symbols) const;
    void merge_long(std::vector<std::int32_t>& symbols) const;

    std::array<std::int32_t, 256> byte_ids_;
    std::int32_t unknown_id_ = -1;
    bool fuse_unknown_ = false;
    std::unordered_map<std::string, std::int32_t>
        whole_words_; ///< ignore_merges: words that are tokens, as raw bytes
    MergeTable merges_;
    std::uint64_t cache_key_ = 0;
};

} // namespace tempera
