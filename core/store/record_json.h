#pragma once

#include "core/base/json.h"
#include "core/store/records.h"

#include <span>
#include <string>

namespace tempera {

/// The stored records as JSON, for exports and the command line alike: one key per field, named as the field.
/// A number that is none (NaN, infinity) becomes null.

/// `facts` as the JSON they are; as text where they are none, so that nothing is left out; null where empty.
Json facts_to_json(const std::string& facts);

/// What a run's recipe has in a field: null where it has none, "" where it has no text.
Json recipe_field(const RunRecord& run, const std::string& field);
std::string recipe_text(const RunRecord& run, const std::string& field);

/// temperature, prompt_index, sample_index, text, token_ids, logprobs, logprob, finish, score, equation,
/// value, reason
Json to_json(const Sample& sample);
/// sample_index, text, token_ids, logprobs, ref_logprobs, finish, masked, rewards {name: value}, reward, kl,
/// baseline, advantage, note
Json to_json(const RolloutSample& sample);
/// prompt_index, prompt, facts, base and tuned, each {text, tokens, finish, score, note, token_ids,
/// logprobs}
Json to_json(const Comparison& comparison);

/// One side's replies in the shape that the paper's code writes: a list of {"prompt", "reply", "score"}.
enum class Side { base, tuned };
Json replies_to_json(std::span<const Comparison> comparisons, Side side);

} // namespace tempera
