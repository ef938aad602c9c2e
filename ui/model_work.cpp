#include "ui/model_work.h"

#include "core/base/folder_copy.h"
#include "core/format/gguf.h"
#include "core/format/gguf_import.h"
#include "core/format/package_model.h"
#include "core/queue/engine.h"

namespace fs = std::filesystem;

namespace tempera {

Jobs::Work importGgufWork(fs::path file, fs::path target, TensorType type) {
    return [file = std::move(file), target = std::move(target), type](const Jobs::Report& report,
                                                                      const StopToken& stop) {
        report({"reading " + file.filename().string()});
        std::int64_t elements = 0;
        {
            const GgufReader gguf = GgufReader::open(file);
            for (const GgufTensor& tensor : gguf.tensors())
                elements += tensor.elements();
        }
        require_space(target, static_cast<std::uint64_t>(elements) * (bits_of(type) / 8),
                      "The imported model");
        const double scale = double(bits_of(type)) / 8; // bytes an element
        GgufImportOptions options;
        options.type = type;
        options.stop = stop;
        options.written = [&report, scale](std::uint64_t done, std::uint64_t total) {
            report({"writing", double(done) * scale, double(total) * scale});
        };
        const GgufImportReport imported = import_gguf(file, target, options);
        return "Imported " + imported.architecture + " (" + imported.quantisation + ") into "
               + imported.folder.string() + ".";
    };
}

Jobs::Work importPackageWork(std::string name) {
    return [name = std::move(name)](const Jobs::Report& report, const StopToken& stop) {
        const fs::path folder = cached_package_model(
            name, [&](const std::string& phase) { report({phase}); }, stop);
        return name + " is ready in " + folder.string() + ".";
    };
}

Jobs::Work mergeWork(fs::path model, fs::path adapter, fs::path target, std::int64_t elements) {
    return [=](const Jobs::Report& report, const StopToken& stop) {
        require_space(target, static_cast<std::uint64_t>(elements) * 4, "The merged model");
        report({"loading the engine"});
        load_engine().merge(
            model, adapter, target,
            [&](const char* phase, std::int64_t done, std::int64_t total) {
                report({phase, double(done) * 4, double(total) * 4});
            },
            stop);
        return "Merged into " + target.string() + ".";
    };
}

Jobs::Work copyModelWork(fs::path source, fs::path target) {
    return [source = std::move(source), target = std::move(target)](const Jobs::Report& report,
                                                                    const StopToken& stop) {
        copy_folder(
            source, target,
            [&](std::uint64_t done, std::uint64_t total) {
                report({"", double(done), double(total)});
            },
            stop);
        return "Copied into " + target.string() + ".";
    };
}

} // namespace tempera
