#include "core/base/random.h"
#include "core/net/openai_wire.h"

#include <QTest>

#include <algorithm>
#include <cmath>

using namespace tempera;

namespace {

GenerationRequest chat_request(int n = 1) {
    GenerationRequest request;
    request.messages = {{"system", "Be brief."}, {"user", "2 + 2?"}};
    request.n = n;
    return request;
}

GenerationRequest plain_request(int n = 1) {
    GenerationRequest request;
    request.prompt = "2 + 2 =";
    request.n = n;
    return request;
}

GenerationReply read(const std::string& body, const GenerationRequest& request) {
    GenerationReply reply;
    read_reply(body, request, reply);
    return reply;
}

Endpoint endpoint() {
    Endpoint made;
    made.name = "lab";
    made.base_url = "https://lab.example.org/v1/";
    made.model = "small";
    return made;
}

const std::string chat_body = R"({"id":"x","model":"small-0613","choices":[
 {"index":0,"message":{"role":"assistant","content":"4"},"finish_reason":"stop",
  "logprobs":{"content":[{"token":"4","logprob":-0.25,"bytes":[52],"top_logprobs":[]},{"token":"","logprob":-1}]}},
 {"index":1,"message":{"role":"assistant","content":[{"type":"text","text":"fo"},{"type":"text","text":"ur"}]},
  "finish_reason":"length","logprobs":null}],
 "usage":{"prompt_tokens":11,"completion_tokens":3,"total_tokens":14}})";

const std::string plain_body = R"({"model":"small","choices":[{"index":0,"text":" 4","finish_reason":"stop",
 "logprobs":{"tokens":[" 4","!"],"token_logprobs":[-0.5,-2],"top_logprobs":null,"text_offset":[0,2]}}],
 "usage":{"prompt_tokens":5,"completion_tokens":2}})";

/// A body with a few bytes changed, left out, doubled or cut.
std::string mutated(const std::string& body, RandomStream& random) {
    std::string text = body;
    for (int changes = random.between(1, 4); changes > 0 && !text.empty(); --changes) {
        const std::size_t at = random.below(static_cast<std::uint32_t>(text.size()));
        const std::size_t length =
            std::min<std::size_t>(text.size() - at, static_cast<std::size_t>(random.between(1, 12)));
        switch (random.below(5)) {
        case 0:
            text[at] = static_cast<char>(random.below(256));
            break;
        case 1:
            text.erase(at, length);
            break;
        case 2:
            text.insert(at, text.substr(at, length));
            break;
        case 3:
            text.resize(at);
            break;
        default: {
            constexpr const char* tricks[] = {"null", "[",    "{}",      "1e999",
                                              "-1",   "NaN",  "\"\"",    "\xff",
                                              "[[[[", "true", "\\u0000", "18446744073709551616"};
            text.insert(at, tricks[random.below(12)]);
        }
        }
    }
    return text;
}

} // namespace

