#pragma once

#include <cstdint>
#include <span>

namespace tempera {

/// Conversions between float and the two 16-bit formats, as the hardware does them: to nearest, ties to even,
/// a signalling NaN becomes a quiet one. Both spans have the same length and do not overlap. F16C is used
/// where the processor has it; the portable path gives the same bits.
void f16_to_f32(std::span<const std::uint16_t> from, std::span<float> to);
void bf16_to_f32(std::span<const std::uint16_t> from, std::span<float> to);
void f32_to_f16(std::span<const float> from, std::span<std::uint16_t> to);
void f32_to_bf16(std::span<const float> from, std::span<std::uint16_t> to);

float f16_to_f32(std::uint16_t bits);
std::uint16_t f32_to_f16(float value);

/// The paths without F16C, for the test that compares them.
void f16_to_f32_portable(std::span<const std::uint16_t> from, std::span<float> to);
void f32_to_f16_portable(std::span<const float> from, std::span<std::uint16_t> to);

} // namespace tempera
