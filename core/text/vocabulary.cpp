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

Vocabulary Vocabulary::from_scored_json(const Json& json, const std::string& source) {
    if (!json.is_array())
        fail(ErrorKind::bad_input,
             source + " must be a list of tokens and scores, but is " + json.type_name() + ".");
    if (json.size() > static_cast<std::size_t>(text_json::largest_token_id))
        fail(ErrorKind::bad_input, source + " has " + std::to_string(json.size()) + " tokens; at most "
                                       + std::to_string(text_json::largest_token_id) + " can be.");
    std::vector<std::string> pieces;
    pieces.reserve(json.size());
    for (const Json& item : json) {
        if (!item.is_array() || item.size() != 2 || !item[0].is_string() || !item[1].is_number())
            fail(ErrorKind::bad_input,
                 source + ": entry " + std::to_string(pieces.size()) + " must be a token and its score.");
        pieces.push_back(item[0].get<std::string>());
    }
    return from_pieces(std::move(pieces));
}

Vocabulary Vocabulary::from_pieces(std::vector<std::string> pieces) {
    Vocabulary result;
    result.pieces_ = std::move(pieces);
    result.present_.assign(result.pieces_.size(), true);
    result.ids_.reserve(result.pieces_.size());
    for (std::size_t id = 0; id < result.pieces_.size(); ++id)
        result.ids_.insert_or_assign(result.pieces_[id], static_cast<std::int32_t>(id));
    return result;
}

} // namespace tempera
