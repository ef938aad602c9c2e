#pragma once

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/random.h"
#include "core/recipe/catalogue.h"
#include "core/recipe/field.h"
#include "core/store/run_writer.h"
#include "core/store/workspace.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <string>
#include <vector>

/// Runs that never ran, for the tests and pictures of the window only. Seeded; shaped like the real ones.
namespace made_up {

using namespace tempera;

inline std::int64_t now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

inline RunRecord add_run(Workspace& workspace, const std::string& kind, const std::string& name,
                         const std::string& study, const std::string& stage, RunStatus status,
                         Json recipe = Json::object()) {
    recipe["kind"] = kind;
    RunRecord run;
    run.kind = kind;
    run.name = name;
    run.study = study;
    run.stage = stage;
    try {
        recipe = complete_recipe(recipe);
    } catch (const Error&) { // it names no models, and nothing here runs
    }
    run.recipe = to_json_line(recipe);
    run = workspace.add_run(run);
    run.status = status;
    run.started_ms = status == RunStatus::queued ? 0 : now_ms() - 300'000;
    if (status != RunStatus::running && status != RunStatus::queued) run.ended_ms = now_ms() - 60'000;
    workspace.update_run(run);
    return run;
}

inline void write_training(const std::filesystem::path& folder, int steps, int total, bool failed = false) {
    RunWriter writer(folder);
    RandomStream random(7);
    writer.on_event(
        {0, now_ms() - steps * 300, 0, "started", "Training 2,840,320 parameters on 6,400 examples."});
    for (int step = 1; step <= steps; ++step) {
        const double wave = (random.uniform() - 0.5) * 2;
        const double loss = 0.35 + 2.6 * std::exp(-step / (steps * 0.12)) + 0.09 * wave;
        const double warm = std::min(1.0, step / 20.0);
        std::vector<Metric> metrics{
            {"loss", loss},
            {"mean_token_accuracy", 0.93 - 0.55 * std::exp(-step / (steps * 0.15)) + 0.02 * wave},
            {"learning_rate", 1e-3 * warm * 0.5 * (1 + std::cos(3.14159 * step / total))},
            {"tokens_per_second", 5200 + 300 * wave},
            {"grad_norm", 0.4 + 1.5 * std::exp(-step / (steps * 0.2)) + 0.15 * std::abs(wave)},
            {"entropy", 0.5 + 1.2 * std::exp(-step / (steps * 0.1)) + 0.05 * wave},
            {"num_tokens", step * 4000.0},
            {"epoch", double(step) / total}};
        if (step % 50 == 0) {
            metrics.push_back({"eval_loss", loss + 0.03});
            metrics.push_back({"eval_mean_token_accuracy", 0.9 - 0.5 * std::exp(-step / (steps * 0.15))});
        }
        writer.on_metrics(step, metrics);
        if (step % 100 == 0) {
            writer.on_event({0, now_ms() - (steps - step) * 300, step, "checkpoint",
                             "Kept checkpoints/" + std::to_string(step) + "."});
            writer.on_checkpoint({step, "checkpoints/" + std::to_string(step), loss + 0.03, step == 100});
        }
    }
    if (failed) writer.on_event({0, now_ms(), steps, "failed", "The loss became NaN."});
    writer.on_progress({"training", steps, total, "steps", 5210, (total - steps) * 0.31, 1.4});
    writer.on_headline("eval_loss", 0.41);
    writer.flush();
}

inline double mean_score(double temperature, int n) {
    const double single = 0.40 - 0.20 * std::pow(std::max(0.0, temperature - 0.25), 1.4);
    const double spread =
        0.30 + 0.62 * std::min(1.0, temperature / 0.7) - 0.35 * std::max(0.0, temperature - 0.75);
    return std::clamp(1 - std::pow(1 - single, 1 + (n - 1) * 0.32 * spread), 0.0, 1.0);
}

/// `share` of every temperature is done; temperatures behind `columns_done` have not begun.
inline void write_sweep(const std::filesystem::path& folder, int problems, int columns_done,
                        double share_of_last, int samples_each = 10) {
    RunWriter writer(folder);
    RandomStream random(11);
    const std::vector<double> temperatures{0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.1, 1.2, 1.3};
    std::vector<PromptRecord> prompts;
    for (int p = 0; p < problems; ++p) {
        const int a = random.between(2, 25), b = random.between(2, 40), c = random.between(2, 60);
        const int target = a * 2 + b + c;
        const std::string nums = std::to_string(a) + ", " + std::to_string(b) + ", " + std::to_string(c);
        prompts.push_back({p,
                           "A conversation between User and Assistant. The user asks a question, and the "
                           "Assistant solves it.\nUser: Using the numbers ["
                               + nums + "], create an equation that equals " + std::to_string(target)
                               + ". You can use basic arithmetic operations (+, -, *, /) and each number can "
                                 "only be used once.\nAssistant: Let me solve this step by step.\n<think>",
                           "{\"nums\":[" + nums + "],\"target\":" + std::to_string(target) + "}"});
    }
    writer.on_prompts(prompts);
    std::vector<SweepCell> cells;
    std::vector<SweepRow> rows;
    std::int64_t done_samples = 0;
    for (std::size_t t = 0; t < temperatures.size(); ++t) {
        const double temperature = temperatures[t];
        const bool last = int(t) == columns_done;
        const int done = int(t) < columns_done ? problems : last ? int(problems * share_of_last) : 0;
        for (int n = 1; n <= samples_each; ++n) {
            const double mean = done > 0 ? mean_score(temperature, n) : 0;
            const double half = done > 0 ? 1.96 * std::sqrt(mean * (1 - mean) / done) : 0;
            cells.push_back({temperature, n, mean, std::max(0.0, mean - half), std::min(1.0, mean + half),
                             done, problems});
        }
        const double single = mean_score(temperature, 1);
        rows.push_back({temperature, single, std::max(0.0, single - 0.06),
                        0.98 - 0.25 * temperature * temperature / 2, 48 + 40 * temperature,
                        0.01 + 0.05 * temperature, done * samples_each, problems * samples_each});
        std::vector<Sample> samples;
        for (int p = 0; p < done; ++p)
            for (int s = 0; s < samples_each; ++s) {
                const double luck = random.uniform();
                Sample sample{temperature, p, s,  "", {}, {}, -4.0 - 20 * random.uniform(),
                              "stop",      0, "", "", ""};
                const int tokens = random.between(24, 90);
                sample.token_ids.assign(static_cast<std::size_t>(tokens), 17);
                sample.logprobs.assign(static_cast<std::size_t>(tokens), -0.2f);
                sample.text = " I try the largest number first: 31 - 12 = 19, then 19 * 2 = 38, which is too "
                              "much.\nThat does not reach the target; try adding instead.\n12 + 31 = 43; 43 "
                              "- 1 = 42. Yes.\n</think>\n";
                if (luck < single) {
                    sample.score = 1;
                    sample.equation = "12 + 31 - 1";
                    sample.value = "42";
                    sample.reason = "The equation uses every number once and equals the target.";
                } else if (luck < 0.9) {
                    sample.score = 0.1;
                    sample.equation = "(12 + 31) * 2 - 1";
                    sample.value = "85";
                    sample.reason = "The equation is valid but its value 85 is not the target 42.";
                } else {
                    sample.finish = "length";
                    sample.reason = "There is no <answer> on the last line.";
                }
                if (!sample.equation.empty()) sample.text += "<answer> " + sample.equation + " </answer>";
                samples.push_back(std::move(sample));
            }
        done_samples += std::int64_t(samples.size());
        if (!samples.empty()) writer.on_samples(samples);
    }
    writer.on_sweep(cells, rows);
    const std::int64_t total = std::int64_t(problems) * samples_each * std::int64_t(temperatures.size());
    writer.on_progress(
        {"sampling", done_samples, total, "samples", 2810, double(total - done_samples) * 0.03, 0.9});
    writer.on_headline("best", mean_score(0.7, samples_each));
    writer.flush();
}

inline void write_dpo(const std::filesystem::path& folder, int steps, int total) {
    RunWriter writer(folder);
    RandomStream random(5);
    for (int step = 1; step <= steps; ++step) {
        const double wave = (random.uniform() - 0.5) * 2, grown = 1 - std::exp(-step / (total * 0.3));
        const double chosen = 0.9 * grown + 0.12 * wave, rejected = -1.4 * grown + 0.15 * wave;
        std::vector<Metric> metrics{{"loss", 0.693 - 0.38 * grown + 0.03 * wave},
                                    {"rewards/chosen", chosen},
                                    {"rewards/rejected", rejected},
                                    {"rewards/margins", chosen - rejected},
                                    {"rewards/accuracies", std::min(1.0, 0.5 + 0.38 * grown + 0.05 * wave)},
                                    {"logps/chosen", -180 + 6 * grown + 3 * wave},
                                    {"logps/rejected", -190 - 22 * grown + 3 * wave},
                                    {"learning_rate", 5e-6 * (1 - double(step) / total)},
                                    {"grad_norm", 3 + std::abs(wave)},
                                    {"num_tokens", step * 900.0}};
        if (step % 25 == 0) {
            metrics.push_back({"eval_loss", 0.70 - 0.31 * grown});
            metrics.push_back({"eval_rewards/accuracies", 0.5 + 0.31 * grown});
        }
        writer.on_metrics(step, metrics);
    }
    writer.on_progress({"training", steps, total, "steps", 1450, (total - steps) * 2.1, 3.4});
}

/// A model folder whose tokenizer has a token per byte of ASCII text, for the token lens.
inline void make_byte_tokenizer(const std::filesystem::path& folder) {
    std::filesystem::create_directories(folder);
    Json vocabulary = Json::object();
    // GPT-2's alphabet: printable ASCII stands for itself, a space for U+0120, a line feed for U+010A.
    for (int byte = 33; byte < 127; ++byte)
        vocabulary[std::string(1, static_cast<char>(byte))] = byte;
    vocabulary["\u0120"] = 32;
    vocabulary["\u010A"] = 10;
    const Json tokenizer = {{"model", {{"type", "BPE"}, {"vocab", vocabulary}, {"merges", Json::array()}}},
                            {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}},
                            {"decoder", {{"type", "ByteLevel"}}}};
    write_file_atomic(folder / "tokenizer.json", to_json_line(tokenizer));
    write_file_atomic(folder / "config.json", "{}");
}

