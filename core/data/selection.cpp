#include "core/data/selection.h"

#include "core/data/split.h"

namespace tempera {

namespace {

constexpr std::size_t most_rows = 50000000;

} // namespace

std::vector<PickedRow> pick_rows(TaskRows& rows, const SelectionOptions& options, BadRows& bad,
                                 const std::function<std::uint64_t(const JsonRow&)>& key) {
    std::vector<std::uint64_t> keys;
    std::vector<std::int64_t> ordinals;
    std::int64_t ordinal = 0;
    while (auto row = rows.next()) {
        if (bad.use(*row, [&](const JsonRow& good) { keys.push_back(key(good)); }))
            ordinals.push_back(ordinal);
        ++ordinal;
        if (keys.size() > most_rows)
            fail(ErrorKind::bad_input,
                 options.source + " has more than " + std::to_string(most_rows) + " rows.");
    }
    bad.require_some(options.source);
    RowSplit split =
        split_rows(keys, options.examples, options.validation_examples, options.data_seed, options.source);
    std::vector<PickedRow> picked;
    for (bool validation : {false, true}) {
        std::size_t slot = 0;
        for (std::int64_t index : validation ? split.validation : split.train)
            picked.push_back({ordinals[static_cast<std::size_t>(index)], slot++, validation});
    }
    std::sort(picked.begin(), picked.end(),
              [](const PickedRow& a, const PickedRow& b) { return a.ordinal < b.ordinal; });
    return picked;
}

} // namespace tempera
