#pragma once

#include "core/engine/model/decoder.h"

#include <string>
#include <vector>

namespace tempera {

/// A weight under its Hugging Face name: a view of the rows it has in the (possibly fused) matrix.
struct NamedWeight {
    std::string name;
    at::Tensor view;
};

/// All weights of a decoder in the order of transformers' state_dict; a tied lm_head is not among them.
std::vector<NamedWeight> huggingface_weights(const Decoder& model);

/// A linear module that an adapter can stand on: its Hugging Face path without ".weight", the matrix it lies
/// in and its rows.
struct LinearModule {
    std::string path;
    Linear* layer = nullptr;
    std::int64_t row_begin = 0;
    std::int64_t row_end = 0;
    std::int64_t block = -1; ///< index of its decoder layer
};

/// Every linear module of the blocks, in order; lm_head is not among them.
std::vector<LinearModule> linear_modules(Decoder& model);

/// A decoder of this shape whose weights are allocated but not set (float32, CPU).
Decoder empty_decoder(const ModelConfig& config);

} // namespace tempera
