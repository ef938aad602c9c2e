#include "app/cli_comparison.h"

#include "app/cli_output.h"
#include "app/cli_table.h"

#include <algorithm>
#include <cmath>

namespace tempera::cli {

namespace {

constexpr std::size_t shown_prompts = 3; // of each end
constexpr std::int64_t resamples = 10000;

double difference(const Comparison& comparison) {
    return comparison.tuned.score - comparison.base.score;
}

std::string signed_words(double number) {
    return (number > 0 ? "+" : "") + number_words(number);
}

std::string interval_words(const std::string& low, const std::string& high) {
    return " (95 % " + low + " to " + high + ")";
}

/// "A 0.5, B 1: Explain magnets to ..."
std::string prompt_line(const Comparison& comparison, int columns) {
    std::string line = "  prompt " + std::to_string(comparison.prompt_index) + ", A "
                       + number_words(comparison.base.score) + ", B " + number_words(comparison.tuned.score)
                       + ": " + one_line(comparison.prompt);
    const auto room = static_cast<std::size_t>(columns > 0 ? columns : 160);
    if (text_columns(line) > room) line = fitted(line, room);
    return line + "\n";
}

std::string extremes(std::span<const Comparison> comparisons, int columns) {
    std::vector<const Comparison*> list;
    for (const Comparison& comparison : comparisons)
        if (difference(comparison) != 0 && !std::isnan(difference(comparison))) list.push_back(&comparison);
    std::stable_sort(list.begin(), list.end(),
                     [](const auto* a, const auto* b) { return difference(*a) < difference(*b); });
    std::string worst, best;
    for (std::size_t i = 0; i < std::min(shown_prompts, list.size()); ++i) {
        const Comparison &low = *list[i], &high = *list[list.size() - 1 - i];
        if (difference(low) < 0) worst += prompt_line(low, columns);
        if (difference(high) > 0) best += prompt_line(high, columns);
    }
    return (worst.empty() ? "" : "\nB is worst on\n" + worst)
           + (best.empty() ? "" : "\nB is best on\n" + best);
}

} // namespace

WinRate compared(std::span<const Comparison> comparisons) {
    std::vector<double> base, tuned;
    for (const Comparison& comparison : comparisons) {
        base.push_back(comparison.base.score);
        tuned.push_back(comparison.tuned.score);
    }
    return win_rate(base, tuned, resamples, 0);
}

Json to_json(const WinRate& found) {
    return {{"prompts", found.prompts},
            {"wins", found.wins},
            {"losses", found.losses},
            {"ties", found.ties},
            {"unscored", found.unscored},
            {"win_rate", found.rate},
            {"low", found.low},
            {"high", found.high},
            {"p", found.p},
            {"mean_difference", found.difference.mean},
            {"difference_low", found.difference.low},
            {"difference_high", found.difference.high},
            {"base_score", found.base_mean},
            {"tuned_score", found.tuned_mean}};
}

std::string comparison_table(std::span<const Comparison> comparisons, int columns) {
    const WinRate found = compared(comparisons);
    if (found.prompts == 0) return "Nothing was compared yet.\n";
    auto count = [](std::int64_t number) { return grouped(static_cast<double>(number)); };
    std::string text = text_table(
        {{"B against A over", count(found.prompts) + " prompts"},
         {"win-rate of B",
          score_words(found.rate) + interval_words(score_words(found.low), score_words(found.high))},
         {"B wins, ties, A wins", count(found.wins) + ", " + count(found.ties) + ", " + count(found.losses)},
         {"sign test", "p = " + number_words(found.p, 3) + ", ties left out"},
         {"mean score", "A " + number_words(found.base_mean) + ", B " + number_words(found.tuned_mean)},
         {"mean difference",
          signed_words(found.difference.mean)
              + interval_words(signed_words(found.difference.low), signed_words(found.difference.high))}},
        2);
    if (found.unscored > 0) text += count(found.unscored) + " prompts are left out: they have no score.\n";
    return text + extremes(comparisons, columns);
}

} // namespace tempera::cli
