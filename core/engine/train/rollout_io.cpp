#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/train/rollout.h"

#include <cmath>
#include <limits>

namespace tempera {

namespace {

constexpr const char* file_name = "rollout.json";

/// JSON has no NaN: null stands for it. A float is exact as a double, and a double is written so that it
/// reads back the same.
Json number(double value) {
    return std::isfinite(value) ? Json(value) : Json();
}
double number_from(const Json& json) {
    return json.is_null() ? std::numeric_limits<double>::quiet_NaN() : json.get<double>();
}

Json to_json(const RolloutSample& s) {
    Json rewards = Json::object();
    for (const auto& [name, value] : s.rewards)
        rewards[name] = number(value);
    return {{"sample", s.sample_index},
            {"text", s.text},
            {"ids", s.token_ids},
            {"logprobs", s.logprobs},
            {"ref", s.ref_logprobs},
            {"finish", s.finish},
            {"masked", s.masked},
            {"rewards", std::move(rewards)},
            {"reward", number(s.reward)},
            {"kl", number(s.kl)},
            {"baseline", number(s.baseline)},
            {"advantage", number(s.advantage)},
            {"note", s.note}};
}

RolloutSample sample_from(const Json& json) {
    RolloutSample s;
    json.at("sample").get_to(s.sample_index);
    json.at("text").get_to(s.text);
    json.at("ids").get_to(s.token_ids);
    json.at("logprobs").get_to(s.logprobs);
    json.at("ref").get_to(s.ref_logprobs);
    json.at("finish").get_to(s.finish);
    json.at("masked").get_to(s.masked);
    for (const auto& [name, value] : json.at("rewards").items())
        s.rewards[name] = number_from(value);
    s.reward = number_from(json.at("reward"));
    s.kl = number_from(json.at("kl"));
    s.baseline = number_from(json.at("baseline"));
    s.advantage = number_from(json.at("advantage"));
    json.at("note").get_to(s.note);
    return s;
}

} // namespace

void save_rollout(const Rollout& rollout, const std::filesystem::path& folder) {
    Json groups = Json::array();
    for (std::size_t g = 0; g < rollout.groups.size(); ++g) {
        const RolloutGroup& group = rollout.groups[g];
        Json samples = Json::array();
        for (const RolloutSample& sample : group.samples)
            samples.push_back(to_json(sample));
        groups.push_back({{"row", rollout.prompts[g]},
                          {"step", group.step},
                          {"prompt", group.prompt},
                          {"facts", group.facts},
                          {"samples", std::move(samples)}});
    }
    write_file_atomic(folder / file_name,
                      to_json_line({{"groups", std::move(groups)}, {"old", rollout.old_logprobs}}) + "\n");
}

Rollout load_rollout(const std::filesystem::path& folder, std::int64_t completions) {
    const std::filesystem::path file = folder / file_name;
    const Json json = read_json_file(file, 1u << 30);
    try {
        Rollout rollout;
        json.at("old").get_to(rollout.old_logprobs);
        for (const Json& item : json.at("groups")) {
            rollout.prompts.push_back(item.at("row").get<std::int64_t>());
            RolloutGroup group{item.at("step").get<std::int64_t>(),
                               static_cast<int>(rollout.groups.size()),
                               item.at("prompt").get<std::string>(),
                               item.at("facts").get<std::string>(),
                               {}};
            for (const Json& sample : item.at("samples"))
                group.samples.push_back(sample_from(sample));
            rollout.groups.push_back(std::move(group));
        }
        std::int64_t found = 0;
        for (const RolloutGroup& group : rollout.groups)
            found += static_cast<std::int64_t>(group.samples.size());
        if (found != completions || rollout.completions() != completions)
            fail(ErrorKind::bad_input, file.string() + " holds " + std::to_string(found)
                                           + " completions, not the " + std::to_string(completions)
                                           + " of this recipe; start a new run instead of resuming.");
        return rollout;
    } catch (const Json::exception& error) {
        fail(ErrorKind::bad_input, file.string() + " is not a rollout: " + error.what());
    }
}

} // namespace tempera
