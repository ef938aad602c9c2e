#include "core/format/ggml_type.h"

#include "core/base/error.h"
#include "core/format/float_convert.h"

#include <array>
#include <cstring>
#include <string>

// Built with -ffp-contract=off (core/CMakeLists.txt): a fused multiply-add would change last bits.

namespace tempera {

namespace {

constexpr GgmlType number(std::uint32_t value) {
    return static_cast<GgmlType>(value);
}

constexpr std::array<GgmlTypeInfo, 34> types{{
    {number(0), "F32", 1, 4, true},          {number(1), "F16", 1, 2, true},
    {number(2), "Q4_0", 32, 18, true},       {number(3), "Q4_1", 32, 20, true},
    {number(6), "Q5_0", 32, 22, true},       {number(7), "Q5_1", 32, 24, true},
    {number(8), "Q8_0", 32, 34, true},       {number(9), "Q8_1", 32, 40, false},
    {number(10), "Q2_K", 256, 84, false},    {number(11), "Q3_K", 256, 110, false},
    {number(12), "Q4_K", 256, 144, true},    {number(13), "Q5_K", 256, 176, true},
    {number(14), "Q6_K", 256, 210, true},    {number(15), "Q8_K", 256, 292, false},
    {number(16), "IQ2_XXS", 256, 66, false}, {number(17), "IQ2_XS", 256, 74, false},
    {number(18), "IQ3_XXS", 256, 98, false}, {number(19), "IQ1_S", 256, 50, false},
    {number(20), "IQ4_NL", 32, 18, false},   {number(21), "IQ3_S", 256, 110, false},
    {number(22), "IQ2_S", 256, 82, false},   {number(23), "IQ4_XS", 256, 136, false},
    {number(24), "I8", 1, 1, false},         {number(25), "I16", 1, 2, false},
    {number(26), "I32", 1, 4, false},        {number(27), "I64", 1, 8, false},
    {number(28), "F64", 1, 8, false},        {number(29), "IQ1_M", 256, 56, false},
    {number(30), "BF16", 1, 2, true},        {number(34), "TQ1_0", 256, 54, false},
    {number(35), "TQ2_0", 256, 66, false},   {number(39), "MXFP4", 32, 17, false},
    {number(40), "NVFP4", 64, 36, false},    {number(41), "Q1_0", 128, 18, false},
}};

using Bytes = const std::uint8_t*;

float half_at(Bytes bytes) {
    std::uint16_t bits;
    std::memcpy(&bits, bytes, sizeof bits);
    return f16_to_f32(bits);
}

std::uint32_t word_at(Bytes bytes) {
    std::uint32_t bits;
    std::memcpy(&bits, bytes, sizeof bits);
    return bits;
}

// One block each. Layouts: ggml-common.h. A byte of `qs` holds element j in its low and element j + 16 in its
// high half.

void dequantise_q4_0(Bytes block, float* into) {
    float scale = half_at(block);
    Bytes qs = block + 2;
    for (int j = 0; j < 16; ++j) {
        into[j] = scale * static_cast<float>((qs[j] & 15) - 8);
        into[j + 16] = scale * static_cast<float>((qs[j] >> 4) - 8);
    }
}

void dequantise_q4_1(Bytes block, float* into) {
    float scale = half_at(block), least = half_at(block + 2);
    Bytes qs = block + 4;
    for (int j = 0; j < 16; ++j) {
        into[j] = scale * static_cast<float>(qs[j] & 15) + least;
        into[j + 16] = scale * static_cast<float>(qs[j] >> 4) + least;
    }
}

/// The fifth bits of all 32 elements stand in one word.
int five_bits(Bytes qs, std::uint32_t high, int element) {
    int low = element < 16 ? qs[element] & 15 : qs[element - 16] >> 4;
    return low | static_cast<int>((high >> element & 1u) << 4);
}

void dequantise_q5_0(Bytes block, float* into) {
    float scale = half_at(block);
    for (int j = 0; j < 32; ++j)
        into[j] = scale * static_cast<float>(five_bits(block + 6, word_at(block + 2), j) - 16);
}

void dequantise_q5_1(Bytes block, float* into) {
    float scale = half_at(block), least = half_at(block + 2);
    for (int j = 0; j < 32; ++j)
        into[j] = scale * static_cast<float>(five_bits(block + 8, word_at(block + 4), j)) + least;
}

void dequantise_q8_0(Bytes block, float* into) {
    float scale = half_at(block);
    for (int j = 0; j < 32; ++j)
        into[j] = scale * static_cast<float>(static_cast<std::int8_t>(block[2 + j]));
}

/// Scale and minimum of sub-block j of 8, six bits each, packed into 12 bytes (get_scale_min_k4 of
/// ggml-quants.c).
void scale_and_minimum(Bytes packed, int j, float& scale, float& least) {
    if (j < 4) {
        scale = static_cast<float>(packed[j] & 63);
        least = static_cast<float>(packed[j + 4] & 63);
    } else {
        scale = static_cast<float>((packed[j + 4] & 15) | ((packed[j - 4] >> 6) << 4));
        least = static_cast<float>((packed[j + 4] >> 4) | ((packed[j] >> 6) << 4));
    }
}

void dequantise_q4_k(Bytes block, float* into) {
    float super_scale = half_at(block), super_least = half_at(block + 2);
    Bytes qs = block + 16;
    for (int j = 0; j < 8; ++j) {
        float scale, least;
        scale_and_minimum(block + 4, j, scale, least);
        scale *= super_scale;
        least *= super_least;
        int shift = j % 2 * 4;
        for (int l = 0; l < 32; ++l)
            into[j * 32 + l] = scale * static_cast<float>(qs[j / 2 * 32 + l] >> shift & 15) - least;
    }
}

void dequantise_q5_k(Bytes block, float* into) {
    float super_scale = half_at(block), super_least = half_at(block + 2);
    Bytes high = block + 16, qs = block + 48;
    for (int j = 0; j < 8; ++j) {
        float scale, least;
        scale_and_minimum(block + 4, j, scale, least);
        scale *= super_scale;
        least *= super_least;
        int shift = j % 2 * 4;
        for (int l = 0; l < 32; ++l) {
            int value = (qs[j / 2 * 32 + l] >> shift & 15) | (high[l] >> j & 1) << 4;
            into[j * 32 + l] = scale * static_cast<float>(value) - least;
        }
    }
}

void dequantise_q6_k(Bytes block, float* into) {
    Bytes low = block, high = block + 128, scales = block + 192;
    float super_scale = half_at(block + 208);
    for (int e = 0; e < 256; ++e) {
        // Halves of 128 elements; in each, 64 bytes of low nibbles and 32 bytes of high pairs for its four
        // runs of 32.
        int half = e / 128, run = e % 128 / 32, l = e % 32;
        int nibble = low[half * 64 + run % 2 * 32 + l] >> (run / 2 * 4) & 15;
        int pair = high[half * 32 + l] >> (run * 2) & 3;
        float scale = super_scale * static_cast<float>(static_cast<std::int8_t>(scales[e / 16]));
        into[e] = scale * static_cast<float>((nibble | pair << 4) - 32);
    }
}

} // namespace

std::optional<GgmlTypeInfo> ggml_type_info(std::uint32_t value) {
    for (const GgmlTypeInfo& info : types)
        if (info.type == number(value)) return info;
    return std::nullopt;
}

const GgmlTypeInfo& ggml_type_info(GgmlType type) {
    for (const GgmlTypeInfo& info : types)
        if (info.type == type) return info;
    fail(ErrorKind::internal,
         "Unknown tensor type " + std::to_string(static_cast<std::uint32_t>(type)) + ".");
}

void dequantise(GgmlType type, std::span<const std::byte> blocks, std::span<float> into) {
    const GgmlTypeInfo& info = ggml_type_info(type);
    std::size_t count = into.size() / info.block_elements;
    if (count * info.block_elements != into.size() || count * info.block_bytes != blocks.size())
        fail(ErrorKind::internal,
             "Blocks of " + std::string(info.name) + " do not fill the room made for them.");
    auto bytes = reinterpret_cast<Bytes>(blocks.data());
    auto each = [&](auto convert) {
        for (std::size_t i = 0; i < count; ++i)
            convert(bytes + i * info.block_bytes, into.data() + i * info.block_elements);
    };
    switch (type) {
    case GgmlType::f32:
        std::memcpy(into.data(), blocks.data(), blocks.size());
        return;
    case GgmlType::f16:
        return f16_to_f32({reinterpret_cast<const std::uint16_t*>(bytes), count}, into);
    case GgmlType::bf16:
        return bf16_to_f32({reinterpret_cast<const std::uint16_t*>(bytes), count}, into);
    case GgmlType::q4_0:
        return each(dequantise_q4_0);
    case GgmlType::q4_1:
        return each(dequantise_q4_1);
    case GgmlType::q5_0:
        return each(dequantise_q5_0);
    case GgmlType::q5_1:
        return each(dequantise_q5_1);
    case GgmlType::q8_0:
        return each(dequantise_q8_0);
    case GgmlType::q4_k:
        return each(dequantise_q4_k);
    case GgmlType::q5_k:
        return each(dequantise_q5_k);
    case GgmlType::q6_k:
        return each(dequantise_q6_k);
    }
    fail(ErrorKind::unsupported,
         "Tensors quantised as " + std::string(info.name)
             + " cannot be read; choose a GGUF file in F32, F16, BF16, Q8_0, Q4_0, Q4_1, Q5_0, Q5_1,"
               " Q4_K, Q5_K or Q6_K.");
}

} // namespace tempera
