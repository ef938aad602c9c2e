#pragma once

#include "core/net/http.h"

#include <curl/curl.h>
#include <exception>

namespace tempera {

/// One request and its answer, without redirects; the loop around libcurl that keeps the deadlines.
class HttpExchange {
public:
    using Clock = std::chrono::steady_clock;

    /// All of it must outlive the exchange. `certificates` is PEM text, "" for the system's.
    HttpExchange(const HttpRequest& request, const std::string& certificates, const StopToken& stop,
                 const HttpClient::Sink& sink);
    ~HttpExchange();
    HttpExchange(const HttpExchange&) = delete;
    HttpExchange& operator=(const HttpExchange&) = delete;

    /// `multi` owns the connections; it serves one exchange at a time. `end` is when the whole must be over.
    /// Throws what the sink threw.
    HttpOutcome run(CURLM* multi, std::optional<Clock::time_point> end);

private:
    static std::size_t on_header(char* data, std::size_t, std::size_t count, void* self);
    static std::size_t on_body(char* data, std::size_t, std::size_t count, void* self);

    void set_up();
    void set_method();
    bool take_header(std::string_view line);
    bool take_body(std::string_view piece);
    CURLcode perform(CURLM* multi);
    void check_deadlines();
    void explain(CURLcode code);
    /// The first fault counts.
    void set_fault(HttpFault fault, const std::string& sentence);

    const HttpRequest& request_;
    const std::string& certificates_;
    const StopToken& stop_;
    const HttpClient::Sink& sink_;
    std::string origin_;
    CURL* easy_ = nullptr;
    curl_slist* headers_ = nullptr;
    char curl_text_[CURL_ERROR_SIZE] = "";
    HttpOutcome outcome_;
    std::exception_ptr thrown_;
    std::optional<Clock::time_point> end_;
    Clock::time_point begin_;
    Clock::time_point last_move_; ///< when a byte last came, or the state changed
    bool sending_ = false, sent_ = false, answered_ = false, in_body_ = false;
    std::int64_t uploaded_ = 0;
    std::size_t header_bytes_ = 0, body_bytes_ = 0;
};

/// "5 s", "1.5 s", "200 ms".
std::string span_words(std::chrono::milliseconds span);

} // namespace tempera
