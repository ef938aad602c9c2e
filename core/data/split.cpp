#include "core/data/split.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/base/random.h"

#include <unordered_set>

namespace tempera {

RowSplit split_rows(std::span<const std::uint64_t> keys, std::int64_t train, std::int64_t validation,
                    std::uint64_t seed, const std::string& source) {
    constexpr std::uint64_t shuffle_stream = 0x73687566666c6500;
    RandomStream random(seed, shuffle_stream);
    RowSplit split;
    std::unordered_set<std::uint64_t> held_out;
    for (std::int64_t index : shuffled_indices(static_cast<std::int64_t>(keys.size()), random)) {
        std::uint64_t key = keys[static_cast<std::size_t>(index)];
        if (split.validation.size() < static_cast<std::size_t>(validation)) {
            held_out.insert(key);
            split.validation.push_back(index);
        } else if (!held_out.contains(key)) {
            if (train > 0 && split.train.size() == static_cast<std::size_t>(train)) break;
            split.train.push_back(index);
        }
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
