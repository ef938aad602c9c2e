#include "core/text/vocabulary.h"

#include "core/base/error.h"
#include "core/text/json_fields.h"

#include <algorithm>

namespace tempera {

Vocabulary Vocabulary::from_json(const Json& json, const std::string& source) {
    if (!json.is_object())
        fail(ErrorKind::bad_input,
             source + " must be an object of tokens and ids, but is " + json.type_name() + ".");
    std::int32_t largest = -1;
    for (const auto& item : json.items())
        largest = std::max(largest, text_json::token_id(item.value(), source));
    text_json::check_density(largest, json.size(), source);
    Vocabulary result;
    result.pieces_.resize(static_cast<std::size_t>(largest + 1));
    result.present_.resize(result.pieces_.size());
    result.ids_.reserve(json.size());
    for (const auto& item : json.items()) {
        auto id = item.value().get<std::int32_t>();
        auto index = static_cast<std::size_t>(id);
        if (result.present_[index])
            fail(ErrorKind::bad_input, source + ": the tokens " + text_json::quoted(result.pieces_[index])
                                           + " and " + text_json::quoted(item.key()) + " share the id "
                                           + std::to_string(id) + ".");
        result.present_[index] = true;
        result.pieces_[index] = item.key();
        result.ids_.emplace(result.pieces_[index], id);
    }
    return result;
}

} // namespace tempera
