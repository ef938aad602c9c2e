#include "core/text/byte_trie.h"

#include <algorithm>

namespace tempera {

void ByteTrie::reserve(std::size_t bytes) {
    std::size_t size = std::bit_ceil(std::max<std::size_t>(bytes * 2, 16));
    std::vector<Slot> old(size);
    old.swap(slots_);
    mask_ = size - 1;
    shift_ = 64 - std::countr_zero(size);
    for (const Slot& slot : old) {
        if (slot.key == empty) continue;
        std::size_t i = slot_of(slot.key);
        while (slots_[i].key != empty)
            i = (i + 1) & mask_;
        slots_[i] = slot;
    }
}

std::uint32_t ByteTrie::add_child(std::uint32_t node, char byte) {
    auto fresh = static_cast<std::uint32_t>(ids_.size());
    ids_.push_back(-1);
    if (node == root) return first_[static_cast<unsigned char>(byte)] = fresh;
    if (ids_.size() * 2 > slots_.size()) reserve(slots_.size());
    std::uint64_t key = key_of(node, byte);
    std::size_t i = slot_of(key);
    while (slots_[i].key != empty)
        i = (i + 1) & mask_;
    slots_[i] = {key, fresh};
    return fresh;
}

void ByteTrie::insert(std::string_view text, std::int32_t id) {
    std::uint32_t node = root;
    for (char byte : text) {
        std::uint32_t next = child(node, byte);
        node = next == nowhere ? add_child(node, byte) : next;
    }
    ids_[node] = id;
}

std::uint32_t ByteTrie::walk(std::string_view text) const {
    std::uint32_t node = root;
    for (std::size_t i = 0; i < text.size() && node != nowhere; ++i)
        node = child(node, text[i]);
    return node;
}

} // namespace tempera
