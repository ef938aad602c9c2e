#include "core/engine/reward/reward_function.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/engine/reward/reward_model.h"
#include "core/task/constraints.h"
#include "core/task/countdown_verifier.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <limits>
#include <memory>
#include <set>
#include <thread>

namespace tempera {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

/// Applies `score` to every completion on its own.
template <class Score>
RewardFunction each(Score score) {
    return [score](std::span<const RewardInput> inputs) {
        std::vector<RewardScore> scores;
        for (const RewardInput& input : inputs)
            scores.push_back(score(input));
        return scores;
    };
}

Json parse_facts(std::string_view facts) {
    return facts.empty() ? Json::object() : parse_json(facts, "The prompt's facts");
}

RewardScore countdown(const Json& facts, std::string_view completion) {
    if (!facts.is_object() || !facts.contains("nums") || !facts.contains("target")) return {nothing, ""};
    try {
        const auto nums = facts["nums"].get<std::vector<std::int64_t>>();
        Verdict verdict = verify(nums, facts["target"].get<std::int64_t>(), completion);
        return {verdict.score, std::move(verdict.reason)};
    } catch (const Json::exception&) {
        fail(ErrorKind::bad_input, "A prompt's facts must hold nums, a list of whole numbers, and target, a "
                                   "whole number: "
                                       + to_json_line(facts) + ".");
    }
}

RewardScore constraints(const Json& facts, std::string_view completion) {
    if (!facts.is_object() || !facts.contains("constraints")) return {nothing, ""};
    ConstraintVerdict verdict = check_constraints(constraints_from(facts, "A prompt's facts"), completion);
    return {verdict.score, std::move(verdict.reason)};
}

std::size_t count_of(std::string_view text, std::string_view part) {
    std::size_t count = 0;
    for (std::size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1))
        ++count;
    return count;
}

double format_score(const RewardInput& input) {
    constexpr std::string_view open = "<think>", close = "</think>";
    const auto answer = extract_answer(input.completion);
    if (!answer || answer->empty()) return 0;
    std::string_view prompt = input.prompt_text.empty() ? input.prompt : input.prompt_text;
    while (!prompt.empty() && (prompt.back() == '\n' || prompt.back() == ' '))
        prompt.remove_suffix(1);
    const std::size_t opened = count_of(input.completion, open) + (prompt.ends_with(open) ? 1 : 0);
    const std::size_t closed = count_of(input.completion, close);
    if (opened != closed || opened > 1) return 0;
    // The answer's text lies inside the completion, so its address says what stands before it.
    const auto answer_at = static_cast<std::size_t>(answer->data() - input.completion.data());
    const std::size_t close_at = input.completion.find(close), open_at = input.completion.find(open);
    if (closed == 1 && close_at > answer_at) return 0;
    return open_at == std::string_view::npos || open_at < close_at ? 1 : 0;
}

double overlong(std::int64_t length, std::int64_t limit, std::int64_t most) {
    if (length <= limit) return 0;
    if (length > most) return -1;
    return static_cast<double>(limit - length) / static_cast<double>(most - limit);
}

double repetition(std::span<const std::int32_t> ids) {
    if (ids.size() < 3) return 0;
    std::set<std::array<std::int32_t, 3>> seen;
    for (std::size_t t = 0; t + 2 < ids.size(); ++t)
        seen.insert({ids[t], ids[t + 1], ids[t + 2]});
    const auto total = static_cast<double>(ids.size() - 2);
    return static_cast<double>(seen.size()) / total - 1;
}

RewardFunction model_reward(const RewardOptions& options) {
    RewardModel::Options loading;
    if (options.reward_text != "auto") loading.form = reward_form_from(options.reward_text);
    loading.device = options.device;
    auto model = std::make_shared<RewardModel>(RewardModel::load(options.reward_model, loading));
    return [model](std::span<const RewardInput> inputs) {
        std::vector<EncoderInput> encoded;
        for (const RewardInput& input : inputs) {
            std::vector<ChatMessage> turns(input.conversation.begin(), input.conversation.end());
            if (turns.empty()) turns.push_back({"user", std::string(input.prompt)});
            turns.push_back({"assistant", std::string(input.completion)});
            encoded.push_back(model->tokeniser().encode_conversation(turns));
        }
        std::vector<RewardScore> scores;
        for (double value : model->score_inputs(encoded))
            scores.push_back({value, ""});
        return scores;
    };
}

/// A token that hears of a cancel, but not of a stop: the step under way is finished.
class CancelOnly {
public:
    explicit CancelOnly(const StopToken& run)
        : watcher_([this, run](const std::stop_token& done) {
              while (!done.stop_requested() && run.requested() != StopRequest::cancel)
                  std::this_thread::sleep_for(std::chrono::milliseconds(50));
              if (!done.stop_requested()) token.request(StopRequest::cancel);
          }) {}

    StopToken token;

private:
    std::jthread watcher_; // last: it uses the token
};

RewardFunction remote_reward(const RewardOptions& options) {
    return [judge = options.judge, stop = options.stop](std::span<const RewardInput> inputs) {
        const CancelOnly cancel(stop);
        std::vector<JudgeQuery> queries;
        for (const RewardInput& input : inputs)
            queries.push_back({input.prompt, input.completion, {}, input.conversation});
        std::vector<RewardScore> scores;
        for (JudgeScore& score : judge->score(queries, cancel.token))
            scores.push_back({score.value, std::move(score.note)});
        if (scores.size() != inputs.size())
            fail(ErrorKind::stopped, "Stopped while the judge was asked; its replies are kept.");
        return scores;
    };
}

} // namespace

RewardFunction make_reward_function(const std::string& name, const RewardOptions& options) {
    if (name == "countdown")
        return each([](const RewardInput& i) { return countdown(parse_facts(i.facts), i.completion); });
    if (name == "constraints")
        return each([](const RewardInput& i) { return constraints(parse_facts(i.facts), i.completion); });
    if (name == "format") return each([](const RewardInput& i) { return RewardScore{format_score(i), ""}; });
    if (name == "length") {
        const std::int64_t most = options.max_tokens;
        const std::int64_t limit =
            std::min(most, options.length_limit > 0 ? options.length_limit : most * 3 / 4);
        return each([=](const RewardInput& i) {
            return RewardScore{overlong(static_cast<std::int64_t>(i.token_ids.size()), limit, most), ""};
        });
    }
    if (name == "model") return model_reward(options);
    if (name == "remote") return remote_reward(options);
    if (name == "repetition")
        return each([](const RewardInput& i) { return RewardScore{repetition(i.token_ids), ""}; });
    fail(ErrorKind::bad_input, "There is no reward function \"" + name + "\".");
}

RewardScore verify_by_facts(std::string_view facts_text, std::string_view completion) {
    const Json facts = parse_facts(facts_text);
    if (facts.contains("nums")) return countdown(facts, completion);
    return constraints(facts, completion);
}

} // namespace tempera
