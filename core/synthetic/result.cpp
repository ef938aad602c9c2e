#include "core/synthetic/result.h"

#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"

#include <chrono>
#include <ctime>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// "2026-11-28T12:00:00Z"
std::string utc_now() {
    const std::time_t now = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now());
    std::tm parts{};
    gmtime_r(&now, &parts);
    char text[32];
    std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts);
    return text;
}

const char* name_of(SyntheticStep step) {
    constexpr const char* names[] = {"asked", "parsed", "correct", "new"};
    return names[static_cast<int>(step)];
}

Json funnel_json(const SyntheticFunnel& funnel) {
    return {{"asked", funnel.asked},
            {"parsed", funnel.parsed},
            {"correct", funnel.correct},
            {"new", funnel.fresh},
            {"rejected", funnel.reasons}};
}

void write_json(const fs::path& path, const Json& json) {
    write_file_atomic(path, json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n");
}

} // namespace

void SyntheticResult::add_example(const std::string& prompt, const SyntheticVerdict& verdict,
                                  const CountdownProblem& problem, std::int64_t request) {
    examples += to_json_line({{"prompt", prompt},
                              {"completion", verdict.completion},
                              {"nums", problem.nums},
                              {"target", problem.target},
                              {"equation", verdict.verdict.equation},
                              {"request", request}})
                + "\n";
}

void SyntheticResult::add_rejected(const SyntheticVerdict& verdict, const std::string& raw,
                                   std::int64_t request) {
    rejected += to_json_line({{"reason", verdict.reason},
                              {"reached", name_of(verdict.step)},
                              {"raw", raw},
                              {"request", request}})
                + "\n";
}

void SyntheticResult::write(const fs::path& folder, const SyntheticRecipe& recipe,
                            const Asker* teacher) const {
    make_folders(folder);
    write_file_atomic(folder / "synthetic.jsonl", examples);
    write_file_atomic(folder / "rejected.jsonl", rejected);
    write_json(folder / "funnel.json", funnel_json(funnel));
    Json provenance = {{"teacher", teacher ? teacher->name : "the built-in solver"},
                       {"written", utc_now()},
                       {"recipe", recipe.to_json()},
                       {"funnel", funnel_json(funnel)},
                       {"data_sha256", sha256_hex(examples)}};
    if (teacher) {
        const std::string prompt = teacher_prompt(static_cast<int>(recipe.problems_per_request), {});
        provenance["model"] = teacher->model;
        provenance["prompt"] = prompt;
        provenance["prompt_sha256"] = sha256_hex(prompt);
        provenance["requests"] = requests;
        provenance["prompt_tokens"] = usage.prompt_tokens;
        provenance["completion_tokens"] = usage.completion_tokens;
        if (teacher->has_prices) provenance["cost"] = usage.cost;
    }
    write_json(folder / "provenance.json", provenance);
}

} // namespace tempera
