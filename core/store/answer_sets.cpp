#include "core/store/answer_sets.h"

#include "core/data/row_file.h"

#include <algorithm>
#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

namespace {

struct ScoredAnswer {
    std::string text;
    double score = 0;
};

/// A prompt and its answers; those without a score are left out.
struct AnsweredPrompt {
    std::string prompt;
    std::vector<ScoredAnswer> answers;

    void add(const std::string& text, double score) {
        if (std::isfinite(score)) answers.push_back({text, score});
    }
};

using ReceivePrompt = std::function<void(const AnsweredPrompt&)>;

void for_each_sampled(const RunReader& run, const AnswerSetOptions& options, const ReceivePrompt& receive) {
    const auto temperatures = run.sampled_temperatures();
    for (const auto& prompt : run.prompts()) {
        AnsweredPrompt answered{prompt.text, {}};
        for (double temperature : temperatures) {
            if (options.temperature && temperature != *options.temperature) continue;
            for (const auto& sample : run.samples(temperature, prompt.index))
                if (options.n == 0 || sample.sample_index < options.n)
                    answered.add(sample.text, sample.score);
        }
        receive(answered);
    }
}

void for_each_rolled_out(const RunReader& run, const AnswerSetOptions& options,
                         const ReceivePrompt& receive) {
    for (std::int64_t step : run.rollout_steps())
        for (const auto& group : run.rollouts(step)) {
            AnsweredPrompt answered{group.prompt, {}};
            for (const auto& sample : group.samples)
                if (options.n == 0 || sample.sample_index < options.n)
                    answered.add(sample.text, sample.reward);
            receive(answered);
        }
}

void for_each_answered(const RunReader& run, const AnswerSetOptions& options, const ReceivePrompt& receive) {
    if (run.sample_count() > 0) return for_each_sampled(run, options, receive);
    if (run.comparison_count() == 0) return for_each_rolled_out(run, options, receive);
    for (const auto& comparison : run.comparisons()) {
        AnsweredPrompt answered{comparison.prompt, {}};
        answered.add(comparison.base.text, comparison.base.score);
        answered.add(comparison.tuned.text, comparison.tuned.score);
        receive(answered);
    }
}

/// The rows of a file that the run left; false where there is none.
bool take_artifact(const fs::path& file, const ReceiveRow& receive) {
    std::error_code ignored;
    if (!fs::is_regular_file(file, ignored)) return false;
    RowFile rows(file);
    while (auto row = rows.next()) {
        if (!row->problem.empty()) throw RowError(RowFault::unreadable, row->problem);
        receive(row->value);
    }
    return true;
}

bool lower(const ScoredAnswer& a, const ScoredAnswer& b) {
    return a.score < b.score;
}

} // namespace

std::int64_t for_each_preference(const fs::path& run_folder, const RunReader& run,
                                 const AnswerSetOptions& options, const ReceiveRow& receive) {
    std::int64_t count = 0;
    auto counted = [&](const Json& row) {
        ++count;
        receive(row);
    };
    if (take_artifact(run_folder / "artifacts" / "pairs.jsonl", counted)) return count;
    for_each_answered(run, options, [&](const AnsweredPrompt& answered) {
        if (answered.answers.empty()) return;
        auto best = std::max_element(answered.answers.begin(), answered.answers.end(), lower);
        auto worst = std::min_element(answered.answers.begin(), answered.answers.end(), lower);
        if (best->score <= worst->score) return;
        counted({{"prompt", answered.prompt},
                 {"chosen", best->text},
                 {"rejected", worst->text},
                 {"score_chosen", best->score},
                 {"score_rejected", worst->score}});
    });
    return count;
}

std::int64_t for_each_best(const fs::path& run_folder, const RunReader& run, const AnswerSetOptions& options,
                           const ReceiveRow& receive) {
    std::int64_t count = 0;
    auto counted = [&](const Json& row) {
        ++count;
        receive(row);
    };
    if (take_artifact(run_folder / "artifacts" / "best.jsonl", counted)) return count;
    for_each_answered(run, options, [&](const AnsweredPrompt& answered) {
        if (answered.answers.empty()) return;
        auto best = std::max_element(answered.answers.begin(), answered.answers.end(), lower);
        counted({{"prompt", answered.prompt}, {"completion", best->text}, {"score", best->score}});
    });
    return count;
}

} // namespace tempera
