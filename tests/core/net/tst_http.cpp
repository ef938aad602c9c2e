#include "core/base/error.h"
#include "http_fixture.h"

#include <QElapsedTimer>
#include <QProcess>

using namespace tempera;
using namespace tempera::test;
using namespace std::chrono_literals;

namespace {

/// A port on which nobody listens.
int closed_port() {
    return ScriptedServer(std::vector<ServedAnswer>{{}}).port();
}

} // namespace

class TestHttp : public QObject {
    Q_OBJECT

private slots:
    void requestAndAnswerAreWhole() {
        ScriptedServer server({{201, {{"X-A", "1"}, {"x-a", "2"}}, "made"}});
        HttpRequest request =
            get(server.url("/v1/things?a=b"), {{"Authorization", "Bearer sk-secret"}, {"X-Empty", ""}});
        request.method = "POST";
        request.body = std::string("a\0b", 3) + std::string(100000, 'x');
        auto outcome = HttpClient().send(request);
        NO_FAULT(outcome);
        QCOMPARE(outcome.response.status, 201);
        QCOMPARE(outcome.response.body, std::string("made"));
        QCOMPARE(outcome.response.url, request.url);
        QCOMPARE(*find_header(outcome.response.headers, "X-a"), std::string("2"));
        QVERIFY(!find_header(outcome.response.headers, "X"));
        auto received = server.requests().at(0);
        QCOMPARE(received.method, std::string("POST"));
        QCOMPARE(received.target, std::string("/v1/things?a=b"));
        QVERIFY(received.body == request.body);
        QCOMPARE(*find_header(received.headers, "authorization"), std::string("Bearer sk-secret"));
        QCOMPARE(*find_header(received.headers, "x-empty"), std::string(""));
        QVERIFY(!find_header(received.headers, "Expect"));
        QVERIFY(!find_header(received.headers, "Content-Type"));
    }

