#pragma once

#include "core/data/task_rows.h"

#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

namespace tempera {

/// Which rows of a data set a run takes; the fields are those of recipes, by the same names.
struct SelectionOptions {
    std::int64_t examples = 0; ///< 0 = all rows that validation leaves
    std::int64_t validation_examples = 0;
    std::uint64_t data_seed = 0;
    std::string bad_rows = "skip";
    std::string source; ///< what errors call the data
};

/// A row that was chosen: the `ordinal`-th of the data (from 0) is example `slot` of its side.
struct PickedRow {
    std::int64_t ordinal = 0;
    std::size_t slot = 0;
    bool validation = false;
};

/// Reads all rows once and chooses (split_rows); by rising ordinal. `key` of a row says what must not stand
/// on both sides, and throws RowError for one that cannot be used. Memory: 32 bytes a row.
std::vector<PickedRow> pick_rows(TaskRows& rows, const SelectionOptions& options, BadRows& bad,
                                 const std::function<std::uint64_t(const JsonRow&)>& key);

template <class Item>
struct Selection {
    std::vector<Item> train;
    std::vector<Item> validation;
    SkippedRows skipped;
};

/// Reads the rows twice, so that no more than the chosen ones are ever in memory: `key` as in pick_rows(),
/// `make` makes what a chosen row is for. A row that `make` cannot use is one fewer. Throws Error(bad_input)
/// where nothing is left to train on.
template <class Item>
Selection<Item> select_rows(TaskRows& rows, const SelectionOptions& options,
                            const std::function<std::uint64_t(const JsonRow&)>& key,
                            const std::function<Item(const JsonRow&)>& make) {
    BadRows bad(options.bad_rows);
    const auto picked = pick_rows(rows, options, bad, key);
    std::vector<std::optional<Item>> sides[2];
    for (const PickedRow& row : picked)
        if (auto& side = sides[row.validation]; side.size() <= row.slot) side.resize(row.slot + 1);
    rows.restart();
    std::int64_t ordinal = 0;
    for (auto next = picked.begin(); next != picked.end(); ++ordinal) {
        auto row = rows.next();
        if (!row) break;
        if (ordinal != next->ordinal) continue;
        bad.use_again(*row, [&](const JsonRow& good) { sides[next->validation][next->slot] = make(good); });
        ++next;
    }
    Selection<Item> result;
    for (bool validation : {false, true})
        for (auto& item : sides[validation])
            if (item) (validation ? result.validation : result.train).push_back(std::move(*item));
    result.skipped = bad.skipped_of(rows);
    if (result.train.empty()) bad.fail_all(options.source);
    return result;
}

} // namespace tempera
