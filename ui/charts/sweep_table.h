#pragma once

#include "core/store/records.h"

#include <utility>
#include <vector>

namespace tempera {

/// The cells of a sweep, ordered for drawing: columns are temperatures, rows are N, both ascending.
class SweepTable {
public:
    SweepTable() = default;
    explicit SweepTable(std::vector<SweepCell> cells);

    const std::vector<double>& temperatures() const { return temperatures_; }
    const std::vector<int>& counts() const { return counts_; }
    const std::vector<SweepCell>& cells() const { return cells_; }
    bool empty() const { return cells_.empty(); }
    /// nullptr where the cell does not exist yet.
    const SweepCell* at(int column, int row) const;
    const SweepCell* find(double temperature, int n) const;
    /// The cell with the highest mean among those with at least one problem.
    const SweepCell* best() const;
    int rowOf(int n) const;
    int columnOf(double temperature) const;
    /// Lowest and highest mean of the cells with problems, widened to tenths.
    std::pair<double, double> range() const;

private:
    std::vector<SweepCell> cells_;
    std::vector<double> temperatures_;
    std::vector<int> counts_;
    std::vector<int> index_; ///< row * columns + column -> index into cells_, -1 where there is none
};

} // namespace tempera
