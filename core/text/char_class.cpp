#include "core/text/char_class.h"

#include <algorithm>
#include <iterator>

namespace tempera {

namespace {

struct Run {
    char32_t first;
    std::uint8_t classes;
};

constexpr Run runs[] = {
#include "core/text/char_class_ranges.inc"
};

} // namespace

CharClassTable::CharClassTable() {
    std::size_t next = 0;
    std::uint8_t current = 0;
    for (char32_t block = 0; block < index_.size(); ++block) {
        std::array<std::uint8_t, 256> content;
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

} // namespace tempera
