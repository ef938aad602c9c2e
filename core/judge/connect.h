#pragma once

#include "core/judge/remote_judge.h"
#include "core/net/openai.h"
#include "core/store/records.h"
#include "core/store/run_reader.h"

#include <memory>

namespace tempera {

struct RemoteJudgeFields;

/// Who is asked, and with what settings.
struct AskedModel {
    std::string endpoint;        ///< its name in the user's configuration
    std::string model;           ///< "" = the endpoint's
    std::string otherwise_model; ///< where neither names one
    std::int64_t max_tokens = 1024;
    double temperature = 0;
};

/// The client's, but without ten minutes of silence before a reply.
OpenAiOptions patient_options(const KeyLookup& keys = {});

/// A question waits where the server asks for it, for up to an hour. Throws Error(not_found, bad_input) for
/// an endpoint that is not configured or names no model.
Asker connect_endpoint(const AskedModel& asked, const OpenAiOptions& options = patient_options());

/// The judge of a recipe, with the user's store of replies. Throws as connect_endpoint(), Error(io,
/// disk_full).
std::shared_ptr<RemoteJudge> connect_judge(const RemoteJudgeFields& fields, const KeyLookup& keys = {});

/// judge/asked, judge/stored, judge/failed, judge/prompt_tokens, judge/completion_tokens, judge/cost: what
/// was asked since `before`.
std::vector<Metric> judge_metrics(const AskTally& now, const AskTally& before = {});
/// What earlier sessions of a run reported so, as a negative `before` would have it.
AskTally reported_tally(RunReader& reader);

} // namespace tempera
