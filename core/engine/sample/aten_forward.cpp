#include "core/engine/sample/aten_forward.h"

#include <algorithm>
#include <c10/core/InferenceMode.h>
#include <cmath>
#include <cstring>

namespace tempera {

namespace {

using at::indexing::Slice;

at::Tensor linear(const Linear& layer, const at::Tensor& x) {
    at::Tensor y = at::linear(x, layer.weight, layer.bias);
    for (const LoraSlice& l : layer.lora) {
        at::Tensor low = at::linear(x.to(l.a.scalar_type()), l.a);
        y.narrow(1, l.row_begin, l.row_end - l.row_begin)
            .add_(at::linear(low, l.b).to(y.scalar_type()), l.scaling);
    }
    return y;
}

at::Tensor norm(const at::Tensor& x, const at::Tensor& weight, double eps) {
    at::Tensor wide = x.to(at::kFloat);
    wide = wide * at::rsqrt(wide.square().mean(-1, true) + eps);
    return weight * wide.to(x.scalar_type());
}

at::Tensor rotate(const at::Tensor& x, const at::Tensor& cosines, const at::Tensor& sines) {
    const std::int64_t half = x.size(-1) / 2;
    at::Tensor turned = at::cat({-x.slice(-1, half), x.slice(-1, 0, half)}, -1);
    return x * cosines + turned * sines;
}

} // namespace

/// A prompt's: keys and values (kv_heads, tokens, head_dim) per layer. A sequence's: a row of Rows, from its
/// first step on.
class AtenForward::Cache final : public TokenCache {
public:
    explicit Cache(std::shared_ptr<Rows> rows) : rows_(std::move(rows)) {}
    ~Cache() override {
        if (row >= 0) rows_->free.push_back(row);
    }
    void reserve(std::int64_t) override {}

