#pragma once

#include "core/store/records.h"

#include <filesystem>
#include <fstream>
#include <map>

namespace tempera {

/// Replies of one model by prompt index, appended to a .jsonl file as they come, so that a stopped run need
/// not draw them again. A row holds index, prompt (its text, so that another prompt's reply is never taken),
/// text, tokens, finish, token_ids and logprobs.
class ReplyLog {
public:
    /// Takes over the rows of an existing file, as far as they are whole, when `resume` is set; starts anew
    /// else. Replies that an endpoint failed to give are left out: they are asked for again. Throws
    /// Error(bad_input) for a row of a prompt that is no longer the same, Error(io, disk_full).
    ReplyLog(std::filesystem::path file, const std::vector<std::string>& prompts, bool resume);

    /// Throws Error(io, disk_full).
    void add(std::int64_t prompt, const std::string& text, ComparedReply reply);
    /// The file holds everything that was added before, whatever happens to this process.
    void flush();

    const std::map<std::int64_t, ComparedReply>& replies() const { return replies_; }

private:
    void read(const std::vector<std::string>& prompts);

    std::filesystem::path file_;
    std::map<std::int64_t, ComparedReply> replies_;
    std::ofstream out_;
};

} // namespace tempera
