#include "core/engine/lora/lora.h"

#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/base/random.h"
#include "core/engine/model/weights.h"

#include <algorithm>
#include <c10/core/GradMode.h>
#include <cmath>
#include <regex>

namespace tempera {

namespace {

/// Python's re.fullmatch for a pattern out of a file: bounded, and in polynomial time (libstdc++'s
/// breadth-first matcher).
bool full_match(const std::string& pattern, const std::string& text) {
    if (pattern.size() > 1000)
        fail(ErrorKind::bad_input, "The adapter has a module pattern longer than 1000 characters.");
    try {
        std::regex compiled(pattern, std::regex::ECMAScript | std::regex_constants::__polynomial);
        return std::regex_match(text, compiled);
    } catch (const std::regex_error&) {
        fail(ErrorKind::unsupported, "The adapter's module pattern \"" + pattern
                                         + "\" is not a regular expression Tempera can read.");
    }
}

/// PEFT's rule for lists: the whole path, or its end after a dot.
bool names(const std::vector<std::string>& list, const std::string& path) {
    return std::any_of(list.begin(), list.end(), [&](const std::string& name) {
        return path == name
               || (path.size() > name.size() && path.ends_with(name)
                   && path[path.size() - name.size() - 1] == '.');
    });
}

bool targeted(const LoraConfig& config, const LinearModule& module) {
    if (names(config.excluded, module.path)) return false;
    if (config.targets.empty()) return full_match(config.target_pattern, module.path);
    bool all = config.targets == std::vector<std::string>{"all-linear"};
    if (!all && !names(config.targets, module.path)) return false;
    return config.blocks.empty() || std::count(config.blocks.begin(), config.blocks.end(), module.block) > 0;
}

/// PEFT's get_pattern_key: the value of the first key that matches the end of the path.
template <typename Value>
Value patterned(const std::map<std::string, Value>& patterns, const std::string& path, Value otherwise) {
    for (const auto& [key, value] : patterns)
        if (full_match("(.*\\.)?(" + key + ")", path)) return value;
    return otherwise;
}

[[noreturn]] void fail_targets(const std::string& wanted) {
    fail(ErrorKind::bad_input, "The adapter's targets (" + wanted
                                   + ") name no module of the model; choose among q_proj, k_proj, "
                                     "v_proj, o_proj, gate_proj, up_proj and down_proj, or all-linear.");
}

/// A misspelt one among good ones would train less than was asked.
void require_every_target(Decoder& model, const LoraConfig& config) {
    for (const std::string& target : config.targets) {
        bool found = target == "all-linear" && config.targets.size() == 1;
        for (const LinearModule& module : linear_modules(model))
            found = found || names({target}, module.path);
        if (!found) fail_targets(target);
    }
}

} // namespace

Decoder without_adapters(const Decoder& model) {
    Decoder bare = model;
    for (DecoderLayer& layer : bare.layers)
        for (Linear* linear : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down})
            linear->lora.clear();
    return bare;
}

std::vector<LoraSlice*> lora_slices(Decoder& model) {
    std::vector<LoraSlice*> slices;
    for (DecoderLayer& layer : model.layers)
        for (Linear* linear : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down})
            for (LoraSlice& slice : linear->lora)
                slices.push_back(&slice);
    return slices;
}

void attach_lora(Decoder& model, const LoraConfig& config, std::uint64_t seed, bool every_target) {
    if (names(config.targets, "lm_head") || names(config.targets, "model.embed_tokens"))
        fail(ErrorKind::unsupported,
             "Adapters on lm_head or embed_tokens are not supported; leave them out of the targets.");
    if (every_target) require_every_target(model, config);
    std::uint64_t stream = 0;
    bool any = false;
    for (const LinearModule& module : linear_modules(model)) {
        ++stream;
        if (!targeted(config, module)) continue;
        std::int64_t r = patterned(config.rank_pattern, module.path, config.r),
                     in = module.layer->weight.size(1);
        double alpha = patterned(config.alpha_pattern, module.path, config.alpha);
        LoraSlice slice;
        slice.module = module.path;
        slice.row_begin = module.row_begin;
        slice.row_end = module.row_end;
        slice.scaling = alpha / (config.rslora ? std::sqrt(static_cast<double>(r)) : static_cast<double>(r));
        slice.dropout = config.dropout;
        slice.a = at::empty({r, in}, at::kFloat);
        slice.b = at::zeros({module.row_end - module.row_begin, r}, at::kFloat);
        RandomStream random(seed, stream, 0x10a);
        double bound = 1 / std::sqrt(static_cast<double>(in));
        auto* a = slice.a.mutable_data_ptr<float>();
        for (std::int64_t k = 0; k < r * in; ++k)
            a[k] = static_cast<float>((2 * random.uniform() - 1) * bound);
        slice.a = slice.a.to(module.layer->weight.device());
        slice.b = slice.b.to(module.layer->weight.device());
        module.layer->lora.push_back(std::move(slice));
        any = true;
    }
    if (any) return;
    fail_targets(config.targets.empty() ? config.target_pattern : joined(config.targets));
}

void merge_lora(Decoder& model) {
    c10::NoGradGuard no_grad;
    for (LoraSlice* slice : lora_slices(model))
        if (!at::isfinite(slice->a).all().item<bool>() || !at::isfinite(slice->b).all().item<bool>())
            fail(ErrorKind::numeric,
                 "The adapter on " + slice->module + " holds NaN or infinite numbers and cannot be merged.");
    for (DecoderLayer& layer : model.layers)
        for (Linear* linear : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down}) {
            for (const LoraSlice& slice : linear->lora) {
                at::Tensor rows = linear->weight.narrow(0, slice.row_begin, slice.row_end - slice.row_begin);
                at::Tensor delta =
                    at::matmul(slice.b.to(at::kFloat), slice.a.to(at::kFloat)).mul_(slice.scaling);
                rows.copy_(rows.to(at::kFloat).add_(delta));
            }
            linear->lora.clear();
        }
}

} // namespace tempera
