#include "core/text/post_processor.h"

#include "core/base/error.h"
#include "core/text/json_fields.h"

namespace tempera {

PostProcessor PostProcessor::from_json(const Json& json, const std::string& source) {
    PostProcessor result;
    if (!json.is_null()) result.add(json, source);
    return result;
}

void PostProcessor::add(const Json& json, const std::string& source) {
    std::string type = text_json::type_of(json, source);
    if (type == "Sequence") {
        for (const Json& part : text_json::array_field(json, "processors", source))
            add(part, source);
    } else if (type == "TemplateProcessing") {
        add_template(json, source);
    } else if (type != "ByteLevel") {
        fail(ErrorKind::unsupported,
             source + ": the post-processor " + text_json::quoted(type)
                 + " is not implemented; ByteLevel, TemplateProcessing and Sequence are.");
    }
}

void PostProcessor::add_template(const Json& json, const std::string& source) {
    const Json& parts = text_json::array_field(json, "single", source);
    const Json* specials = text_json::find(json, "special_tokens", source);
    std::vector<std::int32_t> before, behind;
    bool text_seen = false;
    for (const Json& part : parts) {
        if (const Json* text = text_json::find(part, "Sequence", source)) {
            if (text_seen || text_json::string_field(*text, "id", source) != "A")
                fail(ErrorKind::unsupported,
                     source + ": the template for one text must hold the sequence A once.");
            text_seen = true;
            continue;
        }
        std::string name =
            text_json::string_field(text_json::require(part, "SpecialToken", source), "id", source);
        const Json* special = specials ? text_json::find(*specials, name.c_str(), source) : nullptr;
        if (!special)
            fail(ErrorKind::bad_input, source + ": the template's token " + text_json::quoted(name)
                                           + " is not among its special_tokens.");
        for (const Json& id : text_json::array_field(*special, "ids", source))
            (text_seen ? behind : before).push_back(text_json::token_id(id, source));
    }
    if (!text_seen) fail(ErrorKind::bad_input, source + ": the template for one text lacks the sequence A.");
    prefix_.insert(prefix_.begin(), before.begin(), before.end());
    suffix_.insert(suffix_.end(), behind.begin(), behind.end());
}

} // namespace tempera
