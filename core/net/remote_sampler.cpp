#include "core/net/remote_sampler.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/base/random.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <limits>
#include <mutex>
#include <thread>

namespace tempera {

namespace {

using Clock = std::chrono::steady_clock;

constexpr auto heartbeat = std::chrono::milliseconds(100);
constexpr int most_failures = 20; // in a row
constexpr double longest_pause = 3600;

ErrorKind kind_of(ReplyFault fault) {
    if (fault == ReplyFault::missing) return ErrorKind::not_found;
    if (fault == ReplyFault::key || fault == ReplyFault::insecure || fault == ReplyFault::refused)
        return ErrorKind::bad_input;
    return ErrorKind::io;
}

/// What the threads of one run() share. Everything but `ended` is guarded by the mutex.
struct Shared {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<RemotePrompt> tasks;
    std::deque<RemoteSample> samples;
    std::deque<std::string> notices;
    int under_way = 0;
    bool closed = false; ///< nothing more comes into `tasks` but what is put back
    bool any_success = false, without_logprobs = false;
    int largest_n = std::numeric_limits<int>::max(); ///< that the server has not refused
    int failures = 0;                                ///< in a row
    Clock::time_point held_until = Clock::now();
    std::optional<Error> fatal;
    StopToken ended; ///< ends the requests under way
};

/// The part of a task that one request asks for; the rest stays.
RemotePrompt take_part(Shared& shared) {
    RemotePrompt task = std::move(shared.tasks.front());
    shared.tasks.pop_front();
    // Equal draws, which some servers refuse to give together.
    const bool greedy = task.ask.temperature && *task.ask.temperature == 0;
    const auto most = static_cast<std::size_t>(greedy ? 1 : shared.largest_n);
    if (task.tags.size() > most) {
        RemotePrompt rest = task;
        rest.tags.erase(rest.tags.begin(), rest.tags.begin() + static_cast<std::ptrdiff_t>(most));
        rest.seeds.erase(rest.seeds.begin(), rest.seeds.begin() + static_cast<std::ptrdiff_t>(most));
        shared.tasks.push_front(std::move(rest));
        task.tags.resize(most);
        task.seeds.resize(most);
    }
    task.ask.n = static_cast<int>(task.tags.size());
    task.ask.seed = task.seeds.front();
    if (shared.without_logprobs) task.ask.logprobs = false;
    return task;
}

void set_fatal(Shared& shared, ReplyFault fault, const std::string& sentence) {
    if (!shared.fatal) shared.fatal.emplace(kind_of(fault), sentence);
    shared.ended.request(StopRequest::cancel);
}

void deliver_texts(Shared& shared, RemotePrompt& task, GenerationReply& reply) {
    const std::size_t given = std::min(reply.texts.size(), task.tags.size());
    for (std::size_t i = 0; i < given; ++i) {
        RemoteSample sample;
        sample.tag = task.tags[i];
        sample.text = std::move(reply.texts[i]);
        if (!sample.text.logprobs.empty())
            sample.tokens = static_cast<std::int64_t>(sample.text.logprobs.size());
        else if (reply.texts.size() == 1 && reply.usage.completion_tokens > 0)
            sample.tokens = reply.usage.completion_tokens;
        if (sample.text.finish.empty()) sample.text.finish = "stop";
        if (sample.text.finish != "stop" && sample.text.finish != "length") {
            sample.fault = ReplyFault::unusable;
            sample.sentence = "The server withheld the answer (" + sample.text.finish + ").";
            sample.raw = reply.raw;
            sample.text = {};
        }
        shared.samples.push_back(std::move(sample));
    }
    if (given == task.tags.size()) return;
    if (shared.largest_n > static_cast<int>(given)) {
        shared.largest_n = static_cast<int>(given);
        shared.notices.push_back("The server gives " + counted(given, "sample") + " where "
                                 + std::to_string(task.tags.size())
                                 + " are asked for: it is asked again until they are there.");
    }
    task.tags.erase(task.tags.begin(), task.tags.begin() + static_cast<std::ptrdiff_t>(given));
    task.seeds.erase(task.seeds.begin(), task.seeds.begin() + static_cast<std::ptrdiff_t>(given));
    shared.tasks.push_front(std::move(task));
}

/// Whether the request had better be asked otherwise; it then is.
bool ask_otherwise(Shared& shared, RemotePrompt& task, const GenerationReply& reply) {
    const bool no = reply.fault == ReplyFault::refused || reply.fault == ReplyFault::server;
    if (no && task.ask.logprobs && reply.raw.find("logprob") != std::string::npos) {
        if (!shared.without_logprobs)
            shared.notices.push_back("The server gives no log-probabilities: it goes on without them. ("
                                     + reply.sentence + ")");
        shared.without_logprobs = true;
    } else if (reply.fault == ReplyFault::refused && task.tags.size() > 1) {
        shared.largest_n = 1;
    } else if (reply.fault == ReplyFault::paused && reply.wait_seconds <= longest_pause) {
        const auto now = Clock::now();
        const auto until =
            now
            + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(reply.wait_seconds));
        if (now >= shared.held_until || until > shared.held_until + std::chrono::seconds(5))
            shared.notices.push_back(reply.sentence + " The run goes on by itself then.");
        shared.held_until = std::max(shared.held_until, until);
    } else {
        return false;
    }
    shared.tasks.push_front(std::move(task));
    return true;
}

void take_fault(Shared& shared, RemotePrompt& task, const GenerationReply& reply) {
    if (shared.ended || ask_otherwise(shared, task, reply)) return;
    ++shared.failures;
    if (ends_the_run(reply.fault) || (reply.fault == ReplyFault::refused && !shared.any_success))
        return set_fatal(shared, reply.fault,
                         reply.sentence + (reply.fault == ReplyFault::paused ? " Resume the run then." : ""));
    for (const std::int64_t tag : task.tags) {
        RemoteSample sample;
        sample.tag = tag;
        sample.fault = reply.fault;
        sample.sentence = reply.sentence;
        sample.raw = reply.raw;
        shared.samples.push_back(std::move(sample));
    }
    if (shared.failures >= most_failures)
        set_fatal(shared, reply.fault,
                  counted(shared.failures, "request")
                      + " in a row failed, the last one so: " + reply.sentence);
}

void work(Shared& shared, const OpenAiClient& client) {
    std::unique_lock lock(shared.mutex);
    for (;;) {
        if (shared.ended) return;
        if (shared.tasks.empty() && shared.closed && shared.under_way == 0) return;
        if (shared.tasks.empty() || Clock::now() < shared.held_until) {
            shared.changed.wait_for(lock, heartbeat);
            continue;
        }
        RemotePrompt task = take_part(shared);
        ++shared.under_way;
        lock.unlock();
        GenerationReply reply = client.generate(task.ask, shared.ended);
        lock.lock();
        --shared.under_way;
        if (reply.fault == ReplyFault::none) {
            shared.any_success = true;
            shared.failures = 0;
            deliver_texts(shared, task, reply);
        } else {
            take_fault(shared, task, reply);
        }
        shared.changed.notify_all();
    }
}

/// Ends the threads, whatever is thrown.
class Team {
public:
    Team(Shared& shared, const OpenAiClient& client) : shared_(shared) {
        for (int i = 0; i < client.endpoint().concurrency; ++i)
            threads_.emplace_back([&shared, &client] { work(shared, client); });
    }
    ~Team() {
        shared_.ended.request(StopRequest::cancel);
        shared_.changed.notify_all();
        for (std::thread& thread : threads_)
            thread.join();
    }
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

private:
    Shared& shared_;
    std::vector<std::thread> threads_;
};

/// Takes over what has come; the callbacks run without the lock.
struct Arrivals {
    std::deque<RemoteSample> samples;
    std::deque<std::string> notices;
};

} // namespace

