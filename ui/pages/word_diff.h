#pragma once

#include <QString>

#include <vector>

namespace tempera {

/// A piece of a text: characters [begin, end).
struct TextRange {
    qsizetype begin = 0;
    qsizetype end = 0;
    bool operator==(const TextRange&) const = default;
};

/// The words (runs of letters and digits, or single other characters; white space never counts) that only one
/// of two texts has, as ranges of that text, by a longest common subsequence. Between texts too long for that
/// (more than about 4 million pairs of words once equal ends are off) everything in the middle counts as
/// different.
struct WordDiff {
    std::vector<TextRange> only_a, only_b;
};
WordDiff wordDiff(const QString& a, const QString& b);

} // namespace tempera
