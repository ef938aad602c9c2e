#pragma once

#include "core/store/records.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace tempera {

/// A workspace folder: workspace.db (the catalogue) and runs/<id>/. The program that holds the workspace lock
/// (flock on `workspace.lock`, freed by the kernel when it dies) may write; every other one opens it
/// read-only. Thread-safe.
class Workspace {
public:
    enum class Access { read_write, read_only };

    /// Opens, and for read_write creates or migrates. A run left "running" by a program that died becomes
    /// "interrupted" (read_only: in what is read here), and a run folder that was copied into runs/ from
    /// elsewhere is taken into the catalogue.
    /// Throws Error(busy) naming the holder where read_write is asked and another program holds the lock;
    /// Error(io, disk_full, bad_input) otherwise, e.g. for a folder that cannot be written or a newer schema.
    Workspace(std::filesystem::path folder, Access access);
    ~Workspace();

    const std::filesystem::path& folder() const;
    Access access() const;
    std::filesystem::path run_folder(const std::string& run_id) const;

    /// Rises whenever the catalogue changed, by whatever program. Cheap.
    std::int64_t version() const;
    std::vector<RunRecord> runs() const;      ///< in list order
    std::vector<StudyRecord> studies() const; ///< in order of creation
    /// Throws Error(bad_input) where a prefix fits several runs.
    std::optional<RunRecord> run(const std::string& id_or_prefix) const;
    /// Like run(), but Error(not_found) with the nearest id or name where there is none.
    RunRecord require_run(const std::string& id_or_prefix) const;

    /// Creates the run folder (with recipe.json) and its row, status queued, at the end of the queue. Returns
    /// the record. An empty id is chosen here; a taken one is Error(bad_input).
    RunRecord add_run(RunRecord record);
    StudyRecord add_study(StudyRecord record);
    /// Replaces the row of record.id, all but its position.
    void update_run(const RunRecord& record);
    /// Only what the queue owns: status, started_ms, ended_ms, progress, headline, error. Never undoes a
    /// user's note.
    void update_state(const RunRecord& record);
    void update_progress(const std::string& run_id, const Progress& progress,
                         const std::map<std::string, double>& headline);
    /// Only what the user owns; for windows, which may hold an outdated record. Never undoes the queue's
    /// status.
    void annotate(const std::string& run_id, const std::string& name, const std::string& notes,
                  const std::vector<std::string>& tags);
    /// Moves a queued run to `index` among the queued ones.
    void reorder(const std::string& run_id, int index);
    /// Deletes row and folder. Throws Error(busy) for a running one.
    void remove_run(const std::string& run_id);
    /// Deletes a study's row and its runs with their folders. Throws Error(busy) where one of them is
    /// running.
    void remove_study(const std::string& study_id);

    /// What a run's result depends on (recipe and inputs, hashed), and the newest finished run with the same,
    /// if any.
    void set_fingerprint(const std::string& run_id, const std::string& fingerprint);
    std::string fingerprint(const std::string& run_id) const;
    std::optional<RunRecord> finished_run_with(const std::string& fingerprint) const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tempera
