#pragma once

#include "core/format/tensor_type.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// One tensor as a safetensors header states it. `begin` and `end` count bytes from the start of the data
/// part.
struct StoredTensor {
    std::string name;
    TensorType type = TensorType::f32;
    std::vector<std::int64_t> shape;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::uint32_t file = 0; ///< which file of a sharded model

    std::uint64_t bytes() const { return end - begin; }
    /// The product of the shape; 1 for a scalar.
    std::int64_t elements() const { return static_cast<std::int64_t>(bytes() * 8 / bits_of(type)); }
};

struct SafetensorsHeader {
    std::vector<StoredTensor> tensors; ///< in the order of their data
    std::map<std::string, std::string> metadata;
};

inline constexpr std::uint64_t safetensors_max_header_bytes = 100'000'000;
inline constexpr std::size_t safetensors_max_tensors = 100'000;
inline constexpr std::size_t safetensors_max_rank = 64;

/// Parses the JSON header of a file whose data part has `data_bytes` bytes, and checks every rule of the
/// reference library (huggingface/safetensors, tensor.rs): UTF-8 JSON that begins with "{"; known types; the
/// tensors' data follow one another from 0 to exactly `data_bytes` without holes or overlap; each has the
/// size its shape asks for, multiplied with overflow checks; metadata from string to string. Stricter than it
/// in: a key twice, a key other than dtype, shape, data_offsets, a tensor given as an array, an enum given as
/// an object, `"__metadata__": null`, more than 100,000 tensors or 64 dimensions, a dimension above 2^63-1.
/// Nothing of the size of a tensor is allocated. Throws Error(bad_input); `source` begins its sentence.
SafetensorsHeader parse_safetensors_header(std::string_view json, std::uint64_t data_bytes,
                                           const std::string& source);

/// The header of these tensors, byte for byte as the reference library writes it, and the order it stores
/// them in: by type, then by name. Sets begin and end of each. Padded with spaces so that the data begin at a
/// multiple of 8.
std::string make_safetensors_header(std::vector<StoredTensor>& tensors,
                                    const std::map<std::string, std::string>& metadata);

} // namespace tempera
