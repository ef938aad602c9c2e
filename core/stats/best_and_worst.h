#pragma once

#include <cstddef>
#include <ranges>

namespace tempera {

/// Indices of the best and the worst of some answers by score; for the best, an answer that ended by itself
/// goes before a cut one (finish "length"), then the earlier one.
struct BestAndWorst {
    std::size_t best = 0;
    std::size_t worst = 0;
};

/// `answers` has members score and finish, and is not empty.
template <std::ranges::random_access_range Answers>
BestAndWorst best_and_worst(const Answers& answers) {
    BestAndWorst found;
    for (std::size_t i = 1; i < std::ranges::size(answers); ++i) {
        const auto &answer = answers[i], &best = answers[found.best];
        const bool whole = answer.finish != "length" && best.finish == "length";
        if (answer.score > best.score || (answer.score == best.score && whole)) found.best = i;
        if (answer.score < answers[found.worst].score) found.worst = i;
    }
    return found;
}

} // namespace tempera
