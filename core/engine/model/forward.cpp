#include "core/engine/model/forward.h"

namespace tempera {

namespace {

/// The numbers of the dropout streams: every LoRA slice of the model has its own.
class ModuleCounter {
public:
    std::uint32_t next(const Linear& layer) {
        std::uint32_t first = count_;
        count_ += static_cast<std::uint32_t>(layer.lora.size());
        return first;
    }

private:
    std::uint32_t count_ = 0;
};

TokenRow select_tokens(const TokenRow& row, const at::Tensor& wanted) {
    TokenRow part = row;
    part.positions = row.positions.index_select(0, wanted);
    part.streams = row.streams.index_select(0, wanted.cpu());
    return part;
}

} // namespace

at::Tensor decoder_hidden(const Decoder& model, const TokenRow& whole, const RopeTable& rope,
                          const DropoutSource& dropout, const at::Tensor& wanted,
                          at::ScalarType compute_type) {
    const double eps = model.config.rms_norm_eps;
    ModuleCounter modules;
    TokenRow row = whole;
    at::Tensor stream = embed(model.embedding, row.ids).to(compute_type), delta;
    for (std::size_t l = 0; l < model.layers.size(); ++l) {
        const DecoderLayer& layer = model.layers[l];
        NormResult norm = add_rms_norm(stream, delta, layer.input_norm, eps);
        at::Tensor qkv = linear(norm.y, layer.qkv, row, dropout, modules.next(layer.qkv));
        at::Tensor mixed = attention(qkv, model.config, rope, row);
        stream = norm.sum;
        if (wanted.defined() && l + 1 == model.layers.size()) {
            mixed = mixed.index_select(0, wanted);
            stream = stream.index_select(0, wanted);
            row = select_tokens(row, wanted);
        }
        delta = linear(mixed, layer.o, row, dropout, modules.next(layer.o));
        norm = add_rms_norm(stream, delta, layer.post_attention_norm, eps);
        at::Tensor gate_up = linear(norm.y, layer.gate_up, row, dropout, modules.next(layer.gate_up));
        delta = linear(swiglu(gate_up), layer.down, row, dropout, modules.next(layer.down));
        stream = norm.sum;
    }
    return add_rms_norm(stream, delta, model.final_norm, eps).y;
}

at::Tensor decoder_logits(const Decoder& model, const at::Tensor& hidden) {
    at::Tensor logits = at::linear(hidden, model.lm_head.weight.to(hidden.scalar_type()), model.lm_head.bias);
    return logits.to(at::kFloat);
}

} // namespace tempera
