#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <filesystem>
#include <string>

namespace tempera {

/// What a Hugging Face config.json says of an encoder that scores texts: BERT, DistilBERT, DeBERTa-v2 or v3.
/// Every number is checked against the others and against sane limits when it is read.
struct EncoderConfig {
    enum class Family { bert, distilbert, deberta };
    Family family = Family::bert;
    std::int64_t vocab_size = 0;
    std::int64_t hidden_size = 0;    ///< C
    std::int64_t embedding_size = 0; ///< E; another than C for some DeBERTa
    std::int64_t intermediate_size = 0;
    std::int64_t layers = 0;
    std::int64_t heads = 0;
    std::int64_t max_positions = 0;
    std::int64_t type_vocab_size = 0; ///< 0 = token types are ignored
    bool absolute_positions = true;   ///< whether learned positions are added to the embedding
    double layer_norm_eps = 1e-12;
    double initializer_range = 0.02;
    double hidden_dropout = 0.1;
    double attention_dropout = 0.1;
    double pooler_dropout = 0; ///< before the head's dense layer
    double head_dropout = 0.1; ///< before the classifier
    std::int64_t pad_id = 0;

    bool relative_attention = false;         ///< DeBERTa's disentangled attention
    std::int64_t position_buckets = -1;      ///< log buckets; below 1 = none
    std::int64_t max_relative_positions = 0; ///< always positive where relative_attention
    bool content_to_position = false;        ///< "c2p"
    bool position_to_content = false;        ///< "p2c"
    bool share_attention_key = false;        ///< positions go through the layer's own query and key matrices
    bool normalise_relative = false;         ///< LayerNorm over the table of relative positions

    Json raw; ///< config.json as it was read

    std::int64_t head_dim() const { return hidden_size / heads; }
    /// Half the rows of the table of relative positions.
    std::int64_t relative_span() const {
        return position_buckets > 0 ? position_buckets : max_relative_positions;
    }
};

/// Whether `folder`/config.json describes an encoder rather than a decoder. Throws as reading it does.
bool is_encoder_folder(const std::filesystem::path& folder);

/// Reads and checks `folder`/config.json. Throws Error(unsupported) for another architecture, activation,
/// position embedding, convolution or quantisation, Error(bad_input) naming the field, Error(not_found).
EncoderConfig read_encoder_config(const std::filesystem::path& folder);
EncoderConfig parse_encoder_config(const Json& config, const std::string& source);

/// config.json of this encoder with a head of one score, as transformers' *ForSequenceClassification reads
/// it.
Json reward_config_json(const EncoderConfig& config);

} // namespace tempera
