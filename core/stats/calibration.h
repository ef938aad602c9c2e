#pragma once

#include <span>

namespace tempera {

/// Expected calibration error (Guo et al. 2017) of a Bradley-Terry model on pairs whose first text is the
/// better one. `margins` are score differences: the model prefers the better text with probability
/// sigmoid(margin), is right where the margin is above 0, and is as sure as sigmoid(|margin|) says. In `bins`
/// equal bins of that certainty over [0.5, 1]: the mean of |share right - mean certainty|, weighted by the
/// bins' sizes. NaN without margins.
double expected_calibration_error(std::span<const double> margins, int bins = 10);

/// Pearson's correlation of two series of the same length; NaN where one has fewer than two values or does
/// not vary.
double correlation(std::span<const double> x, std::span<const double> y);

} // namespace tempera
