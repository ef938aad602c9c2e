#include "core/data/token_example.h"

#include <algorithm>

namespace tempera {

TokenExample tokenise_example(const TextExample& text, const Tokenizer& tokenizer,
                              const TokeniseOptions& options, bool* merged) {
    std::string completion = text.completion;
    std::string_view eos = options.eos_id >= 0 ? tokenizer.piece(options.eos_id) : std::string_view();
    if (!text.templated && !eos.empty() && !completion.ends_with(eos)) completion += eos;
    EncodeOptions encoding;
    encoding.add_special_tokens = !text.templated;
    TokenExample example;
    example.ids = tokenizer.encode(text.prompt + completion, encoding);
    if (merged) *merged = false;
    if (options.completion_only && !text.prompt.empty()) {
        auto prompt = tokenizer.encode(text.prompt, encoding);
        auto end = std::mismatch(prompt.begin(), prompt.end(), example.ids.begin(), example.ids.end());
        example.label_begin = end.first - prompt.begin();
        if (merged) *merged = end.first != prompt.end();
    }
    return example;
}

TokenisedSet tokenise_examples(std::span<const TextExample> texts, const Tokenizer& tokenizer,
                               const TokeniseOptions& options) {
    TokenisedSet set;
    for (std::size_t row = 0; row < texts.size(); ++row) {
        bool merged = false;
        TokenExample example = tokenise_example(texts[row], tokenizer, options, &merged);
        set.merged_boundaries += merged;
        if (example.length() > options.max_length) {
            example.ids.resize(static_cast<std::size_t>(options.max_length));
            ++set.truncated;
        }
        if (example.targets() == 0) {
            ++set.dropped;
            continue;
        }
        set.examples.push_back(std::move(example));
        set.source_rows.push_back(static_cast<std::int64_t>(row));
    }
    return set;
}

} // namespace tempera
