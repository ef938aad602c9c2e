#include "core/base/error.h"
#include "core/engine/kernels/functions.h"
#include "core/engine/kernels/pointwise.h"
#include "core/engine/model/disentangled.h"
#include "core/engine/model/encoder.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <vector>

namespace tempera {

namespace {

/// Draws one mask after another. A row's mask depends on the stream of its sequence, its place in the padded
/// tensor and the number of the mask.
class Masks {
public:
    Masks(const EncoderDropout& dropout, const EncoderBatch& batch)
        : dropout_(dropout), streams_(batch.streams.defined() ? batch.streams.cpu() : at::Tensor()) {}

    /// x (B, ..., C) with its elements dropped with probability p.
    at::Tensor apply(const at::Tensor& x, double p) {
        ++substream_;
        if (!dropout_.training || p <= 0) return x;
        const std::int64_t c = x.size(-1), rows = x.numel() / c, each = rows / x.size(0);
        at::Tensor mask = at::ones({rows, c}, at::kFloat);
        at::Tensor streams = streams_.repeat_interleave(each);
        at::Tensor places = at::arange(each, at::kInt).repeat({x.size(0)});
        kernels::dropout(mask.const_data_ptr<float>(), mask.mutable_data_ptr<float>(), rows, c, p,
                         dropout_.seed, streams.const_data_ptr<std::int64_t>(),
                         places.const_data_ptr<std::int32_t>(), substream_);
        return x * mask.view(x.sizes()).to(x.device());
    }

private:
    const EncoderDropout& dropout_;
    at::Tensor streams_;
    std::uint32_t substream_ = 0;
};

at::Tensor through(const at::Tensor& x, const Linear& layer) {
    std::vector<std::int64_t> sizes = x.sizes().vec();
    sizes.back() = layer.weight.size(0);
    return linear(x.reshape({-1, x.size(-1)}), layer, {}, {}, 0).view(sizes);
}

at::Tensor normalise(const EncoderConfig& config, const at::Tensor& x, const LayerNormWeights& norm) {
    return at::layer_norm(x, {x.size(-1)}, norm.weight, norm.bias, config.layer_norm_eps);
}

/// What all layers share.
struct Shared {
    at::Tensor padding; ///< (B, 1, 1, T) bool, true where a key is padding; undefined without padding
    at::Tensor table;   ///< relative_table()
    at::Tensor rows;    ///< relative_rows()
};

at::Tensor attend(const Encoder& model, const EncoderLayer& layer, const at::Tensor& x, const Shared& shared,
                  Masks& masks) {
    const EncoderConfig& config = model.config;
    const std::int64_t b = x.size(0), t = x.size(1), d = config.head_dim();
    auto heads = [&](const Linear& linear) {
        return through(x, linear).view({b, t, config.heads, d}).transpose(1, 2);
    };
    at::Tensor query = heads(layer.query), key = heads(layer.key), value = heads(layer.value);
    const double factor = config.relative_attention ? score_factor(config) : 1;
    at::Tensor scores =
        at::matmul(query * (1 / std::sqrt(static_cast<double>(d) * factor)), key.transpose(2, 3));
    if (shared.rows.defined() && factor > 1)
        scores = scores + relative_bias(config, layer, query, key, shared.table, shared.rows);
    if (shared.padding.defined())
        scores = scores.masked_fill(shared.padding, std::numeric_limits<float>::lowest());
    at::Tensor weights = masks.apply(at::softmax(scores, -1), config.attention_dropout);
    return at::matmul(weights, value).transpose(1, 2).reshape({b, t, config.hidden_size});
}

at::Tensor block(const Encoder& model, const EncoderLayer& layer, const at::Tensor& x, const Shared& shared,
                 Masks& masks) {
    const EncoderConfig& config = model.config;
    at::Tensor attended = through(attend(model, layer, x, shared, masks), layer.output);
    if (config.family != EncoderConfig::Family::distilbert) // DistilBERT has no dropout there
        attended = masks.apply(attended, config.hidden_dropout);
    at::Tensor y = normalise(config, x + attended, layer.attention_norm);
    at::Tensor inner = at::gelu(through(y, layer.up));
    inner = masks.apply(through(inner, layer.down), config.hidden_dropout);
    return normalise(config, y + inner, layer.output_norm);
}

void check_range(const at::Tensor& ids, std::int64_t limit, const char* what) {
    if (ids.min().item<std::int64_t>() >= 0 && ids.max().item<std::int64_t>() < limit) return;
    fail(ErrorKind::bad_input, std::string("A text has a ") + what + " that the model does not have (it has "
                                   + std::to_string(limit) + "); its tokenizer belongs to another model.");
}

at::Tensor embed_inputs(const Encoder& model, const EncoderBatch& batch, const at::Tensor& present,
                        Masks& masks) {
    const EncoderConfig& config = model.config;
    check_range(batch.ids, config.vocab_size, "token");
    at::Tensor x = at::embedding(model.words, batch.ids);
    if (model.positions.defined()) x = x + model.positions.narrow(0, 0, batch.ids.size(1));
    if (model.types.defined()) {
        check_range(batch.type_ids, config.type_vocab_size, "token type");
        x = x + at::embedding(model.types, batch.type_ids);
    }
    if (model.widen.weight.defined()) x = through(x, model.widen);
    x = normalise(config, x, model.embedding_norm);
    if (config.family == EncoderConfig::Family::deberta) x = x * present.unsqueeze(2).to(x.scalar_type());
    return masks.apply(x, config.hidden_dropout);
}

at::Tensor head(const Encoder& model, const at::Tensor& first, Masks& masks) {
    const EncoderConfig& config = model.config;
    at::Tensor x = through(masks.apply(first, config.pooler_dropout), model.pooler);
    switch (config.family) {
    case EncoderConfig::Family::bert:
        x = at::tanh(x);
        break;
    case EncoderConfig::Family::distilbert:
        x = at::relu(x);
        break;
    case EncoderConfig::Family::deberta:
        x = at::gelu(x);
        break;
    }
    return through(masks.apply(x, config.head_dropout), model.classifier).squeeze(1);
}

} // namespace

EncoderBatch make_encoder_batch(std::span<const EncoderInput* const> inputs, std::int64_t pad_id,
                                std::span<const std::int64_t> streams, at::Device device) {
    std::size_t longest = 0;
    for (const EncoderInput* input : inputs)
        longest = std::max(longest, input->ids.size());
    const auto b = static_cast<std::int64_t>(inputs.size()), t = static_cast<std::int64_t>(longest);
    at::Tensor ids = at::full({b, t}, pad_id, at::kLong), types = at::zeros({b, t}, at::kLong);
    std::vector<std::int64_t> lengths;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
        std::copy(inputs[i]->ids.begin(), inputs[i]->ids.end(),
                  ids.mutable_data_ptr<std::int64_t>() + i * longest);
        std::copy(inputs[i]->type_ids.begin(), inputs[i]->type_ids.end(),
                  types.mutable_data_ptr<std::int64_t>() + i * longest);
        lengths.push_back(static_cast<std::int64_t>(inputs[i]->ids.size()));
    }
    EncoderBatch batch{ids.to(device), types.to(device), at::tensor(lengths, at::kLong).to(device), {}};
    if (!streams.empty())
        batch.streams = at::tensor(std::vector<std::int64_t>(streams.begin(), streams.end()), at::kLong);
    return batch;
}

