#pragma once

#include "core/base/json.h"
#include "core/text/added_tokens.h"
#include "core/text/vocabulary.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tempera {

/// The "post_processor" of a tokenizer.json, as far as it touches the ids of one text: TemplateProcessing
/// puts tokens before and behind it, ByteLevel does nothing, Sequence does its parts in order.
class PostProcessor {
public:
    PostProcessor() = default;
    /// `json` may be null. Throws Error(bad_input), and Error(unsupported) with the name of a type outside
    /// the list.
    static PostProcessor from_json(const Json& json, const std::string& source);

    const std::vector<std::int32_t>& prefix() const { return prefix_; }
    const std::vector<std::int32_t>& suffix() const { return suffix_; }

private:
    void add(const Json& json, const std::string& source);
    void add_template(const Json& json, const std::string& source);

    std::vector<std::int32_t> prefix_;
    std::vector<std::int32_t> suffix_;
};

} // namespace tempera
