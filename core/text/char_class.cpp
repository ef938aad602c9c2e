#include "core/text/char_class.h"

#include <algorithm>
#include <iterator>

namespace tempera {

namespace {

struct Run {
    char32_t first;
    std::uint16_t classes;
};

constexpr Run runs[] = {
#include "core/text/char_class_ranges.inc"
};

} // namespace

CharClassTable::CharClassTable() {
    std::size_t next = 0;
    std::uint16_t current = 0;
    for (char32_t block = 0; block < index_.size(); ++block) {
        std::array<std::uint16_t, 256> content;
        for (char32_t low = 0; low < 256; ++low) {
            if (next < std::size(runs) && runs[next].first == block * 256 + low)
                current = runs[next++].classes;
            content[low] = current;
        }
        auto known = std::find(blocks_.begin(), blocks_.end(), content);
        index_[block] = static_cast<std::uint16_t>(known - blocks_.begin());
        if (known == blocks_.end()) blocks_.push_back(content);
    }
}

const CharClassTable& char_classes() {
    static const CharClassTable table;
    return table;
}

namespace {

struct LowerRun {
    char32_t first, last;
    std::uint32_t step;
    std::int32_t distance;
};

constexpr LowerRun lower_runs[] = {
#include "core/text/lowercase_ranges.inc"
};

/// Distance to the lower case, 256 code points a block.
class LowerTable {
public:
    LowerTable() {
        blocks_.emplace_back();
        for (const LowerRun& run : lower_runs)
            for (char32_t c = run.first; c <= run.last; c += run.step) {
                std::uint16_t& block = index_[c >> 8];
                if (block == 0) {
                    block = static_cast<std::uint16_t>(blocks_.size());
                    blocks_.emplace_back();
                }
                blocks_[block][c & 0xFF] = run.distance;
            }
    }
    char32_t operator()(char32_t c) const {
        return static_cast<char32_t>(static_cast<std::int32_t>(c) + blocks_[index_[c >> 8]][c & 0xFF]);
    }

private:
    std::array<std::uint16_t, 0x1100> index_{};
    std::vector<std::array<std::int32_t, 256>> blocks_;
};

} // namespace

char32_t lower_case(char32_t c) {
    static const LowerTable table;
    return table(c);
}

} // namespace tempera
