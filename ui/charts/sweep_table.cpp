#include "ui/charts/sweep_table.h"

#include <algorithm>
#include <cmath>

namespace tempera {

SweepTable::SweepTable(std::vector<SweepCell> cells) : cells_(std::move(cells)) {
    for (const SweepCell& cell : cells_) {
        temperatures_.push_back(cell.temperature);
        counts_.push_back(cell.n);
    }
    std::sort(temperatures_.begin(), temperatures_.end());
    temperatures_.erase(std::unique(temperatures_.begin(), temperatures_.end()), temperatures_.end());
    std::sort(counts_.begin(), counts_.end());
    counts_.erase(std::unique(counts_.begin(), counts_.end()), counts_.end());
    index_.assign(temperatures_.size() * counts_.size(), -1);
    for (std::size_t i = 0; i < cells_.size(); ++i)
        index_[static_cast<std::size_t>(rowOf(cells_[i].n)) * temperatures_.size()
               + static_cast<std::size_t>(columnOf(cells_[i].temperature))] = static_cast<int>(i);
}

const SweepCell* SweepTable::at(int column, int row) const {
    if (column < 0 || row < 0 || column >= int(temperatures_.size()) || row >= int(counts_.size()))
        return nullptr;
    const int index =
        index_[static_cast<std::size_t>(row) * temperatures_.size() + static_cast<std::size_t>(column)];
    return index < 0 ? nullptr : &cells_[static_cast<std::size_t>(index)];
}

const SweepCell* SweepTable::find(double temperature, int n) const {
    return at(columnOf(temperature), rowOf(n));
}

int SweepTable::rowOf(int n) const {
    const auto found = std::lower_bound(counts_.begin(), counts_.end(), n);
    return found != counts_.end() && *found == n ? static_cast<int>(found - counts_.begin()) : -1;
}

int SweepTable::columnOf(double temperature) const {
    const auto found = std::lower_bound(temperatures_.begin(), temperatures_.end(), temperature - 1e-9);
    return found != temperatures_.end() && std::abs(*found - temperature) < 1e-9
               ? static_cast<int>(found - temperatures_.begin())
               : -1;
}

const SweepCell* SweepTable::best() const {
    const SweepCell* best = nullptr;
    for (const SweepCell& cell : cells_)
        if (cell.problems_done > 0 && (!best || cell.mean > best->mean)) best = &cell;
    return best;
}

std::pair<double, double> SweepTable::range() const {
    double low = INFINITY;
    double high = -INFINITY;
    for (const SweepCell& cell : cells_) {
        if (cell.problems_done <= 0) continue;
        low = std::min(low, cell.mean);
        high = std::max(high, cell.mean);
    }
    if (low > high) return {0, 1};
    low = std::floor(low * 10 + 1e-9) / 10;
    high = std::ceil(high * 10 - 1e-9) / 10;
    return {low, high > low ? high : low + 0.1};
}

} // namespace tempera
