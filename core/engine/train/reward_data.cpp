#include "core/engine/train/reward_data.h"

#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/model/decoder_io.h"
#include "core/queue/skipped_rows.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t largest_tokenizer = 512u << 20;

void add_tokens(const fs::path& file, const std::vector<std::string>& tokens) {
    Json json = read_json_file(file, largest_tokenizer);
    Tokenizer known = Tokenizer::from_json(json, Json(), file.string());
    std::int32_t next = known.id_limit();
    for (const std::string& token : tokens) {
        if (known.id_of(token)) continue;
        json["added_tokens"].push_back({{"id", next++},
                                        {"content", token},
                                        {"single_word", false},
                                        {"lstrip", false},
                                        {"rstrip", false},
                                        {"normalized", false},
                                        {"special", true}});
    }
    write_file_atomic(file, json.dump());
}

std::vector<ChatMessage> whole(const PreferenceRow& row, const std::vector<ChatMessage>& answer) {
    std::vector<ChatMessage> turns = row.prompt;
    if (turns.empty() && !row.conversational) turns.push_back({"user", ""});
    turns.insert(turns.end(), answer.begin(), answer.end());
    return turns;
}

std::vector<RewardPair> tokenised(const RewardRecipe& recipe, const RewardTokeniser& tokeniser,
                                  const std::vector<PreferenceRow>& rows) {
    std::vector<RewardPair> pairs;
    for (const PreferenceRow& row : rows) {
        RewardPair pair;
        pair.chosen = row.is_single() && row.prompt.empty()
                          ? tokeniser.encode_whole(row.chosen.front().content)
                          : tokeniser.encode_conversation(whole(row, row.chosen));
        if (!row.is_single()) pair.rejected = tokeniser.encode_conversation(whole(row, row.rejected));
        pair.score_chosen = row.score_chosen;
        pair.score_rejected = row.score_rejected;
        if (recipe.use_margin) // the row has one of the two
            pair.margin = row.margin ? *row.margin : row.score_chosen.value() - row.score_rejected.value();
        pair.row = row.row;
        pairs.push_back(std::move(pair));
    }
    return pairs;
}

void report(const std::vector<RewardPair>& pairs, const char* name, std::int64_t max_length,
            RunObserver& observer) {
    auto at_limit = [&](const EncoderInput& input) {
        return static_cast<std::int64_t>(input.ids.size()) >= max_length;
    };
    auto full = std::count_if(pairs.begin(), pairs.end(), [&](const RewardPair& pair) {
        return at_limit(pair.chosen) || (pair.rejected && at_limit(*pair.rejected));
    });
    auto equal = std::count_if(pairs.begin(), pairs.end(), [](const RewardPair& pair) {
        return pair.rejected && pair.chosen.ids == pair.rejected->ids
               && pair.chosen.type_ids == pair.rejected->type_ids;
    });
    auto warn = [&](std::int64_t count, const std::string& what) {
        if (count > 0)
            observer.on_event({0, 0, -1, "warning", std::to_string(count) + " " + name + " pairs " + what});
    };
    warn(full, "reach max_length (" + std::to_string(max_length) + " tokens): their end is not seen.");
    warn(equal, "have the same text twice to the encoder: nothing can be learned from them.");
}

} // namespace

void prepare_tokenizer(const fs::path& model, const std::vector<std::string>& added_tokens,
                       const fs::path& folder) {
    make_folders(folder);
    copy_tokenizer_files(model, folder);
    if (added_tokens.empty()) return;
    if (!fs::exists(folder / "tokenizer.json"))
        fail(ErrorKind::unsupported,
             model.string() + " has no tokenizer.json, so added_tokens cannot be added; leave it empty.");
    add_tokens(folder / "tokenizer.json", added_tokens);
}

RewardData load_reward_data(const RewardRecipe& recipe, const RewardTokeniser& tokeniser,
                            RunObserver& observer) {
    PreferenceOptions options;
    options.data = recipe.data;
    options.examples = recipe.examples;
    options.validation_examples = recipe.validation_examples;
    options.data_seed = static_cast<std::uint64_t>(recipe.data_seed);
    options.columns = recipe.columns;
    options.bad_rows = recipe.bad_rows;
    options.scored = recipe.is_regression();
    options.with_margin = recipe.use_margin;
    PreferenceSet rows = make_preference_set(options);
    report_skipped(rows.skipped, observer);
    std::ranges::stable_partition(rows.validation, [](const PreferenceRow& row) { return !row.is_single(); });
    RewardData data{tokenised(recipe, tokeniser, rows.train), tokenised(recipe, tokeniser, rows.validation)};
    report(data.train, "training", tokeniser.format().max_length, observer);
    report(data.validation, "held-out", tokeniser.format().max_length, observer);
    return data;
}

std::string content_of(const RewardData& data) {
    ContentHash hash = ContentHash::sha256();
    for (const auto* pairs : {&data.train, &data.validation}) {
        hash.update("set of " + std::to_string(pairs->size()) + ";");
        for (const RewardPair& pair : *pairs) {
            const EncoderInput rejected = pair.rejected.value_or(EncoderInput());
            for (const EncoderInput* text : {&pair.chosen, &rejected}) {
                hash.update_list(text->ids);
                hash.update_list(text->type_ids);
            }
            hash.update_list(std::array{pair.score_chosen.value_or(HUGE_VAL),
                                        pair.score_rejected.value_or(HUGE_VAL), pair.margin});
        }
    }
    return hash.hex_digest();
}

} // namespace tempera
