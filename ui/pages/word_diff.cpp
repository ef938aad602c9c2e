#include "ui/pages/word_diff.h"

#include <algorithm>
#include <cstdint>

namespace tempera {

namespace {

constexpr std::size_t most_pairs = 4'000'000;

std::vector<TextRange> wordsOf(const QString& text) {
    std::vector<TextRange> words;
    for (qsizetype i = 0; i < text.size();) {
        if (text[i].isSpace()) {
            ++i;
            continue;
        }
        qsizetype end = i + 1;
        if (text[i].isLetterOrNumber())
            while (end < text.size() && text[end].isLetterOrNumber())
                ++end;
        else if (text[i].isHighSurrogate() && end < text.size())
            ++end;
        words.push_back({i, end});
        i = end;
    }
    return words;
}

/// Neighbours become one range, with the white space between them.
void addRange(std::vector<TextRange>& ranges, const TextRange& word, bool joins) {
    if (joins && !ranges.empty())
        ranges.back().end = word.end;
    else
        ranges.push_back(word);
}

std::vector<TextRange> rangesOf(const std::vector<TextRange>& words, const std::vector<bool>& common) {
    std::vector<TextRange> ranges;
    for (std::size_t i = 0; i < words.size(); ++i)
        if (!common[i]) addRange(ranges, words[i], i > 0 && !common[i - 1]);
    return ranges;
}

} // namespace

WordDiff wordDiff(const QString& a, const QString& b) {
    const auto words_a = wordsOf(a), words_b = wordsOf(b);
    const auto equal = [&](std::size_t i, std::size_t j) {
        return QStringView(a).sliced(words_a[i].begin, words_a[i].end - words_a[i].begin)
               == QStringView(b).sliced(words_b[j].begin, words_b[j].end - words_b[j].begin);
    };
    std::vector<bool> common_a(words_a.size()), common_b(words_b.size());
    std::size_t first = 0, last_a = words_a.size(), last_b = words_b.size();
    for (; first < last_a && first < last_b && equal(first, first); ++first)
        common_a[first] = common_b[first] = true;
    for (; last_a > first && last_b > first && equal(last_a - 1, last_b - 1); --last_a, --last_b)
        common_a[last_a - 1] = common_b[last_b - 1] = true;
    const std::size_t rows = last_a - first, columns = last_b - first;
    if (rows > 0 && columns > 0 && rows * columns <= most_pairs) {
        // length[i][j]: of the longest common subsequence of what follows i and j.
        std::vector<std::int32_t> length((rows + 1) * (columns + 1), 0);
        const auto at = [&](std::size_t i, std::size_t j) -> std::int32_t& {
            return length[i * (columns + 1) + j];
        };
        for (std::size_t i = rows; i-- > 0;)
            for (std::size_t j = columns; j-- > 0;)
                at(i, j) =
                    equal(first + i, first + j) ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
        for (std::size_t i = 0, j = 0; i < rows && j < columns;) {
            if (equal(first + i, first + j))
                common_a[first + i++] = common_b[first + j++] = true;
            else if (at(i + 1, j) >= at(i, j + 1))
                ++i;
            else
                ++j;
        }
    }
    return {rangesOf(words_a, common_a), rangesOf(words_b, common_b)};
}

} // namespace tempera
