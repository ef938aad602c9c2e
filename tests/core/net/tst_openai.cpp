#include "openai_fixture.h"

#include <QElapsedTimer>
#include <QTest>

#include <atomic>
#include <thread>

using namespace tempera;
using namespace tempera::test;
using std::chrono::milliseconds;

/// How the client asks, waits, asks again and ends.
class TestOpenai : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { qputenv("TEMPERA_TEST_KEY", canary.c_str()); }

    void aQuestionIsAnswered() {
        ScriptedServer server({good()});
        const GenerationReply reply = ask(server);
        QVERIFY2(reply.fault == ReplyFault::none, reply.sentence.c_str());
        QCOMPARE(reply.texts[0].text, std::string("4"));
        QCOMPARE(reply.usage.requests, 1);
        QCOMPARE(reply.usage.cost, (1000 * 2 + 500 * 10) / 1e6);
        QCOMPARE(reply.raw, good_body);
        const ReceivedRequest request = server.requests().at(0);
        QCOMPARE(request.method, std::string("POST"));
        QCOMPARE(request.target, std::string("/v1/completions"));
        QCOMPARE(*find_header(request.headers, "Authorization"), "Bearer " + canary);
        QVERIFY(Json::parse(request.body)["max_tokens"] == 4);
        QVERIFY(!holds(request.body, canary) && !holds(request.target, canary));
    }

    void everyStatusHasItsWay_data() {
        QTest::addColumn<int>("status");
        QTest::addColumn<int>("fault");
        QTest::addColumn<int>("requests");
        auto row = [](int status, ReplyFault fault, int requests) {
            QTest::addRow("%d", status) << status << static_cast<int>(fault) << requests;
        };
        for (int status : {301, 302, 307, 308, 400, 402, 405, 413, 415, 422, 451})
            row(status, ReplyFault::refused, 1);
        for (int status : {401, 403})
            row(status, ReplyFault::key, 1);
        row(404, ReplyFault::missing, 1);
        row(429, ReplyFault::limited, 3);
        for (int status : {408, 409, 500, 502, 503, 504, 529})
            row(status, ReplyFault::server, 3);
    }
    void everyStatusHasItsWay() {
        QFETCH(int, status);
        QFETCH(int, fault);
        QFETCH(int, requests);
        ScriptedServer other({good()});
        ScriptedServer server({json_answer(status, error_body("Wrong: " + canary),
                                           {{"Location", other.url("/v1/completions")}})});
        const GenerationReply reply = ask(server);
        QCOMPARE(static_cast<int>(reply.fault), fault);
        QCOMPARE(reply.status, status);
        QCOMPARE(server.requests().size(), static_cast<std::size_t>(requests));
        QCOMPARE(reply.usage.requests, requests);
        QVERIFY(other.requests().empty()); // nothing follows a redirect, a key least of all
        QVERIFY(reply.texts.empty() && holds(reply.raw, "Wrong: [key]"));
        QVERIFY2(holds(reply.sentence, "Endpoint \"lab\"")
                     && holds(reply.sentence, "(" + std::to_string(status) + ": Wrong: [key])"),
                 reply.sentence.c_str());
    }

    void whatPassesIsAskedAgain() {
        ServedAnswer broken = good();
        broken.end = AnswerEnd::reset;
        broken.cut_after = 20;
        ScriptedServer server({json_answer(500, "oops"), broken, good()});
        const GenerationReply reply = ask(server);
        QVERIFY2(reply.fault == ReplyFault::none, reply.sentence.c_str());
        QCOMPARE(reply.usage.requests, 3);
    }

    void theServerSaysWhenToAskAgain_data() {
        QTest::addColumn<QString>("header");
        QTest::addColumn<QString>("value");
        QTest::addColumn<int>("least"); // milliseconds between the two requests
        QTest::addColumn<int>("most");
        QTest::addRow("milliseconds") << "retry-after-ms"
                                      << "300" << 300 << 1300;
        QTest::addRow("float") << "Retry-After"
                               << "0.3" << 300 << 1300;
        QTest::addRow("zero") << "Retry-After"
                              << "0" << 7 << 300;
        QTest::addRow("negative") << "Retry-After"
                                  << "-4" << 7 << 300;
        QTest::addRow("NaN") << "Retry-After"
                             << "NaN" << 7 << 300;
        QTest::addRow("past date") << "Retry-After"
                                   << "date -100" << 7 << 300;
        QTest::addRow("date") << "Retry-After"
                              << "date 2" << 950 << 3500;
    }
    void theServerSaysWhenToAskAgain() {
        QFETCH(QString, header);
        QFETCH(QString, value);
        QFETCH(int, least);
        QFETCH(int, most);
        if (value.startsWith("date "))
            value = QLocale::c().toString(QDateTime::currentDateTimeUtc().addSecs(value.mid(5).toInt()),
                                          "ddd, dd MMM yyyy hh:mm:ss 'GMT'");
        QElapsedTimer clock;
        std::atomic<qint64> first{-1}, second{-1};
        ScriptedServer server([&](const ReceivedRequest&) {
            if (first < 0) {
                first = clock.elapsed();
                return json_answer(429, "{}", {{header.toStdString(), value.toStdString()}});
            }
            second = clock.elapsed();
            return good();
        });
        clock.start();
        const GenerationReply reply = ask(server);
        QVERIFY2(reply.fault == ReplyFault::none, reply.sentence.c_str());
        const auto waited = second - first;
        QVERIFY2(waited >= least && waited <= most, qPrintable(QString::number(waited)));
    }

    void waitsBeyondTwoMinutesPause_data() {
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("says");
        QTest::addRow("130") << "130"
                             << "3 minutes";
        QTest::addRow("two hours") << "7200"
                                   << "2 hours";
        QTest::addRow("1e9") << "1e9"
                             << "years";
        QTest::addRow("1e999") << "1e999"
                               << "years";
        QTest::addRow("date") << QLocale::c().toString(QDateTime::currentDateTimeUtc().addSecs(3600),
                                                       "ddd, dd MMM yyyy hh:mm:ss 'GMT'")
                              << "60 minutes";
    }
    void waitsBeyondTwoMinutesPause() {
        QFETCH(QString, value);
        QFETCH(QString, says);
        ScriptedServer server({json_answer(429, "{}", {{"Retry-After", value.toStdString()}})});
        const GenerationReply reply = ask(server);
        QVERIFY(reply.fault == ReplyFault::paused);
        QVERIFY(reply.wait_seconds > 120);
        QCOMPARE(server.requests().size(), std::size_t{1});
        QVERIFY2(holds(reply.sentence, "asks to wait " + says.toStdString()), reply.sentence.c_str());
    }

    void theServerMayForbidOrDemandARetry() {
        ScriptedServer forbids({json_answer(500, "{}", {{"x-should-retry", "false"}}), good()});
        QVERIFY(ask(forbids).fault == ReplyFault::server);
        ScriptedServer demands({json_answer(400, "{}", {{"x-should-retry", "true"}}), good()});
        QVERIFY(ask(demands).fault == ReplyFault::none);
    }

    void streamsComePieceByPiece() {
        std::string body;
        for (const char* text : {"a", "b", "c"})
            body += "data: " + Json{{"choices", {{{"index", 0}, {"text", text}}}}}.dump() + "\n\n";
        body += "data: {\"choices\":[{\"index\":0,\"text\":\"\",\"finish_reason\":\"stop\"}]}\n\ndata: "
                "[DONE]\n\n";
        ServedAnswer cut = stream_answer(body);
        cut.end = AnswerEnd::close;
        cut.cut_after = 60; // after the first piece: asked again
        cut.headers.emplace_back("Connection", "close");
        ScriptedServer server({cut, stream_answer(body)});
        GenerationRequest request = question();
        request.stream = true;
        std::string seen;
        HttpClient http;
        const OpenAiClient client(http, endpoint_at(server.url("/v1")), quick());
        const GenerationReply reply = client.generate(request, {}, [&](const OpenAiClient::Piece& piece) {
            seen += piece.restart ? "|" : std::string(piece.text);
        });
        QVERIFY2(reply.fault == ReplyFault::none, reply.sentence.c_str());
        QCOMPARE(reply.texts.at(0).text, std::string("abc"));
        QCOMPARE(seen, std::string("a|abc"));
        ScriptedServer plain({good()}); // a server that does not know streams
        QCOMPARE(ask(plain, quick(), request).texts.at(0).text, std::string("4"));
    }

    void aStopEndsWithinASecond_data() {
        QTest::addColumn<int>("kind");
        QTest::addRow("while it waits for an answer") << 0;
        QTest::addRow("while it waits for a retry") << 1;
        QTest::addRow("while it waits for its turn") << 2;
    }
    void aStopEndsWithinASecond() {
        QFETCH(int, kind);
        ServedAnswer slow = good();
        slow.delay = milliseconds(20000);
        ScriptedServer server({kind == 0 ? slow : json_answer(429, "{}", {{"Retry-After", "60"}})});
        OpenAiOptions options = quick();
        options.deadlines.first_byte = options.deadlines.total = milliseconds(30000);
        Endpoint endpoint = endpoint_at(server.url("/v1"));
        if (kind == 2) endpoint.requests_per_minute = 0.1;
        HttpClient http;
        const OpenAiClient client(http, endpoint, options);
        StopToken stop;
        qint64 asked_at = 0;
        QElapsedTimer clock;
        clock.start();
        std::thread asks([&] {
            std::this_thread::sleep_for(milliseconds(150));
            asked_at = clock.elapsed();
            stop.request(StopRequest::stop);
        });
        if (kind == 2) {
            OpenAiOptions none = options;
            none.retry.retries = 0;
            const OpenAiClient first(http, endpoint, none);
            first.generate(question());
            QVERIFY(first.generate(question(), stop).fault == ReplyFault::stopped);
        } else {
            QVERIFY(client.generate(question(), stop).fault == ReplyFault::stopped);
        }
        asks.join();
        QVERIFY2(clock.elapsed() - asked_at < 1000, qPrintable(QString::number(clock.elapsed() - asked_at)));
    }

    void threadsDoNotStampede() {
        constexpr int threads = 8;
        QElapsedTimer clock;
        std::mutex mutex;
        std::vector<qint64> times;
        bool refused = false;
        int running = 0, most = 0;
        ScriptedServer server([&](const ReceivedRequest&) {
            {
                const std::lock_guard lock(mutex);
                times.push_back(clock.elapsed());
                if (!refused) {
                    refused = true;
                    return json_answer(429, "{}", {{"retry-after-ms", "400"}});
                }
                most = std::max(most, ++running);
            }
            std::this_thread::sleep_for(milliseconds(30));
            const std::lock_guard lock(mutex);
            --running;
            return good();
        });
        HttpClient http;
        Endpoint endpoint = endpoint_at(server.url("/v1"));
        endpoint.concurrency = 3;
        const OpenAiClient client(http, endpoint, quick());
        clock.start();
        std::vector<std::thread> all;
        std::atomic<int> answered{0};
        all.emplace_back([&] { answered += client.generate(question()).fault == ReplyFault::none; });
        std::this_thread::sleep_for(milliseconds(100)); // it is refused before the others ask
        for (int i = 1; i < threads; ++i)
            all.emplace_back([&] { answered += client.generate(question()).fault == ReplyFault::none; });
        for (auto& thread : all)
            thread.join();
        QCOMPARE(answered.load(), threads);
        QCOMPARE(times.size(), std::size_t{threads + 1});
        QVERIFY2(times[1] - times[0] >= 395, qPrintable(QString::number(times[1] - times[0])));
        QVERIFY2(times[2] - times[1] >= 25, "the second one started before the first had succeeded");
        QVERIFY(most <= 3);
        QCOMPARE(client.used().requests, threads + 1);
        QCOMPARE(client.used().completion_tokens, 500 * threads);
    }

    void testsSayWhatWorks() {
        std::atomic<int> status{200};
        std::atomic<bool> silent{false};
        ScriptedServer server([&](const ReceivedRequest& request) {
            if (request.target.ends_with("/models"))
                return json_answer(200, R"({"data":[{"id":"m"},{"id":"a"},{"id":3}]})");
            if (silent) return json_answer(200, R"({"choices":[]})");
            return status == 200 ? json_answer(200, R"({"choices":[{"message":{"content":"Hel"}}]})")
                                 : json_answer(status, error_body("no: " + canary));
        });
        HttpClient http;
        Endpoint endpoint = endpoint_at(server.url("/v1"));
        EndpointTest test = test_endpoint(http, endpoint);
        QVERIFY2(test.ok, test.sentence.c_str());
        QCOMPARE(test.models, (std::vector<std::string>{"a", "m"}));
        QVERIFY2(holds(test.sentence, "lists 2 models"), test.sentence.c_str());
        silent = true;
        QVERIFY(!test_endpoint(http, endpoint).ok);
        silent = false;
        status = 401; // the list is often open to all: only a question shows that the key is bad
        test = test_endpoint(http, endpoint);
        QVERIFY(!test.ok && holds(test.sentence, "does not accept the key in TEMPERA_TEST_KEY"));
        QVERIFY(!holds(test.sentence, canary));
        endpoint.model.clear();
        test = test_endpoint(http, endpoint);
        QVERIFY2(test.ok && holds(test.sentence, "can be reached"), test.sentence.c_str());
        endpoint.key_variable = "TEMPERA_NO_SUCH_KEY";
        test = test_endpoint(http, endpoint);
        QVERIFY(!test.ok && holds(test.sentence, "needs a key"));
        endpoint.base_url = "nonsense";
        QVERIFY(!test_endpoint(http, endpoint).ok);
    }
};

QTEST_GUILESS_MAIN(TestOpenai)
#include "tst_openai.moc"
