#pragma once

#include "core/net/http.h"
#include "tests/support/scripted_server.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>

namespace tempera::test {

inline HttpRequest get(const std::string& url, HttpHeaders headers = {}) {
    HttpRequest request;
    request.url = url;
    request.headers = std::move(headers);
    return request;
}

inline HttpRequest following(const std::string& url, HttpHeaders headers = {}) {
    HttpRequest request = get(url, std::move(headers));
    request.follow_redirects = true;
    return request;
}

inline ServedAnswer redirect(const std::string& url, int status = 302) {
    return {status, {{"Location", url}}, "over there"};
}

inline ServedAnswer ending(AnswerEnd end, std::size_t cut_after, const std::string& body = "0123456789") {
    ServedAnswer answer{200, {}, body};
    answer.end = end;
    answer.cut_after = cut_after;
    return answer;
}

inline const HttpHeaders key{{"Authorization", "Bearer sk-secret"}};

/// A client that trusts this server too.
inline std::unique_ptr<HttpClient> trusting(const ScriptedServer& server) {
    auto client = std::make_unique<HttpClient>();
    if (server.certificate().empty()) return client;
    QTemporaryDir folder;
    const std::string file = folder.filePath("ca.pem").toStdString();
    std::ofstream(file) << server.certificate();
    client->trust(file);
    return client;
}

} // namespace tempera::test

#define NO_FAULT(outcome)                                                                                    \
    do {                                                                                                     \
        const HttpOutcome& seen = outcome;                                                                   \
        QVERIFY2(seen.fault == HttpFault::none, seen.sentence.c_str());                                      \
    } while (false)
/// That fault, and a sentence with these words but never with a key.
#define FAULT(outcome, wanted, part)                                                                         \
    do {                                                                                                     \
        const HttpOutcome& seen = outcome;                                                                   \
        QVERIFY2(seen.fault == HttpFault::wanted, seen.sentence.c_str());                                    \
        QVERIFY2(seen.sentence.find(part) != std::string::npos, seen.sentence.c_str());                      \
        QVERIFY2(seen.sentence.find("secret") == std::string::npos, seen.sentence.c_str());                  \
    } while (false)
