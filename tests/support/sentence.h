#pragma once

#include "core/base/error.h"

#include <functional>
#include <string>

namespace tempera::test {

/// The sentence of the Error that `action` throws; "" where it throws none.
inline std::string sentence_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

} // namespace tempera::test
