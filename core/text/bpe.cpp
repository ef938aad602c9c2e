#include "core/text/bpe.h"

#include "core/base/error.h"
#include "core/text/byte_alphabet.h"
#include "core/text/json_fields.h"
#include "core/text/word_cache.h"

#include <bit>
#include <functional>
#include <queue>

namespace tempera {

void MergeTable::reserve(std::size_t merges) {
    std::size_t size = std::bit_ceil(std::max<std::size_t>(merges * 2, 16));
    slots_.assign(size, {});
    mask_ = size - 1;
    shift_ = 64 - std::countr_zero(size);
}

bool MergeTable::insert(std::int32_t left, std::int32_t right, Merge merge) {
    std::uint64_t key = key_of(left, right);
    for (std::size_t i = slot_of(key);; i = (i + 1) & mask_) {
        if (slots_[i].key == key) return false;
        if (slots_[i].key == empty) {
            slots_[i] = {key, merge};
            return true;
        }
    }
}

namespace {

/// The two sides of a merge: "a b" or ["a", "b"].
std::pair<std::string_view, std::string_view> sides_of(const Json& merge, const std::string& where) {
    if (merge.is_array() && merge.size() == 2 && merge[0].is_string() && merge[1].is_string())
        return {merge[0].get_ref<const std::string&>(), merge[1].get_ref<const std::string&>()};
    if (merge.is_string()) {
        std::string_view text = merge.get_ref<const std::string&>();
        std::size_t space = text.find(' ');
        if (space != std::string_view::npos && text.find(' ', space + 1) == std::string_view::npos)
            return {text.substr(0, space), text.substr(space + 1)};
    }
    fail(ErrorKind::bad_input, where + " is not a pair of tokens.");
}

void refuse_variants(const Json& json, const std::string& source) {
    if (const Json* dropout = text_json::find(json, "dropout", source))
        if (!dropout->is_number() || dropout->get<double>() != 0)
            fail(ErrorKind::unsupported,
                 source + ": dropout " + dropout->dump() + " would make encoding random; set it to null.");
    if (text_json::bool_field(json, "byte_fallback", false, source))
        fail(ErrorKind::unsupported, source + ": \"byte_fallback\" is not implemented; byte-level BPE is.");
    for (const char* key : {"continuing_subword_prefix", "end_of_word_suffix"})
        if (text_json::find(json, key, source) && !text_json::string_field(json, key, source).empty())
            fail(ErrorKind::unsupported, source + ": \"" + key + "\" is not implemented.");
}

} // namespace

Bpe Bpe::from_json(const Json& json, const Vocabulary& vocabulary, const std::string& source) {
    refuse_variants(json, source);
    Bpe result;
    result.cache_key_ = WordCache::new_key();
    for (unsigned byte = 0; byte < 256; ++byte)
        result.byte_ids_[byte] =
            vocabulary.id_of(ByteAlphabet::instance().of(static_cast<std::uint8_t>(byte))).value_or(-1);
    if (text_json::find(json, "unk_token", source)) {
        std::string unknown = text_json::string_field(json, "unk_token", source);
        auto id = vocabulary.id_of(unknown);
        if (!id)
            fail(ErrorKind::bad_input,
                 source + ": the unk_token " + text_json::quoted(unknown) + " is not in the vocabulary.");
        result.unknown_id_ = *id;
    }
    result.fuse_unknown_ = text_json::bool_field(json, "fuse_unk", false, source);
    if (text_json::bool_field(json, "ignore_merges", false, source))
        for (std::int32_t id = 0; id < vocabulary.id_limit(); ++id) {
            std::string bytes;
            if (vocabulary.contains(id) && ByteAlphabet::instance().to_bytes(vocabulary.piece(id), bytes))
                result.whole_words_.emplace(std::move(bytes), id);
        }
    result.read_merges(text_json::array_field(json, "merges", source), vocabulary, source);
    return result;
}

void Bpe::read_merges(const Json& merges, const Vocabulary& vocabulary, const std::string& source) {
    merges_.reserve(merges.size());
    std::uint32_t rank = 0;
    std::string joined;
    for (const Json& merge : merges) {
        std::string where = source + ": merge " + std::to_string(rank + 1);
        auto [left, right] = sides_of(merge, where);
        joined.assign(left).append(right);
        auto id_or_fail = [&](std::string_view piece) {
            auto id = vocabulary.id_of(piece);
            if (!id)
                fail(ErrorKind::bad_input, where + " names the token " + text_json::quoted(piece)
                                               + ", which is not in the vocabulary.");
            return *id;
        };
        std::int32_t left_id = id_or_fail(left), right_id = id_or_fail(right);
        if (!merges_.insert(left_id, right_id, {rank, id_or_fail(joined)}))
            fail(ErrorKind::bad_input, where + " (" + text_json::quoted(left) + ", "
                                           + text_json::quoted(right) + ") stands twice, with two ranks.");
        ++rank;
    }
}

void Bpe::append_bytes(std::string_view word, std::vector<std::int32_t>& symbols) const {
    bool after_unknown = false;
    for (char c : word) {
        std::int32_t id = byte_ids_[static_cast<unsigned char>(c)];
        bool unknown = id < 0;
        if (unknown) id = unknown_id_;
        if (id >= 0 && !(unknown && after_unknown && fuse_unknown_)) symbols.push_back(id);
        after_unknown = unknown;
    }
}

void Bpe::merge_short(std::vector<std::int32_t>& symbols) const {
    constexpr std::size_t most = 32;
    MergeTable::Merge merges[most];
    std::size_t count = symbols.size();
    for (std::size_t i = 0; i + 1 < count; ++i)
        merges[i] = merges_.find(symbols[i], symbols[i + 1]);
    while (count > 1) {
        std::size_t best = 0;
        for (std::size_t i = 1; i + 1 < count; ++i)
            if (merges[i].rank < merges[best].rank) best = i;
        if (merges[best].rank == MergeTable::none) break;
        symbols[best] = merges[best].id;
        --count;
        for (std::size_t i = best + 1; i < count; ++i) {
            symbols[i] = symbols[i + 1];
            merges[i - 1] = merges[i];
        }
        // merges[best] is now that of the pair after the merged one, whose left side has changed.
        if (best + 1 < count) merges[best] = merges_.find(symbols[best], symbols[best + 1]);
        if (best > 0) merges[best - 1] = merges_.find(symbols[best - 1], symbols[best]);
    }
    symbols.resize(count);
}

void Bpe::merge_long(std::vector<std::int32_t>& symbols) const {
    struct Link {
        std::uint32_t previous, next;
    };
    constexpr std::uint32_t nobody = 0xffffffffu;
    auto count = static_cast<std::uint32_t>(symbols.size());
    std::vector<Link> links(count);
    // (rank, position) in one number: the lowest rank first, then the leftmost.
    std::vector<std::uint64_t> storage;
    storage.reserve(count);
    std::priority_queue<std::uint64_t, std::vector<std::uint64_t>, std::greater<>> queue({},
                                                                                         std::move(storage));
    auto offer = [&](std::uint32_t left, std::uint32_t right) {
        std::uint32_t rank = merges_.find(symbols[left], symbols[right]).rank;
        if (rank != MergeTable::none) queue.push(static_cast<std::uint64_t>(rank) << 32 | left);
    };
    for (std::uint32_t i = 0; i < count; ++i) {
        links[i] = {i == 0 ? nobody : i - 1, i + 1 < count ? i + 1 : nobody};
        if (i + 1 < count) offer(i, i + 1);
    }
    while (!queue.empty()) {
        auto rank = static_cast<std::uint32_t>(queue.top() >> 32);
        auto left = static_cast<std::uint32_t>(queue.top());
        queue.pop();
        std::uint32_t right = symbols[left] < 0 ? nobody : links[left].next;
        if (right == nobody) continue;
        MergeTable::Merge merge = merges_.find(symbols[left], symbols[right]);
        if (merge.rank != rank) continue; // one of the two has merged since
        symbols[left] = merge.id;
        symbols[right] = -1;
        links[left].next = links[right].next;
        if (links[left].next != nobody) {
            links[links[left].next].previous = left;
            offer(left, links[left].next);
        }
        if (links[left].previous != nobody) offer(links[left].previous, left);
    }
    std::erase(symbols, -1);
}

void Bpe::encode_word_uncached(std::string_view word, std::vector<std::int32_t>& out) const {
    if (!whole_words_.empty()) {
        auto found = whole_words_.find(std::string(word));
        if (found != whole_words_.end()) {
            out.push_back(found->second);
            return;
        }
    }
    thread_local std::vector<std::int32_t> kept;
    std::vector<std::int32_t> own; // a long word's memory is given back
    std::vector<std::int32_t>& symbols = word.size() <= 4096 ? kept : own;
    symbols.clear();
    append_bytes(word, symbols);
    if (symbols.size() <= 32)
        merge_short(symbols);
    else
        merge_long(symbols);
    out.insert(out.end(), symbols.begin(), symbols.end());
}

void Bpe::encode_word(std::string_view word, std::vector<std::int32_t>& out) const {
    WordCache::encode(cache_key_, word, out, [&] { encode_word_uncached(word, out); });
}

} // namespace tempera
