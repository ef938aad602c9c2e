#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace tempera {

/// Row indices for training and for validation.
struct RowSplit {
    std::vector<std::int64_t> train;
    std::vector<std::int64_t> validation;
};

/// Shuffles the rows by `seed` and takes `validation` of them, then `train` more (0 = all that are left).
/// Rows with equal keys (the same prompt) never stand on both sides: a prompt whose first row is held out is
/// held out with all its rows, so that as few as can be are of no use. Throws Error(bad_input) naming
/// `source` where nothing is left to train on.
RowSplit split_rows(std::span<const std::uint64_t> keys, std::int64_t train, std::int64_t validation,
                    std::uint64_t seed, const std::string& source);

} // namespace tempera
