#include "core/format/gguf_import.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/format/model_config.h"
#include "core/format/model_tensors.h"
#include "core/format/safetensors.h"

#include <algorithm>
#include <map>
#include <set>
#include <vector>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// "model.layers.3.self_attn.q_proj.weight" -> "blk.3.attn_q.weight"
std::string gguf_name(const std::string& name) {
    static const std::map<std::string, std::string> whole = {
        {"model.embed_tokens.weight", "token_embd.weight"},
        {"model.norm.weight", "output_norm.weight"},
        {"lm_head.weight", "output.weight"}};
    static const std::map<std::string, std::string> parts = {
        {"self_attn.q_proj", "attn_q"},          {"self_attn.k_proj", "attn_k"},
        {"self_attn.v_proj", "attn_v"},          {"self_attn.o_proj", "attn_output"},
        {"mlp.gate_proj", "ffn_gate"},           {"mlp.up_proj", "ffn_up"},
        {"mlp.down_proj", "ffn_down"},           {"input_layernorm", "attn_norm"},
        {"post_attention_layernorm", "ffn_norm"}};
    if (auto found = whole.find(name); found != whole.end()) return found->second;
    const std::string prefix = "model.layers.";
    std::size_t number_end = name.find('.', prefix.size()), kind = name.rfind('.');
    return "blk." + name.substr(prefix.size(), number_end - prefix.size()) + "."
           + parts.at(name.substr(number_end + 1, kind - number_end - 1)) + name.substr(kind);
}

/// For llama, GGUF interleaves the two halves of each head's rows in q and k (convert_hf_to_gguf.py,
/// LlamaModel.permute). Returns the number of heads where that has to be undone, else 0.
std::int64_t permuted_heads(const ModelConfig& config, const std::string& name) {
    if (config.family != ModelConfig::Family::llama) return 0;
    if (name.find(".q_proj.") != std::string::npos) return config.heads;
    return name.find(".k_proj.") != std::string::npos ? config.kv_heads : 0;
}

/// Row 2 i + j of a head (j = 0, 1) goes to row j * head_dim / 2 + i. `row` is the number of elements of one.
void undo_permutation(std::vector<float>& values, std::int64_t heads, std::int64_t head_dim,
                      std::size_t row) {
    std::vector<float> head(static_cast<std::size_t>(head_dim) * row);
    auto half = static_cast<std::size_t>(head_dim) / 2;
    for (std::size_t h = 0; h < static_cast<std::size_t>(heads); ++h) {
        float* begin = values.data() + h * head.size();
        for (std::size_t i = 0; i < half; ++i)
            for (std::size_t j = 0; j < 2; ++j)
                std::copy_n(begin + (2 * i + j) * row, row, head.data() + (j * half + i) * row);
        std::copy(head.begin(), head.end(), begin);
    }
}

/// Every tensor of the model is there in the right shape, and none that would be lost.
void check_tensors(const GgufReader& gguf, const std::vector<TensorSpec>& tensors) {
    std::set<std::string> used = {"rope_freqs.weight"};
    for (const TensorSpec& spec : tensors) {
        const GgufTensor& tensor = gguf.at(gguf_name(spec.name));
        if (tensor.shape != spec.shape)
            fail(ErrorKind::bad_input, gguf.path().string() + ": tensor " + in_quotes(tensor.name)
                                           + " has the shape " + shape_text(tensor.shape)
                                           + ", but the metadata ask for " + shape_text(spec.shape) + ".");
        if (!ggml_type_info(tensor.type).readable)
            fail(ErrorKind::unsupported,
                 gguf.path().string() + ": tensor " + in_quotes(tensor.name) + " is quantised as "
                     + std::string(ggml_type_info(tensor.type).name)
                     + ", which cannot be read; choose a file in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0,"
                       " Q5_1, Q4_K, Q5_K or Q6_K.");
        used.insert(tensor.name);
    }
    for (const GgufTensor& tensor : gguf.tensors())
        if (!used.contains(tensor.name))
            fail(ErrorKind::unsupported, gguf.path().string() + ": the tensor " + in_quotes(tensor.name)
                                             + " does not belong to a plain llama or qwen2 model.");
}

