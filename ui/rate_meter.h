#pragma once

#include <deque>

namespace tempera {

/// How fast something grows, over the last seconds, and when it will be done.
class RateMeter {
public:
    /// `done` at a moment in seconds on any clock that does not go back.
    void add(double seconds, double done);
    /// Units a second; 0 until two readings are half a second apart.
    double rate() const;
    /// Seconds from the last reading until `total`; -1 where it is not known.
    double eta(double total) const;

private:
    struct Reading {
        double seconds, done;
    };
    static constexpr double window_seconds = 8;
    std::deque<Reading> readings_;
};

} // namespace tempera