/// The ids of the letters of its text in a tokenizer of bytes, and how likely they were.
template <class Drawn>
void add_tokens(Drawn& drawn, RandomStream& random) {
    for (const char letter : drawn.text) {
        drawn.token_ids.push_back(static_cast<unsigned char>(letter));
        drawn.logprobs.push_back(static_cast<float>(-std::pow(random.uniform(), 4) * 5));
    }
}

/// Groups of `k` at every fourth step.
inline RolloutGroup make_rollout(int step, int group, int k, RandomStream& random, double solved) {
    const int a = random.between(2, 25), b = random.between(2, 40), c = random.between(2, 60);
    const std::string nums = std::to_string(a) + ", " + std::to_string(b) + ", " + std::to_string(c);
    RolloutGroup rollout{step,
                         group,
                         "Using the numbers [" + nums + "], create an equation that equals "
                             + std::to_string(a + b + c)
                             + ".\nAssistant: Let me solve this step by step.\n<think>",
                         "{\"nums\":[" + nums + "],\"target\":" + std::to_string(a + b + c) + "}",
                         {}};
    double total = 0;
    for (int i = 0; i < k; ++i) {
        RolloutSample sample;
        sample.sample_index = i;
        const bool right = random.uniform() < solved, cut = random.uniform() < 0.1;
        const std::string sum =
            std::to_string(a) + (right ? " + " : " - ") + std::to_string(b) + " + " + std::to_string(c);
        sample.text = " I add them up.\n" + sum + " = " + std::to_string(a + b + c)
                      + (cut ? "" : "</think>\n<answer> " + sum + " </answer>");
        add_tokens(sample, random);
        for (const float logprob : sample.logprobs)
            sample.ref_logprobs.push_back(logprob + static_cast<float>(0.8 * (random.uniform() - 0.6)));
        for (std::size_t t = 0; t < sample.logprobs.size(); ++t)
            sample.kl += double(sample.logprobs[t]) - double(sample.ref_logprobs[t]);
        sample.finish = cut ? "length" : "eos";
        sample.masked = cut;
        const double score = cut ? 0 : right ? 1 : 0.1;
        sample.rewards = {{"countdown", score}, {"format", cut ? 0 : 1}};
        sample.reward = score + 0.1 * (cut ? 0 : 1);
        sample.note = cut     ? "There is no <answer> on the last line."
                      : right ? "The equation uses every number once and equals the target."
                              : "The equation is valid but its value is not the target.";
        total += sample.reward;
        rollout.samples.push_back(std::move(sample));
    }
    for (RolloutSample& sample : rollout.samples) {
        sample.baseline = k > 1 ? (total - sample.reward) / (k - 1) : 0;
        sample.advantage = sample.reward - sample.baseline;
    }
    return rollout;
}

