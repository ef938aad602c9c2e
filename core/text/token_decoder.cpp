#include "core/text/token_decoder.h"

#include "core/base/error.h"
#include "core/text/byte_alphabet.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"

#include <optional>

namespace tempera {

namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    std::size_t at = text.find(from);
    if (at == std::string::npos) return;
    std::string out;
    std::size_t begin = 0;
    for (; at != std::string::npos; at = text.find(from, begin)) {
        out.append(text, begin, at - begin).append(to);
        begin = at + from.size();
    }
    text = out.append(text, begin);
}

/// What WordPiece's "cleanup" does to every token. Formula: tokenizers, decoders/wordpiece.rs.
void clean_up(std::string& token) {
    constexpr std::pair<std::string_view, std::string_view> rules[] = {
        {" .", "."},   {" ?", "?"},           {" !", "!"},   {" ,", ","},     {" ' ", "'"},   {" n't", "n't"},
        {" 'm", "'m"}, {" do not", " don't"}, {" 's", "'s"}, {" 've", "'ve"}, {" 're", "'re"}};
    if (token.find(' ') == std::string::npos) return;
    for (auto [from, to] : rules)
        replace_all(token, from, to);
}

/// The byte of "<0x1F>".
std::optional<char> fallback_byte(std::string_view token) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') return std::nullopt;
    auto digit = [](char c) {
        return c >= '0' && c <= '9' ? c - '0' : (c | 32) >= 'a' && (c | 32) <= 'f' ? (c | 32) - 'a' + 10 : -1;
    };
    // Rust's from_str_radix takes "+F" for 15.
    int high = token[3] == '+' ? 0 : digit(token[3]), low = digit(token[4]);
    if (high < 0 || low < 0) return std::nullopt;
    return static_cast<char>(high * 16 + low);
}

/// Runs of byte tokens become their text, or one U+FFFD each where that is no UTF-8.
std::vector<std::string> join_fallback_bytes(const std::vector<std::string>& tokens) {
    std::vector<std::string> out;
    std::string bytes;
    auto flush = [&] {
        if (is_valid_utf8(bytes))
            out.push_back(bytes);
        else
            out.insert(out.end(), bytes.size(), "\ufffd");
        bytes.clear();
    };
    for (const std::string& token : tokens) {
        if (auto byte = fallback_byte(token)) {
            bytes += *byte;
            continue;
        }
        if (!bytes.empty()) flush();
        out.push_back(token);
    }
    if (!bytes.empty()) flush();
    return out;
}

std::uint64_t count_field(const Json& json, const char* key, const std::string& source) {
    const Json& value = text_json::require(json, key, source);
    if (!value.is_number_unsigned())
        fail(ErrorKind::bad_input,
             source + ": \"" + key + "\" must be a whole number from 0, but is " + value.dump() + ".");
    return value.get<std::uint64_t>();
}

void strip_token(std::string_view content, std::uint64_t start, std::uint64_t stop, std::string& token) {
    std::string_view rest = token;
    for (; start > 0 && rest.starts_with(content); --start)
        rest.remove_prefix(content.size());
    for (; stop > 0 && rest.ends_with(content); --stop)
        rest.remove_suffix(content.size());
    token = std::string(rest);
}

} // namespace

TokenDecoder TokenDecoder::from_json(const Json& json, const std::string& source) {
    TokenDecoder result;
    if (json.is_null()) return result;
    result.separator_.clear();
    result.add(json, source);
    return result;
}

void TokenDecoder::push(Step step, const std::string& type, const std::string& source) {
    constexpr std::size_t most_steps = 64;
    if (steps_.size() == most_steps) fail(ErrorKind::bad_input, source + " has more than 64 steps.");
    bool fuse = std::holds_alternative<Fuse>(step);
    if (std::holds_alternative<ByteLevel>(step) && !steps_.empty())
        fail(ErrorKind::unsupported, source + ": ByteLevel behind another decoder is not implemented.");
    bool byte_level = !steps_.empty() && std::holds_alternative<ByteLevel>(steps_[0]);
    if (byte_level && !fuse)
        fail(ErrorKind::unsupported,
             source + ": " + text_json::quoted(type) + " behind ByteLevel is not implemented.");
    if (std::holds_alternative<ByteFallback>(step) || (fused_ && !fuse)) by_token_ = false;
    fused_ |= fuse;
    steps_.push_back(std::move(step));
}

