#include "tests/support/scripted_server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <list>
#include <netinet/tcp.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <stdexcept>
#include <sys/socket.h>
#include <unistd.h>

namespace tempera::test {

namespace {

using Clock = std::chrono::steady_clock;
using std::chrono::milliseconds;

/// Key and certificate, made anew each time.
struct Identity {
    EVP_PKEY* key = EVP_EC_gen("P-256");
    X509* certificate = X509_new();
    std::string pem;

    explicit Identity(const ServerCertificate& wanted) {
        X509_set_version(certificate, 2);
        ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
        X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
        X509_gmtime_adj(X509_getm_notAfter(certificate), wanted.valid_seconds);
        X509_set_pubkey(certificate, key);
        X509_NAME* name = X509_get_subject_name(certificate);
        X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                   reinterpret_cast<const unsigned char*>("scripted server"), -1, -1, 0);
        X509_set_issuer_name(certificate, name);
        std::string names;
        for (const auto& host : wanted.names) {
            in_addr address{};
            const bool is_address = inet_pton(AF_INET, host.c_str(), &address) == 1;
            names += (names.empty() ? "" : ",") + std::string(is_address ? "IP:" : "DNS:") + host;
        }
        X509_EXTENSION* extension =
            X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, names.c_str());
        X509_add_ext(certificate, extension, -1);
        X509_EXTENSION_free(extension);
        X509_sign(certificate, key, EVP_sha256());
        BIO* text = BIO_new(BIO_s_mem());
        PEM_write_bio_X509(text, certificate);
        char* data = nullptr;
        const long size = BIO_get_mem_data(text, &data);
        pem.assign(data, static_cast<std::size_t>(size));
        BIO_free(text);
    }
    ~Identity() {
        EVP_PKEY_free(key);
        X509_free(certificate);
    }
    Identity(const Identity&) = delete;
    Identity& operator=(const Identity&) = delete;
};

/// The bytes of one connection, plain or TLS, that give up when the server ends or the client leaves.
class Channel {
public:
    Channel(int fd, SSL_CTX* context, const std::atomic<bool>& ending) : fd_(fd), ending_(ending) {
        fcntl(fd, F_SETFL, O_NONBLOCK);
        const int now = 1; // a body must not wait until the head was acknowledged
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &now, sizeof now);
        if (!context) return;
        ssl_ = SSL_new(context);
        SSL_set_fd(ssl_, fd);
        while (open_) {
            const int done = SSL_accept(ssl_);
            if (done == 1) return;
            wait(done, POLLIN);
        }
    }
    ~Channel() {
        SSL_free(ssl_);
        if (fd_ >= 0) close(fd_);
    }
    Channel(const Channel&) = delete;
    Channel& operator=(const Channel&) = delete;

    bool open() const { return open_ && !ending_; }

    /// Some bytes more; "" when there are none any more.
    std::string read() {
        char buffer[65536];
        while (open()) {
            const long count =
                ssl_ ? SSL_read(ssl_, buffer, sizeof buffer) : recv(fd_, buffer, sizeof buffer, 0);
            if (count > 0) return {buffer, static_cast<std::size_t>(count)};
            wait(count, POLLIN);
        }
        return "";
    }

    void write(std::string_view bytes) {
        while (!bytes.empty() && open()) {
            const std::string_view piece = bytes.substr(0, 65536);
            const long count = ssl_ ? SSL_write(ssl_, piece.data(), static_cast<int>(piece.size()))
                                    : send(fd_, piece.data(), piece.size(), MSG_NOSIGNAL);
            if (count > 0)
                bytes.remove_prefix(static_cast<std::size_t>(count));
            else
                wait(count, POLLOUT);
        }
    }

    /// Returns early where the client leaves or the server ends.
    void sleep(Clock::duration time) {
        for (const auto end = Clock::now() + time; open() && Clock::now() < end;) {
            const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now());
            pollfd file{fd_, POLLRDHUP, 0};
            if (poll(&file, 1, static_cast<int>(std::min(left, milliseconds(20)).count()) + 1) > 0)
                open_ = false;
        }
    }

    void reset() {
        linger at_once{1, 0};
        setsockopt(fd_, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
        close(std::exchange(fd_, -1));
        open_ = false;
    }

    /// A close that an unread rest of the request does not turn into a reset.
    void end() {
        if (ssl_) SSL_shutdown(ssl_);
        shutdown(fd_, SHUT_WR);
        while (!read().empty()) {
        }
    }

private:
    /// Waits until a call that gave `result` may be made again, or finds that it may not.
    void wait(long result, short direction) {
        if (ssl_) {
            const int reason = SSL_get_error(ssl_, static_cast<int>(result));
            direction = reason == SSL_ERROR_WANT_WRITE ? POLLOUT : POLLIN;
            if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) open_ = false;
        } else if (result == 0 || (errno != EAGAIN && errno != EINTR)) {
            open_ = false;
        }
        pollfd file{fd_, direction, 0};
        if (open()) poll(&file, 1, 20);
    }

    int fd_;
    SSL* ssl_ = nullptr;
    const std::atomic<bool>& ending_;
    bool open_ = true;
};

} // namespace

