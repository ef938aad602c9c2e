#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace tempera {

/// Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011): block `counter` of
/// stream `key`. Stateless, so that a draw depends on nothing but its coordinates.
std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

/// A counter-based stream of random numbers named by (seed, stream, substream), e.g. (seed, prompt, sample
/// index). Two streams with different names are independent; the n-th number of a stream is always the same.
/// Satisfies UniformRandomBitGenerator.
class RandomStream {
public:
    using result_type = std::uint32_t;
    explicit RandomStream(std::uint64_t seed, std::uint64_t stream = 0, std::uint32_t substream = 0)
        : seed_(seed), stream_(stream), substream_(substream) {}

    static constexpr result_type min() { return 0; }
    static constexpr result_type max() { return 0xffffffffu; }
    result_type operator()() { return at(position_++); }

    /// The `index`-th 32-bit number, whatever was drawn before.
    std::uint32_t at(std::uint32_t index) const;
    /// Uniform in [0, 1) with 24 bits: exactly representable as float.
    double uniform() { return ((*this)() >> 8) * 0x1.0p-24; }
    double uniform_at(std::uint32_t index) const { return (at(index) >> 8) * 0x1.0p-24; }
    /// Uniform in [0, bound), without modulo bias (Lemire 2019). bound > 0.
    std::uint32_t below(std::uint32_t bound);
    /// Uniform in [low, high], both ends included.
    int between(int low, int high) {
        return low + static_cast<int>(below(static_cast<std::uint32_t>(high - low + 1)));
    }

    std::uint32_t position() const { return position_; }
    void seek(std::uint32_t position) { position_ = position; }

private:
    std::uint64_t seed_;
    std::uint64_t stream_;
    std::uint32_t substream_;
    std::uint32_t position_ = 0;
};

/// A permutation of 0 .. count-1 (Fisher-Yates), the same on every platform for the same stream.
std::vector<std::int64_t> shuffled_indices(std::int64_t count, RandomStream& random);

} // namespace tempera
