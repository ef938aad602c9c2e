#include "core/text/tokenizer.h"

#include "core/base/error.h"
#include "core/text/added_tokens.h"
#include "core/text/bpe.h"
#include "core/text/json_fields.h"
#include "core/text/normalizer.h"
#include "core/text/post_processor.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/token_decoder.h"
#include "core/text/utf8.h"
#include "core/text/vocabulary.h"

#include <algorithm>

namespace tempera {

namespace {

constexpr std::size_t most_file_bytes = 64u << 20;
constexpr std::size_t most_text_bytes = 1u << 30;

/// Hands the pieces of a text to the model.
class EncodingSink : public PieceSink {
public:
    EncodingSink(const Bpe& model, std::vector<std::int32_t>& ids) : model_(model), ids_(ids) {}
    void take(std::string_view piece) override { model_.encode_word(piece, ids_); }

private:
    const Bpe& model_;
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
    Bpe model;
    AddedTokens added;
    PostProcessor post_processor;
    TokenDecoder decoder;

    std::string decoded;                      ///< the bytes of all tokens, one behind the other
    std::vector<std::uint32_t> decoded_begin; ///< of every id in it, and the end
    std::vector<bool> present, special;
    std::size_t size = 0;
    std::optional<std::int32_t> bos, eos, pad;

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

    void index_tokens();
    void encode_text(std::string_view text, const EncodeOptions& options,
                     std::vector<std::int32_t>& ids) const;
};

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
        if (present[index]) decoder.append_bytes(token ? token->pattern : vocabulary.piece(id), decoded);
        size += present[index];
    }
    decoded_begin.push_back(static_cast<std::uint32_t>(decoded.size()));
}

void Tokenizer::Impl::encode_text(std::string_view text, const EncodeOptions& options,
                                  std::vector<std::int32_t>& ids) const {
    EncodingSink sink(model, ids);
    std::vector<AddedMatch> raw, normal;
    std::string buffer;
    added.split_raw(text, options.special_text_is_plain, raw);
    for (const AddedMatch& part : raw) {
        if (part.id >= 0) {
            ids.push_back(part.id);
            continue;
        }
        std::string_view normalized =
            normalizer.apply(text.substr(part.begin, part.end - part.begin), buffer);
        if (!added.any_normalized()) {
            pre_tokenizer.split(normalized, sink);
            continue;
        }
        added.split_normalized(normalized, options.special_text_is_plain, normal);
        for (const AddedMatch& inner : normal) {
            if (inner.id >= 0)
                ids.push_back(inner.id);
            else
                pre_tokenizer.split(normalized.substr(inner.begin, inner.end - inner.begin), sink);
        }
    }
}

Tokenizer Tokenizer::load(const std::filesystem::path& folder) {
    std::filesystem::path file = folder;
    if (std::filesystem::is_directory(folder)) file /= "tokenizer.json";
    Json config = read_if_there(file.parent_path() / "special_tokens_map.json");
    Json named = read_if_there(file.parent_path() / "tokenizer_config.json");
    if (named.is_object() && config.is_object())
        config.update(named);
    else if (named.is_object())
        config = std::move(named);
    return from_json(read_json_file(file, most_file_bytes), config, file.string());
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
    const Json& model = text_json::require(json, "model", source);
    std::string type =
        find(model, "type", source + ": model") ? text_json::type_of(model, source + ": model") : "BPE";
    if (type != "BPE")
        fail(ErrorKind::unsupported,
             source + ": the model " + text_json::quoted(type) + " is not implemented; BPE is.");
    impl->vocabulary =
        Vocabulary::from_json(text_json::require(model, "vocab", source + ": model"), source + ": vocab");
    impl->normalizer = Normalizer::from_json(part("normalizer"), source + ": normalizer");
    impl->pre_tokenizer = PreTokenizer::from_json(part("pre_tokenizer"), source + ": pre_tokenizer");
    if (!impl->pre_tokenizer.byte_level())
        fail(ErrorKind::unsupported,
             source + ": BPE without the pre-tokenizer ByteLevel is not implemented.");
    impl->model = Bpe::from_json(model, impl->vocabulary, source + ": model");
    impl->added = AddedTokens::from_json(part("added_tokens"), impl->vocabulary, impl->normalizer,
                                         source + ": added token");
    impl->post_processor = PostProcessor::from_json(part("post_processor"), source + ": post_processor");
    impl->decoder = TokenDecoder::from_json(part("decoder"), source + ": decoder");
    impl->index_tokens();
    auto named_id = [&](const char* key) {
        auto name = named_token(config, key);
        return name ? impl->id_of(*name) : std::nullopt;
    };
    impl->bos = named_id("bos_token");
    impl->eos = named_id("eos_token");
    impl->pad = named_id("pad_token");
    return Tokenizer(std::move(impl));
}

std::vector<std::int32_t> Tokenizer::encode(std::string_view text, EncodeOptions options) const {
    if (text.size() > most_text_bytes)
        fail(ErrorKind::bad_input, "A text of over 1 GiB cannot be encoded; split it.");
    std::vector<std::int32_t> ids;
    ids.reserve(text.size() / 3 + 8);
    if (options.add_special_tokens) ids = impl_->post_processor.prefix();
    if (is_valid_utf8(text))
        impl_->encode_text(text, options, ids);
    else
        impl_->encode_text(replace_invalid_utf8(text), options, ids);
    if (options.add_special_tokens)
        ids.insert(ids.end(), impl_->post_processor.suffix().begin(), impl_->post_processor.suffix().end());
    return ids;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special) const {
    std::string bytes;
    bool any = false;
    for (std::int32_t id : ids) {
        if (!impl_->contains(id) || (skip_special && is_special(id))) continue;
        if (any) bytes += impl_->decoder.separator();
        any = true;
        bytes += impl_->bytes(id);
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

std::string StreamingDecoder::push(std::int32_t id) {
    const Tokenizer::Impl& impl = *tokenizer_.impl_;
    if (!impl.contains(id) || (skip_special_ && tokenizer_.is_special(id))) return {};
    if (any_) held_ += impl.decoder.separator();
    any_ = true;
    held_ += impl.bytes(id);
    std::size_t complete = held_.size() - unfinished_utf8_suffix(held_);
    std::string text = replace_invalid_utf8(std::string_view(held_).substr(0, complete));
    held_.erase(0, complete);
    return text;
}

std::string StreamingDecoder::finish() {
    std::string text = replace_invalid_utf8(held_);
    held_.clear();
    any_ = false;
    return text;
}

} // namespace tempera