struct ScriptedServer::State {
    Handler handler;
    std::unique_ptr<Identity> identity;
    SSL_CTX* context = nullptr;
    int listening = -1;
    int port = 0;
    std::atomic<bool> ending{false};
    std::atomic<int> open{0};
    mutable std::mutex mutex; ///< of what follows
    std::vector<ReceivedRequest> requests;
    std::list<std::thread> threads;
    int connections = 0;
    std::thread accepting;

    void listen_on_loopback();
    void accept_all();
    void serve(int fd, int number);
    bool answer(Channel& channel, const ReceivedRequest& request);
    std::optional<ReceivedRequest> receive(Channel& channel, std::string& buffer, int number);
};

namespace {

void send_body(Channel& channel, std::string_view body, double bytes_per_second) {
    if (bytes_per_second <= 0) return channel.write(body);
    const auto begin = Clock::now();
    for (std::size_t sent = 0; sent < body.size() && channel.open();) {
        const std::chrono::duration<double> passed = Clock::now() - begin;
        const auto due =
            std::min(body.size(), static_cast<std::size_t>(passed.count() * bytes_per_second) + 1);
        if (due > sent) channel.write(body.substr(sent, due - sent));
        sent = std::max(sent, due);
        if (sent < body.size())
            channel.sleep(milliseconds(std::max(5, static_cast<int>(1000 / bytes_per_second) / 4)));
    }
}

std::string head_of(const ServedAnswer& answer) {
    std::string head = "HTTP/1.1 " + std::to_string(answer.status) + " Answer\r\n";
    for (const auto& [name, value] : answer.headers)
        head += name + ": " + value + "\r\n";
    const bool framed =
        find_header(answer.headers, "Content-Length") || find_header(answer.headers, "Transfer-Encoding");
    if (!framed && answer.end != AnswerEnd::endless)
        head += "Content-Length: " + std::to_string(answer.body.size()) + "\r\n";
    return head + "\r\n";
}

} // namespace

