#include "core/net/rate_limit.h"
#include "core/net/retry.h"
#include "core/net/sse.h"

#include <QTest>

#include <atomic>
#include <clocale>
#include <cmath>
#include <thread>
#include <vector>

using namespace tempera;

namespace {

/// Unix time of "Sun, 06 Nov 1994 08:49:37 GMT".
constexpr double the_date = 784111777;

std::vector<std::string> events_of(const std::string& stream, std::size_t piece) {
    std::vector<std::string> events;
    SseParser parser([&](std::string_view data) {
        events.emplace_back(data);
        return true;
    });
    for (std::size_t at = 0; at < stream.size(); at += piece)
        if (!parser.feed(std::string_view(stream).substr(at, piece))) break;
    return events;
}

double seconds_of(const std::function<void()>& action) {
    const auto begin = std::chrono::steady_clock::now();
    action();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

} // namespace

class TestRetry : public QObject {
    Q_OBJECT

private slots:
    void statusesAndHeadersDecide_data() {
        QTest::addColumn<int>("status");
        QTest::addColumn<QString>("header");
        QTest::addColumn<bool>("retried");
        for (int status : {408, 409, 429, 500, 502, 503, 504, 529})
            QTest::addRow("%d", status) << status << "" << true;
        for (int status : {301, 302, 307, 400, 401, 402, 403, 404, 405, 413, 422, 451})
            QTest::addRow("%d", status) << status << "" << false;
        QTest::addRow("400 said true") << 400 << "true" << true;
        QTest::addRow("500 said false") << 500 << "false" << false;
        QTest::addRow("500 said maybe") << 500 << "maybe" << true;
    }
    void statusesAndHeadersDecide() {
        QFETCH(int, status);
        QFETCH(QString, header);
        QFETCH(bool, retried);
        HttpHeaders headers;
        if (!header.isEmpty()) headers.emplace_back("X-Should-Retry", header.toStdString());
        QCOMPARE(should_retry(status, headers), retried);
    }

    // What openai-python 3.54's _parse_retry_after_header and _calculate_retry_timeout make of the same.
    void waitsAreRead_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("value");
        QTest::addColumn<double>("asked"); // NaN = nothing
        const double nothing = std::nan("");
        QTest::addRow("seconds") << "Retry-After"
                                 << "7" << 7.0;
        QTest::addRow("float") << "retry-after"
                               << " 0.25 " << 0.25;
        QTest::addRow("plus") << "retry-after"
                              << "+3" << 3.0;
        QTest::addRow("exponent") << "retry-after"
                                  << "1e9" << 1e9;
        QTest::addRow("zero") << "retry-after"
                              << "0" << 0.0;
        QTest::addRow("negative") << "retry-after"
                                  << "-5" << -5.0;
        QTest::addRow("too large") << "retry-after"
                                   << "1e999" << std::numeric_limits<double>::max();
        QTest::addRow("too small") << "retry-after"
                                   << "1e-999" << 0.0;
        QTest::addRow("NaN") << "retry-after"
                             << "NaN" << nothing;
        QTest::addRow("infinity") << "retry-after"
                                  << "inf" << nothing;
        QTest::addRow("words") << "retry-after"
                               << "soon" << nothing;
        QTest::addRow("empty") << "retry-after"
                               << "" << nothing;
        QTest::addRow("hexadecimal") << "retry-after"
                                     << "0x10" << nothing;
        QTest::addRow("milliseconds") << "retry-after-ms"
                                      << "1500" << 1.5;
        QTest::addRow("date") << "retry-after"
                              << "Sun, 06 Nov 1994 08:49:37 GMT" << 30.0;
        QTest::addRow("date, RFC 850") << "retry-after"
                                       << "Sunday, 06-Nov-94 08:49:37 GMT" << 30.0;
        QTest::addRow("date, asctime") << "retry-after"
                                       << "Sun Nov  6 08:49:37 1994" << 30.0;
        QTest::addRow("date, past") << "retry-after"
                                    << "Sun, 06 Nov 1994 08:48:07 GMT" << -60.0;
        QTest::addRow("date, half") << "retry-after"
                                    << "Sun, 06 Nov" << nothing;
    }
    void waitsAreRead() {
        QFETCH(QString, name);
        QFETCH(QString, value);
        QFETCH(double, asked);
        const auto wait = asked_wait({{name.toStdString(), value.toStdString()}}, the_date - 30);
        QCOMPARE(wait.has_value(), !std::isnan(asked));
        if (wait) QCOMPARE(*wait, asked);
    }

    void millisecondsGoBeforeSeconds() {
        const HttpHeaders both = {{"retry-after", "9"}, {"retry-after-ms", "250"}};
        QCOMPARE(*asked_wait(both, 0), 0.25);
        QCOMPARE(*asked_wait({{"retry-after", "9"}, {"retry-after-ms", "x"}}, 0), 9.0);
        QVERIFY(!asked_wait({{"retry-after", "9"}, {"retry-after-ms", "nan"}}, 0));
        QVERIFY(!asked_wait({}, 0));
    }

