#include "core/format/float_convert.h"

#include <bit>
#include <cstddef>

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#define TEMPERA_F16C 1
#endif

namespace tempera {

namespace {

// Without branches, so that the loops below can be vectorised. Exponent and mantissa are shifted into place
// and the exponent bias corrected by one multiplication, which also normalises subnormal numbers; infinity
// and NaN keep their all-ones exponent.
inline float widen(std::uint16_t half) {
    std::uint32_t magnitude = half & 0x7fffu;
    std::uint32_t sign = static_cast<std::uint32_t>(half & 0x8000u) << 16;
    float scaled = std::bit_cast<float>(magnitude << 13) * 0x1p112f;
    std::uint32_t bits = std::bit_cast<std::uint32_t>(scaled);
    std::uint32_t special = 0x7f800000u | (magnitude << 13) | (magnitude > 0x7c00u ? 0x400000u : 0u);
    return std::bit_cast<float>(sign | (magnitude >= 0x7c00u ? special : bits));
}

inline std::uint16_t narrow(float value) {
    std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
    std::uint32_t sign = (bits >> 16) & 0x8000u;
    std::uint32_t magnitude = bits & 0x7fffffffu;
    // Normal result: rebias, round to nearest even in the integer domain.
    std::uint32_t rounded = magnitude - 0x38000000u + 0xfffu + ((magnitude >> 13) & 1u);
    std::uint32_t normal = rounded >> 13;
    // Subnormal result: adding 0.5 leaves the right bits at the bottom of the mantissa, rounded by the
    // addition itself.
    float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    std::uint32_t subnormal = std::bit_cast<std::uint32_t>(shifted) - 0x3f000000u;
    std::uint32_t nan = 0x7e00u | ((magnitude >> 13) & 0x3ffu);
    std::uint32_t result = magnitude < 0x38800000u ? subnormal : normal;
    result = magnitude >= 0x47800000u
                 ? 0x7c00u
                 : result; // 65536 and above; 65520 .. 65535 round up to it by themselves
    result = magnitude > 0x7f800000u ? nan : result;
    return static_cast<std::uint16_t>(sign | result);
}

#ifdef TEMPERA_F16C
bool has_f16c() {
    static const bool yes = __builtin_cpu_supports("avx") && __builtin_cpu_supports("f16c");
    return yes;
}

__attribute__((target("avx,f16c"))) std::size_t widen_f16c(const std::uint16_t* from, float* to,
                                                           std::size_t count) {
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8)
        _mm256_storeu_ps(to + i,
                         _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(from + i))));
    return i;
}

__attribute__((target("avx,f16c"))) std::size_t narrow_f16c(const float* from, std::uint16_t* to,
                                                            std::size_t count) {
    std::size_t i = 0;
    for (; i + 8 <= count; i += 8)
        _mm_storeu_si128(
            reinterpret_cast<__m128i*>(to + i),
            _mm256_cvtps_ph(_mm256_loadu_ps(from + i), _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
    return i;
}
#endif

/// Runs `convert` on every element, in blocks of a fixed length that the compiler turns into vector code.
template <typename From, typename To, typename Convert>
inline void for_each_block(std::span<const From> from, std::span<To> to, Convert convert) {
    constexpr std::size_t block = 32;
    const From* source = from.data();
    To* target = to.data();
    std::size_t count = from.size(), i = 0;
    for (; i + block <= count; i += block) {
        To results[block]; // a local array: the compiler need not fear that source and target overlap
        for (std::size_t j = 0; j < block; ++j)
            results[j] = convert(source[i + j]);
        for (std::size_t j = 0; j < block; ++j)
            target[i + j] = results[j];
    }
    for (; i < count; ++i)
        target[i] = convert(source[i]);
}

} // namespace

void f16_to_f32_portable(std::span<const std::uint16_t> from, std::span<float> to) {
    for_each_block(from, to, [](std::uint16_t half) { return widen(half); });
}

void f32_to_f16_portable(std::span<const float> from, std::span<std::uint16_t> to) {
    for_each_block(from, to, [](float value) { return narrow(value); });
}

void f16_to_f32(std::span<const std::uint16_t> from, std::span<float> to) {
    std::size_t done = 0;
#ifdef TEMPERA_F16C
    if (has_f16c()) done = widen_f16c(from.data(), to.data(), from.size());
#endif
    f16_to_f32_portable(from.subspan(done), to.subspan(done));
}

void f32_to_f16(std::span<const float> from, std::span<std::uint16_t> to) {
    std::size_t done = 0;
#ifdef TEMPERA_F16C
    if (has_f16c()) done = narrow_f16c(from.data(), to.data(), from.size());
#endif
    f32_to_f16_portable(from.subspan(done), to.subspan(done));
}

void bf16_to_f32(std::span<const std::uint16_t> from, std::span<float> to) {
    for_each_block(from, to, [](std::uint16_t half) {
        return std::bit_cast<float>(static_cast<std::uint32_t>(half) << 16);
    });
}

void f32_to_bf16(std::span<const float> from, std::span<std::uint16_t> to) {
    for_each_block(from, to, [](float value) {
        std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
        std::uint32_t rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
        std::uint32_t nan = (bits >> 16) | 0x40u;
        return static_cast<std::uint16_t>((bits & 0x7fffffffu) > 0x7f800000u ? nan : rounded);
    });
}

float f16_to_f32(std::uint16_t bits) {
    return widen(bits);
}

std::uint16_t f32_to_f16(float value) {
    return narrow(value);
}

} // namespace tempera
