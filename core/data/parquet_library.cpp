#include "core/base/library.h"
#include "core/data/parquet.h"

#include <mutex>

namespace tempera {

ParquetLibrary& load_parquet() {
    static std::mutex mutex;
    static ParquetLibrary* library = nullptr;
    std::lock_guard guard(mutex);
    if (!library) { // a failure is tried again at the next call
        void* entry = load_library(
            {library_folder() / "libtempera_arrow.so", parquet_entry_symbol, "The reader of Parquet files"});
        library = reinterpret_cast<ParquetEntry*>(entry)();
    }
    return *library;
}

} // namespace tempera
