#pragma once

#include "core/judge/ask.h"
#include "core/queue/engine.h"

namespace tempera {

/// A teacher writes Countdown problems with worked solutions (kind "synthetic", fields of SyntheticRecipe);
/// what can be read, is right and is new becomes an example. Needs no engine.
///
/// Every problem is reported as a prompt with one sample, rejected ones with their reason. Metrics at every
/// request answered: funnel/asked, funnel/parsed, funnel/correct, funnel/new, and prompt_tokens,
/// completion_tokens, cost of an endpoint; headlines asked, parsed, correct, new. Leaves
/// artifacts/synthetic.jsonl (prompt, completion, nums, target, equation, request),
/// artifacts/rejected.jsonl (reason, reached, raw, request), artifacts/funnel.json and
/// artifacts/provenance.json (who wrote it, when, the hash of the prompt, settings, counts, tokens).
///
/// Replies are kept in the run folder's replies.db before the next request goes out; a resumed run reads them
/// in the same order to the same examples and asks for what is missing. Throws Error.
RunOutcome run_synthetic(const RunRequest& request, RunObserver& observer, const StopToken& stop);

/// The same with a teacher of the caller's.
RunOutcome run_synthetic(const RunRequest& request, RunObserver& observer, const StopToken& stop,
                         const Asker& teacher);

} // namespace tempera
