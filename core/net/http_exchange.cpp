#include "core/net/http_exchange.h"

#include <charconv>
#include <cstring>
#include <openssl/x509_vfy.h>

namespace tempera {

namespace {

using std::chrono::milliseconds;

constexpr std::size_t max_header_bytes = 1u << 20;
constexpr milliseconds look_every{100}; ///< at the stop token and the deadlines, when nothing moves

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(" \t\r\n");
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

std::string without_end(std::string text) {
    while (!text.empty() && (text.back() == '.' || text.back() == '\n'))
        text.pop_back();
    return text;
}

/// What to do about a connection that is not trusted.
const char* advice_on_tls(CURL* easy, CURLcode code) {
    long verified = X509_V_OK;
    curl_easy_getinfo(easy, CURLINFO_SSL_VERIFYRESULT, &verified);
    switch (verified) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
    case X509_V_ERR_CERT_NOT_YET_VALID:
        return "Check the clock of this machine; if it is right, the server needs a new certificate.";
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
        return "If you trust whoever signed it, name the PEM file of that certificate in the environment "
               "variable SSL_CERT_FILE.";
    case X509_V_OK: // curl compares the names itself, and does so before it says that the rest is right
    case X509_V_ERR_UNSPECIFIED:
        if (code == CURLE_PEER_FAILED_VERIFICATION)
            return "Its certificate is for another host: check the address.";
        return "Check the address, and that it is one for https.";
    default:
        return "Check the address, the clock, and whether its certificate is one this machine trusts.";
    }
}

} // namespace

std::string span_words(milliseconds span) {
    if (span.count() < 1000) return std::to_string(span.count()) + " ms";
    std::string text = std::to_string(span.count() / 1000);
    if (const auto tenths = span.count() % 1000 / 100; tenths > 0) text += "." + std::to_string(tenths);
    return text + " s";
}

HttpExchange::HttpExchange(const HttpRequest& request, const std::string& certificates, const StopToken& stop,
                           const HttpClient::Sink& sink)
    : request_(request), certificates_(certificates), stop_(stop), sink_(sink),
      origin_(origin_of(request.url).value_or("")) {
    outcome_.response.url = request.url;
}

HttpExchange::~HttpExchange() {
    curl_easy_cleanup(easy_);
    curl_slist_free_all(headers_);
}

void HttpExchange::set_method() {
    if (request_.method == "HEAD") {
        curl_easy_setopt(easy_, CURLOPT_NOBODY, 1L);
    } else if (request_.method != "GET" || !request_.body.empty()) {
        curl_easy_setopt(easy_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request_.body.size()));
        curl_easy_setopt(easy_, CURLOPT_POSTFIELDS, request_.body.data());
        curl_easy_setopt(easy_, CURLOPT_CUSTOMREQUEST, request_.method.c_str());
    }
}

