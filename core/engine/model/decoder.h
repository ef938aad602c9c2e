#pragma once

#include "core/format/model_config.h"

#include <ATen/ATen.h>
#include <memory>
#include <string>
#include <vector>

namespace tempera {

/// y = x W^T + b, with an optional LoRA adapter per output slice. W is (out, in) as in torch.nn.Linear.
struct Linear;

/// One LoRA pair on the output rows [row_begin, row_end) of a (possibly fused) linear layer:
/// y[row_begin:row_end] += scaling * B A dropout(x). A is (r, in), B is (row_end - row_begin, r).
struct LoraSlice {
    std::string module; ///< its Hugging Face path, e.g. "model.layers.0.self_attn.q_proj"
    std::int64_t row_begin = 0;
    std::int64_t row_end = 0;
    double scaling = 1;
    double dropout = 0;
    at::Tensor a;
    at::Tensor b;
};

struct Linear {
    at::Tensor weight; ///< (out, in)
    at::Tensor bias;   ///< (out) or undefined
    std::vector<LoraSlice> lora;
};

/// Weights of one block. q, k, v lie in one matrix, gate and up in another: one GEMM each, for sampler and
/// trainer alike.
struct DecoderLayer {
    at::Tensor input_norm;          ///< (C)
    Linear qkv;                     ///< ((heads + 2 kv_heads) * head_dim, C): q rows, k rows, v rows
    Linear o;                       ///< (C, heads * head_dim)
    at::Tensor post_attention_norm; ///< (C)
    Linear gate_up;                 ///< (2 * intermediate, C): gate rows, then up rows
    Linear down;                    ///< (C, intermediate)
};

/// A decoder of the Qwen2 or Llama family. Plain data: trainer and sampler hold references to the same one.
struct Decoder {
    ModelConfig config;
    at::Tensor embedding; ///< (V, C)
    std::vector<DecoderLayer> layers;
    at::Tensor final_norm; ///< (C)
    Linear lm_head;        ///< (V, C); the same storage as `embedding` where config.tied_embeddings
};

} // namespace tempera
