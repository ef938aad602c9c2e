#include "core/text/post_processor.h"

#include "core/base/error.h"
#include "core/text/json_fields.h"

#include <algorithm>

namespace tempera {

namespace {

using Part = PostProcessor::Part;

Part text_part(bool second, std::int32_t type_id) {
    return {second ? Part::Kind::second_text : Part::Kind::first_text, {}, type_id};
}

Part token_part(std::vector<std::int32_t> tokens, std::int32_t type_id) {
    return {Part::Kind::tokens, std::move(tokens), type_id};
}

std::int32_t type_id_of(const Json& part, const std::string& source) {
    return text_json::find(part, "type_id", source) ? text_json::token_id(part["type_id"], source) : 0;
}

PostProcessor::Template template_from(const Json& parts, const Json* specials, const std::string& source) {
    PostProcessor::Template result;
    for (const Json& part : parts) {
        if (const Json* text = text_json::find(part, "Sequence", source)) {
            std::string name = text_json::string_field(*text, "id", source);
            if (name != "A" && name != "B")
                fail(ErrorKind::bad_input,
                     source + ": the template's sequence " + text_json::quoted(name) + " is not A or B.");
            result.push_back(text_part(name == "B", type_id_of(*text, source)));
            continue;
        }
        const Json& token = text_json::require(part, "SpecialToken", source);
        std::string name = text_json::string_field(token, "id", source);
        const Json* special = specials ? text_json::find(*specials, name.c_str(), source) : nullptr;
        if (!special)
            fail(ErrorKind::bad_input, source + ": the template's token " + text_json::quoted(name)
                                           + " is not among its special_tokens.");
        std::vector<std::int32_t> ids;
        for (const Json& id : text_json::array_field(*special, "ids", source))
            ids.push_back(text_json::token_id(id, source));
        result.push_back(token_part(std::move(ids), type_id_of(token, source)));
    }
    return result;
}

std::ptrdiff_t count(const PostProcessor::Template& parts, Part::Kind kind) {
    return std::count_if(parts.begin(), parts.end(), [&](const Part& part) { return part.kind == kind; });
}

/// The id of "cls": ["[CLS]", 101].
std::int32_t named_id(const Json& json, const char* key, const std::string& source) {
    const Json& pair = text_json::array_field(json, key, source);
    if (pair.size() != 2 || !pair[0].is_string())
        fail(ErrorKind::bad_input, source + ": \"" + key + "\" must be a token and its id.");
    return text_json::token_id(pair[1], source);
}

} // namespace

PostProcessor::PostProcessor()
    : single_{text_part(false, 0)}, pair_{text_part(false, 0), text_part(true, 1)} {}

PostProcessor PostProcessor::from_json(const Json& json, const std::string& source) {
    PostProcessor result;
    if (!json.is_null()) result.add(json, source);
    return result;
}

PostProcessor PostProcessor::bert(std::int32_t cls, std::int32_t sep) {
    PostProcessor result;
    result.single_ = {token_part({cls}, 0), text_part(false, 0), token_part({sep}, 0)};
    result.pair_ = result.single_;
    result.pair_.push_back(text_part(true, 1));
    result.pair_.push_back(token_part({sep}, 1));
    return result;
}

void PostProcessor::add_roberta(std::int32_t cls, std::int32_t sep) {
    single_ = {token_part({cls}, 0), text_part(false, 0), token_part({sep}, 0)};
    pair_ = single_;
    pair_.insert(pair_.end(), {token_part({sep}, 0), text_part(true, 0), token_part({sep}, 0)});
}

std::size_t PostProcessor::added(const Template& parts) {
    std::size_t total = 0;
    for (const Part& part : parts)
        total += part.tokens.size();
    return total;
}

void PostProcessor::add(const Json& json, const std::string& source) {
    std::string type = text_json::type_of(json, source);
    if (type == "Sequence") {
        for (const Json& part : text_json::array_field(json, "processors", source))
            add(part, source);
        return;
    }
    if (type == "ByteLevel") return;
    if (adds_)
        fail(ErrorKind::unsupported, source + ": a second post-processor that adds tokens ("
                                         + text_json::quoted(type) + ") is not implemented.");
    adds_ = true;
    if (type == "TemplateProcessing") {
        add_template(json, source);
    } else if (type == "BertProcessing") {
        PostProcessor made = bert(named_id(json, "cls", source), named_id(json, "sep", source));
        single_.swap(made.single_);
        pair_.swap(made.pair_);
    } else if (type == "RobertaProcessing") {
        add_roberta(named_id(json, "cls", source), named_id(json, "sep", source));
    } else {
        fail(ErrorKind::unsupported, source + ": the post-processor " + text_json::quoted(type)
                                         + " is not implemented; ByteLevel, TemplateProcessing, "
                                           "BertProcessing, RobertaProcessing and Sequence are.");
    }
}

void PostProcessor::add_template(const Json& json, const std::string& source) {
    const Json* specials = text_json::find(json, "special_tokens", source);
    single_ = template_from(text_json::array_field(json, "single", source), specials, source);
    if (count(single_, Part::Kind::first_text) == 0)
        fail(ErrorKind::bad_input, source + ": the template for one text lacks the sequence A.");
    if (count(single_, Part::Kind::first_text) > 1 || count(single_, Part::Kind::second_text) > 0)
        fail(ErrorKind::unsupported, source + ": the template for one text must hold the sequence A once.");
    pair_.clear();
    if (text_json::find(json, "pair", source))
        pair_ = template_from(text_json::array_field(json, "pair", source), specials, source);
    if (count(pair_, Part::Kind::first_text) != 1 || count(pair_, Part::Kind::second_text) != 1)
        pair_.clear();
}

} // namespace tempera
