#include "core/engine/kernels/functions.h"
#include "core/engine/kernels/gemm.h"
#include "core/engine/kernels/gradient.h"
#include "core/engine/kernels/pointwise.h"

#include <torch/csrc/autograd/custom_function.h>

namespace tempera {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// What a LoRA slice is besides its tensors, and how its dropout is drawn.
struct SlicePlan {
    std::int64_t begin, count;
    double scaling, dropout;
    std::uint32_t module;
};

struct LinearPlan : torch::CustomClassHolder {
    std::vector<SlicePlan> slices;
    std::uint64_t seed = 0;
    at::Tensor streams, positions;

    at::Tensor dropped(const at::Tensor& x, const SlicePlan& slice) const {
        if (slice.dropout <= 0) return x;
        at::Tensor y = at::empty_like(x);
        drop(x, y, slice);
        return y;
    }
    void drop(const at::Tensor& x, const at::Tensor& y, const SlicePlan& slice) const {
        kernels::dropout(x.const_data_ptr<float>(), y.mutable_data_ptr<float>(), x.size(0), x.size(1),
                         slice.dropout, seed, streams.const_data_ptr<std::int64_t>(),
                         positions.const_data_ptr<std::int32_t>(), slice.module);
    }
};

/// tensors: x, weight, bias, then a, b of every slice.
struct LinearFunction : Function<LinearFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight,
                              const std::optional<at::Tensor>& optional_bias, at::TensorList pairs,
                              const c10::intrusive_ptr<LinearPlan>& plan) {
        at::Tensor bias = optional_bias.value_or(at::Tensor());
        at::Tensor y = kernels::matmul_nt(x, weight);
        if (bias.defined()) y.add_(bias);
        variable_list saved{x, weight, bias};
        for (std::size_t s = 0; s < plan->slices.size(); ++s) {
            const SlicePlan& slice = plan->slices[s];
            at::Tensor u = kernels::matmul_nt(plan->dropped(x, slice), pairs[2 * s]);
            kernels::matmul_nt_into(y.narrow(1, slice.begin, slice.count), u, pairs[2 * s + 1], true,
                                    slice.scaling);
            saved.insert(saved.end(), {pairs[2 * s], pairs[2 * s + 1], u});
        }
        context->save_for_backward(std::move(saved));
        context->saved_data["plan"] = c10::IValue::make_capsule(plan);
        context->saved_data["dx"] = x.requires_grad();
        return y;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        auto plan = c10::static_intrusive_pointer_cast<LinearPlan>(context->saved_data["plan"].toCapsule());
        at::Tensor x = saved[0], weight = saved[1], dy = gradients[0].contiguous(), dx;
        bool wants_dx = context->saved_data["dx"].toBool();
        if (at::Tensor sum = gradient_of(weight); sum.defined()) kernels::accumulate_tn(sum, dy, x);
        if (at::Tensor sum = gradient_of(saved[2]); sum.defined()) sum.add_(dy.sum(0));
        if (wants_dx) dx = kernels::matmul_nn(dy, weight);
        for (std::size_t s = 0; s < plan->slices.size(); ++s) {
            const SlicePlan& slice = plan->slices[s];
            at::Tensor a = saved[3 + 3 * s], b = saved[4 + 3 * s], u = saved[5 + 3 * s];
            at::Tensor d = dy.narrow(1, slice.begin, slice.count);
            at::Tensor du = kernels::matmul_nn(d, b).mul_(slice.scaling); // (T, r)
            if (at::Tensor sum = gradient_of(b); sum.defined())
                kernels::accumulate_tn(sum, d, u, slice.scaling);
            if (at::Tensor sum = gradient_of(a); sum.defined())
                kernels::accumulate_tn(sum, du, plan->dropped(x, slice));
            if (!wants_dx) continue;
            if (slice.dropout <= 0) {
                kernels::matmul_nn_into(dx, du, a, true);
            } else {
                at::Tensor back = kernels::matmul_nn(du, a);
                plan->drop(back, back, slice);
                dx.add_(back);
            }
        }
        // One entry an input: x, weight, bias, every a and b, plan. The weights' gradients are added above.
        variable_list result(4 + 2 * plan->slices.size());
        result[0] = dx;
        return result;
    }
};

/// The same out of ATen operations, computing in the type of x, for other devices and types.
at::Tensor linear_reference(const at::Tensor& x, const Linear& layer, const LinearPlan& plan) {
    auto like_x = [&](const at::Tensor& w) { return w.defined() ? w.to(x.scalar_type()) : w; };
    at::Tensor y = at::linear(x, like_x(layer.weight), like_x(layer.bias));
    for (std::size_t s = 0; s < plan.slices.size(); ++s) {
        const SlicePlan& slice = plan.slices[s];
        at::Tensor input = x.to(at::kFloat);
        if (slice.dropout > 0) {
            at::Tensor mask = at::ones({x.size(0), x.size(1)}, at::kFloat);
            LinearPlan on_cpu = plan;
            on_cpu.positions = plan.positions.cpu();
            on_cpu.drop(mask, mask, slice);
            input = input * mask.to(x.device());
        }
        at::Tensor delta = at::linear(at::linear(input, layer.lora[s].a), layer.lora[s].b) * slice.scaling;
        std::int64_t after = y.size(1) - slice.begin - slice.count;
        y = y + at::constant_pad_nd(delta, {slice.begin, after}).to(y.scalar_type());
    }
    return y;
}

} // namespace

at::Tensor linear(const at::Tensor& x, const Linear& layer, const TokenRow& row, const DropoutSource& dropout,
                  std::uint32_t first_module) {
    auto plan = c10::make_intrusive<LinearPlan>();
    plan->seed = dropout.seed;
    plan->streams = row.streams;
    plan->positions = row.positions;
    variable_list pairs;
    for (const LoraSlice& slice : layer.lora) {
        plan->slices.push_back({slice.row_begin, slice.row_end - slice.row_begin, slice.scaling,
                                dropout.training ? slice.dropout : 0, first_module++});
        pairs.insert(pairs.end(), {slice.a, slice.b});
    }
    if (x.device().is_cpu() && x.scalar_type() == at::kFloat)
        return LinearFunction::apply(x, layer.weight,
                                     layer.bias.defined() ? std::optional(layer.bias) : std::nullopt,
                                     at::TensorList(pairs), plan);
    return linear_reference(x, layer, *plan);
}

} // namespace tempera
