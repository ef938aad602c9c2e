#pragma once

#include "core/base/json.h"
#include "core/data/validation.h"
#include "core/store/local_models.h"
#include "ui/data_types.h"
#include "ui/widgets/fact_grid.h"

#include <map>
#include <utility>
#include <vector>

namespace tempera {

/// What is known of the rows of the split that is shown.
struct SplitCount {
    std::int64_t rows = 0;
    enum class State { counting, all, broken } state = State::counting; ///< broken: no more can be read
};

/// "1,200 rows", "more than 1,200 rows", "1,200 rows, then it breaks off" ...
QString countText(const SplitCount& count);

/// What stands beside the rows: how many every split has (of the others those in `other_rows`, and what their
/// files say), its files, what of them is not read, and what a check found (null = none was made).
std::vector<Fact> factsOf(const DataOverview& overview, std::size_t split, const SplitCount& count,
                          const std::map<std::size_t, std::int64_t>& other_rows,
                          const CachedRepository& origin, const ValidationReport* report);

/// The kinds of run that can use data of a task and the field it goes into, each as a recipe with that field
/// set.
std::vector<std::pair<QString, Json>> usesOf(DataTask task, const std::string& data,
                                             const ColumnMapping& columns);

} // namespace tempera
