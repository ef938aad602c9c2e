#include "core/judge/ask.h"

#include "core/base/clock.h"
#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/base/json.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

namespace tempera {

namespace {

constexpr int most_failures = 16; // in a row
constexpr auto idle_after = std::chrono::seconds(1);

/// The questions of one ask_all(). Threads ask; the caller's own thread hands out what came.
class Round {
public:
    Round(std::span<const std::vector<ChatMessage>> conversations, const Asker& asker, ReplyStore& store,
          AskTally& tally, const StopToken& stop, const OnReply& on_reply, const OnIdle& on_idle)
        : conversations_(conversations), asker_(asker), store_(store), tally_(tally), stop_(stop),
          on_reply_(on_reply), on_idle_(on_idle), replies_(conversations.size()) {}

    std::vector<std::optional<EndpointReply>> run() {
        take_stored();
        std::vector<std::jthread> threads;
        working_ = static_cast<int>(
            std::min<std::size_t>(open_.size(), static_cast<std::size_t>(std::max(1, asker_.concurrency))));
        for (int i = working_; i > 0; --i)
            threads.emplace_back([this] { work(); });
        try {
            hand_out();
        } catch (...) {
            note_failure();
        }
        threads.clear(); // joins
        if (failure_) std::rethrow_exception(failure_);
        return std::move(replies_);
    }

private:
    struct Question {
        std::string key;
        std::vector<std::size_t> places; ///< of equal conversations
    };
    struct Arrival {
        const Question* question;
        EndpointReply reply;
    };

    void take_stored() {
        std::map<std::string, std::size_t> known;
        for (std::size_t i = 0; i < conversations_.size(); ++i) {
            std::string key = key_of(asker_, conversations_[i]);
            const auto [found, is_new] = known.emplace(key, open_.size());
            if (is_new)
                open_.push_back({std::move(key), {i}});
            else
                open_[found->second].places.push_back(i);
        }
        std::erase_if(open_, [&](const Question& question) {
            const auto reply = store_.find(question.key);
            if (reply) ++tally_.stored, give({&question, *reply});
            return reply.has_value();
        });
    }

    void give(const Arrival& arrival) {
        for (std::size_t place : arrival.question->places) {
            replies_[place] = arrival.reply;
            if (on_reply_) on_reply_(place, arrival.reply);
        }
    }

    void hand_out() {
        std::unique_lock lock(mutex_);
        while (true) {
            while (!came_.wait_for(lock, idle_after, [&] { return !arrived_.empty() || working_ == 0; })) {
                lock.unlock();
                if (on_idle_) on_idle_();
                lock.lock();
            }
            if (arrived_.empty()) return;
            const Arrival arrival = std::move(arrived_.front());
            arrived_.pop_front();
            lock.unlock();
            count(arrival.reply);
            give(arrival);
            lock.lock();
        }
    }

    const Question* next_question() {
        const std::lock_guard guard(mutex_);
        return failure_ || stop_ || next_ == open_.size() ? nullptr : &open_[next_++];
    }

    void work() {
        try {
            while (const Question* question = next_question()) {
                EndpointReply reply = asker_.ask(conversations_[question->places.front()], stop_);
                store_.keep(question->key, asker_.name, reply);
                const std::lock_guard guard(mutex_);
                arrived_.push_back({question, std::move(reply)});
                came_.notify_one();
            }
        } catch (const Error& error) {
            // a question that was given up for the stop is none that failed
            if (error.kind() != ErrorKind::stopped) note_failure();
        } catch (...) {
            note_failure();
        }
        const std::lock_guard guard(mutex_);
        --working_;
        came_.notify_one();
    }

    void note_failure() {
        const std::lock_guard guard(mutex_);
        if (!failure_) failure_ = std::current_exception();
    }

    void count(const EndpointReply& reply) {
        ++tally_.asked;
        tally_.prompt_tokens += reply.prompt_tokens;
        tally_.completion_tokens += reply.completion_tokens;
        tally_.cost += reply.cost;
        failures_in_a_row_ = reply.whole ? 0 : failures_in_a_row_ + 1;
        tally_.failed += reply.whole ? 0 : 1;
        if (failures_in_a_row_ >= most_failures)
            fail(ErrorKind::io, asker_.name + " failed " + std::to_string(failures_in_a_row_)
                                    + " times in a row, last: " + reply.problem
                                    + " Resume the run when it answers again; nothing is asked twice.");
    }

    std::span<const std::vector<ChatMessage>> conversations_;
    const Asker& asker_;
    ReplyStore& store_;
    AskTally& tally_;
    const StopToken& stop_;
    const OnReply& on_reply_;
    const OnIdle& on_idle_;
    std::vector<std::optional<EndpointReply>> replies_;
    std::vector<Question> open_;
    std::size_t next_ = 0;
    int failures_in_a_row_ = 0;
    std::exception_ptr failure_;
    std::mutex mutex_;
    std::condition_variable came_;
    std::deque<Arrival> arrived_;
    int working_ = 0;
};

} // namespace

std::string phase_of(const Asker& asker, const char* usual) {
    return phase_or_wait(usual, asker.waits_until ? asker.waits_until() : 0);
}

std::string key_of(const Asker& asker, const std::vector<ChatMessage>& conversation) {
    Json turns = Json::array();
    for (const ChatMessage& message : conversation)
        turns.push_back({{"role", message.role}, {"content", message.content}});
    const std::string text = to_json_line({{"asked", asker.identity}, {"messages", turns}});
    return sha256_hex(text);
}

std::vector<std::optional<EndpointReply>> ask_all(std::span<const std::vector<ChatMessage>> conversations,
                                                  const Asker& asker, ReplyStore& store, AskTally& tally,
                                                  const StopToken& stop, const OnReply& on_reply,
                                                  const OnIdle& on_idle) {
    return Round(conversations, asker, store, tally, stop, on_reply, on_idle).run();
}

} // namespace tempera
