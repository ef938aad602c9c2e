#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tempera {

/// Tokens and their ids, both ways. Ids may have holes; two tokens never share one.
class Vocabulary {
public:
    Vocabulary() = default;
    Vocabulary(Vocabulary&&) = default;
    Vocabulary& operator=(Vocabulary&&) = default;
    Vocabulary(const Vocabulary&) = delete; // ids_ refers into pieces_
    Vocabulary& operator=(const Vocabulary&) = delete;

    /// An object {"token": id}. Throws Error(bad_input) for ids that are no ids or stand twice.
    static Vocabulary from_json(const Json& json, const std::string& source);

    /// A list [["token", score]] whose places are the ids (Unigram). Where a token stands twice the last
    /// place is its id, as in tokenizers.
    static Vocabulary from_scored_json(const Json& json, const std::string& source);

    /// Tokens whose places are the ids; of equal ones the last place is the id.
    static Vocabulary from_pieces(std::vector<std::string> pieces);

    std::optional<std::int32_t> id_of(std::string_view piece) const {
        auto found = ids_.find(piece);
        return found == ids_.end() ? std::nullopt : std::optional(found->second);
    }
    bool contains(std::int32_t id) const {
        return id >= 0 && id < id_limit() && present_[static_cast<std::size_t>(id)];
    }
    /// The token's text as the file has it; empty for an id nobody has.
    std::string_view piece(std::int32_t id) const {
        return contains(id) ? std::string_view(pieces_[static_cast<std::size_t>(id)]) : std::string_view();
    }
    std::size_t size() const { return ids_.size(); }
    /// Largest id + 1.
    std::int32_t id_limit() const { return static_cast<std::int32_t>(pieces_.size()); }

private:
    std::vector<std::string> pieces_;
    std::vector<bool> present_;
    std::unordered_map<std::string_view, std::int32_t> ids_;
};

} // namespace tempera