inline void write_rloo(const std::filesystem::path& folder, int steps, int total, int groups = 8, int k = 4) {
    RunWriter writer(folder);
    RandomStream random(9);
    for (int step = 1; step <= steps; ++step) {
        const double wave = (random.uniform() - 0.5) * 2, grown = 1 - std::exp(-step / (total * 0.35));
        std::vector<Metric> metrics{{"loss", 0.02 * wave},
                                    {"reward", 0.25 + 0.55 * grown + 0.06 * wave},
                                    {"reward_std", 0.42 - 0.15 * grown},
                                    {"rewards/countdown/mean", 0.2 + 0.5 * grown + 0.06 * wave},
                                    {"rewards/countdown/std", 0.4 - 0.12 * grown},
                                    {"rewards/format/mean", 0.6 + 0.38 * grown + 0.02 * wave},
                                    {"rewards/format/std", 0.45 - 0.35 * grown},
                                    {"kl", 0.9 * grown * grown + 0.03 * std::abs(wave)},
                                    {"entropy", 0.9 - 0.6 * grown + 0.03 * wave},
                                    {"completions/mean_length", 60 - 12 * grown + 2 * wave},
                                    {"completions/min_length", 31 - 4 * grown},
                                    {"completions/max_length", 96},
                                    {"completions/clipped_ratio", 0.12 - 0.1 * grown},
                                    {"frac_reward_zero_std", 0.1 + 0.4 * grown},
                                    {"clip_ratio/region_mean", 0.01 + 0.005 * wave},
                                    {"learning_rate", 1e-5},
                                    {"grad_norm", 0.6 + 0.3 * std::abs(wave)}};
        writer.on_metrics(step, metrics);
        if (step % 4 == 1) {
            std::vector<RolloutGroup> drawn;
            for (int group = 0; group < groups; ++group)
                drawn.push_back(make_rollout(step, group, k, random, 0.2 + 0.55 * grown));
            writer.on_rollouts(drawn);
        }
        if (step == steps * 2 / 3)
            writer.on_event({0, now_ms(), step, "health",
                             "KL to the reference is 0.52, over its limit of 0.5: raise kl_coef or lower the "
                             "learning rate."});
        if (step % 50 == 0) writer.on_event({0, now_ms(), step, "checkpoint", "Kept a checkpoint."});
    }
    writer.on_progress({"training", steps, total, "steps", 910, (total - steps) * 4.2, 5.9});
}

