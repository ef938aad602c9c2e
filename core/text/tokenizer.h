#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

struct EncodeOptions {
    /// Whether the file's post_processor adds its tokens (a Llama 3's begin-of-text). Off: the text and
    /// nothing else, as prompts made by a chat template need it.
    bool add_special_tokens = false;
    /// Whether the text of special tokens ("<|im_end|>") in `text` is ordinary text, as text from outside
    /// should be.
    bool special_text_is_plain = false;
};

/// How one text or two become the input of an encoder.
struct InputOptions {
    std::size_t max_length = 0;         ///< most tokens, those of the template included; 0 = no limit
    bool truncate_left = false;         ///< takes tokens from the beginning instead of the end
    bool special_text_is_plain = false; ///< as in EncodeOptions
};

/// One text, or two, with the tokens the file's post_processor puts around them ("[CLS] A [SEP] B [SEP]").
struct EncodedText {
    std::vector<std::int32_t> ids;
    std::vector<std::int32_t> type_ids; ///< of every token: 0 or 1 as the template says ("token_type_ids")
    std::size_t dropped = 0;            ///< tokens that max_length took away
};

/// A tokenizer read from a Hugging Face tokenizer.json, or from a SentencePiece model: byte-level BPE (Qwen2,
/// GPT-2, SmolLM2, Llama 3), WordPiece (BERT, DistilBERT, MiniLM) and Unigram (DeBERTa-v3) with their
/// normalizers, pre-tokenizers, added tokens, post-processors and decoders. Ids equal those of PyPI
/// tokenizers 0.23 (differential test). What is not implemented is refused by name when the file is read.
/// "truncation" and "padding" are the caller's matter and ignored.
///
/// Immutable; copies share their data; all functions are thread-safe.
class Tokenizer {
public:
    /// Reads `folder`/tokenizer.json and, for the named tokens, tokenizer_config.json and
    /// special_tokens_map.json where they exist; without a tokenizer.json spm.model, spiece.model or
    /// tokenizer.model. `folder` may also be the path of one of these files. Throws Error(not_found,
    /// bad_input, unsupported, io).
    static Tokenizer load(const std::filesystem::path& folder);
    /// Whether `folder` holds one of these files.
    static bool is_in(const std::filesystem::path& folder);
    /// `tokenizer` is the content of a tokenizer.json, `config` of a tokenizer_config.json or null; `source`
    /// names them in errors.
    static Tokenizer from_json(const Json& tokenizer, const Json& config, const std::string& source);
    /// `model` is the content of a SentencePiece model (Unigram only). Ids equal SentencePiece's, with its
    /// control pieces found in the text as special tokens; where there are [CLS] and [SEP], or what `config`
    /// names so, they stand around the text as in BERT. Decoded text is without the leading space.
    static Tokenizer from_sentencepiece(std::string_view model, const Json& config,
                                        const std::string& source);

    /// Ids of `text`. Where `text` is not valid UTF-8, every maximal ill-formed part counts as one U+FFFD, as
    /// Python's bytes.decode("utf-8", "replace") has it (a Python string, the oracle's input, can hold no
    /// broken UTF-8).
    std::vector<std::int32_t> encode(std::string_view text, EncodeOptions options = {}) const;

    /// `text`, or `text` and `pair`, as an encoder is given them: with the template's tokens and type ids,
    /// cut to max_length as tokenizers' "longest_first" does (from the longer text until both are as long,
    /// then from both). Throws Error(bad_input) where max_length has no room for the template's tokens, and
    /// Error(unsupported) for a pair where the file has no template for pairs.
    EncodedText encode_with_specials(std::string_view text, std::optional<std::string_view> pair = {},
                                     InputOptions options = {}) const;

    /// The text of `ids`; always valid UTF-8, with U+FFFD for bytes that form no character. `skip_special`
    /// leaves out special tokens. An id no token has is left out (models pad their vocabulary, so one may be
    /// sampled).
    std::string decode(std::span<const std::int32_t> ids, bool skip_special = false) const;

    /// The token as the file writes it (byte alphabet, "Ġ" for a space); empty for an id no token has.
    std::string_view piece(std::int32_t id) const;
    std::vector<std::string> pieces(std::span<const std::int32_t> ids) const;
    /// The bytes the token stands for in decoded text behind another token; may be part of a UTF-8 character.
    std::string_view bytes(std::int32_t id) const;
    /// The id of a token as the file writes it.
    std::optional<std::int32_t> id_of(std::string_view piece) const;
    /// Whether a token has the id.
    bool contains(std::int32_t id) const;
    /// Whether decode(skip_special) leaves it out.
    bool is_special(std::int32_t id) const;

    /// Number of tokens, added ones included.
    std::size_t vocab_size() const;
    /// Largest id + 1: the rows an embedding needs at least.
    std::int32_t id_limit() const;

    /// The named tokens of tokenizer_config.json, where it names one and the vocabulary has it.
    std::optional<std::int32_t> bos_id() const;
    std::optional<std::int32_t> eos_id() const;
    std::optional<std::int32_t> pad_id() const;
    std::optional<std::int32_t> unk_id() const;

private:
    struct Impl;
    friend class StreamingDecoder;
    explicit Tokenizer(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}

    std::shared_ptr<const Impl> impl_;
};

/// Text of ids that arrive one by one. What push() returned so far never ends inside a UTF-8 character, and
/// together with finish() it is exactly what Tokenizer::decode makes of all ids at once. Where the file's
/// decoder looks at all tokens together (ByteFallback, or Strip behind Fuse), all text comes with finish().
/// Not thread-safe.
class StreamingDecoder {
public:
    explicit StreamingDecoder(Tokenizer tokenizer, bool skip_special = true)
        : tokenizer_(std::move(tokenizer)), skip_special_(skip_special) {}

    /// The text that `id` completed; may be empty.
    std::string push(std::int32_t id);
    /// What is left: U+FFFD for an unfinished character, else mostly empty. The decoder is then as new.
    std::string finish();

private:
    Tokenizer tokenizer_;
    bool skip_special_;
    bool any_ = false;
    std::string held_;                 ///< an unfinished character, at most 3 bytes
    std::vector<std::string> waiting_; ///< tokens that only finish() can decode
};

} // namespace tempera
