#pragma once

#include "core/recipe/shared_fields.h"

namespace tempera {

/// The fields of runs in which models answer prompts. A recipe struct inherits what it has, sets its own
/// defaults in its constructor, and calls the matching bind_ function where the fields stand in its form.

/// Which prompts, and how they are put to a model (core/data/prompt_set.h).
struct PromptFields : RowFields {
    std::string data = "instructions";
    std::string split = "test";
    std::int64_t prompts = 200;
    std::int64_t data_seed = 0;
    std::string prompt_style = "paper";
    std::string system = "You are a helpful assistant.";
    std::string chat_template = "model";
};

/// How every completion is drawn. The temperature is a field of the recipe's own.
struct SamplingFields {
    double top_p = 1.0;
    std::int64_t top_k = 0;
    double min_p = 0;
    double repetition_penalty = 1.0;
    std::int64_t max_tokens = 512;
    std::vector<std::string> stop;
    std::int64_t seed = 0;
    std::int64_t slots = 0;
    std::string endpoint_api = "auto";
};

/// A judge behind an endpoint (core/judge).
struct RemoteJudgeFields {
    std::string judge_endpoint;
    std::string judge_model;
    std::string judge_style = "nemotron";
    std::int64_t judge_max_tokens = 1024;
};

/// What scores an answer.
struct JudgeFields : RemoteJudgeFields {
    std::string judge = "constraints";
    std::string reward_model;
};

void bind_prompts(PromptFields& fields, std::vector<Binding>& list, const std::string& help);
void bind_sampling(SamplingFields& fields, std::vector<Binding>& list);
void bind_slots(SamplingFields& fields, std::vector<Binding>& list);
/// `pairs`: whether the kind of run can use a judge that compares two answers.
void bind_judge(JudgeFields& fields, std::vector<Binding>& list, bool pairs);
void bind_remote_judge(RemoteJudgeFields& fields, std::vector<Binding>& list, const std::string& group,
                       bool pairs);

/// Checks across fields: each adds to `list` what is wrong.
void check_stop(const std::vector<std::string>& stop, std::vector<FieldProblem>& list);
void check_judge(const JudgeFields& fields, const std::string& data, std::vector<FieldProblem>& list);
/// `asked`: whether the judge or a reward is "remote"; `but` and `use` say so as check_used() does.
void check_remote_judge(const RemoteJudgeFields& fields, bool asked, const std::string& but,
                        const std::string& use, std::vector<FieldProblem>& list);

} // namespace tempera
