#include "core/engine/train/pair_examples.h"

#include <algorithm>

namespace tempera {

namespace {

using Ids = std::vector<std::int32_t>;

std::size_t shared_length(const Ids& a, const Ids& b) {
    return static_cast<std::size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

/// The answer's part of prompt + answer, cut at `most` tokens; true where something was cut.
bool take_answer(const Ids& whole, std::size_t prompt, std::size_t most, Ids& answer) {
    answer.assign(whole.begin() + static_cast<std::ptrdiff_t>(prompt),
                  whole.begin() + static_cast<std::ptrdiff_t>(std::min(whole.size(), most)));
    return whole.size() > most;
}

} // namespace

void add_to(ContentHash& hash, std::span<const PairExample> examples) {
    for (const PairExample& example : examples)
        for (const Ids* ids : {&example.prompt, &example.chosen, &example.rejected})
            hash.update_list(*ids);
}

TokenisedPairs tokenise_pairs(std::span<const PreferencePair> pairs, const Tokenizer& tokenizer,
                              const PairTokeniseOptions& options) {
    TokenisedPairs set;
    std::string eos(options.eos_id >= 0 ? tokenizer.piece(options.eos_id) : std::string_view());
    const auto most = static_cast<std::size_t>(options.max_length);
    for (const PreferencePair& pair : pairs) {
        EncodeOptions encoding;
        encoding.add_special_tokens = !pair.templated;
        auto whole = [&](const std::string& answer) {
            std::string text = pair.prompt + answer;
            if (!pair.templated && !eos.empty() && !answer.ends_with(eos)) text += eos;
            return tokenizer.encode(text, encoding);
        };
        Ids prompt = pair.prompt.empty() ? Ids() : tokenizer.encode(pair.prompt, encoding),
            chosen = whole(pair.chosen), rejected = whole(pair.rejected);
        std::size_t shared = std::min(shared_length(prompt, chosen), shared_length(prompt, rejected));
        std::size_t least = shared == 0 ? 1 : shared; // the first token of all is predicted from nothing
        if (shared >= most || std::min(chosen.size(), rejected.size()) <= least) {
            ++set.dropped;
            continue;
        }
        set.merged_boundaries += shared < prompt.size();
        PairExample example;
        example.row = pair.row;
        example.prompt.assign(prompt.begin(), prompt.begin() + static_cast<std::ptrdiff_t>(shared));
        bool cut = take_answer(chosen, shared, most, example.chosen);
        cut = take_answer(rejected, shared, most, example.rejected) || cut;
        set.truncated += cut;
        set.longest = std::max(
            set.longest,
            static_cast<std::int64_t>(shared + std::max(example.chosen.size(), example.rejected.size())));
        set.examples.push_back(std::move(example));
    }
    return set;
}

} // namespace tempera
