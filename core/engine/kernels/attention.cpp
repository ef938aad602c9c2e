#include "core/engine/kernels/attention_kernel.h"
#include "core/engine/kernels/functions.h"
#include "core/engine/kernels/pointwise.h"

#include <torch/csrc/autograd/custom_function.h>

namespace tempera {

namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

using Shape = kernels::AttentionShape;

void rotate(const at::Tensor& qkv, const at::Tensor& cosine, const at::Tensor& sine,
            const at::Tensor& positions, const Shape& shape, float sign) {
    kernels::rope(qkv.mutable_data_ptr<float>(), qkv.size(1), qkv.size(0), shape.heads() + shape.kv_heads,
                  shape.d, cosine.const_data_ptr<float>(), sine.const_data_ptr<float>(),
                  positions.const_data_ptr<std::int32_t>(), sign);
}

struct AttentionFunction : Function<AttentionFunction> {
    static at::Tensor forward(AutogradContext* context, const at::Tensor& qkv, const at::Tensor& cosine,
                              const at::Tensor& sine, const at::Tensor& positions, at::IntArrayRef bounds,
                              at::IntArrayRef prefixes, std::int64_t kv_heads, std::int64_t group,
                              std::int64_t d) {
        Shape shape{kv_heads, group, d};
        rotate(qkv, cosine, sine, positions, shape, 1);
        at::Tensor out = at::empty({qkv.size(0), shape.heads() * d}, qkv.options());
        at::Tensor logsumexp = at::empty({shape.heads(), qkv.size(0)}, qkv.options());
        kernels::attention_forward(shape, {bounds, prefixes}, qkv.const_data_ptr<float>(),
                                   out.mutable_data_ptr<float>(), logsumexp.mutable_data_ptr<float>());
        context->save_for_backward({qkv, out, logsumexp, cosine, sine, positions});
        context->saved_data["bounds"] = bounds.vec();
        context->saved_data["prefixes"] = prefixes.vec();
        context->saved_data["kv_heads"] = kv_heads;
        context->saved_data["group"] = group;
        context->saved_data["d"] = d;
        return out;
    }

    static variable_list backward(AutogradContext* context, variable_list gradients) {
        auto saved = context->get_saved_variables();
        Shape shape{context->saved_data["kv_heads"].toInt(), context->saved_data["group"].toInt(),
                    context->saved_data["d"].toInt()};
        auto bounds = context->saved_data["bounds"].toIntVector();
        auto prefixes = context->saved_data["prefixes"].toIntVector();
        at::Tensor qkv = saved[0], dy = gradients[0].contiguous(), d = at::empty_like(qkv);
        kernels::attention_backward(shape, {bounds, prefixes}, qkv.const_data_ptr<float>(),
                                    saved[1].const_data_ptr<float>(), saved[2].const_data_ptr<float>(),
                                    dy.const_data_ptr<float>(), d.mutable_data_ptr<float>());
        rotate(d, saved[3], saved[4], saved[5], shape, -1);
        return {d, {}, {}, {}, {}, {}, {}, {}, {}};
    }
};

at::Tensor rotate_half(const at::Tensor& x, const at::Tensor& cosine, const at::Tensor& sine) {
    auto halves = x.chunk(2, -1);
    return at::cat({halves[0] * cosine - halves[1] * sine, halves[1] * cosine + halves[0] * sine}, -1);
}

/// The same out of ATen operations, for other devices, types and odd widths.
at::Tensor attention_reference(const at::Tensor& qkv, const Shape& shape, const RopeTable& rope,
                               const TokenRow& row) {
    at::Tensor split = qkv.view({qkv.size(0), -1, shape.d}); // (T, heads + 2 kv_heads, D)
    at::Tensor cosine = rope.cosine.index_select(0, row.positions).unsqueeze(1).to(qkv.scalar_type());
    at::Tensor sine = rope.sine.index_select(0, row.positions).unsqueeze(1).to(qkv.scalar_type());
    at::Tensor qk = rotate_half(split.narrow(1, 0, shape.heads() + shape.kv_heads), cosine, sine);
    std::vector<at::Tensor> results;
    auto rows_of = [&](const at::Tensor& x, std::int64_t s, std::int64_t first, std::int64_t count) {
        std::int64_t begin = row.bounds[static_cast<std::size_t>(s)];
        std::int64_t length = row.bounds[static_cast<std::size_t>(s) + 1] - begin;
        return x.narrow(0, begin, length).narrow(1, first, count).transpose(0, 1).unsqueeze(0);
    };
    for (std::int64_t s = 0; s < row.sequences(); ++s) {
        const std::int64_t prefix = row.prefix_of(s);
        auto seen = [&](const at::Tensor& x, std::int64_t first) {
            at::Tensor own = rows_of(x, s, first, shape.kv_heads);
            return prefix < 0 ? own : at::cat({rows_of(x, prefix, first, shape.kv_heads), own}, 2);
        };
        at::Tensor q = rows_of(qk, s, 0, shape.heads()), k = seen(qk, shape.heads()),
                   v = seen(split, shape.heads() + shape.kv_heads);
        std::optional<at::Tensor> mask;
        if (prefix >= 0)
            mask = at::ones({q.size(2), k.size(2)}, q.options().dtype(at::kBool)).tril(k.size(2) - q.size(2));
        at::Tensor y =
            at::scaled_dot_product_attention(q, k, v, mask, 0.0, prefix<0, std::nullopt, shape.group> 1);
        results.push_back(y.squeeze(0).transpose(0, 1).reshape({q.size(2), -1}));
    }
    return at::cat(results, 0);
}

} // namespace

at::Tensor attention(const at::Tensor& qkv, const ModelConfig& config, const RopeTable& rope,
                     const TokenRow& row) {
    Shape shape{config.kv_heads, config.heads / config.kv_heads, config.head_dim};
    constexpr std::int64_t vector = 16;
    if (qkv.device().is_cpu() && qkv.scalar_type() == at::kFloat && config.head_dim % vector == 0)
        return AttentionFunction::apply(qkv, rope.cosine, rope.sine, row.positions,
                                        at::IntArrayRef(row.bounds), at::IntArrayRef(row.prefixes),
                                        shape.kv_heads, shape.group, shape.d);
    return attention_reference(qkv, shape, rope, row);
}

} // namespace tempera
