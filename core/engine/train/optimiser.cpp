#include "core/engine/train/optimiser.h"

#include "core/engine/lora/lora.h"

#include <c10/core/GradMode.h>
#include <cmath>

namespace tempera {

namespace {

bool native(const at::Tensor& x) {
    return x.device().is_cpu() && x.scalar_type() == at::kFloat && x.is_contiguous();
}

/// kernels::adamw_step out of ATen operations, for other devices.
void adamw_reference(const kernels::AdamW& o, const at::Tensor& weight, const at::Tensor& gradient,
                     at::Tensor first, at::Tensor second) {
    at::Tensor g = gradient * o.gradient_scale;
    first.mul_(o.beta1).add_(g, 1 - o.beta1);
    second.mul_(o.beta2).addcmul_(g, g, 1 - o.beta2);
    auto step = static_cast<double>(o.step);
    double correction1 = 1 - std::pow(o.beta1, step), correction2 = std::sqrt(1 - std::pow(o.beta2, step));
    weight.mul_(1 - o.learning_rate * o.weight_decay);
    weight.addcdiv_(first, (second.sqrt() / correction2).add_(o.epsilon), -o.learning_rate / correction1);
}

} // namespace

std::vector<Parameter> trained_parameters(Decoder& model) {
    std::vector<Parameter> list;
    bool adapters = !lora_slices(model).empty();
    auto add = [&](const std::string& name, const at::Tensor& weight, bool decays) {
        list.push_back({name, weight, decays});
    };
    if (!adapters) add("embed_tokens", model.embedding, true);
    for (std::size_t l = 0; l < model.layers.size(); ++l) {
        DecoderLayer& layer = model.layers[l];
        std::string prefix = "layers." + std::to_string(l) + ".";
        auto add_linear = [&](const char* name, const Linear& linear) {
            for (const LoraSlice& slice : linear.lora) {
                add(slice.module + ".lora_A", slice.a, true);
                add(slice.module + ".lora_B", slice.b, true);
            }
            if (adapters) return;
            add(prefix + name + ".weight", linear.weight, true);
            if (linear.bias.defined()) add(prefix + name + ".bias", linear.bias, false);
        };
        if (!adapters) add(prefix + "input_norm", layer.input_norm, false);
        add_linear("qkv", layer.qkv);
        add_linear("o", layer.o);
        if (!adapters) add(prefix + "post_attention_norm", layer.post_attention_norm, false);
        add_linear("gate_up", layer.gate_up);
        add_linear("down", layer.down);
    }
    if (!adapters) add("final_norm", model.final_norm, false);
    if (!adapters && !model.config.tied_embeddings) add("lm_head", model.lm_head.weight, true);
    return list;
}

Optimiser::Optimiser(std::vector<Parameter> parameters) : parameters_(std::move(parameters)) {
    constexpr std::int64_t line = 16; // every tensor's part begins on a cache line
    for (Parameter& parameter : parameters_) {
        parameter.offset = size_;
        size_ += (parameter.weight.numel() + line - 1) / line * line;
    }
    auto options = parameters_.front().weight.options().dtype(at::kFloat).requires_grad(false);
    gradients_ = at::zeros({size_}, options);
    first_ = at::zeros({size_}, options);
    second_ = at::zeros({size_}, options);
    for (Parameter& parameter : parameters_) {
        parameter.weight.requires_grad_(true);
        parameter.weight.mutable_grad() =
            gradients_.narrow(0, parameter.offset, parameter.weight.numel()).view(parameter.weight.sizes());
    }
}

Optimiser::~Optimiser() {
    for (Parameter& parameter : parameters_) {
        parameter.weight.mutable_grad() = at::Tensor();
        parameter.weight.requires_grad_(false);
    }
}

std::int64_t Optimiser::parameter_count() const {
    std::int64_t count = 0;
    for (const Parameter& parameter : parameters_)
        count += parameter.weight.numel();
    return count;
}

void Optimiser::clear_gradients() {
    gradients_.zero_();
}

double Optimiser::gradient_norm() const {
    if (native(gradients_))
        return std::sqrt(kernels::sum_of_squares(gradients_.const_data_ptr<float>(), size_));
    return gradients_.norm().item<double>();
}

void Optimiser::step(const kernels::AdamW& options) {
    c10::NoGradGuard no_grad;
    for (Parameter& parameter : parameters_) {
        kernels::AdamW own = options;
        if (!parameter.decays) own.weight_decay = 0;
        std::int64_t n = parameter.weight.numel(), at = parameter.offset;
        if (native(parameter.weight))
            kernels::adamw_step(
                own, parameter.weight.mutable_data_ptr<float>(), gradients_.const_data_ptr<float>() + at,
                first_.mutable_data_ptr<float>() + at, second_.mutable_data_ptr<float>() + at, n);
        else
            adamw_reference(own, parameter.weight.view({-1}), gradients_.narrow(0, at, n),
                            first_.narrow(0, at, n), second_.narrow(0, at, n));
    }
}

} // namespace tempera
