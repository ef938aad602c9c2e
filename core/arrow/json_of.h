#pragma once

#include "core/base/json.h"

#include <arrow/type_fwd.h>
#include <cstdint>
#include <string>

namespace tempera {

/// Turns cells into JSON: texts, numbers, truth values, lists, records and maps (pairs of a list) as what
/// they are; times, decimals and the like as Arrow prints them; what is not UTF-8 as bytes_value().
class JsonMaker {
public:
    /// The cell of `array` at `index`, which exists. Throws RowTooLarge where it does not fit.
    Json cell(const arrow::Array& array, std::int64_t index);
    /// Before every row.
    void begin_row() { spent_ = 0; }

    struct RowTooLarge {};

private:
    void spend(std::size_t bytes);
    Json text(std::string_view bytes);
    template <class ListArray>
    Json list(const ListArray& array, std::int64_t index);
    Json record(const arrow::StructArray& array, std::int64_t index);

    std::size_t spent_ = 0; ///< bytes of the row so far, roughly
};

} // namespace tempera
