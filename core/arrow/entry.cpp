#include "core/arrow/rows.h"

namespace tempera {

namespace {

class Library final : public ParquetLibrary {
public:
    std::unique_ptr<ParquetRows> open(const std::filesystem::path& path,
                                      const std::vector<std::string>& columns) override {
        return open_parquet_rows(path, columns);
    }
    std::unique_ptr<ParquetSink> create(const ByteSink& out, const ParquetType& columns) override {
        return create_parquet_sink(out, columns);
    }
};

} // namespace

extern "C" [[gnu::visibility("default")]] ParquetLibrary* tempera_parquet_entry() {
    static Library library;
    return &library;
}

} // namespace tempera
