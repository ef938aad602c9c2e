#pragma once

#include "core/store/records.h"

#include <cstdint>
#include <vector>

namespace tempera {

/// What a sweep has drawn so far, as far as its table needs it.
class SweepTable {
public:
    SweepTable(std::vector<double> temperatures, std::int64_t problems, int n);

    /// Throws Error(internal) for a sample outside of the table; one that is there already is not counted
    /// twice, and one without a score not at all. `tokens` is its length where it has neither ids nor
    /// log-probabilities to count (0 = not known).
    void add(std::size_t temperature, const Sample& sample, std::int64_t tokens = 0);
    bool has(std::size_t temperature, std::int64_t problem, int sample) const;
    std::int64_t samples_done() const { return done_; }
    std::int64_t samples_total() const;

    /// Cells of every temperature that has a complete problem, for every N <= n.
    std::vector<SweepCell> cells(std::int64_t bootstrap_resamples, std::uint64_t seed) const;
    /// Of every temperature that has a sample.
    std::vector<SweepRow> rows() const;

private:
    struct Column {
        double temperature = 0;
        std::vector<std::vector<double>> scores; ///< per problem and sample; NaN = not drawn
        std::int64_t done = 0, passed = 0, formatted = 0, truncated = 0;
        std::int64_t measured = 0, tokens = 0; ///< samples of known length, and their sum
    };
    std::vector<Column> columns_;
    std::int64_t problems_;
    int n_;
    std::int64_t done_ = 0;
};

} // namespace tempera