void ScriptedServer::State::listen_on_loopback() {
    listening = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (bind(listening, reinterpret_cast<sockaddr*>(&address), size) != 0 || listen(listening, 128) != 0
        || getsockname(listening, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("the scripted server cannot listen");
    port = ntohs(address.sin_port);
    if (identity) {
        context = SSL_CTX_new(TLS_server_method());
        SSL_CTX_use_certificate(context, identity->certificate);
        SSL_CTX_use_PrivateKey(context, identity->key);
        SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    }
    accepting = std::thread([this] { accept_all(); });
}

void ScriptedServer::State::accept_all() {
    while (!ending) {
        pollfd file{listening, POLLIN, 0};
        if (poll(&file, 1, 20) <= 0) continue;
        const int fd = accept4(listening, nullptr, nullptr, SOCK_CLOEXEC);
        if (fd < 0) continue;
        std::lock_guard lock(mutex);
        threads.emplace_back([this, fd, number = connections++] { serve(fd, number); });
    }
}

void ScriptedServer::State::serve(int fd, int number) {
    sigset_t pipe; // of a client that left while OpenSSL wrote
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
    ++open;
    {
        Channel channel(fd, context, ending);
        std::string buffer;
        while (auto request = receive(channel, buffer, number))
            if (!answer(channel, *request)) break;
    }
    --open;
}

std::optional<ReceivedRequest> ScriptedServer::State::receive(Channel& channel, std::string& buffer,
                                                              int number) {
    auto filled_to = [&](std::size_t size) {
        for (std::string more; buffer.size() < size; buffer += more)
            if ((more = channel.read()).empty()) return false;
        return true;
    };
    std::size_t head_end = 0;
    while ((head_end = buffer.find("\r\n\r\n")) == std::string::npos)
        if (!filled_to(buffer.size() + 1) || buffer[0] < 'A') return std::nullopt; // or no HTTP, as of TLS
    ReceivedRequest request;
    request.connection = number;
    std::size_t line_end = buffer.find("\r\n");
    const std::string first = buffer.substr(0, line_end);
    request.method = first.substr(0, first.find(' '));
    request.target = first.substr(request.method.size() + 1, first.rfind(' ') - request.method.size() - 1);
    while (line_end < head_end) {
        const std::size_t begin = line_end + 2;
        line_end = buffer.find("\r\n", begin);
        const std::string line = buffer.substr(begin, line_end - begin);
        const auto colon = line.find(':');
        const auto value = line.find_first_not_of(' ', colon + 1);
        request.headers.emplace_back(line.substr(0, colon),
                                     value == std::string::npos ? "" : line.substr(value));
    }
    const std::size_t size = std::stoull(find_header(request.headers, "Content-Length").value_or("0"));
    if (!filled_to(head_end + 4 + size)) return std::nullopt;
    request.body = buffer.substr(head_end + 4, size);
    buffer.erase(0, head_end + 4 + size);
    std::lock_guard lock(mutex);
    requests.push_back(request);
    return request;
}

/// False where the connection ends with it.
bool ScriptedServer::State::answer(Channel& channel, const ReceivedRequest& request) {
    const ServedAnswer answer = handler(request);
    channel.sleep(answer.delay);
    if (!answer.no_head) channel.write(head_of(answer));
    std::string_view body = answer.body;
    if (answer.end != AnswerEnd::whole && answer.end != AnswerEnd::endless)
        body = body.substr(0, answer.cut_after);
    if (request.method == "HEAD") body = {};
    do
        send_body(channel, body, answer.bytes_per_second);
    while (answer.end == AnswerEnd::endless && channel.open());
    if (answer.end == AnswerEnd::hang)
        while (channel.open())
            channel.sleep(milliseconds(100));
    if (answer.end == AnswerEnd::reset) {
        channel.sleep(milliseconds(20)); // what was sent must arrive before the break overtakes it
        channel.reset();
    }
    if (answer.end == AnswerEnd::close || answer.no_head) channel.end();
    return answer.end == AnswerEnd::whole && !answer.no_head && channel.open();
}

ScriptedServer::ScriptedServer(Handler handler) : state_(std::make_unique<State>()) {
    state_->handler = std::move(handler);
    state_->listen_on_loopback();
}

ScriptedServer::ScriptedServer(Handler handler, const ServerCertificate& certificate)
    : state_(std::make_unique<State>()) {
    state_->handler = std::move(handler);
    state_->identity = std::make_unique<Identity>(certificate);
    state_->listen_on_loopback();
}

ScriptedServer::ScriptedServer(std::vector<ServedAnswer> answers)
    : ScriptedServer([answers = std::move(answers),
                      next = std::make_shared<std::atomic<std::size_t>>(0)](const ReceivedRequest&) {
          return answers[std::min((*next)++, answers.size() - 1)];
      }) {}

ScriptedServer::~ScriptedServer() {
    state_->ending = true;
    state_->accepting.join();
    for (std::thread& thread : state_->threads)
        thread.join();
    close(state_->listening);
    SSL_CTX_free(state_->context);
}

int ScriptedServer::port() const {
    return state_->port;
}

std::string ScriptedServer::url(const std::string& path, const std::string& host) const {
    return (state_->identity ? "https://" : "http://") + host + ":" + std::to_string(state_->port) + path;
}

const std::string& ScriptedServer::certificate() const {
    static const std::string none;
    return state_->identity ? state_->identity->pem : none;
}

std::vector<ReceivedRequest> ScriptedServer::requests() const {
    std::lock_guard lock(state_->mutex);
    return state_->requests;
}

int ScriptedServer::connections() const {
    std::lock_guard lock(state_->mutex);
    return state_->connections;
}

int ScriptedServer::open_connections() const {
    return state_->open;
}

} // namespace tempera::test
