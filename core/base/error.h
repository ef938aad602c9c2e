#pragma once

#include <stdexcept>
#include <string>

namespace tempera {

/// What went wrong, for the program that has to choose an exit code, a colour or a retry.
enum class ErrorKind {
    bad_input,   ///< a file, recipe, option or row that cannot be used; nothing was written
    not_found,   ///< a named thing does not exist
    unsupported, ///< well-formed, but outside what Tempera implements
    io,          ///< reading or writing failed
    disk_full,   ///< no space left, or a quota
    busy,        ///< held by another process or run
    numeric,     ///< NaN or infinity where a number must be
    stopped,     ///< the user asked to stop or cancel
    internal     ///< a defect of Tempera
};

/// The one exception of core and engine. `what()` is one sentence for the user: what happened, why, and what
/// to do. It is caught at the job boundary (RunQueue, tempera-cli's main) and nowhere else.
class Error : public std::runtime_error {
public:
    Error(ErrorKind kind, const std::string& sentence) : std::runtime_error(sentence), kind_(kind) {}
    ErrorKind kind() const { return kind_; }

private:
    ErrorKind kind_;
};

[[noreturn]] inline void fail(ErrorKind kind, const std::string& sentence) {
    throw Error(kind, sentence);
}

const char* name_of(ErrorKind kind);

} // namespace tempera
