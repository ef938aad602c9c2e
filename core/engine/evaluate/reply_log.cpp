#include "core/engine/evaluate/reply_log.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/engine/evaluate/remote_model.h"

#include <algorithm>
#include <cerrno>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string line_of(std::int64_t prompt, const std::string& text, const ComparedReply& reply) {
    return to_json_line({{"index", prompt},
                         {"prompt", text},
                         {"text", reply.text},
                         {"tokens", reply.tokens},
                         {"finish", reply.finish},
                         {"token_ids", reply.token_ids},
                         {"logprobs", reply.logprobs}})
           + "\n";
}

/// Empty where the row has none, as those of an earlier version.
template <typename T>
std::vector<T> numbers_of(const Json& row, const char* key) {
    const auto found = row.find(key);
    const bool numbers =
        found != row.end() && found->is_array()
        && std::all_of(found->begin(), found->end(), [](const Json& value) { return value.is_number(); });
    return numbers ? found->get<std::vector<T>>() : std::vector<T>();
}

} // namespace

ReplyLog::ReplyLog(fs::path file, const std::vector<std::string>& prompts, bool resume)
    : file_(std::move(file)) {
    std::error_code ignored;
    if (resume && fs::exists(file_, ignored)) read(prompts);
    fs::create_directories(file_.parent_path(), ignored);
    std::string whole; // without the row that a kill cut short
    for (const auto& [index, reply] : replies_)
        whole += line_of(index, prompts[static_cast<std::size_t>(index)], reply);
    write_file_atomic(file_, whole);
    out_.open(file_, std::ios::binary | std::ios::app);
    if (!out_) fail_errno("Cannot write", file_, errno);
}

void ReplyLog::read(const std::vector<std::string>& prompts) {
    const std::string content = read_file(file_, std::size_t{1} << 32);
    for (std::size_t begin = 0;;) {
        const auto end = content.find('\n', begin);
        if (end == std::string::npos) return;
        const Json row = Json::parse(content.begin() + static_cast<std::ptrdiff_t>(begin),
                                     content.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
        begin = end + 1;
        const bool fits = row.is_object() && row.contains("index") && row["index"].is_number_integer()
                          && row.contains("tokens") && row["tokens"].is_number_integer()
                          && row.value("text", Json()).is_string() && row.value("finish", Json()).is_string();
        if (!fits || row["finish"] == failed_finish) continue;
        const auto index = row["index"].get<std::int64_t>();
        if (index < 0 || index >= static_cast<std::int64_t>(prompts.size())
            || row.value("prompt", Json()) != prompts[static_cast<std::size_t>(index)])
            fail(ErrorKind::bad_input,
                 "This run cannot go on: prompt " + std::to_string(index + 1)
                     + " is no longer what it was when it was answered. Start a new run.");
        ComparedReply& reply = replies_[index];
        reply.text = row["text"].get<std::string>();
        reply.tokens = row["tokens"].get<std::int64_t>();
        reply.finish = row["finish"].get<std::string>();
        reply.token_ids = numbers_of<std::int32_t>(row, "token_ids");
        reply.logprobs = numbers_of<float>(row, "logprobs");
    }
}

void ReplyLog::add(std::int64_t prompt, const std::string& text, ComparedReply reply) {
    errno = 0;
    out_ << line_of(prompt, text, reply);
    if (!out_) fail_errno("Cannot write", file_, errno != 0 ? errno : EIO);
    replies_[prompt] = std::move(reply);
}

void ReplyLog::flush() {
    errno = 0;
    if (!out_.flush()) fail_errno("Cannot write", file_, errno != 0 ? errno : EIO);
}

} // namespace tempera
