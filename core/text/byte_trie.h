#pragma once

#include <array>
#include <bit>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace tempera {

/// Texts and their ids, walked byte by byte: what WordPiece and Unigram look prefixes up in. Open addressing,
/// read-only after the load.
class ByteTrie {
public:
    static constexpr std::uint32_t root = 0, nowhere = 0xffffffffu;
    /// Bounds the steps a byte of text can cost.
    static constexpr std::size_t longest_text = 1024;

    /// `bytes`: of all texts together, so that the table is made once.
    void reserve(std::size_t bytes);
    /// `id` >= 0. A text that is there already takes the new id.
    void insert(std::string_view text, std::int32_t id);

    std::uint32_t child(std::uint32_t node, char byte) const {
        if (node == root) return first_[static_cast<unsigned char>(byte)];
        std::uint64_t key = key_of(node, byte);
        for (std::size_t i = slot_of(key);; i = (i + 1) & mask_) {
            if (slots_[i].key == key) return slots_[i].node;
            if (slots_[i].key == empty) return nowhere;
        }
    }
    /// Id of the text that ends at `node`; -1 where none does.
    std::int32_t id(std::uint32_t node) const { return ids_[node]; }
    /// The node behind `text`; nowhere where no text begins so.
    std::uint32_t walk(std::string_view text) const;

private:
    struct Slot {
        std::uint64_t key = empty;
        std::uint32_t node = nowhere;
    };
    static constexpr std::uint64_t empty = ~0ull;

    static std::uint64_t key_of(std::uint32_t node, char byte) {
        return static_cast<std::uint64_t>(node) << 8 | static_cast<unsigned char>(byte);
    }
    std::size_t slot_of(std::uint64_t key) const { return (key * 0x9E3779B97F4A7C15ull) >> shift_ & mask_; }
    std::uint32_t add_child(std::uint32_t node, char byte);

    std::array<std::uint32_t, 256> first_ = filled();
    std::vector<Slot> slots_ = std::vector<Slot>(16);
    std::vector<std::int32_t> ids_{-1};
    std::size_t mask_ = 15;
    int shift_ = 60;

    static constexpr std::array<std::uint32_t, 256> filled() {
        std::array<std::uint32_t, 256> out{};
        for (auto& node : out)
            node = nowhere;
        return out;
    }
};

} // namespace tempera