    void numbersDoNotDependOnTheLocale() {
        const std::string before = std::setlocale(LC_NUMERIC, nullptr);
        std::setlocale(LC_NUMERIC, "de_DE.UTF-8"); // where it is installed
        const auto wait = asked_wait({{"retry-after", "0.5"}}, 0);
        std::setlocale(LC_NUMERIC, before.c_str());
        QCOMPARE(wait.value_or(-1), 0.5);
    }

    void backOffDoublesUpToItsCap() {
        const RetryRules rules;
        for (const auto& [retry, expected] : {std::pair(0, 0.5), std::pair(1, 1.0), std::pair(3, 4.0),
                                              std::pair(4, 8.0), std::pair(50, 8.0), std::pair(5000, 8.0)})
            QCOMPARE(retry_delay(rules, retry, std::nullopt, 0), expected);
        QCOMPARE(retry_delay(rules, 4, std::nullopt, 1), 6.0);
        QCOMPARE(retry_delay(rules, 0, 120.0, 1), 120.0); // what the server asks has no jitter
        for (double useless : {0.0, -3.0, 120.5, 1e9})
            QCOMPARE(retry_delay(rules, 1, useless, 0), 1.0);
    }

    void streamsAreReadWhereverTheyAreCut() {
        const std::string stream =
            "\xef\xbb\xbf: a comment\r\ndata: one\r\n\r\nevent: x\ndata:two\ndata:  three\n\n"
            "id: 4\rdata\r\rdata: [DONE]\n\ndata: unfinished";
        const std::vector<std::string> expected = {"one", "two\n three", "", "[DONE]"};
        for (std::size_t piece = 1; piece <= stream.size(); ++piece)
            QCOMPARE(events_of(stream, piece), expected);
    }

    void anEventWithoutEndIsRefused() {
        SseParser parser([](std::string_view) { return true; }, 1000);
        QVERIFY(parser.feed("data: " + std::string(900, 'x')));
        QVERIFY(!parser.feed(std::string(200, 'x')));
        QVERIFY(parser.too_long());
        SseParser lines([](std::string_view) { return true; }, 1000); // many lines of one event
        bool fed = true;
        for (int i = 0; i < 1000 && fed; ++i)
            fed = lines.feed("data: 0123456789\n");
        QVERIFY(!fed && lines.too_long());
    }

    void noMoreRunAtOnceThanMay() {
        RateLimiter limiter(3, 0, 0);
        std::atomic<int> now{0}, most{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 12; ++i)
            threads.emplace_back([&] {
                QVERIFY(limiter.acquire(1, {}));
                int running = ++now;
                for (int seen = most; running > seen && !most.compare_exchange_weak(seen, running);) {
                }
                std::this_thread::sleep_for(std::chrono::milliseconds(10));
                --now;
                limiter.release(1, 1);
            });
        for (auto& thread : threads)
            thread.join();
        QCOMPARE(most.load(), 3);
    }

    void requestsAreSpaced() {
        RateLimiter limiter(8, 1200, 0); // one every 50 ms
        const double took = seconds_of([&] {
            for (int i = 0; i < 6; ++i) {
                QVERIFY(limiter.acquire(1, {}));
                limiter.release(1, 1);
            }
        });
        QVERIFY2(took >= 0.249 && took < 2, qPrintable(QString::number(took)));
    }

    void tokensAreCountedAsTheyCame() {
        RateLimiter limiter(8, 0, 60000);     // a token a millisecond
        QVERIFY(limiter.acquire(100000, {})); // a guess far too high
        limiter.release(100000, 100);
        const double took = seconds_of([&] { QVERIFY(limiter.acquire(1, {})); });
        QVERIFY2(took >= 0.09 && took < 2, qPrintable(QString::number(took)));
    }

    void afterAWaitTheyStartOneByOne() {
        RateLimiter limiter(8, 0, 0);
        limiter.hold(0.2);
        StopToken never;
        const double waited = seconds_of([&] { QVERIFY(limiter.acquire(1, never)); });
        QVERIFY2(waited >= 0.199, qPrintable(QString::number(waited)));
        StopToken stop; // a second one must not start before the first has succeeded
        std::thread asks([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(120));
            stop.request(StopRequest::stop);
        });
        QVERIFY(!limiter.acquire(1, stop));
        asks.join();
        limiter.succeeded();
        limiter.release(1, 1);
        QVERIFY(limiter.acquire(1, never) && limiter.acquire(1, never));
    }

    void aStopEndsEveryWait() {
        RateLimiter limiter(1, 0, 0);
        limiter.hold(1000);
        StopToken stop;
        std::thread asks([&] {
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
            stop.request(StopRequest::cancel);
        });
        const double took = seconds_of([&] {
            QVERIFY(!limiter.acquire(1, stop));
            QVERIFY(!wait_for(1000, stop));
        });
        asks.join();
        QVERIFY2(took < 1, qPrintable(QString::number(took)));
    }
};

QTEST_GUILESS_MAIN(TestRetry)
#include "tst_retry.moc"
