#include "core/judge/connect.h"

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/recipe/answer_fields.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <ctime>
#include <thread>

namespace tempera {

namespace {

constexpr double longest_pause = 3600; // seconds that a server may ask to wait

ErrorKind kind_of(ReplyFault fault) {
    if (fault == ReplyFault::stopped) return ErrorKind::stopped;
    if (fault == ReplyFault::missing) return ErrorKind::not_found;
    return fault == ReplyFault::paused ? ErrorKind::io : ErrorKind::bad_input;
}

/// Whether every other question would fail the same way. A server that fails or hangs may do so for one
/// question alone; ask_all() sees where it is more.
bool is_final(ReplyFault fault) {
    return ends_the_run(fault) && fault != ReplyFault::network && fault != ReplyFault::limited;
}

/// False where the stop came first.
bool wait(double seconds, const StopToken& stop, std::atomic<std::int64_t>& waits_until) {
    waits_until = std::max(waits_until.load(), std::time(nullptr) + static_cast<std::int64_t>(seconds));
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (std::chrono::steady_clock::now() < end) {
        if (stop) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return true;
}

EndpointReply reply_of(GenerationReply&& came) {
    if (is_final(came.fault))
        fail(kind_of(came.fault),
             came.sentence + (came.fault == ReplyFault::paused ? " Resume the run then." : ""));
    EndpointReply reply;
    reply.prompt_tokens = came.usage.prompt_tokens;
    reply.completion_tokens = came.usage.completion_tokens;
    reply.cost = came.usage.cost;
    reply.whole = came.fault == ReplyFault::none && !came.texts.empty();
    if (reply.whole) {
        reply.text = std::move(came.texts.front().text);
    } else {
        reply.text = std::move(came.raw);
        reply.problem = came.sentence.empty() ? "The reply holds no text." : std::move(came.sentence);
    }
    return reply;
}

/// What the questions of one connection share.
struct Connection {
    HttpClient http;
    OpenAiClient client;
    std::atomic<std::int64_t> waits_until = 0;
    Connection(Endpoint endpoint, OpenAiOptions options)
        : client(http, std::move(endpoint), std::move(options)) {}
};

} // namespace

OpenAiOptions patient_options(const KeyLookup& keys) {
    using namespace std::chrono_literals;
    OpenAiOptions options;
    options.deadlines.first_byte = 180s;
    options.keys = keys;
    return options;
}

Asker connect_endpoint(const AskedModel& asked, const OpenAiOptions& options) {
    Endpoint endpoint = find_endpoint(asked.endpoint);
    std::string model = asked.model.empty() ? endpoint.model : asked.model;
    if (model.empty()) model = asked.otherwise_model;
    if (model.empty())
        fail(ErrorKind::bad_input, "The endpoint \"" + asked.endpoint
                                       + "\" names no model, and neither does "
                                         "the recipe: say which one is to be asked.");
    Asker asker;
    asker.name = model + " at " + endpoint.name;
    asker.model = model;
    asker.concurrency = std::max(1, endpoint.concurrency);
    asker.has_prices = endpoint.price_in > 0 || endpoint.price_out > 0;
    asker.identity = to_json_line({{"url", endpoint.base_url},
                                   {"model", model},
                                   {"max_tokens", asked.max_tokens},
                                   {"temperature", asked.temperature}});
    auto connection = std::make_shared<Connection>(std::move(endpoint), options);
    GenerationRequest request;
    request.model = model;
    request.max_tokens = asked.max_tokens;
    request.temperature = asked.temperature;
    asker.ask = [connection, request](const std::vector<ChatMessage>& messages, const StopToken& stop) {
        GenerationRequest question = request;
        question.messages = messages;
        GenerationReply reply = connection->client.generate(question, stop);
        while (reply.fault == ReplyFault::paused && reply.wait_seconds <= longest_pause
               && wait(reply.wait_seconds, stop, connection->waits_until))
            reply = connection->client.generate(question, stop);
        return reply_of(std::move(reply));
    };
    asker.waits_until = [connection] {
        const std::int64_t until = connection->waits_until;
        return until > std::time(nullptr) ? until : 0;
    };
    return asker;
}

std::shared_ptr<RemoteJudge> connect_judge(const RemoteJudgeFields& fields, const KeyLookup& keys) {
    AskedModel asked;
    asked.endpoint = fields.judge_endpoint;
    asked.model = fields.judge_model;
    asked.max_tokens = fields.judge_max_tokens;
    const JudgeStyle style = judge_style_from(fields.judge_style);
    if (style == JudgeStyle::nemotron) asked.otherwise_model = "nvidia/llama-3.1-nemotron-70b-reward";
    return std::make_shared<RemoteJudge>(connect_endpoint(asked, patient_options(keys)), style,
                                         judge_replies_file());
}

std::vector<Metric> judge_metrics(const AskTally& now, const AskTally& before) {
    auto since = [](auto a, auto b) { return static_cast<double>(a - b); };
    return {{"judge/asked", since(now.asked, before.asked)},
            {"judge/stored", since(now.stored, before.stored)},
            {"judge/failed", since(now.failed, before.failed)},
            {"judge/prompt_tokens", since(now.prompt_tokens, before.prompt_tokens)},
            {"judge/completion_tokens", since(now.completion_tokens, before.completion_tokens)},
            {"judge/cost", now.cost - before.cost}};
}

AskTally reported_tally(RunReader& reader) {
    auto last = [&](const char* name) {
        const auto points = reader.metric(name, -1);
        return points.empty() || std::isnan(points.back().value) ? 0 : points.back().value;
    };
    auto count = [&](const char* name) { return static_cast<std::int64_t>(last(name)); };
    AskTally tally;
    tally.asked = -count("judge/asked");
    tally.stored = -count("judge/stored");
    tally.failed = -count("judge/failed");
    tally.prompt_tokens = -count("judge/prompt_tokens");
    tally.completion_tokens = -count("judge/completion_tokens");
    tally.cost = -last("judge/cost");
    return tally;
}

} // namespace tempera
