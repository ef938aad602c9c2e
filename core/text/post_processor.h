#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tempera {

/// The "post_processor" of a tokenizer.json: what stands around one text or two. TemplateProcessing,
/// BertProcessing and RobertaProcessing put tokens there, ByteLevel does nothing, Sequence does its parts in
/// order.
class PostProcessor {
public:
    /// Part of a template: one of the two texts, or tokens that stand there always.
    struct Part {
        enum class Kind { first_text, second_text, tokens };
        Kind kind = Kind::first_text;
        std::vector<std::int32_t> tokens;
        std::int32_t type_id = 0;
    };
    using Template = std::vector<Part>;

    /// None: one text as it is; two one behind the other, with type ids 0 and 1.
    PostProcessor();
    /// `json` may be null. Throws Error(bad_input), and Error(unsupported) with the name of a type outside
    /// the list.
    static PostProcessor from_json(const Json& json, const std::string& source);
    /// [CLS] A [SEP], [CLS] A [SEP] B [SEP] with type id 1 from B on.
    static PostProcessor bert(std::int32_t cls, std::int32_t sep);

    const Template& single() const { return single_; }
    /// Empty where the file's template for two texts lacks one of them.
    const Template& pair() const { return pair_; }
    /// How many tokens the template adds.
    static std::size_t added(const Template& parts);

private:
    void add(const Json& json, const std::string& source);
    void add_template(const Json& json, const std::string& source);
    void add_roberta(std::int32_t cls, std::int32_t sep);

    Template single_, pair_;
    bool adds_ = false; ///< a part that adds tokens has been read
};

} // namespace tempera
