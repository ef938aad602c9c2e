#pragma once

#include "core/net/openai.h"
#include "tests/support/served_endpoint.h"

#include <QTest>

namespace tempera::test {

inline const std::string canary = "sk-CANARY-3f9a77";

inline const std::string good_body = R"({"model":"m","choices":[{"text":"4","finish_reason":"stop"}],
 "usage":{"prompt_tokens":1000,"completion_tokens":500}})";

inline std::string error_body(const std::string& message) {
    return Json{{"error", {{"message", message}}}}.dump();
}

inline ServedAnswer good() {
    return json_answer(200, good_body);
}

inline ServedAnswer stream_answer(const std::string& body) {
    ServedAnswer made;
    made.body = body;
    made.headers = {{"Content-Type", "text/event-stream; charset=utf-8"}};
    return made;
}

inline Endpoint endpoint_at(const std::string& url) {
    Endpoint made = served_endpoint("lab", url);
    made.key_variable = "TEMPERA_TEST_KEY";
    made.price_in = 2;
    return made;
}

/// The rules with waits a hundred times shorter.
inline OpenAiOptions quick() {
    OpenAiOptions options;
    options.retry.first_delay = 0.01;
    options.retry.longest_delay = 0.08;
    options.deadlines = {std::chrono::milliseconds(1000), std::chrono::milliseconds(400),
                         std::chrono::milliseconds(300), std::chrono::milliseconds(1500)};
    return options;
}

inline GenerationRequest question() {
    GenerationRequest request;
    request.prompt = "2 + 2 =";
    request.max_tokens = 4;
    return request;
}

inline bool holds(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

inline void require_no_key(const GenerationReply& reply) {
    QVERIFY(!holds(reply.sentence, canary));
    QVERIFY(!holds(reply.raw, canary));
    for (const GeneratedText& text : reply.texts)
        QVERIFY(!holds(text.text, canary));
}

inline GenerationReply ask(ScriptedServer& server, const OpenAiOptions& options = quick(),
                           const GenerationRequest& request = question(), const StopToken& stop = {}) {
    HttpClient http;
    GenerationReply reply =
        OpenAiClient(http, endpoint_at(server.url("/v1")), options).generate(request, stop);
    require_no_key(reply);
    return reply;
}

} // namespace tempera::test
