#include "core/engine/kernels/functions.h"

#include "core/engine/kernels/gradient.h"
#include "core/engine/kernels/pointwise.h"

#include <torch/csrc/autograd/custom_function.h>

namespace tempera {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

bool native(const at::Tensor& x) {
    return x.device().is_cpu() && x.scalar_type() == at::kFloat;
}

const float* in(const at::Tensor& x) {
    return x.defined() ? x.const_data_ptr<float>() : nullptr;
}

float* out(const at::Tensor& x) {
    return x.mutable_data_ptr<float>();
}

/// An undefined tensor as autograd functions want it.
std::optional<at::Tensor> if_defined(const at::Tensor& x) {
    return x.defined() ? std::optional(x) : std::nullopt;
}

struct EmbedFunction : Function<EmbedFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& weight, const at::Tensor& ids) {
        context->save_for_backward({weight, ids});
        return weight.index_select(0, ids);
    }
    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        at::Tensor sum = gradient_of(saved[0]), dy = gradients[0].contiguous();
        kernels::embedding_backward(in(dy), saved[1].const_data_ptr<std::int32_t>(), out(sum), dy.size(0),
                                    dy.size(1));
        return {{}, {}};
    }
};

struct NormFunction : Function<NormFunction> {
    static variable_list forward(AutogradContext* context, const at::Tensor& x,
                                 const std::optional<at::Tensor>& optional_delta, const at::Tensor& weight,
                                 double eps) {
        at::Tensor delta = optional_delta.value_or(at::Tensor());
        at::Tensor y = at::empty_like(x), rstd = at::empty({x.size(0)}, x.options());
        // Nothing but this function reads delta: its memory takes the sum.
        at::Tensor sum = (delta.defined() ? delta : x).variable_data();
        kernels::rms_norm_forward(in(x), in(delta), in(weight), out(sum), out(y), out(rstd), x.size(0),
                                  x.size(1), eps);
        context->save_for_backward({sum, weight, rstd});
        context->set_materialize_grads(false);
        context->saved_data["delta"] = delta.defined();
        return {sum, y};
    }
    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        at::Tensor dy = gradients[1].contiguous();
        at::Tensor residual = gradients[0].defined() ? gradients[0].contiguous() : at::Tensor();
        at::Tensor dx = at::empty_like(dy), sum = gradient_of(saved[1]);
        kernels::rms_norm_backward(in(dy), in(saved[0]), in(saved[1]), in(saved[2]), in(residual), out(dx),
                                   sum.defined() ? out(sum) : nullptr, dy.size(0), dy.size(1));
        return {dx, context->saved_data["delta"].toBool() ? dx : at::Tensor(), {}, {}};
    }
};

struct SwigluFunction : Function<SwigluFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& gate_up) {
        context->save_for_backward({gate_up});
        at::Tensor y = at::empty({gate_up.size(0), gate_up.size(1) / 2}, gate_up.options());
        kernels::swiglu_forward(in(gate_up), out(y), y.size(0), y.size(1));
        return y;
    }
    static variable_list backward(AutogradContext* context, variable_list gradients) {
        at::Tensor gate_up = context->get_saved_variables()[0], dy = gradients[0].contiguous();
        at::Tensor d = at::empty_like(gate_up);
        kernels::swiglu_backward(in(gate_up), in(dy), out(d), dy.size(0), dy.size(1));
        return {d};
    }
};

} // namespace

at::Tensor embed(const at::Tensor& weight, const at::Tensor& ids) {
    if (native(weight)) return EmbedFunction::apply(weight, ids);
    return at::embedding(weight, ids);
}

NormResult add_rms_norm(const at::Tensor& x, const at::Tensor& delta, const at::Tensor& weight, double eps) {
    if (native(x)) {
        variable_list both = NormFunction::apply(x, if_defined(delta), weight, eps);
        return {both[0], both[1]};
    }
    at::Tensor sum = delta.defined() ? x + delta : x;
    at::Tensor wide = sum.to(at::kFloat);
    at::Tensor y = wide * at::rsqrt(wide.square().mean(-1, true) + eps);
    return {sum, (y * weight).to(sum.scalar_type())};
}

at::Tensor swiglu(const at::Tensor& gate_up) {
    if (native(gate_up)) return SwigluFunction::apply(gate_up);
    auto halves = gate_up.chunk(2, -1);
    return at::silu(halves[0]) * halves[1];
}

} // namespace tempera
