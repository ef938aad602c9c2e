#pragma once

#include "core/base/error.h"
#include "core/queue/engine.h"
#include "core/recipe/sweep_recipe.h"
#include "core/recipe/win_rate_recipe.h"
#include "core/store/run_writer.h"
#include "tests/support/served_endpoint.h"

#include <QByteArray>
#include <map>
#include <set>
#include <tuple>

namespace tempera {

/// Keeps and stores what a run that draws from a server reports; asks for a stop after so many samples.
class RemoteObserver final : public RunObserver {
public:
    explicit RemoteObserver(const std::filesystem::path& folder) : writer(folder) {}

    void on_progress(const Progress& p) override {
        progress = p;
        if (p.phase == "sampling" && p.done >= stop_after) stop.request(StopRequest::stop);
    }
    void on_metrics(std::int64_t, std::span<const Metric>) override {}
    void on_event(const RunEvent& event) override {
        events.push_back(event.message);
        writer.on_event(event);
    }
    void on_prompts(std::span<const PromptRecord> p) override {
        prompts.assign(p.begin(), p.end());
        writer.on_prompts(p);
    }
    void on_samples(std::span<const Sample> batch) override {
        for (const Sample& s : batch)
            twice = twice
                    || !samples.emplace(std::tuple(s.temperature, s.prompt_index, s.sample_index), s).second;
        writer.on_samples(batch);
    }
    void on_sweep(std::span<const SweepCell> c, std::span<const SweepRow> r) override {
        cells.assign(c.begin(), c.end());
        rows.assign(r.begin(), r.end());
        ++tables;
        writer.on_sweep(c, r);
    }
    void on_comparisons(std::span<const Comparison> batch) override {
        for (const Comparison& comparison : batch)
            comparisons[comparison.prompt_index] = comparison;
        writer.on_comparisons(batch);
    }
    void on_checkpoint(const CheckpointRecord&) override {}
    void on_headline(const std::string& name, double value) override {
        headline[name] = value;
        writer.on_headline(name, value);
    }

    bool said(const std::string& part) const {
        for (const std::string& event : events)
            if (event.find(part) != std::string::npos) return true;
        return false;
    }

    RunWriter writer;
    Progress progress;
    std::vector<std::string> events;
    std::vector<PromptRecord> prompts;
    std::map<std::tuple<double, std::int64_t, int>, Sample> samples;
    std::map<std::int64_t, Comparison> comparisons;
    std::vector<SweepCell> cells;
    std::vector<SweepRow> rows;
    std::map<std::string, double> headline;
    int tables = 0;
    bool twice = false;
    StopToken stop;
    std::int64_t stop_after = 1 << 30;
};

/// Makes `folder` the configuration and saves the endpoint "mimic" there.
inline void save_mimic(const std::filesystem::path& folder, const std::string& url,
                       const std::string& key_variable = "") {
    Endpoint endpoint = test::served_endpoint("mimic", url);
    endpoint.model = "small";
    endpoint.dialect = "llama.cpp";
    endpoint.concurrency = 2;
    endpoint.price_out = 1000;
    endpoint.key_variable = key_variable;
    test::configure(folder, endpoint);
}

inline RunRequest run_request(const std::filesystem::path& folder, const Json& recipe) {
    RunRequest request;
    request.kind = recipe["kind"].get<std::string>();
    request.recipe = recipe;
    request.folder = folder;
    request.threads = 1;
    std::filesystem::create_directories(folder);
    return request;
}

inline RunRequest sweep_request(const std::filesystem::path& folder, std::int64_t problems, std::int64_t n,
                                std::int64_t max_tokens) {
    SweepRecipe recipe;
    recipe.model = "endpoint:mimic";
    recipe.problems = problems;
    recipe.prompt_style = "short";
    recipe.temperatures = {0.3, 1.0};
    recipe.n = n;
    recipe.max_tokens = max_tokens;
    recipe.bootstrap_resamples = 100;
    return run_request(folder, recipe.to_json());
}

} // namespace tempera
