#include "core/text/unigram.h"

#include "core/base/error.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"
#include "core/text/word_cache.h"

#include <algorithm>
#include <cstdio>

namespace tempera {

Unigram Unigram::from_json(const Json& json, const Vocabulary& vocabulary, const std::string& source) {
    Unigram result;
    result.cache_key_ = WordCache::new_key();
    const Json& entries = text_json::require(json, "vocab", source);
    if (entries.empty()) fail(ErrorKind::bad_input, source + ": the vocabulary is empty.");
    double smallest = entries[0][1].get<double>();
    for (const Json& entry : entries) {
        result.scores_.push_back(entry[1].get<double>());
        smallest = std::min(smallest, result.scores_.back());
    }
    result.unknown_score_ = smallest - 10.0;
    if (text_json::find(json, "unk_id", source)) {
        result.unknown_id_ = text_json::token_id(json["unk_id"], source + ": unk_id");
        if (!vocabulary.contains(result.unknown_id_))
            fail(ErrorKind::bad_input, source + ": the unk_id " + std::to_string(result.unknown_id_)
                                           + " is outside the vocabulary.");
    }
    result.byte_fallback_ = text_json::bool_field(json, "byte_fallback", false, source);
    for (unsigned byte = 0; byte < 256; ++byte) {
        char name[8];
        std::snprintf(name, sizeof name, "<0x%02X>", byte);
        result.byte_ids_[byte] = vocabulary.id_of(name).value_or(-1);
    }
    text_json::fill_trie(result.trie_, vocabulary, source);
    return result;
}

void Unigram::append_unknown(std::string_view part, std::vector<std::int32_t>& out) const {
    std::uint32_t node = trie_.walk(part);
    if (node != ByteTrie::nowhere && trie_.id(node) >= 0) { // a token after all: tokenizers looks the text up
        out.push_back(trie_.id(node));
        return;
    }
    auto id_of = [&](char c) { return byte_ids_[static_cast<unsigned char>(c)]; };
    if (byte_fallback_ && std::all_of(part.begin(), part.end(), [&](char c) { return id_of(c) >= 0; }))
        for (char c : part)
            out.push_back(id_of(c));
    else
        out.push_back(unknown_id_);
}

template <class Real>
void Unigram::encode_with(std::string_view word, std::vector<std::int32_t>& out) const {
    struct Best {
        Real score = 0;
        std::int32_t id = -1;
        std::uint32_t begin = 0xffffffffu; ///< of the last token; nobody has come here yet
    };
    constexpr std::uint32_t nobody = 0xffffffffu;
    constexpr std::size_t most_bytes = 64u << 20; // 1 GiB of table
    if (word.size() > most_bytes)
        fail(ErrorKind::bad_input,
             "A text of over 64 MiB without a place to cut it cannot be encoded; split it.");
    thread_local std::vector<Best> kept;
    std::vector<Best> own; // a long word's memory is given back
    std::vector<Best>& best = word.size() <= 4096 ? kept : own;
    best.assign(word.size() + 1, Best{});
    auto offer = [&](std::size_t begin, std::size_t end, std::int32_t id, Real score) {
        Real sum = score + best[begin].score;
        if (best[end].begin == nobody || sum > best[end].score)
            best[end] = {sum, id, static_cast<std::uint32_t>(begin)};
    };
    for (std::size_t begin = 0; begin < word.size();) {
        std::size_t character_end = code_point_at(word, begin).end;
        bool covered = false;
        std::uint32_t node = ByteTrie::root;
        for (std::size_t i = begin; i < word.size(); ++i) {
            node = trie_.child(node, word[i]);
            if (node == ByteTrie::nowhere) break;
            std::int32_t id = trie_.id(node);
            if (id < 0) continue;
            offer(begin, i + 1, id, static_cast<Real>(scores_[static_cast<std::size_t>(id)]));
            covered |= i + 1 == character_end;
        }
        if (!covered) {
            if (unknown_id_ < 0)
                fail(ErrorKind::bad_input, "The tokenizer has neither a token for "
                                               + text_json::quoted(word.substr(begin, character_end - begin))
                                               + " nor an unknown token.");
            offer(begin, character_end, unknown_id_, static_cast<Real>(unknown_score_));
        }
        begin = character_end;
    }
    std::vector<std::pair<std::uint32_t, std::uint32_t>> path; // token ends and begins, last token first
    for (std::size_t end = word.size(); end > 0; end = best[end].begin)
        path.emplace_back(best[end].begin, static_cast<std::uint32_t>(end));
    for (std::size_t i = path.size(); i-- > 0;) {
        auto [begin, end] = path[i];
        if (best[end].id != unknown_id_) {
            out.push_back(best[end].id);
            continue;
        }
        while (i > 0 && best[path[i - 1].second].id == unknown_id_)
            end = path[--i].second;
        append_unknown(word.substr(begin, end - begin), out);
    }
}

void Unigram::encode_word_uncached(std::string_view word, std::vector<std::int32_t>& out) const {
    if (single_precision_)
        encode_with<float>(word, out);
    else
        encode_with<double>(word, out);
}

void Unigram::encode_word(std::string_view word, std::vector<std::int32_t>& out) const {
    WordCache::encode(cache_key_, word, out, [&] { encode_word_uncached(word, out); });
}

} // namespace tempera
