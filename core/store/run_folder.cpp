#include "core/store/run_folder.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/store/run_reader.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <sys/stat.h>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t most_recipe_bytes = 4u << 20;

std::string text_field(const Json& json, const char* name) {
    auto found = json.find(name);
    return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

std::int64_t changed_ms(const fs::path& path) {
    struct stat status {};
    if (stat(path.c_str(), &status) != 0) return 0;
    return std::int64_t{status.st_mtim.tv_sec} * 1000 + status.st_mtim.tv_nsec / 1000000;
}

/// The status that the last event of its life leaves a run in. Whatever did not end was interrupted.
RunStatus status_after(const std::vector<RunEvent>& events, std::string& error) {
    RunStatus status = events.empty() ? RunStatus::stopped : RunStatus::interrupted;
    for (const auto& event : events) {
        if (event.kind == "started" || event.kind == "resumed") status = RunStatus::interrupted;
        if (event.kind == "finished") status = RunStatus::finished;
        if (event.kind == "stopped") status = RunStatus::stopped;
        if (event.kind == "cancelled") status = RunStatus::cancelled;
        if (event.kind == "failed") status = RunStatus::failed;
        error = status == RunStatus::failed ? event.message : "";
    }
    return status;
}

} // namespace

bool is_valid_run_id(const std::string& id) {
    auto allowed = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-'
               || c == '_' || c == '.';
    };
    return !id.empty() && id.size() <= 100 && id.front() != '.' && std::all_of(id.begin(), id.end(), allowed)
           && id.find(".tmp-") == std::string::npos;
}

std::string new_run_id(const std::string& kind) {
    constexpr std::string_view letters =
        "0123456789abcdefghjkmnpqrstvwxyz"; // Crockford's: none that look alike
    std::random_device random;
    std::string id = kind + "-";
    for (int i = 0; i < 6; ++i)
        id += letters[random() % letters.size()];
    return id;
}

void make_run_folder(const fs::path& folder, const std::string& recipe) {
    make_folders(folder);
    if (!fs::exists(folder / recipe_file)) write_file_atomic(folder / recipe_file, recipe + "\n");
}

std::optional<RunRecord> describe_run_folder(const fs::path& folder) {
    if (!fs::is_regular_file(folder / recipe_file)) return std::nullopt;
    RunRecord record;
    record.id = folder.filename().string();
    record.recipe = read_file(folder / recipe_file, most_recipe_bytes);
    while (!record.recipe.empty() && record.recipe.back() == '\n')
        record.recipe.pop_back();
    Json recipe = parse_json(record.recipe, (folder / recipe_file).string());
    if (!recipe.is_object())
        fail(ErrorKind::bad_input, (folder / recipe_file).string() + " is not a recipe.");
    record.kind = text_field(recipe, "kind");
    record.name = text_field(recipe, "name");
    if (record.name.empty()) record.name = record.id;

    RunReader reader(folder);
    auto events = reader.events();
    record.status = status_after(events, record.error);
    record.created_ms = changed_ms(folder / recipe_file);
    if (!events.empty()) {
        record.started_ms = events.front().time_ms;
        record.ended_ms = std::max(events.back().time_ms, record.started_ms);
        record.created_ms = std::min(record.created_ms, record.started_ms);
    }
    record.progress = reader.progress();
    record.headline = reader.headline();
    return record;
}

void sweep_run_folder(const fs::path& folder) {
    sweep_staged(folder);
    sweep_staged(folder / "checkpoints");
    sweep_staged(folder / "artifacts");
}

std::int64_t last_write_ms(const fs::path& folder) {
    return std::max(changed_ms(folder / "run.db"), changed_ms(folder / "run.db-wal"));
}

std::int64_t unix_time_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

} // namespace tempera
