#include "core/engine/evaluate/sweep_table.h"

#include "core/base/error.h"
#include "core/stats/best_of_n.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace tempera {

SweepTable::SweepTable(std::vector<double> temperatures, std::int64_t problems, int n)
    : problems_(problems), n_(n) {
    for (double temperature : temperatures) {
        Column column;
        column.temperature = temperature;
        column.scores.assign(
            static_cast<std::size_t>(problems),
            std::vector<double>(static_cast<std::size_t>(n), std::numeric_limits<double>::quiet_NaN()));
        columns_.push_back(std::move(column));
    }
}

std::int64_t SweepTable::samples_total() const {
    return static_cast<std::int64_t>(columns_.size()) * problems_ * n_;
}

bool SweepTable::has(std::size_t temperature, std::int64_t problem, int sample) const {
    return !std::isnan(
        columns_[temperature].scores[static_cast<std::size_t>(problem)][static_cast<std::size_t>(sample)]);
}

void SweepTable::add(std::size_t temperature, const Sample& s, std::int64_t tokens) {
    if (temperature >= columns_.size() || s.prompt_index < 0 || s.prompt_index >= problems_
        || s.sample_index < 0 || s.sample_index >= n_)
        fail(ErrorKind::internal, "A stored sample does not belong to this sweep.");
    Column& column = columns_[temperature];
    double& score =
        column.scores[static_cast<std::size_t>(s.prompt_index)][static_cast<std::size_t>(s.sample_index)];
    if (!std::isnan(score) || std::isnan(s.score)) return;
    score = s.score;
    ++done_;
    ++column.done;
    column.passed += s.score >= 1;
    column.formatted += s.score > 0;
    column.truncated += s.finish == "length";
    const auto counted = static_cast<std::int64_t>(std::max(s.token_ids.size(), s.logprobs.size()));
    tokens = std::max(tokens, counted);
    column.measured += tokens > 0 || s.text.empty();
    column.tokens += tokens;
}

std::vector<SweepCell> SweepTable::cells(std::int64_t bootstrap_resamples, std::uint64_t seed) const {
    std::vector<SweepCell> cells;
    for (const Column& column : columns_) {
        std::vector<std::vector<double>> complete;
        for (const std::vector<double>& pool : column.scores)
            if (std::ranges::none_of(pool, [](double score) { return std::isnan(score); }))
                complete.push_back(pool);
        if (complete.empty()) continue;
        const std::vector<Interval> means = best_of_n_means(complete, n_, bootstrap_resamples, seed);
        for (std::size_t i = 0; i < means.size(); ++i)
            cells.push_back({column.temperature, static_cast<int>(i) + 1, means[i].mean, means[i].low,
                             means[i].high, static_cast<std::int64_t>(complete.size()), problems_});
    }
    return cells;
}

std::vector<SweepRow> SweepTable::rows() const {
    std::vector<SweepRow> rows;
    for (const Column& column : columns_) {
        if (column.done == 0) continue;
        double total = 0; // in the order of the problems, not of arrival: the same whatever finished first
        for (const std::vector<double>& pool : column.scores)
            for (double score : pool)
                if (!std::isnan(score)) total += score;
        const auto count = static_cast<double>(column.done);
        rows.push_back({column.temperature, total / count, static_cast<double>(column.passed) / count,
                        static_cast<double>(column.formatted) / count,
                        static_cast<double>(column.tokens) / static_cast<double>(column.measured),
                        static_cast<double>(column.truncated) / count, column.done, problems_ * n_});
    }
    return rows;
}

} // namespace tempera
