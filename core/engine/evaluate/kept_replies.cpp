#include "core/engine/evaluate/kept_replies.h"

#include "core/base/content_hash.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/kept_files.h"
#include "core/base/resources.h"
#include "core/engine/model/model_sums.h"

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t largest_log = std::size_t{1} << 30;

fs::path kept_file(const std::string& key) {
    return cache_folder() / "replies" / (key + ".jsonl");
}

} // namespace

std::string replies_key(const fs::path& folder, std::span<const TaskPrompt> prompts,
                        const PromptFields& style, const SamplingFields& sampling, double temperature,
                        const DeviceFields& device) {
    Json asked = Json::array();
    for (const TaskPrompt& prompt : prompts) {
        Json turns = Json::array();
        for (const ChatMessage& message : prompt.messages)
            turns.push_back({message.role, message.content});
        asked.push_back({std::move(turns), prompt.text});
    }
    const Json all = {
        model_sums(folder),
        std::move(asked),
        style.chat_template,
        {temperature, sampling.top_p, sampling.top_k, sampling.min_p, sampling.repetition_penalty},
        {sampling.max_tokens, sampling.stop, sampling.seed},
        {device.device, device.dtype}};
    const std::string text = all.dump(-1, ' ', false, Json::error_handler_t::replace);
    return sha256_hex(text);
}

bool take_kept_replies(const std::string& key, const fs::path& log) {
    std::error_code error;
    fs::create_directories(log.parent_path(), error);
    if (!fs::copy_file(kept_file(key), log, fs::copy_options::overwrite_existing, error) || error)
        return false;
    mark_used(kept_file(key));
    return true;
}

void keep_replies(const std::string& key, const fs::path& log, std::uintmax_t most_bytes) {
    keep_file(kept_file(key), read_file(log, largest_log), most_bytes);
}

} // namespace tempera
