#include "core/base/files.h"
#include "openai_fixture.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>

using namespace tempera;
using namespace tempera::test;
using std::chrono::milliseconds;

/// What servers and networks do wrong: nothing is scored, nothing hangs, no key gets out.
class TestOpenaiFaults : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() { qputenv("TEMPERA_TEST_KEY", canary.c_str()); }

    void whatCannotBeReadIsKeptAndMarked_data() {
        QTest::addColumn<QByteArray>("body");
        QTest::addColumn<int>("requests");
        QTest::addRow("empty") << QByteArray() << 1;
        QTest::addRow("a page") << QByteArray("<html>Sign in</html>") << 1;
        QTest::addRow("not UTF-8") << QByteArray("{\"choices\":[{\"text\":\"\xff\xfe\"}]}") << 1;
        QTest::addRow("NaN") << QByteArray(R"({"choices":[{"text":"a"}],"reward":NaN})") << 1;
        QTest::addRow("deep") << QByteArray(100000, '[') << 1;
    }
    void whatCannotBeReadIsKeptAndMarked() {
        QFETCH(QByteArray, body);
        QFETCH(int, requests);
        ScriptedServer server({json_answer(200, body.toStdString())});
        const GenerationReply reply = ask(server);
        QVERIFY(reply.fault == ReplyFault::unusable);
        QVERIFY2(holds(reply.sentence, "gave no usable answer"), reply.sentence.c_str());
        QVERIFY(reply.texts.empty());
        QCOMPARE(server.requests().size(), static_cast<std::size_t>(requests));
        QCOMPARE(reply.raw.substr(0, 12), QString::fromUtf8(body).toStdString().substr(0, 12));
    }

    void aHugeBodyIsLeft() {
        ServedAnswer endless = json_answer(200, std::string(4096, ' '));
        endless.end = AnswerEnd::endless;
        ScriptedServer server({endless});
        OpenAiOptions options = quick();
        options.max_body = 1 << 20;
        options.deadlines.total = milliseconds(20000);
        const GenerationReply reply = ask(server, options);
        QVERIFY2(reply.fault == ReplyFault::unusable, reply.sentence.c_str());
        QVERIFY2(holds(reply.sentence, "too large"), reply.sentence.c_str());
        QVERIFY(reply.raw.size() <= 64u << 10);
        QCOMPARE(server.requests().size(), std::size_t{1});
    }

    void slownessEndsAtItsDeadline_data() {
        QTest::addColumn<int>("kind");
        QTest::addRow("hangs before the head") << 0;
        QTest::addRow("hangs in the body") << 1;
        QTest::addRow("one byte at a time") << 2;
    }
    void slownessEndsAtItsDeadline() {
        QFETCH(int, kind);
        ServedAnswer slow = good();
        if (kind == 0) slow.delay = milliseconds(30000);
        if (kind == 1) slow.end = AnswerEnd::hang, slow.cut_after = 10;
        if (kind == 2) slow.bytes_per_second = 10;
        ScriptedServer server({slow});
        QElapsedTimer clock;
        clock.start();
        const GenerationReply reply = ask(server);
        QVERIFY2(reply.fault == ReplyFault::network, reply.sentence.c_str());
        QCOMPARE(server.requests().size(), std::size_t{3});
        QVERIFY2(clock.elapsed() < 3 * 1500 + 2500, qPrintable(QString::number(clock.elapsed())));
    }

    void nobodyListens() {
        std::string url;
        {
            ScriptedServer gone({good()});
            url = gone.url("/v1");
        }
        HttpClient http;
        const GenerationReply reply = OpenAiClient(http, endpoint_at(url), quick()).generate(question());
        QVERIFY(reply.fault == ReplyFault::network);
        QCOMPARE(reply.usage.requests, 3);
    }

    void aBadCertificateIsRefusedAndGetsNoKey_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<int>("valid_seconds");
        QTest::addColumn<bool>("is_trusted");
        QTest::addColumn<QString>("sentence");
        QTest::addRow("good") << "127.0.0.1" << 3600 << true << "";
        QTest::addRow("self-signed") << "127.0.0.1" << 3600 << false << "SSL_CERT_FILE";
        QTest::addRow("expired") << "127.0.0.1" << -60 << true << "needs a new certificate";
        QTest::addRow("other host") << "example.org" << 3600 << true << "for another host";
    }
    void aBadCertificateIsRefusedAndGetsNoKey() {
        QFETCH(QString, name);
        QFETCH(int, valid_seconds);
        QFETCH(bool, is_trusted);
        QFETCH(QString, sentence);
        ScriptedServer server([](const ReceivedRequest&) { return good(); },
                              ServerCertificate{{name.toStdString()}, valid_seconds});
        HttpClient http;
        QTemporaryDir dir;
        const std::string pem = dir.path().toStdString() + "/ca.pem";
        write_file_atomic(pem, server.certificate());
        if (is_trusted) http.trust(pem);
        const GenerationReply reply =
            OpenAiClient(http, endpoint_at(server.url("/v1")), quick()).generate(question());
        require_no_key(reply);
        if (sentence.isEmpty()) {
            QVERIFY2(reply.fault == ReplyFault::none, reply.sentence.c_str());
            return;
        }
        QVERIFY2(reply.fault == ReplyFault::insecure, reply.sentence.c_str());
        QVERIFY2(holds(reply.sentence, sentence.toStdString()) && holds(reply.sentence, "nothing was sent"),
                 reply.sentence.c_str());
        QVERIFY(server.requests().empty());
        QCOMPARE(server.connections(), 1); // a certificate does not get better by asking again
    }

    void withoutAKeyNothingIsSent() {
        ScriptedServer server({good()});
        Endpoint endpoint = endpoint_at(server.url("/v1"));
        endpoint.key_variable = "TEMPERA_NO_SUCH_KEY";
        HttpClient http;
        GenerationReply reply = OpenAiClient(http, endpoint, quick()).generate(question());
        QVERIFY(reply.fault == ReplyFault::key);
        QVERIFY(holds(reply.sentence, "TEMPERA_NO_SUCH_KEY"));
        OpenAiOptions options = quick();
        options.keys = [](const std::string&) { return "two words " + canary; };
        reply = OpenAiClient(http, endpoint, options).generate(question());
        QVERIFY(reply.fault == ReplyFault::key);
        require_no_key(reply);
        QVERIFY(server.requests().empty());
        options.keys = [](const std::string& name) { return name + canary; };
        QVERIFY(OpenAiClient(http, endpoint, options).generate(question()).fault == ReplyFault::none);
        QCOMPARE(*find_header(server.requests().at(0).headers, "authorization"), "Bearer lab" + canary);
    }

    void aKeySentBackIsTakenOut() {
        ScriptedServer server(
            {json_answer(200, Json{{"choices", {{{"text", "your key is " + canary}}}}}.dump())});
        const GenerationReply reply = ask(server);
        QCOMPARE(reply.texts.at(0).text, std::string("your key is [key]"));
    }

    void aStreamWithoutEndIsLeft() {
        ServedAnswer endless = stream_answer("data: {\"choices\":[{\"index\":0,\"text\":\"a\"}]}\n\n");
        endless.end = AnswerEnd::endless;
        endless.bytes_per_second = 20000;
        ScriptedServer server({endless});
        GenerationRequest request = question();
        request.stream = true;
        QElapsedTimer clock;
        clock.start();
        const GenerationReply reply = ask(server, quick(), request);
        QVERIFY2(reply.fault == ReplyFault::network, reply.sentence.c_str());
        QVERIFY(reply.texts.empty());
        QVERIFY(clock.elapsed() < 3 * 1500 + 2500);
        OpenAiOptions small = quick();
        small.max_body = 4000;
        QVERIFY(ask(server, small, request).fault == ReplyFault::unusable);
    }
};

QTEST_GUILESS_MAIN(TestOpenaiFaults)
#include "tst_openai_faults.moc"
