#include "core/base/error.h"
#include "http_fixture.h"

using namespace tempera;
using namespace tempera::test;

/// What must never happen with a key, a certificate or an address.
class TestHttpSafety : public QObject {
    Q_OBJECT

private slots:
    void aKeyNeverReachesAnotherOrigin_data() {
        QTest::addColumn<int>("status");
        for (int status : {301, 302, 303, 307, 308})
            QTest::newRow(std::to_string(status).c_str()) << status;
    }
    void aKeyNeverReachesAnotherOrigin() {
        QFETCH(int, status);
        ScriptedServer other({{200, {}, "file"}});
        ScriptedServer* back = nullptr;
        ScriptedServer first([&](const ReceivedRequest& request) {
            if (request.target == "/name") return redirect(back->url("/end", "localhost"), status);
            return request.target == "/end" ? ServedAnswer{200, {}, "end"}
                                            : redirect(other.url("/file"), status);
        });
        back = &first;
        HttpHeaders keys{{"authorization", "Bearer sk-secret"},
                         {"Cookie", "sk-secret"},
                         {"x-api-key", "sk-secret"},
                         {"X-Plain", "stays"}};
        auto outcome = client_.send(following(first.url("/start"), keys));
        NO_FAULT(outcome);
        QCOMPARE(outcome.response.body, std::string("file"));
        QVERIFY(find_header(first.requests().at(0).headers, "Authorization"));
        // another name of the same machine is another origin too
        NO_FAULT(client_.send(following(first.url("/name"), keys)));
        QCOMPARE(first.requests().back().target, std::string("/end"));
        for (const auto& received : {other.requests().at(0), first.requests().back()}) {
            for (const char* name : {"Authorization", "Cookie", "X-Api-Key"})
                QVERIFY(!find_header(received.headers, name));
            QVERIFY(find_header(received.headers, "X-Plain"));
        }
    }

    void badRedirectsAreRefused() {
        std::string target;
        ScriptedServer server([&](const ReceivedRequest&) { return redirect(target); });
        target = "/again";
        FAULT(client_.send(following(server.url("/"))), refused, "redirects without end");
        QCOMPARE(server.requests().size(), std::size_t{11});
        for (const char* bad : {"file:///etc/passwd", "ftp://127.0.0.1/", "http://", "gopher://x/"}) {
            target = bad;
            FAULT(client_.send(following(server.url("/"))), refused, "no http or https address");
        }
        target = "http://user:secret@127.0.0.1:1/";
        FAULT(client_.send(following(server.url("/"))), refused, "user name");
        QCOMPARE(client_.send(following(server.url("/"))).response.status, 302);
    }

    void encryptionIsNotLeft() {
        ScriptedServer plain({{200, {}, "plain"}});
        ScriptedServer secure([&](const ReceivedRequest&) { return redirect(plain.url("/")); },
                              ServerCertificate{});
        auto outcome = trusting(secure)->send(following(secure.url("/")));
        FAULT(outcome, refused, "not encrypted");
        QVERIFY(plain.requests().empty());
    }

    void keysAreNotSentInTheClear() {
        for (const char* url :
             {"http://192.0.2.1/v1", "http://example.invalid/", "http://127.0.0.1.example.invalid/"}) {
            FAULT(client_.send(get(url, key)), refused, "not encrypted");
        }
        FAULT(client_.send(get("http://me:secret@127.0.0.1/")), refused, "user name");
    }

    void whatIsNoRequestIsRefused() {
        for (const char* url : {"", "localhost:80/x", "file:///etc/passwd", "http://a b/", "http://a\nb/"})
            FAULT(client_.send(get(url)), refused, "no http or https URL");
        ScriptedServer server({{200, {}, ""}});
        FAULT(client_.send(get(server.url("/"), {{"Authorization", "Bearer sk-secret\n"}})), refused,
              "line break");
        FAULT(client_.send(get(server.url("/"), {{"A: b\r\nC", "d"}})), refused, "not one line");
        QVERIFY(server.requests().empty());
    }

    void certificatesAreChecked() {
        ScriptedServer good([](auto&) { return ServedAnswer{200, {}, "safe"}; }, ServerCertificate{});
        FAULT(client_.send(get(good.url("/"), key)), tls, "self-signed");
        FAULT(client_.send(get(good.url("/"), key)), tls, "SSL_CERT_FILE");
        QVERIFY(good.requests().empty());
        auto outcome = trusting(good)->send(get(good.url("/"), key));
        NO_FAULT(outcome);
        QCOMPARE(outcome.response.body, std::string("safe"));
        for (const auto& [bad, sentence] :
             {std::pair(ServerCertificate{{"example.org"}}, "is for another host: check the address"),
              std::pair(ServerCertificate{.valid_seconds = -60}, "needs a new certificate")}) {
            ScriptedServer server([](auto&) { return ServedAnswer{200, {}, "safe"}; }, bad);
            FAULT(trusting(server)->send(get(server.url("/"), key)), tls, "No trusted connection");
            FAULT(trusting(server)->send(get(server.url("/"), key)), tls, sentence);
            QVERIFY(server.requests().empty());
        }
        ScriptedServer plain({{200, {}, "plain"}});
        FAULT(client_.send(get("https://127.0.0.1:" + std::to_string(plain.port()) + "/", key)), tls,
              "nothing was sent");
    }

    void certificatesMayComeFromTheEnvironment() {
        ScriptedServer server([](auto&) { return ServedAnswer{200, {}, "safe"}; }, ServerCertificate{});
        QTemporaryDir folder;
        const auto file = folder.filePath("ca.pem");
        std::ofstream(file.toStdString()) << server.certificate();
        qputenv("SSL_CERT_FILE", file.toUtf8());
        HttpClient client;
        qunsetenv("SSL_CERT_FILE");
        NO_FAULT(client.send(get(server.url("/"))));
        QVERIFY_THROWS_EXCEPTION(Error, client.trust("/nowhere.pem"));
    }

    void origins() {
        QCOMPARE(origin_of("HTTPS://Example.ORG/x?y#z").value(), std::string("https://example.org:443"));
        QCOMPARE(origin_of("http://[::1]/").value(), std::string("http://[::1]:80"));
        QCOMPARE(origin_of("http://a:8080").value(), std::string("http://a:8080"));
        for (const char* none : {"", "example.org", "ftp://a/", "/x"})
            QVERIFY2(!origin_of(none), none);
        for (const char* here : {"http://localhost:1/", "https://127.0.0.1/", "http://127.9.9.9/",
                                 "http://[::1]:80/", "http://LOCALHOST/"})
            QVERIFY2(is_loopback(here), here);
        for (const char* away :
             {"http://localhost.example.org/", "http://128.0.0.1/", "http://127.0.0.1.example.org/",
              "http://0.0.0.0/", "http://127.0.0.1@example.org/", "http://[::2]/", "localhost"})
            QVERIFY2(!is_loopback(away), away);
    }

private:
    HttpClient client_;
};

QTEST_GUILESS_MAIN(TestHttpSafety)
#include "tst_http_safety.moc"
