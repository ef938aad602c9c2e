#pragma once

#include "core/store/database.h"
#include "core/store/records.h"

#include <string>

namespace tempera {

/// Between workspace.db's rows and the plain structs. The list holds what schema version 1 has, so that a
/// read-only reader understands a catalogue that was not migrated yet.
inline constexpr const char* run_columns =
    "id, name, coalesce(study, ''), stage, kind, recipe, status, created_ms, started_ms, ended_ms, position, "
    "phase, done, total,"
    " unit, rate, eta_seconds, memory_gib, headline, error, notes, tags";
RunRecord run_from(SQLite::Statement& row);

void insert_run(SQLite::Database& db, const RunRecord& record);
void update_run_row(SQLite::Database& db, const RunRecord& record);
void update_run_state(SQLite::Database& db, const RunRecord& record);
void update_run_progress(SQLite::Database& db, const std::string& id, const Progress& progress,
                         const std::map<std::string, double>& headline);
void annotate_run(SQLite::Database& db, const std::string& id, const std::string& name,
                  const std::string& notes, const std::vector<std::string>& tags);

StudyRecord study_from(SQLite::Statement& row);

} // namespace tempera
