#include "core/text/normalizer.h"

#include "core/base/error.h"
#include "core/text/char_class.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"

namespace tempera {

namespace {

bool is_space_at(std::string_view text, std::size_t position) {
    return char_classes()(code_point_at(text, position).value) & class_space;
}

std::string_view stripped(std::string_view text, bool left, bool right) {
    while (left && !text.empty() && is_space_at(text, 0))
        text.remove_prefix(code_point_at(text, 0).end);
    while (right && !text.empty()) {
        std::size_t last = code_point_before(text, text.size());
        if (!is_space_at(text, last)) break;
        text = text.substr(0, last);
    }
    return text;
}

bool strip_accents(std::string_view text, std::string& out, bool& start_went) {
    const CharClassTable& classes = char_classes();
    out.clear();
    for (std::size_t position = 0; position < text.size();) {
        CodePoint c = code_point_at(text, position);
        if (!(classes(c.value) & class_combining_mark))
            out.append(text.substr(position, c.end - position));
        else
            start_went |= position == 0;
        position = c.end;
    }
    return true;
}

bool lower(std::string_view text, std::string& out) {
    out.clear();
    for (std::size_t position = 0; position < text.size();) {
        CodePoint c = code_point_at(text, position);
        append_lower_case(c.value, out);
        position = c.end;
    }
    return true;
}

std::optional<UnicodeForm> form_named(std::string_view type) {
    if (type == "NFC") return UnicodeForm::nfc;
    if (type == "NFD") return UnicodeForm::nfd;
    if (type == "NFKC") return UnicodeForm::nfkc;
    if (type == "NFKD") return UnicodeForm::nfkd;
    return std::nullopt;
}

} // namespace

Normalizer Normalizer::from_json(const Json& json, const std::string& source) {
    Normalizer result;
    if (!json.is_null()) result.add(json, source);
    return result;
}

Normalizer Normalizer::of_sentencepiece(SentencePieceRules rules) {
    Normalizer result;
    result.steps_.push_back(std::move(rules));
    return result;
}

void Normalizer::add(const Json& json, const std::string& source) {
    std::string type = text_json::type_of(json, source);
    if (type == "Sequence") {
        for (const Json& part : text_json::array_field(json, "normalizers", source))
            add(part, source);
        return;
    }
    constexpr std::size_t most_steps = 64; // a text passes through all of them
    if (steps_.size() == most_steps) fail(ErrorKind::bad_input, source + " has more than 64 steps.");
    if (auto form = form_named(type))
        steps_.push_back(*form);
    else if (type == "Lowercase")
        steps_.push_back(Lowercase{});
    else if (type == "StripAccents")
        steps_.push_back(StripAccents{});
    else if (type == "Strip")
        steps_.push_back(Strip{text_json::bool_field(json, "strip_left", source),
                               text_json::bool_field(json, "strip_right", source)});
    else if (type == "Replace")
        steps_.push_back(
            Replace{pattern_from_json(json, source), text_json::string_field(json, "content", source)});
    else if (type == "Prepend")
        steps_.push_back(Prepend{text_json::string_field(json, "prepend", source)});
    else if (type == "Precompiled")
        steps_.push_back(std::make_shared<const Charsmap>(Charsmap::from_base64(
            text_json::string_field(json, "precompiled_charsmap", source), source + ": charsmap")));
    else if (type == "BertNormalizer")
        steps_.push_back(BertNormalizer::from_json(json, source));
    else
        fail(ErrorKind::unsupported, source + ": the normalizer " + text_json::quoted(type)
                                         + " is not implemented; NFC, NFD, NFKC, NFKD, Lowercase, Strip, "
                                           "StripAccents, Replace, Prepend, "
                                           "Precompiled, BertNormalizer and Sequence are.");
}

bool Normalizer::run_replace(const Replace& replace, std::string_view text, std::string& out,
                             bool& start_went) {
    thread_local std::vector<TextRange> ranges;
    replace.pattern.find_all(text, ranges);
    bool any = false;
    for (const TextRange& range : ranges)
        any |= range.match;
    if (!any) return false;
    out.clear();
    for (const TextRange& range : ranges)
        out.append(range.match ? replace.content : text.substr(range.begin, range.end - range.begin));
    start_went |= ranges[0].match && ranges[0].end > 0 && replace.content.empty();
    if (ranges.capacity() > 1u << 16) std::vector<TextRange>().swap(ranges);
    return true;
}

bool Normalizer::run(const Step& step, std::string_view& text, std::string& out, bool& start_went) {
    if (auto* form = std::get_if<UnicodeForm>(&step)) return to_unicode_form(*form, text, out);
    if (auto* bert = std::get_if<BertNormalizer>(&step)) {
        start_went |= bert->apply(text, out);
        return true;
    }
    if (auto* charsmap = std::get_if<Precompiled>(&step)) return (*charsmap)->apply(text, out);
    if (auto* replace = std::get_if<Replace>(&step)) return run_replace(*replace, text, out, start_went);
    if (auto* rules = std::get_if<SentencePieceRules>(&step)) {
        rules->apply(text, out);
        return true;
    }
    if (auto* strip = std::get_if<Strip>(&step)) {
        const char* begin = text.data();
        text = stripped(text, strip->left, strip->right);
        start_went |= text.data() != begin;
        return false;
    }
    if (auto* prepend = std::get_if<Prepend>(&step)) {
        if (text.empty()) return false;
        out.assign(prepend->content).append(text);
        return true;
    }
    if (std::holds_alternative<StripAccents>(step)) return strip_accents(text, out, start_went);
    return lower(text, out);
}

std::string_view Normalizer::apply(std::string_view text, std::string& buffer, bool* start_went) const {
    std::string spare;
    bool went = false;
    for (const Step& step : steps_)
        if (run(step, text, spare, went)) {
            buffer.swap(spare);
            text = buffer;
        }
    if (start_went) *start_went = went;
    return text;
}

} // namespace tempera
