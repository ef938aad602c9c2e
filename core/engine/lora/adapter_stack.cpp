#include "core/engine/lora/adapter_stack.h"

#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/engine/lora/adapter_io.h"
#include "core/engine/model/weights.h"

#include <algorithm>
#include <c10/core/GradMode.h>
#include <set>

namespace fs = std::filesystem;

namespace tempera {

namespace {

/// B with the scaling in it, on the CPU.
at::Tensor scaled_b(const LoraSlice& slice) {
    return slice.b.detach().to(at::kCPU, at::kFloat).mul(slice.scaling);
}

/// One slice for every module, of scaling 1: B1 A1 + B2 A2 = [B1 B2] [A1; A2].
std::vector<LoraSlice> summed(std::span<const LoraSlice> slices) {
    std::vector<LoraSlice> sums;
    for (const LoraSlice& slice : slices) {
        const at::Tensor a = slice.a.detach().to(at::kCPU, at::kFloat), b = scaled_b(slice);
        auto sum = std::ranges::find(sums, slice.module, &LoraSlice::module);
        if (sum == sums.end()) {
            sums.push_back(slice);
            sums.back().a = a;
            sums.back().b = b;
            sums.back().scaling = 1;
        } else {
            sum->a = at::cat({sum->a, a}, 0);
            sum->b = at::cat({sum->b, b}, 1);
        }
    }
    return sums;
}

std::string last_name(const std::string& path) {
    return path.substr(path.rfind('.') + 1);
}

/// What config files call the modules of `slices`: "q_proj" for all that end so, where they are all there and
/// of one rank; else the whole path.
std::vector<std::string> short_names(const Decoder& model, std::span<const LoraSlice> slices) {
    Decoder bare = without_adapters(model);
    std::vector<std::string> names;
    for (const LoraSlice& slice : slices) {
        const std::string name = last_name(slice.module);
        std::int64_t there = 0, alike = 0;
        for (const LinearModule& module : linear_modules(bare))
            there += last_name(module.path) == name;
        for (const LoraSlice& other : slices)
            alike += last_name(other.module) == name && other.a.size(0) == slice.a.size(0);
        names.push_back(there == alike ? name : slice.module);
    }
    return names;
}

LoraConfig config_of(const Decoder& model, std::span<const LoraSlice> slices) {
    LoraConfig config;
    config.r = slices.front().a.size(0);
    config.alpha = static_cast<double>(config.r);
    const std::vector<std::string> names = short_names(model, slices);
    for (std::size_t i = 0; i < slices.size(); ++i) {
        if (std::ranges::find(config.targets, names[i]) == config.targets.end())
            config.targets.push_back(names[i]);
        const std::int64_t rank = slices[i].a.size(0);
        if (rank == config.r) continue;
        config.rank_pattern[names[i]] = rank;
        config.alpha_pattern[names[i]] = static_cast<double>(rank);
    }
    return config;
}

/// Names, by content, the products of rank 1 that slices are sums of.
std::set<std::string> products_of(std::span<const LoraSlice> slices) {
    std::set<std::string> products;
    for (const LoraSlice& slice : slices) {
        const at::Tensor rows = at::cat({slice.a, scaled_b(slice).t()}, 1).contiguous();
        const auto* values = reinterpret_cast<const char*>(rows.const_data_ptr<float>());
        const auto bytes = static_cast<std::size_t>(rows.size(1)) * sizeof(float);
        for (std::int64_t row = 0; row < rows.size(0); ++row)
            products.insert(sha256_hex(slice.module + ":"
                                       + std::string(values + static_cast<std::size_t>(row) * bytes, bytes)));
    }
    return products;
}

} // namespace

std::vector<LoraSlice> stacked_slices(const Decoder& model, std::span<const fs::path> adapters) {
    std::vector<LoraSlice> slices;
    for (const fs::path& adapter : adapters) {
        Decoder bare = without_adapters(model);
        load_adapter(bare, adapter);
        for (const LoraSlice* slice : lora_slices(bare))
            slices.push_back(*slice);
    }
    return slices;
}

void flatten_adapter(const Decoder& model, std::span<const LoraSlice> below, const fs::path& base,
                     const fs::path& folder) {
    c10::NoGradGuard no_grad;
    const std::vector<LoraSlice> top = stacked_slices(model, std::vector{folder});
    std::vector<LoraSlice> all(below.begin(), below.end());
    all.insert(all.end(), top.begin(), top.end());
    const std::vector<LoraSlice> sums = summed(all);
    LoraConfig config = config_of(model, sums);
    config.dropout = read_lora_config(folder).dropout;
    config.base_model = base.string();
    save_adapter(sums, config, folder);
}

Decoder load_with_adapter(const fs::path& model, const fs::path& adapter, const TensorProgress& progress) {
    const AdapterChain chain = adapter_chain(model);
    Decoder decoder = load_decoder(model, progress);
    load_adapter(decoder, adapter);
    if (chain.adapters.empty()) return decoder;
    const std::set<std::string> held = products_of(stacked_slices(decoder, chain.adapters));
    for (const std::string& product : products_of(stacked_slices(decoder, std::vector{adapter})))
        if (held.contains(product))
            fail(ErrorKind::bad_input,
                 "The model in " + model.string() + " holds the adapter in " + adapter.string()
                     + ", or a part of it, already and would get it twice; give as model what the adapter "
                       "stands on ("
                     + read_lora_config(adapter).base_model + ").");
    return decoder;
}

} // namespace tempera
