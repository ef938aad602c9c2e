#pragma once

#include "core/format/model_config.h"
#include "core/format/safetensors.h"

namespace tempera {

/// The tensors a checkpoint of this model has, under their Hugging Face names, in the order of transformers'
/// state_dict, all of type `type`. A tied lm_head is not among them. Shapes are torch.nn.Linear's (out, in).
std::vector<TensorSpec> model_tensors(const ModelConfig& config, TensorType type = TensorType::f32);

/// Checks before anything is allocated that `weights` has every tensor of the model in the right shape and a
/// readable type. Other tensors are ignored (e.g. rotary_emb.inv_freq, or a second copy of a tied lm_head).
/// Throws Error(bad_input, unsupported) naming the tensor.
void check_weights(const ModelConfig& config, const SafetensorsReader& weights, const std::string& source);

} // namespace tempera
