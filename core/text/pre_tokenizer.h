#pragma once

#include "core/base/json.h"
#include "core/text/json_fields.h"
#include "core/text/split_pattern.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tempera {

/// Takes the pieces a pre-tokenizer cuts a text into, in order. A piece is valid only during the call.
class PieceSink {
public:
    virtual ~PieceSink() = default;
    virtual void take(std::string_view piece) = 0;
};

/// What Split does with the matches of its pattern.
enum class SplitBehavior { removed, isolated, merged_with_previous, merged_with_next, contiguous };

/// Parts of `text_ranges` (matches and gaps) as a behaviour leaves them; `match` marks nothing any more.
/// Formula: tokenizers, NormalizedString::split.
std::vector<TextRange> apply_behavior(const std::vector<TextRange>& text_ranges, SplitBehavior behavior,
                                      bool invert);

/// The "pre_tokenizer" of a tokenizer.json: Split, Digits, Whitespace, WhitespaceSplit, Punctuation,
/// BertPreTokenizer, Metaspace, ByteLevel, or a Sequence of these with ByteLevel last.
///
/// ByteLevel's replacement of bytes by printable characters is not carried out: pieces are raw UTF-8, and the
/// model is told by byte_level() to look them up byte by byte. That is why nothing may follow it.
class PreTokenizer {
public:
    PreTokenizer() = default;
    /// `json` may be null. Throws Error(bad_input), and Error(unsupported) with the name of a type outside
    /// the list.
    static PreTokenizer from_json(const Json& json, const std::string& source);

    /// Cuts `text` (valid UTF-8). No piece is empty. `at_start`: whether the text begins where the whole of
    /// what is encoded does, which Metaspace's scheme "first" asks.
    void split(std::string_view text, bool at_start, PieceSink& sink) const { run(0, text, at_start, sink); }
    bool byte_level() const { return byte_level_; }

private:
    struct Split {
        SplitPattern pattern;
        SplitBehavior behavior;
        bool invert;
    };
    struct Digits {
        bool individual;
    };
    struct ByteLevel {
        bool add_prefix_space;
        bool use_regex;
    };
    struct Bert {};
    struct WhiteSpace {
        bool words; ///< Whitespace: also between word characters and others
    };
    struct Punctuation {
        SplitBehavior behavior;
    };
    struct Metaspace {
        std::string mark;
        MetaspaceScheme scheme;
        bool split;
    };
    using Stage = std::variant<Split, Digits, ByteLevel, Bert, WhiteSpace, Punctuation, Metaspace>;

    void add(const Json& json, const std::string& source);
    static std::optional<Stage> stage_from(const std::string& type, const Json& json,
                                           const std::string& source);
    void run(std::size_t stage, std::string_view text, bool at_start, PieceSink& sink) const;
    void run_stage(const Split& split, std::size_t next, std::string_view text, bool at_start,
                   PieceSink& sink) const;
    void run_stage(const Digits& digits, std::size_t next, std::string_view text, bool at_start,
                   PieceSink& sink) const;
    void run_stage(const ByteLevel& level, std::size_t next, std::string_view text, bool at_start,
                   PieceSink& sink) const;
    void run_stage(const Bert& bert, std::size_t next, std::string_view text, bool at_start,
                   PieceSink& sink) const;
    void run_stage(const WhiteSpace& space, std::size_t next, std::string_view text, bool at_start,
                   PieceSink& sink) const;
    void run_stage(const Punctuation& punctuation, std::size_t next, std::string_view text, bool at_start,
                   PieceSink& sink) const;
    void run_stage(const Metaspace& meta, std::size_t next, std::string_view text, bool at_start,
                   PieceSink& sink) const;

    std::vector<Stage> stages_;
    bool byte_level_ = false;
};

} // namespace tempera
