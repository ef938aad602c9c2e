#include "core/text/unigram.h"

#include "core/base/error.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"
#include "core/text/word_cache.h"

#include <algorithm>
#include <cfloat>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace tempera {

namespace {

/// A number of a file as Rust's serde_json reads it: all digits as one integer, which a power of ten divides.
/// That is often one unit off in the last place, which decides between two ways to cut that are equally good.
/// `value`: as correctly read from the digits, of which there are no more than it takes to tell it apart.
double as_serde_reads(double value) {
    char text[64];
    char* end = std::to_chars(text, text + sizeof text, std::abs(value)).ptr;
    std::uint64_t digits = 0;
    int exponent = 0;
    bool behind_point = false;
    for (const char* c = text; c < end; ++c) {
        if (*c == 'e') {
            if (*++c == '+') ++c;
            int written = 0;
            std::from_chars(c, end, written);
            exponent += written;
            break;
        }
        if (*c == '.') {
            behind_point = true;
            continue;
        }
        if (digits > (UINT64_MAX - 9) / 10) return value; // no more than 17 digits matter
        digits = digits * 10 + static_cast<std::uint64_t>(*c - '0');
        exponent -= behind_point;
    }
    if (exponent < -300 || exponent > 300) return value;
    double power = std::strtod(("1e" + std::to_string(std::abs(exponent))).c_str(), nullptr);
    double read = exponent < 0 ? static_cast<double>(digits) / power : static_cast<double>(digits) * power;
    return std::signbit(value) ? -read : read;
}

} // namespace

Unigram Unigram::from_json(const Json& json, const Vocabulary& vocabulary, const std::string& source) {
    Unigram result;
    result.cache_key_ = WordCache::new_key();
    const Json& entries = text_json::require(json, "vocab", source);
    if (entries.empty()) fail(ErrorKind::bad_input, source + ": the vocabulary is empty.");
    for (const Json& entry : entries)
        result.scores_.push_back(entry[1].is_number_float() ? as_serde_reads(entry[1].get<double>())
                                                            : entry[1].get<double>());
    double smallest = *std::min_element(result.scores_.begin(), result.scores_.end());
    result.unknown_score_ = smallest - 10.0;
    if (text_json::find(json, "unk_id", source)) {
        result.unknown_id_ = text_json::token_id(json["unk_id"], source + ": unk_id");
        if (!vocabulary.contains(result.unknown_id_))
            fail(ErrorKind::bad_input, source + ": the unk_id " + std::to_string(result.unknown_id_)
                                           + " is outside the vocabulary.");
    }
    result.byte_fallback_ = text_json::bool_field(json, "byte_fallback", false, source);
    result.find_byte_tokens(vocabulary);
    text_json::fill_trie(result.trie_, vocabulary, source);
    return result;
}

void Unigram::find_byte_tokens(const Vocabulary& vocabulary) {
    for (unsigned byte = 0; byte < 256; ++byte) {
        char name[8];
        std::snprintf(name, sizeof name, "<0x%02X>", byte);
        byte_ids_[byte] = vocabulary.id_of(name).value_or(-1);
    }
}

Unigram Unigram::of_sentencepiece(const SentencePieceModel& model, const Vocabulary& vocabulary) {
    using Type = SentencePieceModel::Type;
    Unigram result;
    result.cache_key_ = WordCache::new_key();
    result.sentencepiece_ = true;
    result.byte_fallback_ = model.byte_fallback;
    result.find_byte_tokens(vocabulary);
    float smallest = FLT_MAX, largest = FLT_MIN; // FLT_MIN as there, though the least of floats was meant
    for (const SentencePieceModel::Piece& piece : model.pieces) {
        if (piece.type != Type::normal) continue;
        smallest = std::min(smallest, piece.score);
        largest = std::max(largest, piece.score);
    }
    result.unknown_score_ = smallest - 10.0f;
    for (std::size_t i = 0; i < model.pieces.size(); ++i) {
        const SentencePieceModel::Piece& piece = model.pieces[i];
        auto id = static_cast<std::int32_t>(i);
        bool user_defined = piece.type == Type::user_defined;
        // Before all others: a small minus per piece, whatever its length.
        result.scores_.push_back(
            user_defined ? static_cast<float>(static_cast<float>(piece.text.size()) * largest - 0.1)
                         : piece.score);
        if (piece.type == Type::unknown) result.unknown_id_ = id;
        if (piece.type != Type::normal && !user_defined) continue;
        result.trie_.insert(piece.text, id);
    }
    return result;
}

void Unigram::append_unknown(std::string_view part, std::vector<std::int32_t>& out) const {
    std::uint32_t node = trie_.walk(part);
    if (!sentencepiece_ && node != ByteTrie::nowhere && trie_.id(node) >= 0) { // tokenizers looks the text up
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
    auto offer = [&](std::size_t begin, std::size_t end, std::int32_t id, double score) {
        Real sum = static_cast<Real>(score + static_cast<double>(best[begin].score));
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
            offer(begin, i + 1, id, scores_[static_cast<std::size_t>(id)]);
            covered |= i + 1 == character_end;
        }
        if (!covered) {
            if (unknown_id_ < 0)
                fail(ErrorKind::bad_input, "The tokenizer has neither a token for "
                                               + text_json::quoted(word.substr(begin, character_end - begin))
                                               + " nor an unknown token.");
            offer(begin, character_end, unknown_id_, unknown_score_);
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
    if (sentencepiece_)
        encode_with<float>(word, out);
    else
        encode_with<double>(word, out);
}

void Unigram::encode_word(std::string_view word, std::vector<std::int32_t>& out) const {
    WordCache::encode(cache_key_, word, out, [&] { encode_word_uncached(word, out); });
}

} // namespace tempera
