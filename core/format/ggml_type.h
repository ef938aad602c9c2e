#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace tempera {

/// Element types of GGUF tensors, numbered as in the file (ggml.h). Quantised ones store blocks of elements.
enum class GgmlType : std::uint32_t {
    f32 = 0,
    f16 = 1,
    q4_0 = 2,
    q4_1 = 3,
    q5_0 = 6,
    q5_1 = 7,
    q8_0 = 8,
    q4_k = 12,
    q5_k = 13,
    q6_k = 14,
    bf16 = 30
};

struct GgmlTypeInfo {
    GgmlType type;
    std::string_view name; ///< "Q4_1"
    std::uint32_t block_elements;
    std::uint32_t block_bytes;
    bool readable; ///< whether dequantise() knows it
};

/// Empty for a number ggml does not define. Types that cannot be dequantised are known all the same: their
/// size is checked.
std::optional<GgmlTypeInfo> ggml_type_info(std::uint32_t number);
const GgmlTypeInfo& ggml_type_info(GgmlType type);

/// Turns whole blocks into floats: `blocks` holds into.size() / block_elements of them. The values are those
/// of gguf-py (gguf/quants.py) bit for bit, which are those of ggml-quants.c without fused multiply-add.
void dequantise(GgmlType type, std::span<const std::byte> blocks, std::span<float> into);

} // namespace tempera
