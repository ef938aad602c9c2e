#pragma once

#include "core/format/model_info.h"
#include "core/format/tensor_type.h"
#include "ui/jobs.h"

#include <filesystem>
#include <string>

namespace tempera {

/// The long actions of the Models page, as the jobs that do them. Each checks the free disk before it
/// writes.

/// Writes a GGUF file as a Hugging Face folder.
Jobs::Work importGgufWork(std::filesystem::path file, std::filesystem::path target, TensorType type);
/// Fetches and imports a model that goes by a name into the cache.
Jobs::Work importPackageWork(std::string name);
/// Writes a model and an adapter as one folder. `elements` of the model, for the room it takes.
Jobs::Work mergeWork(std::filesystem::path model, std::filesystem::path adapter, std::filesystem::path target,
                     std::int64_t elements);
Jobs::Work copyModelWork(std::filesystem::path source, std::filesystem::path target);

} // namespace tempera