void TokenDecoder::add(const Json& json, const std::string& source) {
    std::string type = text_json::type_of(json, source);
    auto text = [&](const char* key) { return text_json::string_field(json, key, source); };
    if (type == "Sequence") {
        for (const Json& part : text_json::array_field(json, "decoders", source))
            add(part, source);
    } else if (type == "ByteLevel") {
        push(ByteLevel{}, type, source);
    } else if (type == "WordPiece") {
        push(WordPiece{text("prefix"), text_json::bool_field(json, "cleanup", source)}, type, source);
    } else if (type == "Metaspace") {
        push(Metaspace{text_json::character_field(json, "replacement", source),
                       text_json::metaspace_scheme(json, source) != MetaspaceScheme::never},
             type, source);
    } else if (type == "Replace") {
        push(Replace{pattern_from_json(json, source), text("content")}, type, source);
    } else if (type == "Strip") {
        push(Strip{text_json::character_field(json, "content", source), count_field(json, "start", source),
                   count_field(json, "stop", source)},
             type, source);
    } else if (type == "ByteFallback") {
        push(ByteFallback{}, type, source);
    } else if (type == "Fuse") {
        push(Fuse{}, type, source);
    } else {
        fail(ErrorKind::unsupported, source + ": the decoder " + text_json::quoted(type)
                                         + " is not implemented; ByteLevel, WordPiece, Metaspace, Replace, "
                                           "Strip, ByteFallback, Fuse and Sequence are.");
    }
}

void TokenDecoder::apply(const Step& step, bool first, std::string& token) {
    if (auto* words = std::get_if<WordPiece>(&step)) {
        if (!first && token.starts_with(words->prefix))
            token.erase(0, words->prefix.size());
        else if (!first)
            token.insert(0, 1, ' ');
        if (words->cleanup) clean_up(token);
    } else if (auto* meta = std::get_if<Metaspace>(&step)) {
        replace_all(token, meta->replacement, first && meta->drops_first ? "" : " ");
    } else if (auto* replace = std::get_if<Replace>(&step)) {
        std::vector<TextRange> ranges;
        replace->pattern.find_all(token, ranges);
        std::string out;
        for (const TextRange& range : ranges)
            out += range.match ? replace->content : token.substr(range.begin, range.end - range.begin);
        token = std::move(out);
    } else if (auto* strip = std::get_if<Strip>(&step)) {
        strip_token(strip->content, strip->start, strip->stop, token);
    }
}

void TokenDecoder::append_bytes(std::string_view piece, bool first, std::string& out) const {
    if (steps_.empty()) {
        out += piece;
        return;
    }
    if (std::holds_alternative<ByteLevel>(steps_[0])) {
        if (!ByteAlphabet::instance().to_bytes(piece, out)) out += piece;
        return;
    }
    std::string token(piece);
    for (const Step& step : steps_)
        apply(step, first, token);
    out += token;
}

std::string TokenDecoder::decode(std::vector<std::string> tokens) const {
    auto joined = [&] {
        std::string all;
        for (const std::string& token : tokens)
            all += token;
        return all;
    };
    for (const Step& step : steps_) {
        if (std::holds_alternative<ByteFallback>(step))
            tokens = join_fallback_bytes(tokens);
        else if (std::holds_alternative<Fuse>(step))
            tokens = {joined()};
        else
            for (std::size_t i = 0; i < tokens.size(); ++i)
                apply(step, i == 0, tokens[i]);
    }
    return joined();
}

} // namespace tempera
