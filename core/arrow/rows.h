#pragma once

#include "core/data/parquet.h"

namespace tempera {

/// See ParquetLibrary::open().
std::unique_ptr<ParquetRows> open_parquet_rows(const std::filesystem::path& path,
                                               const std::vector<std::string>& columns);
/// See ParquetLibrary::create().
std::unique_ptr<ParquetSink> create_parquet_sink(const ByteSink& out, const ParquetType& columns);

} // namespace tempera