std::int64_t server_seed(std::uint64_t seed, std::uint64_t stream, std::uint32_t sample) {
    return RandomStream(seed, stream, sample).at(0) & 0x7fffffff;
}

std::int64_t RemoteSampler::waits_until() const {
    using std::chrono::system_clock;
    return waits_until_ > system_clock::now() ? system_clock::to_time_t(waits_until_) : 0;
}

void RemoteSampler::run(const Source& source, const Sink& sink, const Interrupted& interrupted,
                        const Notice& notice) {
    Shared shared;
    const auto ahead = static_cast<std::size_t>(2 * client_.endpoint().concurrency);
    Arrivals arrived;
    auto deliver = [&] {
        for (std::string& sentence : arrived.notices)
            if (notice) notice(sentence);
        for (RemoteSample& sample : arrived.samples) {
            drawn_tokens_ += std::max<std::int64_t>(sample.tokens, 0);
            sink(std::move(sample));
        }
        arrived = {};
    };
    bool stopped = false;
    {
        const Team team(shared, client_);
        for (bool over = false; !over && !stopped;) {
            std::unique_lock lock(shared.mutex);
            while (!shared.closed && shared.tasks.size() < ahead) {
                RemotePrompt prompt;
                lock.unlock();
                const bool more = source(prompt);
                lock.lock();
                if (!more)
                    shared.closed = true;
                else if (!prompt.tags.empty())
                    shared.tasks.push_back(std::move(prompt));
            }
            shared.changed.notify_all();
            if (shared.samples.empty()) shared.changed.wait_for(lock, heartbeat);
            std::swap(arrived.samples, shared.samples);
            std::swap(arrived.notices, shared.notices);
            waits_until_ = std::chrono::system_clock::now()
                           + std::chrono::duration_cast<std::chrono::system_clock::duration>(shared.held_until
                                                                                             - Clock::now());
            over = (shared.closed && shared.tasks.empty() && shared.under_way == 0) || shared.fatal;
            lock.unlock();
            deliver();
            stopped = interrupted && interrupted();
        }
    }
    std::swap(arrived.samples, shared.samples); // what came while the threads ended
    deliver();
    if (shared.fatal && !stopped) throw Error(*shared.fatal);
}

} // namespace tempera