    void everyMethodGoesOut() {
        ScriptedServer server({{204, {}, ""}});
        for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "PATCH"}) {
            HttpRequest request = get(server.url("/"));
            request.method = method;
            NO_FAULT(client_.send(request));
            QCOMPARE(server.requests().back().method, std::string(method));
        }
    }

    void errorsOfTheServerAreAnswers() {
        ScriptedServer server({{503, {{"Retry-After", "7"}}, "<html>busy"}});
        auto outcome = client_.send(get(server.url("/")), {}, [](auto&, auto) { return false; });
        NO_FAULT(outcome); // the sink is for 2xx alone
        QCOMPARE(outcome.response.status, 503);
        QCOMPARE(outcome.response.body, std::string("<html>busy"));
        QCOMPARE(find_header(outcome.response.headers, "retry-after").value_or(""), std::string("7"));
    }

    void connectionsAreUsedAgain() {
        ScriptedServer server({{200, {}, "ok"}});
        for (int i = 0; i < 5; ++i)
            NO_FAULT(client_.send(get(server.url("/"))));
        QCOMPARE(server.connections(), 1);
    }

    void manyThreadsShareAClient() {
        ScriptedServer server([](const ReceivedRequest& request) {
            return ServedAnswer{200, {}, request.target + std::string(50000, 'x')};
        });
        std::atomic<int> right{0};
        std::vector<std::thread> threads;
        for (int i = 0; i < 8; ++i)
            threads.emplace_back([&, i] {
                for (int j = 0; j < 20; ++j) {
                    const std::string path = "/" + std::to_string(i) + "/" + std::to_string(j);
                    auto outcome = client_.send(get(server.url(path)));
                    right +=
                        outcome.fault == HttpFault::none && outcome.response.body.starts_with(path + "x");
                }
            });
        for (auto& thread : threads)
            thread.join();
        QCOMPARE(right.load(), 160);
        QVERIFY2(server.connections() <= 16, std::to_string(server.connections()).c_str());
    }

    void redirectsAreFollowedOnlyWhereAsked() {
        ScriptedServer server([](const ReceivedRequest& request) {
            return request.target == "/a" ? redirect("/b?x=1") : ServedAnswer{200, {}, request.target};
        });
        auto stays = client_.send(get(server.url("/a")));
        NO_FAULT(stays);
        QCOMPARE(stays.response.status, 302);
        std::string taken;
        auto goes = client_.send(following(server.url("/a"), key), {},
                                 [&](const HttpResponse& head, std::string_view piece) {
                                     taken += std::to_string(head.status) + std::string(piece);
                                     return true;
                                 });
        NO_FAULT(goes);
        QCOMPARE(taken, std::string("200/b?x=1"));
        QCOMPARE(goes.response.url, server.url("/b?x=1"));
        QCOMPARE(*find_header(server.requests().back().headers, "Authorization"),
                 std::string("Bearer sk-secret"));
        HttpRequest post = following(server.url("/a"));
        post.method = "POST";
        auto posted = client_.send(post);
        QCOMPARE(posted.response.status, 302);
    }

    void nobodyThere() {
        FAULT(client_.send(get("http://127.0.0.1:" + std::to_string(closed_port()) + "/x?q=secret")), connect,
              "Connection refused");
        FAULT(client_.send(get("http://nowhere.invalid/")), resolve, "nowhere.invalid");
    }

    void deadlines_data() {
        QTest::addColumn<int>("which");
        QTest::addColumn<QString>("part");
        QTest::newRow("hang before the head") << 0 << "did not begin to answer within 300 ms";
        QTest::newRow("stall in the body") << 1 << "sent nothing for 300 ms";
        QTest::newRow("one byte a second") << 2 << "took longer than the 800 ms";
        QTest::newRow("hang within the head") << 3 << "sent nothing for 300 ms";
    }
    void deadlines() {
        QFETCH(int, which);
        QFETCH(QString, part);
        ServedAnswer answer = ending(AnswerEnd::hang, 5);
        if (which == 0) answer.delay = 1h;
        if (which == 2) answer.end = AnswerEnd::whole, answer.bytes_per_second = 8;
        if (which == 3)
            answer.no_head = true, answer.body = "HTTP/1.1 200 OK\r\nX: y\r\n", answer.cut_after = 100;
        ScriptedServer server({answer});
        HttpRequest request = get(server.url("/"), key);
        request.deadlines.first_byte = request.deadlines.stall = 300ms;
        if (which == 2) request.deadlines.stall = 5000ms, request.deadlines.total = 800ms;
        QElapsedTimer timer;
        timer.start();
        auto outcome = client_.send(request);
        FAULT(outcome, timeout, part.toStdString());
        QVERIFY2(timer.elapsed() < 2500, std::to_string(timer.elapsed()).c_str());
        if (which == 1) QCOMPARE(outcome.response.body, std::string("01234")); // what had arrived
        if (which == 2) QVERIFY(outcome.response.body.starts_with("0"));
        QTRY_COMPARE(server.open_connections(), 0);
    }

    void slowIsNotStalled() {
        ServedAnswer slow{200, {}, "0123456789"};
        slow.bytes_per_second = 10;
        ScriptedServer server({slow});
        HttpRequest request = get(server.url("/"));
        request.deadlines.stall = 700ms;
        auto outcome = client_.send(request);
        NO_FAULT(outcome);
        QCOMPARE(outcome.response.body, std::string("0123456789"));
    }

    void theTotalCountsRedirects() {
        ServedAnswer around = redirect("/again");
        around.delay = 200ms;
        ScriptedServer server({around});
        HttpRequest request = following(server.url("/"));
        request.deadlines.total = 500ms;
        FAULT(client_.send(request), timeout, "500 ms");
    }

    void brokenAnswersAreFaults_data() {
        QTest::addColumn<int>("which");
        QTest::newRow("reset in the body") << 0;
        QTest::newRow("closed too early") << 1;
        QTest::newRow("chunks without an end") << 2;
        QTest::newRow("no answer at all") << 3;
        QTest::newRow("not HTTP") << 4;
        QTest::newRow("not gzip") << 5;
    }
    void brokenAnswersAreFaults() {
        QFETCH(int, which);
        ServedAnswer answer = ending(which == 0 ? AnswerEnd::reset : AnswerEnd::close, 5);
        if (which == 2)
            answer.headers = {{"Transfer-Encoding", "chunked"}}, answer.body = "3\r\nabc\r\n9\r\nx",
            answer.cut_after = 100;
        if (which == 3) answer.no_head = true, answer.cut_after = 0;
        if (which == 4)
            answer = ending(AnswerEnd::close, 100, "SSH-2.0-OpenSSH_9.2\r\n"), answer.no_head = true;
        if (which == 5) answer = {200, {{"Content-Encoding", "gzip"}}, "plainly not compressed"};
        ScriptedServer server({answer});
        auto outcome = client_.send(get(server.url("/")));
        FAULT(outcome, reset, "before the answer was whole");
        if (which == 1) QCOMPARE(outcome.response.body, std::string("01234"));
    }

    void bigAnswersEnd() {
        const std::string packed = bomb();
        QVERIFY(packed.size() > 100 && packed.size() < 2000);
        ServedAnswer endless = ending(AnswerEnd::endless, 0, std::string(100000, 'x'));
        ScriptedServer server([&](const ReceivedRequest& request) {
            if (request.target == "/endless") return endless;
            if (request.target == "/bomb") return ServedAnswer{200, {{"Content-Encoding", "gzip"}}, packed};
            return ServedAnswer{200, {}, std::string(2000, 'x')};
        });
        HttpRequest request = get(server.url("/endless"));
        request.max_body = 1'000'000;
        auto outcome = client_.send(request);
        FAULT(outcome, too_large, "1000000 bytes");
        QVERIFY(outcome.response.body.size() <= 1'000'000);
        std::size_t taken = 0;
        FAULT(client_.send(request, {},
                           [&](auto&, std::string_view piece) { return taken += piece.size(), true; }),
              too_large, "larger");
        QVERIFY(taken <= 1'000'000);
        request.url = server.url("/bomb");
        request.max_body = 999'999;
        FAULT(client_.send(request), too_large, "larger");
        request.max_body = 1'000'000;
        outcome = client_.send(request);
        NO_FAULT(outcome);
        QVERIFY(outcome.response.body == std::string(1'000'000, '\0'));
        request.headers = {{"Accept-Encoding", "identity"}}; // then nothing is decompressed
        QCOMPARE(client_.send(request).response.body, packed);
        request.url = server.url("/announced");
        request.max_body = 1999;
        outcome = client_.send(request);
        FAULT(outcome, too_large, "1999 bytes");
        QVERIFY(outcome.response.body.empty());
    }

    void headersWithoutEndAreRefused() {
        ServedAnswer answer = ending(AnswerEnd::endless, 0, "X-Filler: " + std::string(1000, 'x') + "\r\n");
        answer.no_head = true;
        answer.body = "HTTP/1.1 200 OK\r\n" + answer.body;
        ScriptedServer server({answer});
        auto outcome = client_.send(get(server.url("/")));
        QVERIFY(outcome.fault == HttpFault::too_large || outcome.fault == HttpFault::reset);
    }

    void stopEndsAnExchange_data() {
        QTest::addColumn<int>("which");
        QTest::newRow("before the head") << 0;
        QTest::newRow("in the body") << 1;
        QTest::newRow("in a flood") << 2;
        QTest::newRow("while connecting") << 3;
    }
    void stopEndsAnExchange() {
        QFETCH(int, which);
        ServedAnswer answer = ending(AnswerEnd::hang, 5);
        if (which == 0) answer.delay = 1h;
        if (which == 2) answer = ending(AnswerEnd::endless, 0, std::string(100000, 'x'));
        ScriptedServer server({answer});
        HttpRequest request =
            get(which == 3 ? "http://192.0.2.1:9/" : server.url("/")); // an address that never answers
        request.deadlines = {0ms, 0ms, 0ms, 0ms};
        request.max_body = std::size_t{1} << 40;
        StopToken stop;
        QElapsedTimer timer;
        std::thread stopper([&] {
            std::this_thread::sleep_for(300ms);
            timer.start();
            stop.request(StopRequest::cancel);
        });
        auto outcome = client_.send(request, stop, [](auto&, auto) { return true; });
        const qint64 after = timer.isValid() ? timer.elapsed() : 0;
        stopper.join();
        if (which == 3 && outcome.fault == HttpFault::connect) QSKIP("no route here: refused at once");
        FAULT(outcome, stopped, "was stopped");
        QVERIFY2(after < 1000, std::to_string(after).c_str());
        QTRY_COMPARE(server.open_connections(), 0);
    }

    void aSinkMayEndIt() {
        ScriptedServer server({ending(AnswerEnd::endless, 0, "0123456789")});
        FAULT(client_.send(get(server.url("/")), {}, [](auto&, auto) { return false; }), refused,
              "not taken");
        auto throwing = [](const HttpResponse&, std::string_view) -> bool {
            fail(ErrorKind::disk_full, "full");
        };
        QVERIFY_THROWS_EXCEPTION(Error, client_.send(get(server.url("/")), {}, throwing));
        QTRY_COMPARE(server.open_connections(), 0);
    }

    void aServerThatLeavesDuringAnUpload() {
        for (bool secure : {false, true}) {
            auto handler = [](const ReceivedRequest&) { return ending(AnswerEnd::reset, 0); };
            auto server = secure ? std::make_unique<ScriptedServer>(handler, ServerCertificate{})
                                 : std::make_unique<ScriptedServer>(handler);
            auto client = trusting(*server);
            HttpRequest request = get(server->url("/"));
            request.method = "POST";
            request.headers = {{"Content-Length", "10"}, {"Expect", ""}}; // the rest comes unasked
            request.body = std::string(20'000'000, 'x');
            auto outcome = client->send(request);
            QVERIFY2(outcome.fault != HttpFault::none, outcome.sentence.c_str());
        }
    }

private:
    /// A million zeros, packed by gzip into a thousand bytes.
    static std::string bomb();

    HttpClient client_;
};

std::string TestHttp::bomb() {
    QProcess gzip;
    gzip.start("gzip", {"-n9"});
    gzip.write(QByteArray(1'000'000, '\0'));
    gzip.closeWriteChannel();
    gzip.waitForFinished();
    return gzip.readAllStandardOutput().toStdString();
}

QTEST_GUILESS_MAIN(TestHttp)
#include "tst_http.moc"
