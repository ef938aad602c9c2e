#pragma once

#include "core/base/json.h"
#include "core/text/normalizer.h"
#include "core/text/vocabulary.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tempera {

/// One entry of "added_tokens": a text that is found before anything else and becomes one token.
struct AddedToken {
    std::int32_t id = 0;
    std::string content;
    std::string pattern;      ///< what is looked for: `content`, normalised where `normalized`
    bool single_word = false; ///< only where no word character stands before or behind it
    bool lstrip = false;      ///< takes the white space before it
    bool rstrip = false;      ///< takes the white space behind it
    bool normalized = false;  ///< looked for in the normalised text instead of the raw one
    bool special = false;     ///< left out by decode(skip_special)
};

/// Part of a text: an added token (id >= 0) or text between them (id = -1).
struct AddedMatch {
    std::int32_t id;
    std::size_t begin;
    std::size_t end;
};

/// Finds tokens in a text, leftmost first and the longest of those that begin there.
class TokenTrie {
public:
    /// False where the pattern is there already.
    bool insert(std::string_view pattern, std::size_t token);
    bool empty() const { return edges_.empty(); }
    /// The next match at or after `from`: the token, its begin and end; false where there is none.
    bool find(std::string_view text, std::size_t from, std::size_t& token, std::size_t& begin,
              std::size_t& end) const;

private:
    std::unordered_map<std::uint64_t, std::uint32_t> edges_; ///< node << 8 | byte -> node
    std::vector<std::int64_t> tokens_{-1};                   ///< of a node; -1 = none ends here
    std::array<bool, 256> first_{};
};

/// The "added_tokens" of a tokenizer.json. Formula of the matching: tokenizers,
/// AddedVocabulary::find_matches.
class AddedTokens {
public:
    AddedTokens() = default;
    /// Throws Error(bad_input) where an entry is malformed, stands twice, or contradicts the vocabulary's id.
    static AddedTokens from_json(const Json& json, const Vocabulary& vocabulary, const Normalizer& normalizer,
                                 const std::string& source);

    /// The tokens with `normalized` = false, in the raw text.
    void split_raw(std::string_view text, bool skip_special, std::vector<AddedMatch>& out) const {
        split(raw_, text, skip_special, out);
    }
    /// The others, in normalised text.
    void split_normalized(std::string_view text, bool skip_special, std::vector<AddedMatch>& out) const {
        split(normalized_, text, skip_special, out);
    }
    bool any_normalized() const { return !normalized_.empty(); }

    const AddedToken* find(std::int32_t id) const;
    const AddedToken* find(std::string_view content) const;
    const std::vector<AddedToken>& tokens() const { return tokens_; }

private:
    void add(AddedToken token, const Vocabulary& vocabulary, const Normalizer& normalizer,
             const std::string& source);
    void split(const TokenTrie& trie, std::string_view text, bool skip_special,
               std::vector<AddedMatch>& out) const;

    std::vector<AddedToken> tokens_;
    std::unordered_map<std::int32_t, std::size_t> by_id_;
    std::unordered_map<std::string, std::size_t> by_content_;
    TokenTrie raw_;
    TokenTrie normalized_;
};

} // namespace tempera
