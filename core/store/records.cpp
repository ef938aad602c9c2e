#include "core/store/records.h"

#include "core/base/error.h"

#include <array>
#include <utility>

namespace tempera {

namespace {

constexpr std::array<std::pair<RunStatus, const char*>, 8> status_names{{
    {RunStatus::queued, "queued"},
    {RunStatus::running, "running"},
    {RunStatus::stopping, "stopping"},
    {RunStatus::stopped, "stopped"},
    {RunStatus::finished, "finished"},
    {RunStatus::failed, "failed"},
    {RunStatus::cancelled, "cancelled"},
    {RunStatus::interrupted, "interrupted"},
}};

} // namespace

const char* name_of(RunStatus status) {
    for (const auto& [value, name] : status_names)
        if (value == status) return name;
    return "unknown";
}

bool is_active(RunStatus status) {
    return status == RunStatus::running || status == RunStatus::stopping;
}

bool has_ended(RunStatus status) {
    return !is_active(status) && status != RunStatus::queued;
}

RunStatus run_status_from(const std::string& name) {
    for (const auto& [value, known] : status_names)
        if (name == known) return value;
    fail(ErrorKind::bad_input, "\"" + name + "\" is not a status of a run.");
}

} // namespace tempera
