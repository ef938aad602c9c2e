#include "core/text/tokenizer.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/text/added_tokens.h"
#include "core/text/bpe.h"
#include "core/text/json_fields.h"
#include "core/text/normalizer.h"
#include "core/text/post_processor.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/sentencepiece.h"
#include "core/text/token_decoder.h"
#include "core/text/truncation.h"
#include "core/text/unigram.h"
#include "core/text/utf8.h"
#include "core/text/vocabulary.h"
#include "core/text/wordpiece.h"

#include <algorithm>
#include <variant>

namespace tempera {

namespace {

constexpr std::size_t most_file_bytes = 64u << 20;
constexpr std::size_t most_text_bytes = 1u << 30;

/// Hands the pieces of a text to the model.
template <class Model>
class EncodingSink : public PieceSink {
public:
    EncodingSink(const Model& model, std::vector<std::int32_t>& ids) : model_(model), ids_(ids) {}
    void take(std::string_view piece) override { model_.encode_word(piece, ids_); }

private:
    const Model& model_;
    std::vector<std::int32_t>& ids_;
};

Json read_if_there(const std::filesystem::path& path) {
    std::error_code ignored;
    return std::filesystem::exists(path, ignored) ? read_json_file(path, most_file_bytes) : Json();
}

/// The text of a named token: "eos_token": "</s>" or {"content": "</s>"}.
std::optional<std::string> named_token(const Json& config, const char* key) {
    if (!config.is_object() || !config.contains(key)) return std::nullopt;
    const Json& value = config[key];
    if (value.is_string()) return value.get<std::string>();
    if (value.is_object() && value.contains("content") && value["content"].is_string())
        return value["content"].get<std::string>();
    return std::nullopt;
}

} // namespace

struct Tokenizer::Impl {
    Vocabulary vocabulary;
    Normalizer normalizer;
    PreTokenizer pre_tokenizer;
    std::variant<Bpe, WordPiece, Unigram> model;
    AddedTokens added;
    PostProcessor post_processor;
    TokenDecoder decoder;

    std::string decoded;                      ///< the bytes of all tokens, one behind the other
    std::vector<std::uint32_t> decoded_begin; ///< of every id in it, and the end
    std::vector<bool> present, special;
    std::size_t size = 0;
    std::optional<std::int32_t> bos, eos, pad, unk, cls, sep;

    std::string_view piece(std::int32_t id) const {
        const AddedToken* token = added.find(id);
        return token ? std::string_view(token->content) : vocabulary.piece(id);
    }
    std::optional<std::int32_t> id_of(std::string_view piece) const {
        if (const AddedToken* token = added.find(piece)) return token->id;
        return vocabulary.id_of(piece);
    }
    bool contains(std::int32_t id) const {
        return id >= 0 && static_cast<std::size_t>(id) < present.size()
               && present[static_cast<std::size_t>(id)];
    }
    std::string_view bytes(std::int32_t id) const {
        if (!contains(id)) return {};
        auto index = static_cast<std::size_t>(id);
        return std::string_view(decoded).substr(decoded_begin[index],
                                                decoded_begin[index + 1] - decoded_begin[index]);
    }