std::vector<std::vector<std::size_t>> group_by_length(std::span<const EncoderInput* const> inputs,
                                                      std::int64_t max_tokens) {
    std::vector<std::size_t> order(inputs.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
        return inputs[a]->ids.size() > inputs[b]->ids.size();
    });
    std::vector<std::vector<std::size_t>> groups;
    for (std::size_t i : order) {
        // The first of a group is its longest: all its rows are padded to that.
        if (groups.empty()
            || static_cast<std::int64_t>((groups.back().size() + 1) * inputs[groups.back()[0]]->ids.size())
                   > max_tokens)
            groups.emplace_back();
        groups.back().push_back(i);
    }
    return groups;
}

at::Tensor encoder_scores(const Encoder& model, const EncoderBatch& batch, const EncoderDropout& dropout) {
    const std::int64_t t = batch.ids.size(1);
    if (model.config.absolute_positions && t > model.config.max_positions)
        fail(ErrorKind::bad_input, "A text of " + std::to_string(t) + " tokens is longer than the "
                                       + std::to_string(model.config.max_positions)
                                       + " positions the model has; lower max_length.");
    Masks masks(dropout, batch);
    at::Tensor place = at::arange(t, batch.ids.options());
    at::Tensor present = place.unsqueeze(0) < batch.lengths.unsqueeze(1);
    Shared shared;
    if (!present.all().item<bool>()) shared.padding = present.logical_not().unsqueeze(1).unsqueeze(1);
    if (model.config.relative_attention) {
        shared.table = relative_table(model);
        shared.rows = relative_rows(model.config, t, batch.ids.device());
    }
    at::Tensor x = embed_inputs(model, batch, present, masks);
    for (const EncoderLayer& layer : model.layers)
        x = block(model, layer, x, shared, masks);
    return head(model, x.select(1, 0), masks);
}

} // namespace tempera
