#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// Element types of safetensors, in the order of the reference library (a writer sorts tensors by it, largest
/// first).
enum class TensorType {
    boolean,
    f4,
    f6_e2m3,
    f6_e3m2,
    u8,
    i8,
    f8_e5m2,
    f8_e4m3,
    f8_e5m2fnuz,
    f8_e4m3fnuz,
    f8_e8m0,
    i16,
    u16,
    f16,
    bf16,
    i32,
    u32,
    f32,
    c64,
    f64,
    i64,
    u64
};

/// "F32", "BF16", ... as safetensors spells them.
std::string_view name_of(TensorType type);
std::optional<TensorType> tensor_type_from_name(std::string_view name);
std::uint64_t bits_of(TensorType type);

/// The types weights may have: F32, F16, BF16.
bool is_weight_type(TensorType type);

/// Name, type and shape of a tensor, e.g. one that is going to be written.
struct TensorSpec {
    std::string name;
    TensorType type = TensorType::f32;
    std::vector<std::int64_t> shape;
};

/// "[3, 4]"
std::string shape_text(const std::vector<std::int64_t>& shape);

/// A name out of a file for an error sentence: in quotes, escaped as in JSON, valid UTF-8, at most 80 bytes
/// of it.
std::string in_quotes(std::string_view name);

} // namespace tempera