/// Prompts and completions that are hard to show: from right to left, of joined emoji, a hundred thousand
/// characters with and without a place to break, markup, combining and control characters.
inline void write_odd_samples(const std::filesystem::path& folder, int samples_each = 4) {
    RunWriter writer(folder);
    std::string lines, letters(100000, 'x');
    for (int i = 0; lines.size() < 100000; ++i)
        lines += "line " + std::to_string(i) + " of very many\n";
    const std::vector<std::pair<std::string, std::string>> texts{
        {"احسب المجموع %3 من الأعداد",
         "أجمع الأعداد: ٣ + ٥ = ٨ and then in English.\nשלום עולם, זה מבחן.\n<answer> 3 + 5 </answer>"},
        {"👩‍👩‍👧‍👦 emoji 🏳️‍🌈 prompt 🇩🇪",
         "👍🏽👍🏽 é à ẍ̧̛̣ ﷽ \xf0\x9f\xa7\x91\xe2\x80\x8d\xf0\x9f\x9a\x80\n<b>bold?</b> "
         "&amp; "
         "<img "
         "src='x'> "
         "<script>\x01\x02\x7f end"},
        {letters.substr(0, 5000), letters},
        {"one hundred thousand characters in lines", lines}};
    std::vector<PromptRecord> prompts;
    std::vector<Sample> samples;
    std::vector<SweepCell> cells;
    for (std::size_t p = 0; p < texts.size(); ++p) {
        const auto index = static_cast<std::int64_t>(p);
        prompts.push_back({index, texts[p].first, ""});
        for (int s = 0; s < samples_each; ++s) {
            Sample sample;
            sample.temperature = 0.7;
            sample.prompt_index = index;
            sample.sample_index = s;
            sample.text = texts[p].second;
            sample.finish = s % 2 == 0 ? "length" : "eos";
            sample.score = s % 3 == 0 ? 1 : 0.1;
            sample.equation = s == 0 ? texts[p].first : "3 + 5 * (2 - 1) / 7 + 12 * 31 - 4 + 9 * 8";
            sample.value = "8";
            sample.reason = "A long reason, " + texts[p].first.substr(0, 200)
                            + ", which has to be cut somewhere because a card has room for three lines only.";
            samples.push_back(sample);
        }
    }
    for (int n = 1; n <= samples_each; ++n)
        cells.push_back({0.7, n, 0.1 * n, 0, 1, 4, 4});
    writer.on_prompts(prompts);
    writer.on_samples(samples);
    writer.on_sweep(cells, std::vector<SweepRow>{{0.7, 0.4, 0.3, 0.9, 1e5, 0.5, 16, 16}});
}