    std::vector<at::Tensor> keys, values;
    std::int64_t row = -1;

private:
    std::shared_ptr<Rows> rows_;
};

AtenForward::AtenForward(const Decoder& decoder)
    : decoder_(decoder), rotary_(decoder.config), rows_(std::make_shared<Rows>()) {}

AtenForward::~AtenForward() = default;

std::unique_ptr<TokenCache> AtenForward::make_cache() {
    return std::make_unique<Cache>(rows_);
}

std::int64_t AtenForward::cache_bytes_per_token() const {
    const ModelConfig& c = decoder_.config;
    return 2 * c.layers * c.kv_heads * c.head_dim
           * static_cast<std::int64_t>(decoder_.embedding.element_size());
}

at::Tensor AtenForward::embed(Batch lanes) const {
    std::vector<std::int64_t> ids;
    for (const Lane& lane : lanes)
        ids.push_back(lane.token);
    return decoder_.embedding.index_select(0, at::tensor(ids, at::kLong).to(decoder_.embedding.device()));
}

AtenForward::Rotation AtenForward::rotation(Batch lanes) {
    const auto count = static_cast<std::int64_t>(lanes.size());
    const std::int64_t half = rotary_.half();
    at::Tensor cosines = at::empty({count, 1, 2 * half}, at::kFloat), sines = at::empty_like(cosines);
    for (std::int64_t i = 0; i < count; ++i) {
        const std::int64_t position = lanes[static_cast<std::size_t>(i)].position;
        rotary_.grow(position + 1);
        for (std::int64_t copy : {std::int64_t{0}, half}) {
            std::copy_n(rotary_.cosines(position), half, cosines.data_ptr<float>() + 2 * half * i + copy);
            std::copy_n(rotary_.sines(position), half, sines.data_ptr<float>() + 2 * half * i + copy);
        }
    }
    return {cosines.to(decoder_.embedding.options()), sines.to(decoder_.embedding.options())};
}

AtenForward::Heads AtenForward::project(const DecoderLayer& layer, const at::Tensor& x,
                                        const Rotation& rotation) const {
    const ModelConfig& c = decoder_.config;
    at::Tensor all =
        linear(layer.qkv, norm(x, layer.input_norm, c.rms_norm_eps)).view({x.size(0), -1, c.head_dim});
    at::Tensor q = all.narrow(1, 0, c.heads), k = all.narrow(1, c.heads, c.kv_heads);
    return {rotate(q, rotation.cosines, rotation.sines), rotate(k, rotation.cosines, rotation.sines),
            all.narrow(1, c.heads + c.kv_heads, c.kv_heads)};
}

at::Tensor AtenForward::feed_forward(const DecoderLayer& layer, const at::Tensor& x) const {
    at::Tensor both = linear(layer.gate_up, norm(x, layer.post_attention_norm, decoder_.config.rms_norm_eps));
    const std::int64_t half = decoder_.config.intermediate_size;
    return linear(layer.down, at::silu(both.narrow(1, 0, half)) * both.narrow(1, half, half));
}

/// Lanes of one prompt, in order.
bool AtenForward::read_prompt(Batch lanes) {
    auto& cache = static_cast<Cache&>(*lanes.front().prompt);
    const std::int64_t before = lanes.front().position,
                       after = before + static_cast<std::int64_t>(lanes.size());
    cache.keys.resize(decoder_.layers.size());
    cache.values.resize(decoder_.layers.size());
    const Rotation turn = rotation(lanes);
    at::Tensor x = embed(lanes);
    at::Tensor allowed = at::ones({after - before, after}, x.options().dtype(at::kBool))
                             .tril(before); // lane i sees tokens up to itself
    for (std::size_t l = 0; l < decoder_.layers.size(); ++l) {
        const DecoderLayer& layer = decoder_.layers[l];
        Heads h = project(layer, x, turn);
        at::Tensor k = h.k.transpose(0, 1), v = h.v.transpose(0, 1);
        cache.keys[l] = before ? at::cat({cache.keys[l], k}, 1) : k.contiguous();
        cache.values[l] = before ? at::cat({cache.values[l], v}, 1) : v.contiguous();
        at::Tensor mixed = at::scaled_dot_product_attention(
            h.q.transpose(0, 1).unsqueeze(0), cache.keys[l].unsqueeze(0), cache.values[l].unsqueeze(0),
            allowed, 0, false, std::nullopt, true);
        x = x + linear(layer.o, mixed.squeeze(0).transpose(0, 1).reshape({x.size(0), -1}));
        x = x + feed_forward(layer, x);
    }
    return emit(x, lanes);
}

void AtenForward::grow_rows(std::int64_t rows, std::int64_t length) {
    Rows& r = *rows_;
    if (rows <= r.count && length <= r.length) return;
    const std::int64_t new_rows = std::max(rows, r.count),
                       new_length = std::max(r.length, (length + 127) / 128 * 128);
    const ModelConfig& c = decoder_.config;
    for (auto* side : {&r.keys, &r.values}) {
        side->resize(decoder_.layers.size());
        for (at::Tensor& old : *side) {
            at::Tensor grown =
                at::zeros({new_rows, c.kv_heads, new_length, c.head_dim}, decoder_.embedding.options());
            if (r.count > 0) grown.narrow(0, 0, r.count).narrow(2, 0, r.length).copy_(old);
            old = grown;
        }
    }
    for (std::int64_t i = r.count; i < new_rows; ++i)
        r.free.push_back(i);
    r.count = new_rows;
    r.length = new_length;
}

void AtenForward::enter_row(Cache& own, const Cache& prompt, std::int64_t prompt_tokens) {
    if (rows_->free.empty()) grow_rows(std::max<std::int64_t>(8, 2 * rows_->count), rows_->length);
    own.row = rows_->free.back();
    rows_->free.pop_back();
    for (std::size_t l = 0; l < decoder_.layers.size(); ++l) {
        rows_->keys[l].select(0, own.row).narrow(1, 0, prompt_tokens).copy_(prompt.keys[l]);
        rows_->values[l].select(0, own.row).narrow(1, 0, prompt_tokens).copy_(prompt.values[l]);
    }
}

bool AtenForward::step(Batch lanes) {
    std::int64_t longest = 0;
    for (const Lane& lane : lanes)
        longest = std::max(longest, lane.position + 1);
    grow_rows(rows_->count, longest);
    std::vector<std::int64_t> rows, positions;
    for (const Lane& lane : lanes) {
        auto& own = static_cast<Cache&>(*lane.own);
        if (own.row < 0) enter_row(own, static_cast<const Cache&>(*lane.prompt), lane.prompt_tokens);
        rows.push_back(own.row);
        positions.push_back(lane.position);
    }
    const at::Device device = decoder_.embedding.device();
    at::Tensor row = at::tensor(rows, at::kLong).to(device),
               position = at::tensor(positions, at::kLong).to(device);
    at::Tensor allowed =
        (at::arange(longest, row.options()).unsqueeze(0) <= position.unsqueeze(1)).view({-1, 1, 1, longest});
    const Rotation turn = rotation(lanes);
    at::Tensor x = embed(lanes);
    for (std::size_t l = 0; l < decoder_.layers.size(); ++l) {
        const DecoderLayer& layer = decoder_.layers[l];
        Heads h = project(layer, x, turn);
        at::Tensor &keys = rows_->keys[l], &values = rows_->values[l];
        keys.index_put_({row, Slice(), position}, h.k);
        values.index_put_({row, Slice(), position}, h.v);
        at::Tensor k = keys.narrow(2, 0, longest).index_select(0, row),
                   v = values.narrow(2, 0, longest).index_select(0, row);
        at::Tensor mixed =
            at::scaled_dot_product_attention(h.q.unsqueeze(2), k, v, allowed, 0, false, std::nullopt, true);
        x = x + linear(layer.o, mixed.reshape({x.size(0), -1}));
        x = x + feed_forward(layer, x);
    }
    return emit(x, lanes);
}

bool AtenForward::emit(const at::Tensor& hidden, Batch lanes) {
    std::vector<std::int64_t> wanted;
    for (std::size_t i = 0; i < lanes.size(); ++i)
        if (lanes[i].logits) wanted.push_back(static_cast<std::int64_t>(i));
    if (wanted.empty()) return true;
    at::Tensor x = hidden.index_select(0, at::tensor(wanted, at::kLong).to(hidden.device()));
    x = norm(x, decoder_.final_norm, decoder_.config.rms_norm_eps);
    at::Tensor rows = linear(decoder_.lm_head, x).to(at::kCPU, at::kFloat).contiguous();
    const auto bytes = static_cast<std::size_t>(rows.size(1)) * sizeof(float);
    for (std::size_t i = 0; i < wanted.size(); ++i)
        std::memcpy(lanes[static_cast<std::size_t>(wanted[i])].logits,
                    rows.data_ptr<float>() + static_cast<std::int64_t>(i) * rows.size(1), bytes);
    return at::isfinite(rows).all().item<bool>();
}

bool AtenForward::run(std::span<const Chain> chains) {
    c10::InferenceMode inference;
    bool finite = true;
    for (const Chain& chain : chains)
        for (Batch batch : chain) {
            if (batch.empty()) continue;
            if (batch.front().own) {
                finite = step(batch) && finite;
                continue;
            }
            for (std::size_t begin = 0, end = 0; begin < batch.size(); begin = end) {
                while (end < batch.size() && batch[end].prompt == batch[begin].prompt)
                    ++end;
                finite = read_prompt(batch.subspan(begin, end - begin)) && finite;
            }
        }
    return finite;
}

} // namespace tempera
