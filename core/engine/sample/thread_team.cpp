#include "core/engine/sample/thread_team.h"

#include <algorithm>
#include <immintrin.h>
#include <limits>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <utility>

namespace tempera {

namespace {

/// 50 to 100 microseconds: longer than a balanced barrier, shorter than a scheduler's time slice by far.
constexpr int spins = 4000;

/// Not std::atomic::wait: GCC's yields the processor first, which on a busy machine gives away the rest of
/// the time slice.
void wait_while(std::atomic<std::uint32_t>& value, std::uint32_t old) {
    for (int i = 0; i < spins; ++i) {
        if (value.load(std::memory_order_acquire) != old) return;
        _mm_pause();
    }
    while (value.load(std::memory_order_acquire) == old)
        syscall(SYS_futex, &value, FUTEX_WAIT_PRIVATE, old, nullptr, nullptr, 0);
}

void wake_all(std::atomic<std::uint32_t>& value) {
    syscall(SYS_futex, &value, FUTEX_WAKE_PRIVATE, std::numeric_limits<int>::max(), nullptr, nullptr, 0);
}

} // namespace

FlushDenormals::FlushDenormals() : before_(_mm_getcsr()) {
    _mm_setcsr(before_ | 0x8040);
}

FlushDenormals::~FlushDenormals() {
    _mm_setcsr(before_);
}

ThreadTeam::ThreadTeam(int size) : size_(std::max(1, size)) {
    for (int i = 1; i < size_; ++i)
        threads_.emplace_back([this, i] { serve(i); });
}

ThreadTeam::~ThreadTeam() {
    closing_ = true;
    round_.fetch_add(1, std::memory_order_release);
    wake_all(round_);
    for (std::thread& thread : threads_)
        thread.join();
}

void ThreadTeam::wait_for_all() {
    std::uint32_t phase = phase_.load(std::memory_order_acquire);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == size_) {
        arrived_.store(0, std::memory_order_relaxed);
        next_.store(0, std::memory_order_relaxed);
        phase_.fetch_add(1, std::memory_order_release);
        wake_all(phase_);
    } else {
        wait_while(phase_, phase);
    }
}

void ThreadTeam::Member::barrier() {
    if (team_)
        team_->wait_for_all();
    else
        own_next_.store(0, std::memory_order_relaxed);
}

void ThreadTeam::perform(int index) {
    Member member(this, index);
    try {
        (*work_)(member);
    } catch (...) {
        std::scoped_lock lock(failure_mutex_);
        failure_ = std::current_exception();
    }
    wait_for_all();
}

void ThreadTeam::serve(int index) {
    FlushDenormals flush;
    for (std::uint32_t seen = 0;;) {
        wait_while(round_, seen);
        if (closing_) return;
        ++seen;
        perform(index);
    }
}

void ThreadTeam::run(const std::function<void(Member&)>& work) {
    FlushDenormals flush;
    work_ = &work;
    round_.fetch_add(1, std::memory_order_release);
    wake_all(round_);
    perform(0);
    if (std::exception_ptr failure = std::exchange(failure_, nullptr)) std::rethrow_exception(failure);
}

} // namespace tempera
