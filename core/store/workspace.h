#pragma once

#include "core/store/records.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

namespace tempera {

/// A workspace folder: workspace.db (the catalogue) and runs/<id>/. The program that holds the workspace lock (flock on
/// `workspace.lock`, freed by the kernel when it dies) may write; every other one opens it read-only. Thread-safe.
class Workspace {
public:
    enum class Access { read_write, read_only };

    /// Opens, and for read_write creates or migrates. A run left "running" by a program that died becomes "interrupted".
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
    std::optional<RunRecord> run(const std::string& id_or_prefix) const;

    /// Creates the run folder (with recipe.json) and its row, status queued, at the end of the queue. Returns the record.
    RunRecord add_run(RunRecord record);
    StudyRecord add_study(StudyRecord record);
    /// Replaces the row of record.id.
    void update_run(const RunRecord& record);
    /// Moves a queued run to `index` among the queued ones.
    void reorder(const std::string& run_id, int index);
    /// Deletes row and folder. Throws Error(busy) for a running one.
    void remove_run(const std::string& run_id);

private:
    struct State;
    std::unique_ptr<State> state_;
};

} // namespace tempera