void HttpExchange::set_up() {
    easy_ = curl_easy_init();
    set_method();
    curl_easy_setopt(easy_, CURLOPT_URL, request_.url.c_str());
    curl_easy_setopt(easy_, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(easy_, CURLOPT_NOSIGNAL, 1L);
    // A name look-up that hangs must not hold up the one who stops it.
    curl_easy_setopt(easy_, CURLOPT_QUICK_EXIT, 1L);
    curl_easy_setopt(easy_, CURLOPT_ERRORBUFFER, curl_text_);
    curl_easy_setopt(easy_, CURLOPT_USERAGENT, "tempera");
    curl_easy_setopt(easy_, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    // Ours are kept in check_deadlines(); without this, libcurl gives up a connection after 300 s.
    curl_easy_setopt(easy_, CURLOPT_CONNECTTIMEOUT, 86400L);
    if (is_loopback(request_.url)) curl_easy_setopt(easy_, CURLOPT_PROXY, "");
    if (!find_header(request_.headers, "Accept-Encoding"))
        curl_easy_setopt(easy_, CURLOPT_ACCEPT_ENCODING, ""); // all that libcurl can undo
    if (!certificates_.empty()) {
        curl_blob blob{const_cast<char*>(certificates_.data()), certificates_.size(), CURL_BLOB_NOCOPY};
        curl_easy_setopt(easy_, CURLOPT_CAINFO_BLOB, &blob);
    }
    for (const auto& [name, value] : request_.headers)
        headers_ = curl_slist_append(headers_, (name + (value.empty() ? ";" : ": " + value)).c_str());
    for (const char* unasked : {"Content-Type:", "Expect:"})
        if (!find_header(request_.headers, std::string_view(unasked).substr(0, std::strlen(unasked) - 1)))
            headers_ = curl_slist_append(headers_, unasked);
    curl_easy_setopt(easy_, CURLOPT_HTTPHEADER, headers_);
    curl_easy_setopt(easy_, CURLOPT_HEADERFUNCTION, &on_header);
    curl_easy_setopt(easy_, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(easy_, CURLOPT_WRITEFUNCTION, &on_body);
    curl_easy_setopt(easy_, CURLOPT_WRITEDATA, this);
}

HttpOutcome HttpExchange::run(CURLM* multi, std::optional<Clock::time_point> end) {
    set_up();
    end_ = end;
    begin_ = last_move_ = Clock::now();
    const CURLcode code = perform(multi);
    if (thrown_) std::rethrow_exception(thrown_);
    if (outcome_.fault == HttpFault::none && code != CURLE_OK) explain(code);
    return std::move(outcome_);
}

CURLcode HttpExchange::perform(CURLM* multi) {
    curl_multi_add_handle(multi, easy_);
    CURLcode code = CURLE_OK;
    while (true) {
        int running = 0, queued = 0;
        const CURLMcode state = curl_multi_perform(multi, &running);
        while (const CURLMsg* message = curl_multi_info_read(multi, &queued))
            if (message->msg == CURLMSG_DONE) code = message->data.result;
        if (state != CURLM_OK) code = CURLE_FAILED_INIT;
        if (running == 0 || state != CURLM_OK) break;
        check_deadlines();
        if (outcome_.fault != HttpFault::none) break;
        curl_multi_poll(multi, nullptr, 0, static_cast<int>(look_every.count()), nullptr);
    }
    curl_multi_remove_handle(multi, easy_);
    return code;
}

void HttpExchange::check_deadlines() {
    if (stop_) return set_fault(HttpFault::stopped, "The exchange with " + origin_ + " was stopped.");
    const auto now = Clock::now();
    curl_off_t time = 0, sent_bytes = 0;
    long request_bytes = 0; // of head and, with a proxy, of its CONNECT
    curl_easy_getinfo(easy_, CURLINFO_PRETRANSFER_TIME_T, &time);
    curl_easy_getinfo(easy_, CURLINFO_REQUEST_SIZE, &request_bytes);
    if (!sending_ && (time > 0 || request_bytes > 0)) sending_ = true, last_move_ = now;
    if (sending_ && !sent_ && curl_easy_getinfo(easy_, CURLINFO_SIZE_UPLOAD_T, &sent_bytes) == CURLE_OK) {
        if (sent_bytes > uploaded_) uploaded_ = sent_bytes, last_move_ = now;
        sent_ = static_cast<std::size_t>(sent_bytes) >= request_.body.size();
    }
    const auto& limits = request_.deadlines;
    auto overdue = [&](milliseconds limit, Clock::time_point since) {
        return limit.count() > 0 && now - since > limit;
    };
    auto late = [&](const std::string& sentence) { set_fault(HttpFault::timeout, sentence); };
    if (end_ && now > *end_)
        late("The exchange with " + origin_ + " took longer than the " + span_words(limits.total)
             + " it was given: try again, or allow more time.");
    else if (!sending_ && !answered_ && overdue(limits.connect, begin_))
        late("No connection to " + origin_ + " within " + span_words(limits.connect)
             + ": check the address and the network.");
    else if (sending_ && !sent_ && !answered_ && overdue(limits.stall, last_move_))
        late(origin_ + " took nothing of the request for " + span_words(limits.stall) + ": try again.");
    else if (sent_ && !answered_ && overdue(limits.first_byte, last_move_))
        late(origin_ + " did not begin to answer within " + span_words(limits.first_byte)
             + ": it may be overloaded; try again, or allow more time.");
    else if (answered_ && overdue(limits.stall, last_move_))
        late(origin_ + " sent nothing for " + span_words(limits.stall)
             + " in the middle of its answer: try again.");
}

std::size_t HttpExchange::on_header(char* data, std::size_t, std::size_t count, void* self) {
    return static_cast<HttpExchange*>(self)->take_header({data, count}) ? count : CURL_WRITEFUNC_ERROR;
}

std::size_t HttpExchange::on_body(char* data, std::size_t, std::size_t count, void* self) {
    return static_cast<HttpExchange*>(self)->take_body({data, count}) ? count : CURL_WRITEFUNC_ERROR;
}

bool HttpExchange::take_header(std::string_view line) {
    answered_ = true;
    last_move_ = Clock::now();
    header_bytes_ += line.size();
    if (header_bytes_ > max_header_bytes) {
        set_fault(HttpFault::too_large, "The headers of " + origin_ + "'s answer have no end.");
        return false;
    }
    if (in_body_) return true; // trailers
    HttpResponse& response = outcome_.response;
    line = trimmed(line);
    if (line.starts_with("HTTP/")) { // another one where a 100 or 103 came before
        response.headers.clear();
        const auto blank = line.find(' ');
        const auto number = blank == std::string_view::npos ? "" : line.substr(blank + 1, 3);
        std::from_chars(number.data(), number.data() + number.size(), response.status);
    } else if (const auto colon = line.find(':'); colon != std::string_view::npos) {
        response.headers.emplace_back(trimmed(line.substr(0, colon)), trimmed(line.substr(colon + 1)));
    }
    return true;
}

bool HttpExchange::take_body(std::string_view piece) {
    if (stop_) {
        set_fault(HttpFault::stopped, "The exchange with " + origin_ + " was stopped.");
        return false;
    }
    HttpResponse& response = outcome_.response;
    curl_off_t announced = -1;
    if (!in_body_) curl_easy_getinfo(easy_, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &announced);
    in_body_ = true;
    body_bytes_ += piece.size();
    const bool too_long = body_bytes_ > request_.max_body
                          || (announced > 0 && static_cast<std::uint64_t>(announced) > request_.max_body);
    if (too_long) {
        set_fault(HttpFault::too_large, "The answer of " + origin_ + " is larger than the "
                                            + std::to_string(request_.max_body) + " bytes allowed here.");
        return false;
    }
    bool taken = true;
    if (sink_ && response.status / 100 == 2) {
        try {
            taken = sink_(response, piece);
        } catch (...) {
            thrown_ = std::current_exception();
            return false;
        }
        if (!taken) set_fault(HttpFault::refused, "The answer of " + origin_ + " was not taken to its end.");
    } else {
        response.body.append(piece);
    }
    last_move_ = Clock::now();
    return taken;
}

void HttpExchange::set_fault(HttpFault fault, const std::string& sentence) {
    if (outcome_.fault != HttpFault::none) return;
    outcome_.fault = fault;
    outcome_.sentence = sentence;
}

void HttpExchange::explain(CURLcode code) {
    const std::string reason = without_end(*curl_text_ ? curl_text_ : curl_easy_strerror(code));
    long error_number = 0;
    curl_easy_getinfo(easy_, CURLINFO_OS_ERRNO, &error_number);
    switch (code) {
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
        return set_fault(HttpFault::resolve,
                         "The host of " + origin_ + " is unknown: check the address and the network.");
    case CURLE_COULDNT_CONNECT:
        return set_fault(HttpFault::connect,
                         "Cannot connect to " + origin_ + " ("
                             + (error_number ? std::strerror(static_cast<int>(error_number)) : reason)
                             + "): check the address, and that the server runs.");
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
        return set_fault(HttpFault::tls, "No trusted connection to " + origin_ + " (" + reason
                                             + "): nothing was sent. " + advice_on_tls(easy_, code));
    case CURLE_OPERATION_TIMEDOUT:
        return set_fault(HttpFault::timeout, origin_ + " did not answer in time (" + reason + ").");
    default:
        return set_fault(HttpFault::reset, "The connection to " + origin_
                                               + " ended before the answer was whole (" + reason
                                               + "): try again.");
    }
}

} // namespace tempera
