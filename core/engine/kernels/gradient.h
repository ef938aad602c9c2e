#pragma once

#include <ATen/ATen.h>

namespace tempera {

/// Where a weight's gradient is added up, made of zeros where there is none yet; undefined for a frozen
/// weight.
inline at::Tensor gradient_of(const at::Tensor& weight) {
    if (!weight.defined() || !weight.requires_grad()) return {};
    if (!weight.grad().defined())
        weight.mutable_grad() = at::zeros_like(weight, at::MemoryFormat::Contiguous);
    return weight.grad();
}

} // namespace tempera
