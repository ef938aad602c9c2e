#pragma once

#include "core/base/json.h"
#include "core/text/split_pattern.h"

#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tempera {

/// The "decoder" of a tokenizer.json: ByteLevel, WordPiece, Metaspace, Replace, Strip, ByteFallback, Fuse, a
/// Sequence of these, or none (tokens joined by spaces).
class TokenDecoder {
public:
    TokenDecoder() = default;
    /// `json` may be null. Throws Error(bad_input), and Error(unsupported) with the name of a type outside
    /// the list.
    static TokenDecoder from_json(const Json& json, const std::string& source);

    /// Whether the text is that of the tokens one behind the other, each decoded for itself: append_bytes()
    /// with separator() between. Otherwise decode() must see them all.
    bool by_token() const { return by_token_; }
    /// Appends the bytes one token stands for, as the first of a text or a later one. With ByteLevel they may
    /// be part of a character; a token with a character outside the byte alphabet stands for itself.
    void append_bytes(std::string_view piece, bool first, std::string& out) const;
    std::string_view separator() const { return separator_; }

    /// The text of all tokens.
    std::string decode(std::vector<std::string> tokens) const;

private:
    struct ByteLevel {};
    struct WordPiece {
        std::string prefix;
        bool cleanup;
    };
    struct Metaspace {
        std::string replacement;
        bool drops_first; ///< in the first token the replacement is nothing instead of a space
    };
    struct Replace {
        SplitPattern pattern;
        std::string content;
    };
    struct Strip {
        std::string content; ///< one character
        std::uint64_t start, stop;
    };
    struct ByteFallback {};
    struct Fuse {};
    using Step = std::variant<ByteLevel, WordPiece, Metaspace, Replace, Strip, ByteFallback, Fuse>;

    void add(const Json& json, const std::string& source);
    void push(Step step, const std::string& type, const std::string& source);
    static void apply(const Step& step, bool first, std::string& token);

    std::vector<Step> steps_;
    bool by_token_ = true;
    bool fused_ = false; ///< while reading: the tokens are one text from here on
    std::string separator_ = " ";
};

} // namespace tempera
