#include "core/base/random.h"

#include <numeric>
#include <utility>

namespace tempera {

std::array<std::uint32_t, 4> philox(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
    for (int round = 0; round < 10; ++round) {
        std::uint64_t product0 = std::uint64_t{0xD2511F53u} * counter[0];
        std::uint64_t product1 = std::uint64_t{0xCD9E8D57u} * counter[2];
        counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0],
                   static_cast<std::uint32_t>(product1),
                   static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1],
                   static_cast<std::uint32_t>(product0)};
        key[0] += 0x9E3779B9u;
        key[1] += 0xBB67AE85u;
    }
    return counter;
}

std::uint32_t RandomStream::at(std::uint32_t index) const {
    auto low = [](std::uint64_t x) { return static_cast<std::uint32_t>(x); };
    auto high = [](std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); };
    auto block = philox({index / 4, substream_, low(stream_), high(stream_)}, {low(seed_), high(seed_)});
    return block[index % 4];
}

std::uint32_t RandomStream::below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{(*this)()} * bound;
    auto fraction = static_cast<std::uint32_t>(product);
    if (fraction < bound) {
        std::uint32_t threshold = -bound % bound;
        while (fraction < threshold) {
            product = std::uint64_t{(*this)()} * bound;
            fraction = static_cast<std::uint32_t>(product);
        }
    }
    return static_cast<std::uint32_t>(product >> 32);
}

std::vector<std::int64_t> shuffled_indices(std::int64_t count, RandomStream& random) {
    std::vector<std::int64_t> order(static_cast<std::size_t>(count));
    std::iota(order.begin(), order.end(), std::int64_t{0});
    for (std::int64_t i = count - 1; i > 0; --i)
        std::swap(order[static_cast<std::size_t>(i)], order[random.below(static_cast<std::uint32_t>(i + 1))]);
    return order;
}

} // namespace tempera