class TestOpenaiWire : public QObject {
    Q_OBJECT

private slots:
    void bodiesHoldWhatWasAsked() {
        GenerationRequest request = chat_request();
        QCOMPARE(path_of(request), std::string("/chat/completions"));
        QCOMPARE(address_of(endpoint(), path_of(request)),
                 std::string("https://lab.example.org/v1/chat/completions"));
        QVERIFY(body_of(request, endpoint())
                == Json::parse(R"({"model":"small","messages":[{"role":"system","content":"Be brief."},
                                 {"role":"user","content":"2 + 2?"}]})"));
        request = plain_request(3);
        request.model = "other";
        request.temperature = 0;
        request.top_p = 0.9;
        request.max_tokens = 12;
        request.seed = 7;
        request.stop = {"\n"};
        request.logprobs = request.stream = true;
        request.extra = {{"top_k", 40}};
        QCOMPARE(path_of(request), std::string("/completions"));
        QVERIFY(body_of(request, endpoint())
                == Json::parse(R"({"model":"other","prompt":"2 + 2 =","n":3,"temperature":0.0,"top_p":0.9,
                     "max_tokens":12,"seed":7,"stop":["\n"],"logprobs":1,"stream":true,
                     "stream_options":{"include_usage":true},"top_k":40})"));
        Endpoint openai = endpoint();
        openai.base_url = "https://api.openai.com/v1";
        request = chat_request();
        request.max_tokens = 5;
        request.logprobs = true;
        const Json body = body_of(request, openai);
        QVERIFY(body["max_completion_tokens"] == 5);
        QVERIFY(body["logprobs"] == true);
        QVERIFY(!body.contains("max_tokens"));
    }

    void repliesAreRead() {
        const GenerationReply chat = read(chat_body, chat_request(2));
        QVERIFY2(chat.fault == ReplyFault::none, chat.sentence.c_str());
        QCOMPARE(chat.texts.size(), std::size_t{2});
        QCOMPARE(chat.texts[0].text, std::string("4"));
        QCOMPARE(chat.texts[0].finish, std::string("stop"));
        QCOMPARE(chat.texts[0].logprobs, (std::vector<float>{-0.25f, -1}));
        QCOMPARE(chat.texts[1].text, std::string("four"));
        QCOMPARE(chat.texts[1].finish, std::string("length"));
        QVERIFY(chat.texts[1].logprobs.empty());
        QCOMPARE(chat.usage.prompt_tokens, 11);
        QCOMPARE(chat.usage.completion_tokens, 3);
        QCOMPARE(chat.model, std::string("small-0613"));
        const GenerationReply plain = read(plain_body, plain_request());
        QCOMPARE(plain.texts[0].text, std::string(" 4"));
        QCOMPARE(plain.texts[0].tokens, (std::vector<std::string>{" 4", "!"}));
        QCOMPARE(plain.texts[0].logprobs, (std::vector<float>{-0.5f, -2}));
        QCOMPARE(read(chat_body, chat_request(1)).texts.size(), std::size_t{1}); // no more than asked
    }

    void whatHoldsNoTextIsMarked_data() {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<QString>("says");
        auto row = [](const char* name, const QByteArray& body, const char* says) {
            QTest::addRow("%s", name) << body << says;
        };
        row("empty", "", "empty");
        row("blank", " \n", "empty");
        row("a page", "<!DOCTYPE html><html><body>Sign in</body></html>", "a web page");
        row("broken", R"({"choices":[{"text":)", "not valid JSON");
        row("NaN", R"({"choices":[{"text":"a","logprobs":NaN}]})", "not valid JSON");
        row("overflow", R"({"choices":[{"text":"a"}],"x":1e999})", "too large");
        row("not UTF-8", "{\"choices\":[{\"text\":\"\xff\"}]}", "UTF-8");
        row("deep", QByteArray(5000, '['), "nested deeper");
        row("a list", "[]", "no choices");
        row("no choices", R"({"choices":[]})", "no choices");
        row("choices of another type", R"({"choices":{"0":{"text":"a"}}})", "no choices");
        row("an error with 200", R"({"error":{"message":"overloaded"}})", "overloaded");
        row("null", R"({"choices":[{"text":null}]})", "holds no text");
        row("another type", R"({"choices":[{"text":3}]})", "holds no text");
        row("a choice that is none", R"({"choices":["a"]})", "holds no text");
        row("two, one of them bad", R"({"choices":[{"text":"a"},{}]})", "choice 1 holds no text");
    }
    void whatHoldsNoTextIsMarked() {
        QFETCH(QByteArray, body);
        QFETCH(QString, says);
        const GenerationReply reply = read(body.toStdString(), plain_request(2));
        QVERIFY(reply.fault == ReplyFault::unusable);
        QVERIFY(reply.texts.empty());
        QVERIFY2(reply.sentence.find(says.toStdString()) != std::string::npos, reply.sentence.c_str());
    }

    void logprobsThatCannotBeReadAreLeftOut() {
        for (const char* given :
             {R"({"tokens":["a"],"token_logprobs":[null]})", R"({"tokens":["a","b"],"token_logprobs":[-1]})",
              R"({"tokens":["a"],"token_logprobs":["x"]})", R"({"tokens":["a"],"token_logprobs":[-1e300]})",
              R"({"content":[{"token":"a","logprob":-1},{"token":"b"}]})", "[]", "3"}) {
            const GenerationReply reply =
                read(std::string(R"({"choices":[{"text":"a","logprobs":)") + given + "}]}", plain_request());
            QVERIFY2(reply.fault == ReplyFault::none, given);
            QVERIFY2(reply.texts[0].logprobs.empty() && reply.texts[0].tokens.empty(), given);
        }
    }

    void usageIsBelievedWithinReason() {
        const auto reply = read(R"({"choices":[{"text":"a"}],"usage":{"prompt_tokens":-4,
                                    "completion_tokens":1e300}})",
                                plain_request());
        QVERIFY(reply.fault == ReplyFault::none);
        QCOMPARE(reply.usage.prompt_tokens, 0);
        QCOMPARE(reply.usage.completion_tokens, 0);
    }

    void streamsArePutTogether() {
        const GenerationRequest request = chat_request(2);
        std::string seen;
        StreamedReply stream(request, [&](const OpenAiClient::Piece& piece) {
            seen += std::to_string(piece.choice) + std::string(piece.text) + " ";
        });
        for (
            const char* data :
            {R"({"model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""}}]})",
             R"({"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a","logprob":-1}]}}]})",
             R"({"choices":[{"index":1,"delta":{"content":"x"}}]})",
             R"({"choices":[{"index":0,"delta":{"content":"b"},"finish_reason":"stop"}]})"})
            QVERIFY(stream.take(data));
        QVERIFY(!stream.complete());
        QVERIFY(stream.take(R"({"choices":[{"index":1,"delta":{},"finish_reason":"length"}]})"));
        QVERIFY(stream.complete());
        QVERIFY(stream.take(R"({"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}})"));
        QVERIFY(!stream.take("[DONE]"));
        GenerationReply reply;
        stream.finish(reply);
        QVERIFY2(reply.fault == ReplyFault::none, reply.sentence.c_str());
        QCOMPARE(reply.texts[0].text, std::string("ab"));
        QCOMPARE(reply.texts[0].logprobs, std::vector<float>{-1});
        QCOMPARE(reply.texts[1].text, std::string("x"));
        QCOMPARE(reply.texts[1].finish, std::string("length"));
        QCOMPARE(reply.usage.completion_tokens, 4);
        QCOMPARE(seen, std::string("0a 1x 0b "));
    }

    void brokenStreamsAreMarked() {
        const GenerationRequest request = plain_request();
        for (const char* data : {"{", R"({"error":{"message":"out of memory"}})", "[DONE]", "<html>"}) {
            StreamedReply stream(request, {});
            QVERIFY(!stream.take(data));
            GenerationReply reply;
            stream.finish(reply);
            QVERIFY2(reply.fault != ReplyFault::none, data);
            QVERIFY(!reply.sentence.empty() && reply.texts.empty());
        }
    }

    void mutatedBodiesNeverGiveHalfAReply() {
        RandomStream random(20261128);
        int good = 0;
        for (int i = 0; i < 10000; ++i) {
            const bool chat = i % 2 == 0;
            const GenerationRequest request = chat ? chat_request(2) : plain_request();
            const std::string body = mutated(chat ? chat_body : plain_body, random);
            GenerationReply reply = read(body, request);
            reply.raw = kept_raw(body);
            QVERIFY(reply.raw.size() <= 64u << 10);
            QVERIFY(QString::fromStdString(reply.raw).toStdString() == reply.raw); // valid UTF-8
            message_in(body);
            if (reply.fault != ReplyFault::none) {
                QVERIFY(reply.texts.empty() && !reply.sentence.empty());
                continue;
            }
            ++good;
            QVERIFY(!reply.texts.empty() && reply.texts.size() <= static_cast<std::size_t>(request.n));
            for (const GeneratedText& text : reply.texts) {
                QCOMPARE(text.tokens.size(), text.logprobs.size());
                for (float logprob : text.logprobs)
                    QVERIFY(std::isfinite(logprob));
            }
            StreamedReply stream(request, {});
            stream.take(body);
            GenerationReply streamed;
            stream.finish(streamed);
            QVERIFY(streamed.texts.empty() == (streamed.fault != ReplyFault::none));
        }
        QVERIFY2(good > 500 && good < 9500, qPrintable(QString::number(good))); // both kinds were seen
    }

    void messagesAreShortLines() {
        QCOMPARE(message_in(R"({"error":{"message":"No\nsuch model.","type":"x"}})"),
                 std::string("No such model"));
        QCOMPARE(message_in(R"({"error":"busy"})"), std::string("busy"));
        QCOMPARE(message_in(R"({"detail":[{"loc":["n"]}]})"), std::string(R"([{"loc":["n"]}])"));
        QCOMPARE(message_in("Bad gateway\r\n"), std::string("Bad gateway"));
        QCOMPARE(message_in("<html>"), std::string());
        QVERIFY(message_in(std::string(5000, 'x')).size() <= 303);
        std::string wide;
        while (wide.size() < 1000)
            wide += "\xe2\x82\xac";
        const std::string cut = message_in("{\"error\":\"" + wide + "\"}");
        QVERIFY(QString::fromStdString(cut).toStdString() == cut);
    }

    void rawIsBoundedAndValid() {
        QCOMPARE(kept_raw("a\xff\0b"), std::string("a\xef\xbf\xbd"));
        QCOMPARE(kept_raw(std::string("a\0b", 3)), std::string("a b"));
        QCOMPARE(kept_raw(std::string(1 << 20, 'x')).size(), std::size_t{64u << 10});
        QVERIFY(kept_raw(std::string(1 << 20, '\xff')).size() <= std::size_t{64u << 10});
    }

    void secretsAreTakenOut() {
        QCOMPARE(without_secret("key sk-1, again sk-1sk-1.", "sk-1"),
                 std::string("key [key], again [key][key]."));
        QCOMPARE(without_secret("[key]", "key"), std::string("[[key]]"));
        QCOMPARE(without_secret("nothing", ""), std::string("nothing"));
    }
};

QTEST_GUILESS_MAIN(TestOpenaiWire)
#include "tst_openai_wire.moc"
