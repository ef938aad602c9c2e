#include "core/text/truncation.h"

#include <algorithm>

namespace tempera {

namespace {

void keep(std::vector<std::int32_t>& ids, std::size_t count, bool left) {
    if (count >= ids.size()) return;
    if (left)
        ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(count));
    else
        ids.resize(count);
}

} // namespace

std::size_t truncate_longest_first(std::vector<std::int32_t>& text, std::vector<std::int32_t>* pair,
                                   std::size_t room, bool left) {
    std::size_t before = text.size() + (pair ? pair->size() : 0);
    if (before <= room) return 0;
    if (!pair) {
        keep(text, room, left);
        return before - room;
    }
    std::size_t shorter = text.size(), longer = pair->size();
    bool swapped = shorter > longer;
    if (swapped) std::swap(shorter, longer);
    longer = shorter > room ? shorter : std::max(shorter, room - shorter);
    if (shorter + longer > room) {
        shorter = room / 2;
        longer = shorter + room % 2;
    }
    keep(text, swapped ? longer : shorter, left);
    keep(*pair, swapped ? shorter : longer, left);
    return before - text.size() - pair->size();
}

} // namespace tempera
