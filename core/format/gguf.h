#pragma once

#include "core/format/file_descriptor.h"
#include "core/format/ggml_type.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace tempera {

/// Types of GGUF metadata, numbered as in the file.
enum class GgufType : std::uint32_t {
    u8,
    i8,
    u16,
    i16,
    u32,
    i32,
    f32,
    boolean,
    string,
    array,
    u64,
    i64,
    f64
};

/// One metadata value: a scalar (count 1), or an array of scalars. Held in the compact form of the file, so
/// that a hostile file cannot make it larger than itself.
class GgufValue {
public:
    bool is_array() const { return is_array_; }
    GgufType element_type() const { return type_; }
    std::size_t count() const { return count_; }

    /// Empty where the element is not of such a type or does not fit.
    std::optional<std::int64_t> integer(std::size_t index = 0) const;
    std::optional<double> number(std::size_t index = 0) const; ///< of integers, too
    std::optional<bool> flag(std::size_t index = 0) const;
    std::optional<std::string_view> text(std::size_t index = 0) const;
    /// The exact single-precision value where that is how it is stored.
    std::optional<float> single(std::size_t index = 0) const;

private:
    friend class GgufParser;
    GgufType type_ = GgufType::u8;
    bool is_array_ = false;
    std::size_t count_ = 0;
    std::string bytes_;               ///< numbers as in the file, or all strings one after another
    std::vector<std::uint64_t> ends_; ///< of strings: where each ends in bytes_
};

struct GgufTensor {
    std::string name;
    GgmlType type = GgmlType::f32;
    std::vector<std::int64_t> shape; ///< outermost first, as torch counts (the file has the reverse)
    std::uint64_t begin = 0;         ///< in the file
    std::uint64_t bytes = 0;

    std::int64_t elements() const;
};

/// A GGUF file (version 2 or 3, little-endian), opened with every rule checked: each length against the
/// limits below and the rest of the file before anything is read, each tensor against its type, alignment and
/// the end of the file. Tensors follow one another, each padded to the alignment, as llama.cpp asks. Reading
/// is const and thread-safe.
class GgufReader {
public:
    static constexpr std::uint64_t max_entries = 65'536; ///< of metadata; of tensors
    static constexpr std::uint64_t max_key_bytes = 65'535;
    static constexpr std::uint64_t max_string_bytes = 16u << 20;
    static constexpr std::uint64_t max_array_elements = 16u << 20;
    static constexpr std::uint32_t max_dimensions = 4;
    static constexpr std::uint32_t max_alignment = 1u << 20;

    /// Throws Error(not_found, io), Error(bad_input) naming the key or tensor, Error(unsupported) for version
    /// 1 or big-endian.
    static GgufReader open(const std::filesystem::path& path);

    std::uint32_t version() const { return version_; }
    const std::filesystem::path& path() const { return file_.path(); }
    std::uint64_t file_bytes() const { return file_.size(); }
    const std::map<std::string, GgufValue, std::less<>>& metadata() const { return metadata_; }
    /// nullptr where there is none.
    const GgufValue* value(std::string_view key) const;
    const std::vector<GgufTensor>& tensors() const { return tensors_; }
    const GgufTensor* find(std::string_view name) const;
    /// Throws Error(bad_input) where there is none.
    const GgufTensor& at(std::string_view name) const;

    /// All elements as float, row-major, dequantised exactly as gguf-py does. `into` must have exactly
    /// elements() of them. Throws Error(unsupported) for a quantisation that is not implemented, Error(io).
    void read_f32(std::string_view name, std::span<float> into) const;

private:
    friend class GgufParser;
    explicit GgufReader(const std::filesystem::path& path) : file_(path) {}

    InputFile file_;
    std::uint32_t version_ = 0;
    std::map<std::string, GgufValue, std::less<>> metadata_;
    std::vector<GgufTensor> tensors_;
    std::unordered_map<std::string, std::size_t> index_;
};

} // namespace tempera
