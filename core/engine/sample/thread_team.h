#pragma once

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace tempera {

/// While it lives, this thread takes numbers too small for the usual format as zero: activations can become
/// that small, and arithmetic on them takes microcode.
class FlushDenormals {
public:
    FlushDenormals();
    ~FlushDenormals();
    FlushDenormals(const FlushDenormals&) = delete;
    FlushDenormals& operator=(const FlushDenormals&) = delete;

private:
    unsigned before_;
};

/// A few threads that run one function together, with barriers inside it: what a decode step of 0.2 to 40 ms
/// needs and OpenMP gives only by spinning for ever (its passive mode sleeps at every barrier). A waiting
/// thread here spins for some microseconds and then sleeps, so a loaded machine is not burdened. The calling
/// thread is member 0.
class ThreadTeam {
public:
    class Member {
    public:
        int index() const { return index_; }
        int size() const { return team_ ? team_->size() : 1; }
        /// Waits for all members; resets the work counter of `share`.
        void barrier();
        /// Hands out [0, total) to whichever member comes next, then waits for all: `work(begin, end)`.
        /// Pieces are multiples of `grain`, large ones first, so that a delayed thread holds nobody up for
        /// long.
        template <typename Work>
        void share(std::int64_t total, std::int64_t grain, Work work) {
            std::atomic<std::int64_t>& next = team_ ? team_->next_ : own_next_;
            std::int64_t begin = next.load(std::memory_order_relaxed);
            while (begin < total) {
                const std::int64_t fair = (total - begin) / (size() > 1 ? 3 * size() : 1);
                const std::int64_t end = std::min(total, begin + std::max(grain, fair / grain * grain));
                if (!next.compare_exchange_weak(begin, end, std::memory_order_relaxed)) continue;
                work(begin, end);
                begin = next.load(std::memory_order_relaxed);
            }
            barrier();
        }

        /// A member that works alone: its barriers are free and `share` gives it everything.
        Member() = default;

    private:
        friend class ThreadTeam;
        Member(ThreadTeam* team, int index) : team_(team), index_(index) {}
        ThreadTeam* team_ = nullptr;
        int index_ = 0;
        std::atomic<std::int64_t> own_next_ = 0;
    };

    explicit ThreadTeam(int size);
    ~ThreadTeam();
    ThreadTeam(const ThreadTeam&) = delete;
    ThreadTeam& operator=(const ThreadTeam&) = delete;

    int size() const { return size_; }
    /// Runs `work` once per member and returns when all are done. `work` must not throw past a barrier others
    /// wait at; what it throws elsewhere is rethrown here.
    void run(const std::function<void(Member&)>& work);

private:
    void serve(int index);
    void perform(int index);
    void wait_for_all();

    const int size_;
    std::vector<std::thread> threads_;
    const std::function<void(Member&)>* work_ = nullptr;
    std::atomic<std::int64_t> next_ = 0;
    std::atomic<int> arrived_ = 0;
    std::atomic<std::uint32_t> phase_ = 0;
    std::atomic<std::uint32_t> round_ = 0;
    bool closing_ = false;
    std::mutex failure_mutex_;
    std::exception_ptr failure_;
};

} // namespace tempera
