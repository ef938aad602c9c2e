#include "core/format/tensor_type.h"

#include "core/base/joined.h"
#include "core/base/json.h"

#include <array>

namespace tempera {

namespace {

struct TypeRow {
    std::string_view name;
    std::uint64_t bits;
};

constexpr std::array<TypeRow, 22> rows{{
    {"BOOL", 8},    {"F4", 4},      {"F6_E2M3", 6},     {"F6_E3M2", 6},     {"U8", 8},      {"I8", 8},
    {"F8_E5M2", 8}, {"F8_E4M3", 8}, {"F8_E5M2FNUZ", 8}, {"F8_E4M3FNUZ", 8}, {"F8_E8M0", 8}, {"I16", 16},
    {"U16", 16},    {"F16", 16},    {"BF16", 16},       {"I32", 32},        {"U32", 32},    {"F32", 32},
    {"C64", 64},    {"F64", 64},    {"I64", 64},        {"U64", 64},
}};

} // namespace

std::string_view name_of(TensorType type) {
    return rows[static_cast<std::size_t>(type)].name;
}

std::optional<TensorType> tensor_type_from_name(std::string_view name) {
    for (std::size_t i = 0; i < rows.size(); ++i)
        if (rows[i].name == name) return static_cast<TensorType>(i);
    return std::nullopt;
}

std::uint64_t bits_of(TensorType type) {
    return rows[static_cast<std::size_t>(type)].bits;
}

bool is_weight_type(TensorType type) {
    return type == TensorType::f32 || type == TensorType::f16 || type == TensorType::bf16;
}

std::string shape_text(const std::vector<std::int64_t>& shape) {
    return "[" + joined(shape | std::views::take(8)) + (shape.size() > 8 ? ", ...]" : "]");
}

std::string in_quotes(std::string_view name) {
    constexpr std::size_t most = 80;
    std::string text = to_json_line(Json(name.substr(0, most)));
    if (name.size() > most) text.insert(text.size() - 1, "...");
    return text;
}

} // namespace tempera