inline void write_many_metrics(const std::filesystem::path& folder, int count, int steps) {
    RunWriter writer(folder);
    RandomStream random(3);
    for (int step = 1; step <= steps; ++step) {
        std::vector<Metric> metrics{{"loss", 1.0 / step}};
        for (int i = 1; i < count; ++i)
            metrics.push_back(
                {"layers/" + std::to_string(i) + "/activation_of_a_long_name", random.uniform()});
        writer.on_metrics(step, metrics);
    }
}

/// `edge`: how much better the tuned replies are scored on average.
inline void write_win_rate(const std::filesystem::path& folder, int prompts, double edge, int total = 0) {
    RunWriter writer(folder);
    RandomStream random(static_cast<std::uint64_t>(100 + edge * 100));
    std::vector<Comparison> comparisons;
    const char* topics[] = {"a short thank-you note to a neighbour", "three ways to save water at home",
                            "why the sky is blue, for a child", "a limerick about a lighthouse"};
    for (int i = 0; i < prompts; ++i) {
        const double base = std::round((random.uniform() * 4 - 2) * 4) / 4;
        const double tuned = std::round((base + edge + (random.uniform() - 0.5) * 3) * 4) / 4;
        const std::string topic = topics[i % 4];
        comparisons.push_back(
            {i,
             "Write " + topic + ". Use exactly three bullets and no commas.",
             R"({"constraints":[{"type":"bullets","exactly":3}]})",
             {"Sure! Here is " + topic + ":\n- It is kind, and it is short.\n- It ends well.", 24, "eos",
              base, "Two bullets instead of three; there are commas."},
             {"Here is " + topic
                  + ":\n- It is kind and it is short.\n- It ends well.\n- It has a third line.",
              30, "eos", tuned, "Three bullets and no comma."}});
        add_tokens(comparisons.back().base, random);
        add_tokens(comparisons.back().tuned, random);
    }
    writer.on_comparisons(comparisons);
    writer.on_progress({"comparing", prompts, total > 0 ? total : prompts, "prompts", 640, 12, 1.1});
}

} // namespace made_up