    void read_model(const Json& json, const std::string& source);
    void index_tokens();
    void name_tokens(const Json& config);
    /// What decoding sees of a token.
    std::string_view decoded_piece(std::int32_t id) const {
        const AddedToken* token = added.find(id);
        return token ? std::string_view(token->pattern) : vocabulary.piece(id);
    }
    /// Appends the ids of a text of any bytes.
    void encode(std::string_view text, bool special_text_is_plain, std::vector<std::int32_t>& ids) const;
    void encode_valid(std::string_view text, bool special_text_is_plain, std::vector<std::int32_t>& ids,
                      PieceSink& sink) const;
};

void Tokenizer::Impl::read_model(const Json& json, const std::string& source) {
    using text_json::require;
    std::string type = text_json::find(json, "type", source) ? text_json::type_of(json, source) : "BPE";
    const Json* vocab =
        type == "BPE" || type == "WordPiece" || type == "Unigram" ? &require(json, "vocab", source) : nullptr;
    std::string vocab_source = source.substr(0, source.size() - std::string_view("model").size()) + "vocab";
    if (type == "BPE") {
        vocabulary = Vocabulary::from_json(*vocab, vocab_source);
        if (!pre_tokenizer.byte_level())
            fail(ErrorKind::unsupported,
                 source + ": BPE without the pre-tokenizer ByteLevel is not implemented.");
        model = Bpe::from_json(json, vocabulary, source);
        return;
    }
    if (!vocab)
        fail(ErrorKind::unsupported,
             source + " " + text_json::quoted(type) + " is not implemented; BPE, WordPiece and Unigram are.");
    if (pre_tokenizer.byte_level())
        fail(ErrorKind::unsupported,
             source + ": " + type + " behind the pre-tokenizer ByteLevel is not implemented.");
    if (type == "WordPiece") {
        vocabulary = Vocabulary::from_json(*vocab, vocab_source);
        model = WordPiece::from_json(json, vocabulary, source);
    } else {
        vocabulary = Vocabulary::from_scored_json(*vocab, vocab_source);
        model = Unigram::from_json(json, vocabulary, source);
    }
}

void Tokenizer::Impl::index_tokens() {
    std::int32_t limit = vocabulary.id_limit();
    for (const AddedToken& token : added.tokens())
        limit = std::max(limit, token.id + 1);
    auto count = static_cast<std::size_t>(limit);
    present.resize(count);
    special.resize(count);
    decoded_begin.reserve(count + 1);
    for (std::size_t index = 0; index < count; ++index) {
        auto id = static_cast<std::int32_t>(index);
        decoded_begin.push_back(static_cast<std::uint32_t>(decoded.size()));
        const AddedToken* token = added.find(id);
        present[index] = token || vocabulary.contains(id);
        special[index] = token && token->special;
        if (present[index]) decoder.append_bytes(decoded_piece(id), false, decoded);
        size += present[index];
    }
    decoded_begin.push_back(static_cast<std::uint32_t>(decoded.size()));
}

void Tokenizer::Impl::name_tokens(const Json& config) {
    auto named_id = [&](const char* key) {
        auto name = named_token(config, key);
        return name ? id_of(*name) : std::nullopt;
    };
    bos = named_id("bos_token");
    eos = named_id("eos_token");
    pad = named_id("pad_token");
    unk = named_id("unk_token");
    cls = named_id("cls_token");
    sep = named_id("sep_token");
}

void Tokenizer::Impl::encode_valid(std::string_view text, bool special_text_is_plain,
                                   std::vector<std::int32_t>& ids, PieceSink& sink) const {
    std::vector<AddedMatch> raw, normal;
    std::string buffer;
    added.split_raw(text, special_text_is_plain, raw);
    for (const AddedMatch& part : raw) {
        if (part.id >= 0) {
            ids.push_back(part.id);
            continue;
        }
        bool start_went = false;
        std::string_view normalized =
            normalizer.apply(text.substr(part.begin, part.end - part.begin), buffer, &start_went);
        bool at_start = part.begin == 0 && !start_went;
        if (!added.any_normalized()) {
            pre_tokenizer.split(normalized, at_start, sink);
            continue;
        }
        added.split_normalized(normalized, special_text_is_plain, normal);
        for (const AddedMatch& inner : normal) {
            if (inner.id >= 0)
                ids.push_back(inner.id);
            else
                pre_tokenizer.split(normalized.substr(inner.begin, inner.end - inner.begin),
                                    at_start && inner.begin == 0, sink);
        }
    }
}

void Tokenizer::Impl::encode(std::string_view text, bool special_text_is_plain,
                             std::vector<std::int32_t>& ids) const {
    if (text.size() > most_text_bytes)
        fail(ErrorKind::bad_input, "A text of over 1 GiB cannot be encoded; split it.");
    ids.reserve(ids.size() + text.size() / 3 + 8);
    std::string repaired;
    if (!is_valid_utf8(text)) text = repaired = replace_invalid_utf8(text);
    std::visit(
        [&](const auto& words) {
            EncodingSink<std::decay_t<decltype(words)>> sink(words, ids);
            encode_valid(text, special_text_is_plain, ids, sink);
        },
        model);
}

namespace {

/// The tokenizer's file in a folder, if there is one: tokenizer.json, else a SentencePiece model.
std::optional<std::filesystem::path> find_tokenizer(const std::filesystem::path& folder) {
    std::error_code ignored;
    for (const char* name : {"tokenizer.json", "spm.model", "spiece.model", "tokenizer.model"})
        if (std::filesystem::exists(folder / name, ignored)) return folder / name;
    return std::nullopt;
}

std::filesystem::path tokenizer_file(const std::filesystem::path& folder) {
    std::error_code ignored;
    if (!std::filesystem::is_directory(folder, ignored)) return folder;
    return find_tokenizer(folder).value_or(folder / "tokenizer.json");
}

/// SentencePiece's control pieces as added tokens.
Json control_tokens(const SentencePieceModel& model) {
    Json out = Json::array();
    for (std::size_t id = 0; id < model.pieces.size(); ++id)
        if (model.pieces[id].type == SentencePieceModel::Type::control)
            out.push_back({{"id", id},
                           {"content", model.pieces[id].text},
                           {"single_word", false},
                           {"lstrip", false},
                           {"rstrip", false},
                           {"normalized", false},
                           {"special", true}});
    return out;
}

const Json& sentencepiece_decoder() {
    static const Json decoder = {
        {"type", "Sequence"},
        {"decoders",
         {{{"type", "Replace"}, {"pattern", {{"String", "\u2581"}}}, {"content", " "}},
          {{"type", "ByteFallback"}},
          {{"type", "Fuse"}},
          {{"type", "Strip"}, {"content", " "}, {"start", 1u}, {"stop", 0u}}}}};
    return decoder;
}

} // namespace

bool Tokenizer::is_in(const std::filesystem::path& folder) {
    return find_tokenizer(folder).has_value();
}

Tokenizer Tokenizer::load(const std::filesystem::path& folder) {
    std::filesystem::path file = tokenizer_file(folder);
    Json config = read_if_there(file.parent_path() / "special_tokens_map.json");
    Json named = read_if_there(file.parent_path() / "tokenizer_config.json");
    if (named.is_object() && config.is_object())
        config.update(named);
    else if (named.is_object())
        config = std::move(named);
    if (file.extension() == ".model")
        return from_sentencepiece(read_file(file, most_file_bytes), config, file.string());
    return from_json(read_json_file(file, most_file_bytes), config, file.string());
}

Tokenizer Tokenizer::from_sentencepiece(std::string_view bytes, const Json& config,
                                        const std::string& source) {
    SentencePieceModel model = parse_sentencepiece(bytes, source);
    auto impl = std::make_shared<Impl>();
    std::vector<std::string> pieces;
    for (const SentencePieceModel::Piece& piece : model.pieces)
        pieces.push_back(piece.text);
    impl->vocabulary = Vocabulary::from_pieces(std::move(pieces));
    impl->model = Unigram::of_sentencepiece(model, impl->vocabulary);
    Json controls = control_tokens(model);
    impl->normalizer = Normalizer::of_sentencepiece(std::move(model.rules));
    impl->added =
        AddedTokens::from_json(controls, impl->vocabulary, impl->normalizer, source + ": control piece");
    impl->decoder = TokenDecoder::from_json(sentencepiece_decoder(), source);
    impl->index_tokens();
    impl->name_tokens(config);
    if (!impl->unk)
        for (std::size_t id = 0; id < model.pieces.size(); ++id)
            if (model.pieces[id].type == SentencePieceModel::Type::unknown)
                impl->unk = static_cast<std::int32_t>(id);
    auto or_named = [&](std::optional<std::int32_t>& id, const char* piece) {
        if (!id) id = impl->id_of(piece);
    };
    or_named(impl->cls, "[CLS]");
    or_named(impl->sep, "[SEP]");
    or_named(impl->pad, "[PAD]");
    if (impl->cls && impl->sep) impl->post_processor = PostProcessor::bert(*impl->cls, *impl->sep);
    return Tokenizer(std::move(impl));
}

Tokenizer Tokenizer::from_json(const Json& json, const Json& config, const std::string& source) {
    using text_json::find;
    static const Json null;
    auto part = [&](const char* key) -> const Json& {
        const Json* found = find(json, key, source);
        return found ? *found : null;
    };
    if (find(json, "version", source) && text_json::string_field(json, "version", source) != "1.0")
        fail(ErrorKind::unsupported,
             source + ": the version " + json["version"].dump() + " is not known; 1.0 is.");
    auto impl = std::make_shared<Impl>();
    impl->normalizer = Normalizer::from_json(part("normalizer"), source + ": normalizer");
    impl->pre_tokenizer = PreTokenizer::from_json(part("pre_tokenizer"), source + ": pre_tokenizer");
    impl->read_model(text_json::require(json, "model", source), source + ": model");
    impl->added = AddedTokens::from_json(part("added_tokens"), impl->vocabulary, impl->normalizer,
                                         source + ": added token");
    impl->post_processor = PostProcessor::from_json(part("post_processor"), source + ": post_processor");
    impl->decoder = TokenDecoder::from_json(part("decoder"), source + ": decoder");
    impl->index_tokens();
    impl->name_tokens(config);
    return Tokenizer(std::move(impl));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
    std::vector<std::int32_t> ids;
    if (!options.add_special_tokens) {
        impl_->encode(text, options.special_text_is_plain, ids);
        return ids;
    }
    for (const PostProcessor::Part& part : impl_->post_processor.single())
        if (part.kind == PostProcessor::Part::Kind::tokens)
            ids.insert(ids.end(), part.tokens.begin(), part.tokens.end());
        else
            impl_->encode(text, options.special_text_is_plain, ids);
    return ids;
}

EncodedText Tokenizer::encode_with_specials(std::string_view text, std::optional<std::string_view> pair,
                                            InputOptions options) const {
    using Kind = PostProcessor::Part::Kind;
    const PostProcessor::Template& parts =
        pair ? impl_->post_processor.pair() : impl_->post_processor.single();
    if (parts.empty())
        fail(ErrorKind::unsupported, "The tokenizer's post_processor has no template for a pair of texts.");
    std::size_t added = PostProcessor::added(parts);
    if (options.max_length > 0 && options.max_length <= added)
        fail(ErrorKind::bad_input, "A max_length of " + std::to_string(options.max_length)
                                       + " leaves no room beside the " + std::to_string(added)
                                       + " tokens the tokenizer adds.");
    std::vector<std::int32_t> first, second;
    impl_->encode(text, options.special_text_is_plain, first);
    if (pair) impl_->encode(*pair, options.special_text_is_plain, second);
    EncodedText out;
    if (options.max_length > 0)
        out.dropped = truncate_longest_first(first, pair ? &second : nullptr, options.max_length - added,
                                             options.truncate_left);
    for (const PostProcessor::Part& part : parts) {
        const std::vector<std::int32_t>& ids = part.kind == Kind::tokens       ? part.tokens
                                               : part.kind == Kind::first_text ? first
                                                                               : second;
        out.ids.insert(out.ids.end(), ids.begin(), ids.end());
        out.type_ids.insert(out.type_ids.end(), ids.size(), part.type_id);
    }
    return out;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
    auto left_out = [&](std::int32_t id) { return !contains(id) || (skip_special && is_special(id)); };
    if (!impl_->decoder.by_token()) {
        std::vector<std::string> tokens;
        for (std::int32_t id : ids)
            if (!left_out(id)) tokens.emplace_back(impl_->decoded_piece(id));
        return impl_->decoder.decode(std::move(tokens));
    }
    std::string bytes;
    bool any = false;
    for (std::int32_t id : ids) {
        if (left_out(id)) continue;
        if (any)
            bytes.append(impl_->decoder.separator()).append(impl_->bytes(id));
        else
            impl_->decoder.append_bytes(impl_->decoded_piece(id), true, bytes);
        any = true;
    }
    return is_valid_utf8(bytes) ? bytes : replace_invalid_utf8(bytes);
}

std::string_view Tokenizer::piece(std::int32_t id) const {
    return impl_->piece(id);
}

std::vector<std::string> Tokenizer::pieces(std::span<const std::int32_t> ids) const {
    std::vector<std::string> out;
    out.reserve(ids.size());
    for (std::int32_t id : ids)
        out.emplace_back(piece(id));
    return out;
}

std::string_view Tokenizer::bytes(std::int32_t id) const {
    return impl_->bytes(id);
}

std::optional<std::int32_t> Tokenizer::id_of(std::string_view piece) const {
    return impl_->id_of(piece);
}

bool Tokenizer::contains(std::int32_t id) const {
    return impl_->contains(id);
}

bool Tokenizer::is_special(std::int32_t id) const {
    return impl_->contains(id) && impl_->special[static_cast<std::size_t>(id)];
}

std::size_t Tokenizer::vocab_size() const {
    return impl_->size;
}

std::int32_t Tokenizer::id_limit() const {
    return static_cast<std::int32_t>(impl_->present.size());
}

std::optional<std::int32_t> Tokenizer::bos_id() const {
    return impl_->bos;
}

std::optional<std::int32_t> Tokenizer::eos_id() const {
    return impl_->eos;
}

std::optional<std::int32_t> Tokenizer::pad_id() const {
    return impl_->pad;
}

std::optional<std::int32_t> Tokenizer::unk_id() const {
    return impl_->unk;
}

std::string StreamingDecoder::push(std::int32_t id) {
    const Tokenizer::Impl& impl = *tokenizer_.impl_;
    if (!impl.contains(id) || (skip_special_ && tokenizer_.is_special(id))) return {};
    if (!impl.decoder.by_token()) {
        waiting_.emplace_back(impl.decoded_piece(id));
        return {};
    }
    if (any_)
        held_.append(impl.decoder.separator()).append(impl.bytes(id));
    else
        impl.decoder.append_bytes(impl.decoded_piece(id), true, held_);
    any_ = true;
    std::size_t complete = held_.size() - unfinished_utf8_suffix(held_);
    std::string text = replace_invalid_utf8(std::string_view(held_).substr(0, complete));
    held_.erase(0, complete);
    return text;
}

std::string StreamingDecoder::finish() {
    std::string text = waiting_.empty() ? replace_invalid_utf8(held_)
                                        : tokenizer_.impl_->decoder.decode(std::move(waiting_));
    waiting_.clear();
    held_.clear();
    any_ = false;
    return text;
}

} // namespace tempera
