#include "core/data/split.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/base/random.h"

#include <algorithm>
#include <unordered_set>

namespace tempera {

RowSplit split_rows(std::span<const std::uint64_t> keys, std::int64_t train, std::int64_t validation,
                    std::uint64_t seed, const std::string& source) {
    constexpr std::uint64_t shuffle_stream = 0x73687566666c6500;
    RandomStream random(seed, shuffle_stream);
    const auto order = shuffled_indices(static_cast<std::int64_t>(keys.size()), random);
    const auto key_of = [&](std::int64_t index) { return keys[static_cast<std::size_t>(index)]; };
    std::unordered_set<std::uint64_t> held_out;
    if (validation > 0) {
        std::vector<std::uint64_t> sorted(keys.begin(), keys.end());
        std::ranges::sort(sorted);
        std::int64_t reserved = 0;
        for (auto index = order.begin(); index != order.end() && reserved < validation; ++index)
            if (held_out.insert(key_of(*index)).second)
                reserved += std::ssize(std::ranges::equal_range(sorted, key_of(*index)));
    }
    RowSplit split;
    for (const std::int64_t index : order) {
        const bool held = held_out.contains(key_of(index));
        auto& side = held ? split.validation : split.train;
        const std::int64_t most = held ? validation : train;
        if (std::ssize(side) < most || (!held && train == 0)) side.push_back(index);
    }
    if (split.train.empty())
        fail(ErrorKind::bad_input,
             source + " has " + counted(keys.size(), "row")
                 + (split.validation.size() == keys.size()
                        ? ", and validation_examples takes all: lower it."
                        : ", but all that validation_examples leaves have a prompt that is held out for "
                          "validation: lower it, or give more different prompts."));
    return split;
}

} // namespace tempera
