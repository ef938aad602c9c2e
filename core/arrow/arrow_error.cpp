#include "core/arrow/arrow_error.h"

namespace tempera {

void fail_arrow(const arrow::Status& status, const std::string& file) {
    std::string reason = status.message().substr(0, 200);
    for (char& c : reason)
        if (static_cast<unsigned char>(c) < ' ') c = ' ';
    while (reason.ends_with('.') || reason.ends_with(' '))
        reason.pop_back();
    if (status.IsOutOfMemory())
        fail(ErrorKind::bad_input,
             file
                 + " asks for more memory than a Parquet file may (1 GiB at once): it is broken, or must be "
                   "written with smaller pages and row groups.");
    if (status.IsNotImplemented())
        fail(ErrorKind::unsupported, file + " cannot be read: " + reason + ". Write it anew with pyarrow.");
    if (status.IsIOError() && reason.find("errno") != reason.npos)
        fail(ErrorKind::io, "Cannot read " + file + ": " + reason + ".");
    fail(ErrorKind::bad_input,
         file + " is a broken Parquet file (" + reason + "); download or write it again.");
}

} // namespace tempera
