#pragma once

#include "core/base/error.h"

namespace tempera {

/// A sentence about the hub, with "Settings, Hub" beside each variable that it names: in the window either
/// may be set.
std::string withHubSettings(const std::string& sentence);

/// What `ask` returns; where it fails, it fails in such words.
template <typename Ask>
auto askHub(Ask ask) {
    try {
        return ask();
    } catch (const Error& error) {
        throw Error(error.kind(), withHubSettings(error.what()));
    }
}

} // namespace tempera
