#include "core/engine/model/disentangled.h"

#include <cmath>

namespace tempera {

namespace {

/// make_log_bucket_position of transformers, in fp32 as there: where a logarithm falls on a whole number,
/// another precision would choose another row.
at::Tensor log_buckets(const at::Tensor& distance, std::int64_t buckets, std::int64_t most) {
    const std::int64_t mid = buckets / 2;
    at::Tensor near = (distance < mid).logical_and(distance > -mid);
    at::Tensor size = at::where(near, at::full_like(distance, mid - 1), distance.abs());
    auto middle = static_cast<double>(mid);
    at::Tensor scale = at::log(at::full({}, (static_cast<double>(most) - 1) / middle, at::kFloat));
    at::Tensor far = at::ceil(at::log(size / middle) / scale.to(distance.device()) * (middle - 1)) + middle;
    return at::where(size <= mid, distance.to(at::kFloat), far * distance.sign()).to(at::kLong);
}

/// (2 span, C) through a linear layer as heads: (H, 2 span, D).
at::Tensor table_heads(const EncoderConfig& config, const Linear& layer, const at::Tensor& table) {
    return at::linear(table, layer.weight, layer.bias)
        .view({table.size(0), config.heads, config.head_dim()})
        .transpose(0, 1);
}

} // namespace

double score_factor(const EncoderConfig& config) {
    return 1 + (config.content_to_position ? 1 : 0) + (config.position_to_content ? 1 : 0);
}

at::Tensor relative_rows(const EncoderConfig& config, std::int64_t t, at::Device device) {
    at::Tensor place = at::arange(t, at::TensorOptions().dtype(at::kLong).device(device));
    at::Tensor distance = place.unsqueeze(1) - place.unsqueeze(0);
    if (config.position_buckets > 0)
        distance = log_buckets(distance, config.position_buckets, config.max_relative_positions);
    const std::int64_t span = config.relative_span();
    return (distance + span).clamp(0, 2 * span - 1);
}

at::Tensor relative_table(const Encoder& model) {
    if (!model.config.normalise_relative) return model.relative;
    return at::layer_norm(model.relative, {model.config.hidden_size}, model.relative_norm.weight,
                          model.relative_norm.bias, model.config.layer_norm_eps);
}

at::Tensor relative_bias(const EncoderConfig& config, const EncoderLayer& layer, const at::Tensor& query,
                         const at::Tensor& key, const at::Tensor& table, const at::Tensor& rows) {
    const double scale = 1 / std::sqrt(static_cast<double>(config.head_dim()) * score_factor(config));
    at::Tensor index = rows.expand({query.size(0), config.heads, rows.size(0), rows.size(1)});
    at::Tensor bias;
    if (config.content_to_position) {
        const Linear& project = config.share_attention_key ? layer.key : layer.position_key;
        at::Tensor against = at::matmul(query, table_heads(config, project, table).transpose(1, 2));
        bias = against.gather(3, index) * scale;
    }
    if (config.position_to_content) {
        // Key k meets the row of q - k, so the gather runs over keys and is turned round.
        const Linear& project = config.share_attention_key ? layer.query : layer.position_query;
        at::Tensor against = at::matmul(key, table_heads(config, project, table).transpose(1, 2));
        at::Tensor part = against.gather(3, index.transpose(2, 3)).transpose(2, 3) * scale;
        bias = bias.defined() ? bias + part : part;
    }
    return bias;
}

} // namespace tempera
