#pragma once

#include "core/stats/win_rate.h"
#include "core/store/records.h"
#include "ui/charts/series.h"

#include <QString>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// The plain, immutable structs that the reader thread hands to the GUI thread.

struct Catalogue {
    std::vector<StudyRecord> studies;
    std::vector<RunRecord> runs;              ///< in list order
    std::map<std::string, double> disk_bytes; ///< what the folders of ended runs take
    double free_bytes = -1;                   ///< on the workspace's disk; -1 = not known

    const RunRecord* run(const std::string& id) const {
        for (const RunRecord& record : runs)
            if (record.id == id) return &record;
        return nullptr;
    }
};
/// How a win-rate run of the watched run's study came out so far.
struct WinRateLine {
    std::string run_id;
    QString name;
    WinRate rate;
    std::optional<double> paper; ///< what the paper reports in its place
    RunStatus status = RunStatus::queued;
};
using ComparisonsPointer = std::shared_ptr<const std::vector<Comparison>>;

using CataloguePointer = std::shared_ptr<const Catalogue>;

/// Everything the pages of one run show, but for its samples.
struct RunData {
    std::string run_id;
    std::map<std::string, SeriesPointer> metrics; ///< unchanged ones keep their pointer
    std::vector<RunEvent> events;
    std::vector<CheckpointRecord> checkpoints;
    Progress progress;
    std::map<std::string, double> headline;
    std::vector<SweepCell> cells;
    std::vector<SweepRow> rows;
    std::vector<double> temperatures; ///< with samples
    std::int64_t sample_count = 0;
    std::vector<std::int64_t> rollout_steps;
    ComparisonsPointer comparisons = std::make_shared<const std::vector<Comparison>>(); ///< never null
    std::vector<WinRateLine> win_rates; ///< of all win-rate runs of its study, itself among them
};
using RunDataPointer = std::shared_ptr<const RunData>;

struct PromptQuery {
    std::string run_id;
    double temperature = 0;
    QString search; ///< "" = all
    bool operator==(const PromptQuery&) const = default;
};

/// A line of the prompt list.
struct PromptSummary {
    std::int64_t index = 0;
    QString label;
    std::vector<double> scores; ///< in sample order
};
struct PromptList {
    PromptQuery query;
    std::vector<PromptSummary> prompts;
};
using PromptListPointer = std::shared_ptr<const PromptList>;

struct SampleSet {
    std::string run_id;
    double temperature = 0;
    PromptRecord prompt;
    std::vector<Sample> samples; ///< by sample index
};
using SampleSetPointer = std::shared_ptr<const SampleSet>;

struct RolloutSet {
    std::string run_id;
    std::int64_t step = 0;
    std::vector<RolloutGroup> groups;
};
using RolloutSetPointer = std::shared_ptr<const RolloutSet>;

struct SystemLoad {
    double cpu_share = 0; ///< of all cores, since the last reading
    double process_gib = 0;
    double total_gib = 0;
    bool operator==(const SystemLoad&) const = default;
};

/// "3, 5, 7 → 42" from {"nums":[..],"target":..}; where there are no such facts the first line of what the
/// user says last, without the marks of a chat template and without `system`, the words that every prompt
/// begins with.
QString promptLabel(const PromptRecord& prompt, const QString& system = {});
/// The system turn that the run's recipe gives to conversations without one.
QString systemTurnOf(const RunRecord& run);

} // namespace tempera
