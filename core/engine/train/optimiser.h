#pragma once

#include "core/engine/kernels/pointwise.h"
#include "core/engine/model/decoder.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tempera {

/// A trained tensor; its gradient and moments are [offset, offset + numel) of flat buffers.
struct Parameter {
    std::string name;
    at::Tensor weight;
    bool decays = true;      ///< false for norms and biases, as transformers groups them
    std::int64_t offset = 0; ///< set by the optimiser
};

/// What a run trains of the model: the adapters where there are any, else every weight.
std::vector<Parameter> trained_parameters(Decoder& model);

/// AdamW over the trained tensors of a model, with fp32 weights, gradients and moments in flat buffers: one
/// pass over memory a step. Gradients add up in place until `clear_gradients`.
class Optimiser {
public:
    /// Makes these tensors require gradients, which lie in its buffer until it is destroyed.
    explicit Optimiser(std::vector<Parameter> parameters);
    ~Optimiser();
    Optimiser(const Optimiser&) = delete;
    Optimiser& operator=(const Optimiser&) = delete;

    const std::vector<Parameter>& parameters() const { return parameters_; }
    std::int64_t parameter_count() const;
    void clear_gradients();
    /// Global L2 norm of the gradients.
    double gradient_norm() const;
    /// options.step counts from 1; weight decay applies to the parameters that decay.
    void step(const kernels::AdamW& options);

    at::Tensor& first() { return first_; }   ///< flat first moment
    at::Tensor& second() { return second_; } ///< flat second moment

private:
    std::vector<Parameter> parameters_;
    at::Tensor gradients_, first_, second_;
    std::int64_t size_ = 0;
};

} // namespace tempera
