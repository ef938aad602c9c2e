#pragma once

#include "core/base/error.h"
#include "core/store/run_reader.h"
#include "core/store/run_writer.h"
#include "core/store/workspace.h"

#include <QDir>
#include <QFileInfo>
#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <filesystem>
#include <functional>
#include <optional>
#include <sqlite3.h>
#include <string>
#include <vector>

namespace tempera::test {

namespace fs = std::filesystem;

/// Where fsync costs nothing, for tests that are not about durability.
inline QString fast_folder() {
    return QDir("/dev/shm").exists() && QFileInfo("/dev/shm").isWritable()
               ? "/dev/shm/tempera-XXXXXX"
               : QDir::tempPath() + "/tempera-XXXXXX";
}

/// Runs SQL on a file through a connection of its own; every result row as text, columns joined by '|'.
/// Only for files no Tempera writer has open.
inline std::vector<std::string> sql(const fs::path& path, const std::string& text) {
    sqlite3* db = nullptr;
    std::vector<std::string> rows;
    auto collect = [](void* target, int count, char** values, char**) {
        std::string row;
        for (int i = 0; i < count; ++i)
            row += (i ? "|" : "") + std::string(values[i] ? values[i] : "NULL");
        static_cast<std::vector<std::string>*>(target)->push_back(row);
        return 0;
    };
    char* message = nullptr;
    if (sqlite3_open(path.c_str(), &db) != SQLITE_OK
        || sqlite3_exec(db, text.c_str(), collect, &rows, &message) != SQLITE_OK)
        rows = {std::string("error: ") + (message ? message : sqlite3_errmsg(db))};
    sqlite3_free(message);
    sqlite3_close(db);
    return rows;
}

/// The error that `body` throws, if it throws one.
inline std::optional<Error> error_of(const std::function<void()>& body) {
    try {
        body();
    } catch (const Error& error) {
        return error;
    }
    return std::nullopt;
}

inline Sample make_sample(double temperature, std::int64_t prompt, int index, double score = 0.1) {
    Sample sample;
    sample.temperature = temperature;
    sample.prompt_index = prompt;
    sample.sample_index = index;
    sample.text =
        "<think>try " + std::to_string(index) + "</think><answer>1 + " + std::to_string(prompt) + "</answer>";
    for (int i = 0; i < 64; ++i) {
        sample.token_ids.push_back(i * 7 + index);
        sample.logprobs.push_back(-0.01f * static_cast<float>(i));
    }
    sample.logprob = -1.5;
    sample.finish = "eos";
    sample.score = score;
    sample.equation = "1 + " + std::to_string(prompt);
    sample.value = "7/3";
    sample.reason = "The value is not the target.";
    return sample;
}

inline RolloutSample make_rollout_sample(int index, double reward) {
    RolloutSample sample;
    sample.sample_index = index;
    sample.text = "try " + std::to_string(index);
    sample.token_ids = {5, 6, 7 + index};
    sample.logprobs = {-0.5f, -0.25f, -1.0f / 3};
    sample.ref_logprobs = {-0.75f, -0.5f, -0.125f};
    sample.finish = index % 2 ? "length" : "eos";
    sample.masked = index % 2;
    sample.rewards = {{"verifier", reward}, {"judge", NAN}};
    sample.reward = reward;
    sample.kl = 0.1 * index;
    sample.baseline = 1.0 / 3;
    sample.advantage = reward - 1.0 / 3;
    sample.note = "note " + std::to_string(index);
    return sample;
}

inline RolloutGroup make_rollout(std::int64_t step, int group, int k = 2) {
    RolloutGroup rollout{step, group, "prompt " + std::to_string(group), R"({"target":7})", {}};
    for (int i = 0; i < k; ++i)
        rollout.samples.push_back(make_rollout_sample(i, i));
    return rollout;
}

inline Comparison make_comparison(std::int64_t prompt, double base, double tuned) {
    return {prompt,
            "prompt " + std::to_string(prompt),
            R"({"bullets":3})",
            {"base reply", 3, "eos", base, "two bullets", {5, 70000, 2}, {-0.5f, -1, -1e-3f}},
            {"tuned reply", 4, "length", tuned, ""}};
}

} // namespace tempera::test
