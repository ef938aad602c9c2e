#include "core/engine/train/dpo_loss.h"

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

/// log(1 + e^x) = -log s(-x)
double softplus(double x) {
    return std::max(x, 0.0) + std::log1p(std::exp(-std::fabs(x)));
}

double sigmoid(double x) {
    return x >= 0 ? 1 / (1 + std::exp(-x)) : std::exp(x) / (1 + std::exp(x));
}

struct Slope {
    double value, derivative; ///< by x
};

Slope of_margin(const DpoLoss& loss, double x) {
    const double e = loss.label_smoothing;
    switch (loss.type) {
    case DpoLossType::sigmoid:
        return {(1 - e) * softplus(-x) + e * softplus(x), -(1 - e) * sigmoid(-x) + e * sigmoid(x)};
    case DpoLossType::hinge:
        // As torch.relu has it, there is no slope at the bend itself.
        return {std::max(0.0, 1 - x), x < 1 ? -1.0 : 0.0};
    case DpoLossType::robust:
        return {((1 - e) * softplus(-x) - e * softplus(x)) / (1 - 2 * e),
                (-(1 - e) * sigmoid(-x) - e * sigmoid(x)) / (1 - 2 * e)};
    case DpoLossType::ipo:
        break;
    }
    return {0, 0};
}

} // namespace

DpoLoss dpo_loss_of(const DpoRecipe& recipe) {
    DpoLoss loss{DpoLossType::sigmoid, recipe.beta, recipe.label_smoothing};
    if (recipe.loss == "hinge") loss.type = DpoLossType::hinge;
    if (recipe.loss == "ipo") loss.type = DpoLossType::ipo;
    if (recipe.loss == "robust") loss.type = DpoLossType::robust;
    return loss;
}

PairLoss pair_loss(const DpoLoss& loss, const PairLogprobs& policy, const PairLogprobs& reference,
                   std::int64_t chosen_length, std::int64_t rejected_length) {
    const double chosen = policy.chosen - reference.chosen, rejected = policy.rejected - reference.rejected;
    PairLoss result;
    result.reward_chosen = loss.beta * chosen;
    result.reward_rejected = loss.beta * rejected;
    if (loss.type == DpoLossType::ipo) {
        auto c = static_cast<double>(chosen_length), r = static_cast<double>(rejected_length);
        double error = chosen / c - rejected / r - 1 / (2 * loss.beta);
        result.loss = error * error;
        result.d_chosen = 2 * error / c;
        result.d_rejected = -2 * error / r;
        return result;
    }
    Slope slope = of_margin(loss, loss.beta * (chosen - rejected));
    result.loss = slope.value;
    result.d_chosen = loss.beta * slope.derivative;
    result.d_rejected = -result.d_chosen;
    return result;
}

} // namespace tempera
