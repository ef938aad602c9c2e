#pragma once

#include "core/base/files.h"
#include "core/base/json.h"
#include "tests/support/served_endpoint.h"

#include <QTemporaryDir>

#include <map>
#include <mutex>
#include <string>

namespace tempera::test {

/// A chat completion that says `text`.
inline ServedAnswer chat_answer(const std::string& text) {
    const Json message = {{"role", "assistant"}, {"content", text}};
    return json_answer(200, to_json_line({{"model", "judge"},
                                          {"choices", {{{"message", message}, {"finish_reason", "stop"}}}},
                                          {"usage", {{"prompt_tokens", 100}, {"completion_tokens", 5}}}}));
}

/// The content of a request's last turn.
inline std::string last_turn(const ReceivedRequest& request) {
    const Json body = Json::parse(request.body, nullptr, false);
    return body.is_object() ? body["messages"].back()["content"].get<std::string>() : "";
}

/// Configuration and cache of a test alone, in which the endpoint "lab" is the server.
class Lab {
public:
    explicit Lab(int concurrency = 4) : concurrency_(concurrency) {
        qputenv("TEMPERA_CONFIG", (folder_.path() + "/config").toUtf8());
        qputenv("TEMPERA_CACHE", (folder_.path() + "/cache").toUtf8());
    }
    void point_at(const ScriptedServer& server, const std::string& name = "lab") const {
        Endpoint endpoint = served_endpoint(name, server.url("/v1"));
        endpoint.model = "judge";
        endpoint.concurrency = concurrency_;
        endpoint.price_in = 2;
        save_endpoint(endpoint);
    }
    std::filesystem::path path(const std::string& name) const {
        return std::filesystem::path(folder_.path().toStdString()) / name;
    }

private:
    QTemporaryDir folder_;
    int concurrency_;
};

/// How often each question was asked.
class Counter {
public:
    void note(const std::string& question) {
        const std::lock_guard guard(mutex_);
        ++asked_[question];
    }
    std::map<std::string, int> asked() const {
        const std::lock_guard guard(mutex_);
        return asked_;
    }
    int total() const {
        int sum = 0;
        for (const auto& [question, times] : asked())
            sum += times;
        return sum;
    }

private:
    mutable std::mutex mutex_;
    std::map<std::string, int> asked_;
};

} // namespace tempera::test