/// The type of the most elements; norms and embeddings are often kept finer than what a file is called after.
std::string quantisation_of(const GgufReader& gguf) {
    std::map<std::string_view, std::int64_t> counts;
    for (const GgufTensor& tensor : gguf.tensors())
        counts[ggml_type_info(tensor.type).name] += tensor.elements();
    auto most = std::max_element(counts.begin(), counts.end(),
                                 [](auto& left, auto& right) { return left.second < right.second; });
    return std::string(most->first);
}

/// Returns the bytes written. One tensor is held at a time.
std::uint64_t write_weights(const GgufReader& gguf, const ModelConfig& config,
                            const std::vector<TensorSpec>& tensors, const fs::path& folder,
                            const GgufImportOptions& options) {
    SafetensorsWriter writer(folder, tensors, {.max_shard_bytes = options.max_shard_bytes});
    std::vector<float> values;
    std::uint64_t done = 0;
    for (const TensorSpec& spec : tensors) {
        if (options.stop) fail(ErrorKind::stopped, "Stopped; nothing was kept of the import.");
        const GgufTensor& tensor = gguf.at(gguf_name(spec.name));
        try {
            values.resize(static_cast<std::size_t>(tensor.elements()));
        } catch (const std::exception&) { // a sparse file can hold what no memory can
            fail(ErrorKind::bad_input, gguf.path().string() + ": tensor " + in_quotes(tensor.name)
                                           + " of shape " + shape_text(tensor.shape)
                                           + " does not fit into memory.");
        }
        gguf.read_f32(tensor.name, values);
        if (std::int64_t heads = permuted_heads(config, spec.name))
            undo_permutation(values, heads, config.head_dim,
                             values.size() / static_cast<std::size_t>(heads * config.head_dim));
        writer.write_f32(spec.name, values);
        done += values.size();
        if (options.written) options.written(done, static_cast<std::uint64_t>(config.parameter_count()));
    }
    return writer.finish();
}

} // namespace

void require_import_target(const fs::path& target, bool replace) {
    std::error_code ignored;
    if (!fs::exists(fs::symlink_status(target, ignored))) return;
    bool empty_folder = fs::is_directory(target, ignored) && fs::is_empty(target, ignored);
    if (!empty_folder && !(replace && fs::is_directory(target, ignored)))
        fail(ErrorKind::bad_input,
             target.string() + " exists already; choose a new folder for the imported model.");
}

GgufImportReport import_gguf(const fs::path& file, const fs::path& target, const GgufImportOptions& options) {
    if (!is_weight_type(options.type))
        fail(ErrorKind::bad_input, "Weights can be written as F32, F16 or BF16, not as "
                                       + std::string(name_of(options.type)) + ".");
    require_import_target(target, options.replace);
    GgufReader gguf = GgufReader::open(file);
    Json json = config_from_gguf(gguf, options.type);
    ModelConfig config = parse_model_config(json, file.string());
    std::vector<TensorSpec> tensors = model_tensors(config, options.type);
    check_tensors(gguf, tensors);
    GgufTokenizer tokenizer = tokenizer_from_gguf(gguf);

    GgufImportReport report;
    report.folder = target;
    report.architecture = json["architectures"][0];
    report.quantisation = quantisation_of(gguf);
    report.pre_tokenizer = gguf.value("tokenizer.ggml.pre")->text().value_or("");
    report.parameters = config.parameter_count();
    report.tokens = static_cast<std::int64_t>(gguf.value("tokenizer.ggml.tokens")->count());
    if (report.tokens > config.vocab_size)
        fail(ErrorKind::bad_input, file.string() + " has " + std::to_string(report.tokens)
                                       + " tokens, but embeddings for only "
                                       + std::to_string(config.vocab_size) + ".");

    StagedFolder staged(target);
    report.bytes = write_weights(gguf, config, tensors, staged.path(), options);
    write_file_atomic(staged.path() / "config.json", json.dump(2) + "\n");
    write_file_atomic(staged.path() / "generation_config.json", tokenizer.generation_config.dump(2) + "\n");
    write_file_atomic(staged.path() / "tokenizer.json", tokenizer.tokenizer_json);
    write_file_atomic(staged.path() / "tokenizer_config.json", tokenizer.tokenizer_config.dump(2) + "\n");
    write_file_atomic(staged.path() / "special_tokens_map.json", tokenizer.special_tokens_map.dump(2) + "\n");
    for (const auto& [name, content] : options.extra_files)
        write_file_atomic(staged.path() / name, content);
    staged.commit();
    return report;
}

} // namespace tempera
