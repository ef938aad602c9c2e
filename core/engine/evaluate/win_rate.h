#pragma once

#include "core/queue/engine.h"

namespace tempera {

/// Two models answer the same prompts and a judge scores both (kind "win_rate", fields of WinRateRecipe; base
/// and tuned are folders). One model is in memory at a time: the base answers first, then the tuned model,
/// whose replies make comparisons as they come. Reply i of both models draws from RandomStream(seed, i), so a
/// model against itself ties everywhere; where both are the same folder it answers once.
/// A base in memory answers once for all comparisons with the same settings (kept_replies.h).
///
/// Reports comparisons several times a second and the headlines win_rate (strict: a tie is no win), ties
/// (their share), low and high (Wilson's 95 % interval), p (exact two-sided sign test), mean_difference
/// (tuned minus base), difference_low, difference_high, base_score and tuned_score. Leaves
/// artifacts/base.json and artifacts/tuned.json, lists of {"prompt", "reply", "score"}.
///
/// A model may be an endpoint. An answer that it fails to give is stored with the reason and without a score,
/// and its prompt does not count.
/// A judge behind an endpoint is asked when all replies are drawn (metrics judge/*, see
/// core/judge/connect.h); what it gives no score is left out, with the headline unscored and a warning.
///
/// A stop keeps every reply: the base's in artifacts/base_replies.jsonl, the tuned model's in the stored
/// comparisons; a resumed run draws what is missing, with fp32 on the CPU to the same result. Throws Error.
RunOutcome run_win_rate(const RunRequest& request, RunObserver& observer, const StopToken& stop);

} // namespace tempera
