#pragma once

#include "core/store/records.h"

#include <filesystem>
#include <optional>
#include <string>

namespace tempera {

inline constexpr const char* recipe_file = "recipe.json";

/// Whether `id` can be a folder name under runs/ and nothing else: letters, digits, '-', '_', '.', not first
/// a '.'.
bool is_valid_run_id(const std::string& id);
/// "sft-7k2m9q": the kind and six random letters and digits.
std::string new_run_id(const std::string& kind);

/// Makes the folder with its recipe.json, or completes one that lost it. Throws Error(io, disk_full).
void make_run_folder(const std::filesystem::path& folder, const std::string& recipe);

/// What a run folder tells of itself (recipe.json, run.db), for a catalogue that does not know it: one copied
/// from another machine. Empty where the folder holds no recipe.
std::optional<RunRecord> describe_run_folder(const std::filesystem::path& folder);

/// Removes what a killed process left half-written in a run folder.
void sweep_run_folder(const std::filesystem::path& folder);

/// When the run's database was last written, Unix milliseconds; 0 = never.
std::int64_t last_write_ms(const std::filesystem::path& folder);

std::int64_t unix_time_ms();

} // namespace tempera
