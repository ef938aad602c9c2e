#pragma once

#include "core/base/json.h"
#include "core/text/bert_normalizer.h"
#include "core/text/charsmap.h"
#include "core/text/split_pattern.h"
#include "core/text/unicode_form.h"

#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tempera {

/// The "normalizer" of a tokenizer.json: NFC, NFD, NFKC, NFKD, Lowercase, Strip, StripAccents, Replace,
/// Prepend, Precompiled, BertNormalizer, a Sequence of these, or none; and that of a SentencePiece model.
class Normalizer {
public:
    Normalizer() = default;
    /// `json` may be null. Throws Error(bad_input), and Error(unsupported) with the name of a type outside
    /// the list.
    static Normalizer from_json(const Json& json, const std::string& source);
    static Normalizer of_sentencepiece(SentencePieceRules rules);

    /// `text` must be valid UTF-8. The result is a part of `text` where nothing else changes, else a view of
    /// `buffer`. `start_went` becomes true where the first character of the text was taken away (what
    /// Metaspace's scheme "first" looks at). Throws Error(bad_input) where a regular expression gives up.
    std::string_view apply(std::string_view text, std::string& buffer, bool* start_went = nullptr) const;

private:
    struct Lowercase {};
    struct StripAccents {};
    struct Strip {
        bool left, right;
    };
    struct Replace {
        SplitPattern pattern;
        std::string content;
    };
    struct Prepend {
        std::string content;
    };
    using Precompiled = std::shared_ptr<const Charsmap>;
    using Step = std::variant<UnicodeForm, Lowercase, StripAccents, Strip, Replace, Prepend, Precompiled,
                              BertNormalizer, SentencePieceRules>;

    void add(const Json& json, const std::string& source);
    /// Either narrows `text`, or returns true and leaves the result in `out`.
    static bool run(const Step& step, std::string_view& text, std::string& out, bool& start_went);
    static bool run_replace(const Replace& replace, std::string_view text, std::string& out,
                            bool& start_went);

    std::vector<Step> steps_;
};

} // namespace tempera
