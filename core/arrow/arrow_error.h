#pragma once

#include "core/base/error.h"

#include <arrow/result.h>
#include <arrow/status.h>
#include <exception>
#include <new>
#include <string>

namespace tempera {

/// Throws the Error for what Arrow could not do with `file`: a broken file, one that asks for too much
/// memory, a feature that this build of Arrow lacks, or a read that failed.
[[noreturn]] void fail_arrow(const arrow::Status& status, const std::string& file);

inline void check_arrow(const arrow::Status& status, const std::string& file) {
    if (!status.ok()) fail_arrow(status, file);
}

template <class Value>
Value taken(arrow::Result<Value>&& result, const std::string& file) {
    if (!result.ok()) fail_arrow(result.status(), file);
    return std::move(result).ValueUnsafe();
}

/// Runs `action`; what Arrow or the standard library throws in it becomes an Error that names `file`.
template <class Action>
auto guard_arrow(const std::string& file, Action&& action) {
    try {
        return action();
    } catch (const Error&) {
        throw;
    } catch (const std::bad_alloc&) {
        fail_arrow(arrow::Status::OutOfMemory(""), file);
    } catch (const std::exception& error) {
        fail_arrow(arrow::Status::Invalid(error.what()), file);
    }
}

} // namespace tempera
