#include "core/base/error.h"

namespace tempera {

const char* name_of(ErrorKind kind) {
    switch (kind) {
    case ErrorKind::bad_input:
        return "bad input";
    case ErrorKind::not_found:
        return "not found";
    case ErrorKind::unsupported:
        return "unsupported";
    case ErrorKind::io:
        return "input/output error";
    case ErrorKind::disk_full:
        return "disk full";
    case ErrorKind::busy:
        return "busy";
    case ErrorKind::numeric:
        return "numeric error";
    case ErrorKind::stopped:
        return "stopped";
    case ErrorKind::internal:
        return "internal error";
    }
    return "unknown";
}

} // namespace tempera
