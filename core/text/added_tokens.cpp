#include "core/text/added_tokens.h"

#include "core/base/error.h"
#include "core/text/char_class.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"

#include <algorithm>
#include <cstring>

namespace tempera {

bool TokenTrie::insert(std::string_view pattern, std::size_t token) {
    std::uint32_t node = 0;
    first_[static_cast<unsigned char>(pattern.front())] = true;
    for (char c : pattern) {
        std::uint64_t edge = static_cast<std::uint64_t>(node) << 8 | static_cast<unsigned char>(c);
        auto [found, is_new] = edges_.try_emplace(edge, static_cast<std::uint32_t>(tokens_.size()));
        if (is_new) tokens_.push_back(-1);
        node = found->second;
    }
    if (tokens_[node] >= 0) return false;
    tokens_[node] = static_cast<std::int64_t>(token);
    return true;
}

bool TokenTrie::find(std::string_view text, std::size_t from, std::size_t& token, std::size_t& begin,
                     std::size_t& end) const {
    if (empty()) return false;
    for (begin = from; begin < text.size(); ++begin) {
        if (!first_[static_cast<unsigned char>(text[begin])]) continue;
        std::uint32_t node = 0;
        std::int64_t longest = -1;
        for (std::size_t i = begin; i < text.size(); ++i) {
            auto next =
                edges_.find(static_cast<std::uint64_t>(node) << 8 | static_cast<unsigned char>(text[i]));
            if (next == edges_.end()) break;
            node = next->second;
            if (tokens_[node] >= 0) {
                longest = tokens_[node];
                end = i + 1;
            }
        }
        if (longest >= 0) {
            token = static_cast<std::size_t>(longest);
            return true;
        }
    }
    return false;
}

AddedTokens AddedTokens::from_json(const Json& json, const Vocabulary& vocabulary,
                                   const Normalizer& normalizer, const std::string& source) {
    AddedTokens result;
    if (json.is_null()) return result;
    if (!json.is_array())
        fail(ErrorKind::bad_input, source + " must be a list, but is " + json.type_name() + ".");
    for (const Json& item : json) {
        AddedToken token;
        token.content = text_json::string_field(item, "content", source);
        std::string where = source + " " + text_json::quoted(token.content);
        token.id = text_json::token_id(text_json::require(item, "id", where), where);
        token.single_word = text_json::bool_field(item, "single_word", where);
        token.lstrip = text_json::bool_field(item, "lstrip", where);
        token.rstrip = text_json::bool_field(item, "rstrip", where);
        token.normalized = text_json::bool_field(item, "normalized", where);
        token.special = text_json::bool_field(item, "special", where);
        result.add(std::move(token), vocabulary, normalizer, where);
    }
    return result;
}

void AddedTokens::add(AddedToken token, const Vocabulary& vocabulary, const Normalizer& normalizer,
                      const std::string& where) {
    constexpr std::size_t longest = 1024; // bounds the search to 1024 steps a byte of text
    if (token.content.empty()) return;    // can match nothing; tokenizers ignores it too
    if (token.content.size() > longest) fail(ErrorKind::bad_input, where + " is longer than 1024 bytes.");
    text_json::check_density(token.id, vocabulary.size(), where);
    auto known = vocabulary.id_of(token.content);
    if (known ? *known != token.id : vocabulary.contains(token.id))
        fail(ErrorKind::bad_input, where + " has the id " + std::to_string(token.id)
                                       + ", but the vocabulary says "
                                       + (known ? "it is " + std::to_string(*known)
                                                : "that is " + text_json::quoted(vocabulary.piece(token.id)))
                                       + ".");
    if (by_content_.contains(token.content) || by_id_.contains(token.id))
        fail(ErrorKind::bad_input,
             where + ": its text or its id " + std::to_string(token.id) + " stands twice.");
    std::string buffer;
    token.pattern = token.normalized ? std::string(normalizer.apply(token.content, buffer)) : token.content;
    TokenTrie& trie = token.normalized ? normalized_ : raw_;
    if (!trie.insert(token.pattern, tokens_.size()))
        fail(ErrorKind::bad_input, where + " is the same as another added token once normalised.");
    by_id_.emplace(token.id, tokens_.size());
    by_content_.emplace(token.content, tokens_.size());
    tokens_.push_back(std::move(token));
}

const AddedToken* AddedTokens::find(std::int32_t id) const {
    auto found = by_id_.find(id);
    return found == by_id_.end() ? nullptr : &tokens_[found->second];
}

const AddedToken* AddedTokens::find(std::string_view content) const {
    auto found = by_content_.find(std::string(content));
    return found == by_content_.end() ? nullptr : &tokens_[found->second];
}

namespace {

bool is_word_at(std::string_view text, std::size_t position) {
    return position < text.size() && (char_classes()(code_point_at(text, position).value) & class_word);
}

bool is_word_before(std::string_view text, std::size_t position) {
    return position > 0 && is_word_at(text, code_point_before(text, position));
}

std::size_t skip_space(std::string_view text, std::size_t position) {
    while (position < text.size()) {
        CodePoint c = code_point_at(text, position);
        if (!(char_classes()(c.value) & class_space)) break;
        position = c.end;
    }
    return position;
}

std::size_t skip_space_back(std::string_view text, std::size_t position, std::size_t floor) {
    while (position > floor) {
        std::size_t before = code_point_before(text, position);
        if (!(char_classes()(code_point_at(text, before).value) & class_space)) break;
        position = before;
    }
    return position;
}

} // namespace

void AddedTokens::split(const TokenTrie& trie, std::string_view text, bool skip_special,
                        std::vector<AddedMatch>& out) const {
    out.clear();
    std::size_t covered = 0, from = 0, index = 0, begin = 0, end = 0;
    while (trie.find(text, from, index, begin, end)) {
        from = end;
        const AddedToken& token = tokens_[index];
        if (skip_special && token.special) continue;
        if (token.single_word && (is_word_before(text, begin) || is_word_at(text, end))) continue;
        // What the token before has taken is not gone over again: its white space ends at `covered`.
        if (token.lstrip) begin = begin > covered ? skip_space_back(text, begin, covered) : covered;
        if (token.rstrip) end = skip_space(text, std::max(end, covered));
        if (begin >= end) continue; // white space the token before has taken
        if (covered < begin) out.push_back({-1, covered, begin});
        out.push_back({token.id, begin, end});
        covered = end;
    }
    if (covered != text.size()) out.push_back({-1, covered, text.size()});
}

} // namespace tempera
