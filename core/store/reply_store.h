#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace tempera {

/// What an endpoint replied to one conversation.
struct EndpointReply {
    bool whole = false;  ///< a chat completion came, and `text` is what the model said
    std::string text;    ///< else what did come, as it was
    std::string problem; ///< why it is not whole, one sentence
    std::int64_t prompt_tokens = 0;
    std::int64_t completion_tokens = 0;
    double cost = 0; ///< in the currency of the endpoint's prices; 0 where it has none
};

/// Replies that were paid for, by a key that names the whole question; so that none is paid for twice. What
/// keep() was given is on the disk when it returns, whatever happens to the process. Threads, and processes,
/// may share a file: every access is alone with it (a lock file beside it), as SQLite before 3.51.3 asks for
/// in WAL mode.
class ReplyStore {
public:
    /// A longer text is cut.
    static constexpr std::size_t longest_text = 64u << 10;

    /// Creates or opens the file, and its folder. Throws Error(io, disk_full, bad_input).
    explicit ReplyStore(std::filesystem::path path);
    ~ReplyStore();
    ReplyStore(const ReplyStore&) = delete;
    ReplyStore& operator=(const ReplyStore&) = delete;

    /// The whole reply to a question; none where it was never answered. Throws Error.
    std::optional<EndpointReply> find(const std::string& key);
    /// A whole reply stays as it is. One that is not whole is kept for people to read, until a whole one
    /// comes. `asked` says of whom, for people. Throws Error(io, disk_full).
    void keep(const std::string& key, const std::string& asked, const EndpointReply& reply);

    struct Counts {
        std::int64_t whole = 0;
        std::int64_t broken = 0;
    };
    Counts counts();

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// The file in which all judges of this user keep their replies, in the cache folder.
std::filesystem::path judge_replies_file();

} // namespace tempera
