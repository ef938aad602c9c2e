#pragma once

/// A function marked TEMPERA_MULTIARCH is compiled for AVX-512, AVX2 and plain x86-64; the loader picks by
/// CPU (ifunc). Not under the sanitizers: they are not ready yet when the loader runs the resolvers.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__)
#define TEMPERA_MULTIARCH __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define TEMPERA_MULTIARCH
#endif

#include <bit>
#include <cstdint>

namespace tempera {

/// e^x with about 1 ulp (Cephes expf: range reduction by ln 2, polynomial of degree 6), written so that loops
/// around it vectorise. NaN stays NaN; beyond the range of float it saturates to 0 and to 2^127.
inline __attribute__((always_inline)) float fast_exp(float x) {
    x = x > 88.0f ? 88.0f : x;
    bool tiny = x < -87.0f;
    float clamped = tiny ? -87.0f : x;
    float shifted = clamped * 1.44269504088896341f
                    + 12582912.0f; // adding 1.5 * 2^23 rounds to an integer: no -fassociative-math
    float n = shifted - 12582912.0f;
    float r = clamped - n * 0.693359375f + n * 2.12194440e-4f;
    float p = 1.9875691500e-4f;
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * r * r + r + 1.0f;
    auto bits = (std::bit_cast<std::int32_t>(shifted) - std::bit_cast<std::int32_t>(12582912.0f) + 127) << 23;
    return tiny ? 0.0f : p * std::bit_cast<float>(bits);
}

} // namespace tempera
