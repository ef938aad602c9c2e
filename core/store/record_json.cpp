#include "core/store/record_json.h"

#include "core/base/error.h"

#include <cmath>

namespace tempera {

namespace {

Json number_or_null(double value) {
    return std::isfinite(value) ? Json(value) : Json();
}

Json to_json(const ComparedReply& reply) {
    return {{"text", reply.text},        {"tokens", reply.tokens},
            {"finish", reply.finish},    {"score", number_or_null(reply.score)},
            {"note", reply.note},        {"token_ids", reply.token_ids},
            {"logprobs", reply.logprobs}};
}

} // namespace

Json facts_to_json(const std::string& facts) {
    if (facts.empty()) return Json();
    try {
        return parse_json(facts, "The facts of a prompt");
    } catch (const Error&) {
        return facts;
    }
}

Json recipe_field(const RunRecord& run, const std::string& field) {
    const Json recipe = Json::parse(run.recipe, nullptr, false);
    return recipe.is_object() ? recipe.value(field, Json()) : Json();
}

std::string recipe_text(const RunRecord& run, const std::string& field) {
    const Json value = recipe_field(run, field);
    return value.is_string() ? value.get<std::string>() : "";
}

Json to_json(const Sample& sample) {
    return {{"temperature", sample.temperature},
            {"prompt_index", sample.prompt_index},
            {"sample_index", sample.sample_index},
            {"text", sample.text},
            {"token_ids", sample.token_ids},
            {"logprobs", sample.logprobs},
            {"logprob", number_or_null(sample.logprob)},
            {"finish", sample.finish},
            {"score", number_or_null(sample.score)},
            {"equation", sample.equation},
            {"value", sample.value},
            {"reason", sample.reason}};
}

Json to_json(const RolloutSample& sample) {
    Json rewards = Json::object();
    for (const auto& [name, value] : sample.rewards)
        rewards[name] = number_or_null(value);
    return {{"sample_index", sample.sample_index},
            {"text", sample.text},
            {"token_ids", sample.token_ids},
            {"logprobs", sample.logprobs},
            {"ref_logprobs", sample.ref_logprobs},
            {"finish", sample.finish},
            {"masked", sample.masked},
            {"rewards", rewards},
            {"reward", number_or_null(sample.reward)},
            {"kl", number_or_null(sample.kl)},
            {"baseline", number_or_null(sample.baseline)},
            {"advantage", number_or_null(sample.advantage)},
            {"note", sample.note}};
}

Json to_json(const Comparison& comparison) {
    return {{"prompt_index", comparison.prompt_index},
            {"prompt", comparison.prompt},
            {"facts", facts_to_json(comparison.facts)},
            {"base", to_json(comparison.base)},
            {"tuned", to_json(comparison.tuned)}};
}

Json replies_to_json(std::span<const Comparison> comparisons, Side side) {
    Json list = Json::array();
    for (const Comparison& comparison : comparisons) {
        const ComparedReply& reply = side == Side::base ? comparison.base : comparison.tuned;
        list.push_back({{"prompt", comparison.prompt}, {"reply", reply.text}, {"score", reply.score}});
    }
    return list;
}

} // namespace tempera
