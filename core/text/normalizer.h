#pragma once

#include "core/base/json.h"

#include <string>
#include <string_view>

namespace tempera {

/// The "normalizer" of a tokenizer.json: none, NFC, or a Sequence of these.
class Normalizer {
public:
    Normalizer() = default;
    /// `json` may be null. Throws Error(bad_input), and Error(unsupported) with the name of a type outside
    /// the list.
    static Normalizer from_json(const Json& json, const std::string& source);

    /// `text` must be valid UTF-8. The result is `text` itself where nothing changes, else a view of
    /// `buffer`.
    std::string_view apply(std::string_view text, std::string& buffer) const;
    /// Whether apply() can change anything.
    bool active() const { return nfc_; }

private:
    bool nfc_ = false;
};

} // namespace tempera
