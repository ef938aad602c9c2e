#include "core/engine/checkpoint/checkpoint.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/checksum.h"

#include <algorithm>
#include <charconv>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr const char* manifest_name = "manifest.json";

std::vector<fs::path> files_in(const fs::path& folder) {
    std::vector<fs::path> files;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && entry.path().filename() != manifest_name)
            files.push_back(fs::relative(entry.path(), folder));
    std::sort(files.begin(), files.end());
    return files;
}

Json manifest_of(const fs::path& folder, std::int64_t step) {
    Json files = Json::object();
    for (const fs::path& file : files_in(folder)) {
        FileSum sum = sum_file(folder / file);
        files[file.generic_string()] = {{"bytes", sum.bytes}, {"crc32c", sum.crc}};
    }
    return {{"step", step}, {"files", files}};
}

std::optional<std::int64_t> step_of(const std::string& name) {
    std::int64_t step = 0;
    auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), step);
    if (error != std::errc() || end != name.data() + name.size() || step < 0) return std::nullopt;
    return step;
}

} // namespace

fs::path write_checkpoint(const fs::path& checkpoints, std::int64_t step,
                          const std::function<void(const fs::path&)>& fill) {
    StagedFolder staged(checkpoints / std::to_string(step));
    fill(staged.path());
    write_file_atomic(staged.path() / manifest_name, manifest_of(staged.path(), step).dump(1) + "\n");
    staged.commit();
    return checkpoints / std::to_string(step);
}

std::string checkpoint_damage(const fs::path& folder) {
    try {
        Json manifest = read_json_file(folder / manifest_name, 1u << 20);
        const Json& files = manifest.at("files");
        if (!files.is_object() || files.empty()) return "its manifest lists no files";
        for (const auto& [name, expected] : files.items()) {
            if (name.find("..") != std::string::npos || fs::path(name).is_absolute())
                return "its manifest names " + name;
            fs::path file = folder / name;
            if (!fs::is_regular_file(file)) return name + " is missing";
            if (fs::file_size(file) != expected.at("bytes").get<std::uint64_t>())
                return name + " has another size than when it was written";
            if (sum_file(file).crc != expected.at("crc32c").get<std::uint32_t>())
                return name + " has another checksum than when it was written";
        }
        return "";
    } catch (const Json::exception& error) {
        return std::string("its manifest cannot be understood: ") + error.what();
    } catch (const std::exception& error) {
        return error.what();
    }
}

std::vector<std::int64_t> checkpoint_steps(const fs::path& checkpoints) {
    std::vector<std::int64_t> steps;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(checkpoints, ignored))
        if (auto step = step_of(entry.path().filename().string()); step && entry.is_directory(ignored))
            steps.push_back(*step);
    std::sort(steps.begin(), steps.end());
    return steps;
}

std::optional<std::int64_t> newest_checkpoint(const fs::path& checkpoints,
                                              const std::function<void(const std::string&)>& complaint) {
    auto steps = checkpoint_steps(checkpoints);
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        std::string damage = checkpoint_damage(checkpoints / std::to_string(*step));
        if (damage.empty()) return *step;
        complaint("Checkpoint " + std::to_string(*step) + " is not used: " + damage + ".");
    }
    return std::nullopt;
}

void prune_checkpoints(const fs::path& checkpoints, std::int64_t keep,
                       const std::set<std::int64_t>& precious) {
    auto steps = checkpoint_steps(checkpoints);
    std::int64_t excess = static_cast<std::int64_t>(steps.size()) - std::max<std::int64_t>(keep, 1);
    for (std::int64_t k = 0; k < excess; ++k) {
        std::int64_t step = steps[static_cast<std::size_t>(k)];
        if (precious.contains(step)) continue;
        // Under a temporary name first: a kill half-way must not leave half a checkpoint under its own name.
        fs::path doomed = checkpoints / (std::to_string(step) + ".tmp-pruned");
        std::error_code ignored;
        fs::remove_all(doomed, ignored);
        fs::rename(checkpoints / std::to_string(step), doomed, ignored);
        fs::remove_all(doomed, ignored);
    }
}

} // namespace tempera
