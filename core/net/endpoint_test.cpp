#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/net/openai.h"
#include "core/net/openai_wire.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

namespace tempera {

namespace {

constexpr std::size_t most_models = 1000;
constexpr std::chrono::milliseconds patience(15000); // for each of the two questions

/// Ids of a list of models; nullopt where the body is none.
std::optional<std::vector<std::string>> models_in(const std::string& body) {
    try {
        const Json json = parse_json(body, "the list of models");
        const auto data = json.is_object() ? json.find("data") : json.end();
        if (!json.is_object() || data == json.end() || !data->is_array()) return std::nullopt;
        std::vector<std::string> models;
        for (const Json& row : *data)
            if (row.is_object() && row.contains("id") && row["id"].is_string() && models.size() < most_models)
                models.push_back(row["id"].get<std::string>());
        std::ranges::sort(models);
        return models;
    } catch (const Error&) {
        return std::nullopt;
    }
}

HttpRequest list_request(const Endpoint& endpoint, const std::string& key) {
    HttpRequest request;
    request.url = address_of(endpoint, "/models");
    if (!key.empty()) request.headers.emplace_back("Authorization", "Bearer " + key);
    request.deadlines = {std::chrono::milliseconds(5000), patience, patience, patience};
    request.max_body = 8u << 20;
    return request;
}

/// Whether a reply that holds no text is one all the same: a model that gives one token may well give none.
bool has_choices(const std::string& body) {
    try {
        const Json reply = parse_json(body, "the reply");
        const auto choices = reply.is_object() ? reply.find("choices") : reply.end();
        return reply.is_object() && choices != reply.end() && choices->is_array() && !choices->empty();
    } catch (const Error&) {
        return false;
    }
}

/// Asks for one token; the fault's sentence, or "".
std::string answer_problem(const HttpClient& http, const Endpoint& endpoint, const KeyLookup& keys,
                           const StopToken& stop) {
    OpenAiOptions options;
    options.retry.retries = 0;
    options.deadlines = {std::chrono::milliseconds(5000), patience, patience, patience};
    options.keys = keys;
    GenerationRequest request;
    request.messages = {{"user", "Say hello."}};
    // A reward model scores an answer.
    if (endpoint.model.find("reward") != std::string::npos)
        request.messages.push_back({"assistant", "Hello."});
    request.max_tokens = 1;
    const GenerationReply reply = OpenAiClient(http, endpoint, options).generate(request, stop);
    if (reply.fault == ReplyFault::unusable && has_choices(reply.raw)) return "";
    return reply.sentence;
}

std::string seconds_text(double seconds) {
    char text[32];
    std::snprintf(text, sizeof text, "%.1f s", seconds);
    return text;
}

void run_test(const HttpClient& http, const Endpoint& endpoint, const KeyLookup& keys, const StopToken& stop,
              EndpointTest& test) {
    if (const auto problems = problems_of(endpoint); !problems.empty()) {
        test.sentence = "Endpoint \"" + endpoint.name + "\": " + problems.front();
        return;
    }
    const std::string key = find_key(endpoint, keys);
    // Without a good key the question says so; nothing is sent before.
    if (endpoint.key_variable.empty() || !key.empty()) {
        const HttpOutcome outcome = http.send(list_request(endpoint, key), stop);
        const int status = outcome.response.status;
        if (outcome.fault != HttpFault::none) {
            test.sentence = without_secret("Endpoint \"" + endpoint.name + "\": " + outcome.sentence, key);
            return;
        }
        if (auto models = models_in(without_secret(outcome.response.body, key)); models && status == 200)
            test.models = std::move(*models);
    }
    const auto begin = std::chrono::steady_clock::now();
    if (!endpoint.model.empty() || test.models.empty()) {
        test.sentence = answer_problem(http, endpoint, keys, stop);
        if (!test.sentence.empty()) return;
    }
    const double took = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    test.ok = true;
    test.sentence = endpoint.model.empty() ? "Endpoint \"" + endpoint.name + "\" can be reached"
                                           : "Endpoint \"" + endpoint.name + "\" answers with "
                                                 + endpoint.model + " in " + seconds_text(took);
    if (!test.models.empty()) test.sentence += " and lists " + counted(test.models.size(), "model");
    test.sentence += ".";
}

} // namespace

EndpointTest test_endpoint(const HttpClient& http, const Endpoint& endpoint, const KeyLookup& keys,
                           const StopToken& stop) {
    EndpointTest test;
    const auto begin = std::chrono::steady_clock::now();
    run_test(http, endpoint, keys, stop, test);
    test.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return test;
}

} // namespace tempera
