#include "core/recipe/binding.h"

#include "core/base/joined.h"
#include "core/base/suggest.h"
#include "core/data/data_files.h"
#include "core/net/endpoint.h"

#include <cmath>
#include <optional>

namespace tempera {

namespace {

constexpr std::size_t longest_list = 256;
constexpr std::size_t longest_text = 65536;
constexpr double largest_exact_integer = 9007199254740992.0; // 2^53: what every JSON reader keeps

template <class... Ts>
struct Overloaded : Ts... {
    using Ts::operator()...;
};
template <class... Ts>
Overloaded(Ts...) -> Overloaded<Ts...>;

std::string shown(const Json& value) {
    if (value.is_number_float() && !std::isfinite(value.get<double>())) return "not a finite number";
    std::string text = to_json_line(value);
    return text.size() <= 60 ? text : text.substr(0, 57) + "...";
}

std::string shown(double number) {
    return Json(number == std::floor(number) && std::abs(number) < 1e16
                    ? Json(static_cast<std::int64_t>(number))
                    : Json(number))
        .dump();
}

std::string range_words(const Field& field) {
    std::string low =
        field.minimum ? (field.minimum_exclusive ? "more than " : "at least ") + shown(*field.minimum) : "";
    std::string high = field.maximum ? "at most " + shown(*field.maximum) : "";
    return low + (low.empty() || high.empty() ? "" : " and ") + high;
}

bool in_range(const Field& field, double number) {
    if (!std::isfinite(number)) return false;
    if (field.minimum && (field.minimum_exclusive ? number <= *field.minimum : number < *field.minimum))
        return false;
    return !field.maximum || number <= *field.maximum;
}

std::string must_be(const Field& field, const std::string& what, const Json& value) {
    return field.name + " must be " + what + ", but is " + shown(value) + ".";
}

std::string check_number(const Field& field, const Json& value, const std::string& what) {
    if (!value.is_number()) return must_be(field, what, value);
    if (!in_range(field, value.get<double>())) return must_be(field, range_words(field), value);
    return "";
}

std::string check_integer(const Field& field, const Json& value) {
    if (!value.is_number()) return must_be(field, "a whole number", value);
    double number = value.get<double>();
    if (!(std::abs(number) <= largest_exact_integer) || number != std::floor(number))
        return must_be(field, "a whole number", value);
    return check_number(field, value, "a whole number");
}

std::string check_text(const Field& field, const Json& value) {
    if (!value.is_string()) return must_be(field, "a text in quotes", value);
    const auto& text = value.get_ref<const std::string&>();
    if (text.size() > longest_text)
        return field.name + " is longer than " + std::to_string(longest_text) + " bytes.";
    if (field.type != Field::Type::text && text.find('\0') != std::string::npos)
        return field.name + " holds a NUL character.";
    return "";
}

std::string check_model_name(const Field& field, const Json& value) {
    if (auto sentence = check_text(field, value); !sentence.empty()) return sentence;
    if (field.remote || !names_an_endpoint(value.get_ref<const std::string&>())) return "";
    return field.name + " cannot be an endpoint, which gives texts but no weights: name a model or a folder.";
}

std::string choice_words(const Field& field) {
    return joined_choice(field.choices, [](const std::string& choice) { return "\"" + choice + "\""; });
}

std::string check_choice(const Field& field, const Json& value) {
    if (auto sentence = check_text(field, value); !sentence.empty()) return sentence;
    const auto& text = value.get_ref<const std::string&>();
    for (const auto& choice : field.choices)
        if (choice == text) return "";
    return must_be(field, choice_words(field), value) + did_you_mean(text, field.choices);
}

std::string check_data_file(const Field& field, const Json& value) {
    if (auto sentence = check_text(field, value); !sentence.empty()) return sentence;
    const auto& text = value.get_ref<const std::string&>();
    for (const auto& choice : field.choices)
        if (choice == text) return "";
    if (names_data(text) || names_a_run(text)) return "";
    if (text.empty())
        return field.name + " is empty: choose " + choice_words(field)
               + ", or the path of a data file or folder.";
    return must_be(field, choice_words(field) + " or the path of a data file or folder", value)
           + did_you_mean(text, field.choices);
}

std::string check_list(const Field& field, const Json& value, bool numbers) {
    std::string what = numbers ? "a list of numbers" : "a list of texts";
    if (!value.is_array()) return must_be(field, what, value);
    if (value.size() > longest_list)
        return field.name + " has more than " + std::to_string(longest_list) + " entries.";
    for (const auto& entry : value) {
        auto sentence = numbers ? check_number(field, entry, what) : check_text(field, entry);
        if (!sentence.empty()) return numbers ? sentence : must_be(field, what, value);
    }
    return "";
}

} // namespace

Binding::Binding(std::string name, Member member) : member_(member) {
    field_.name = std::move(name);
    field_.type = std::visit(Overloaded{[](bool*) { return Field::Type::boolean; },
                                        [](std::int64_t*) { return Field::Type::integer; },
                                        [](double*) { return Field::Type::real; },
                                        [](std::string*) { return Field::Type::text; },
                                        [](std::vector<double>*) { return Field::Type::real_list; },
                                        [](std::vector<std::string>*) { return Field::Type::text_list; }},
                             member_);
    field_.default_value = value();
}

Binding& Binding::range(double minimum, double maximum) {
    field_.minimum = minimum;
    field_.maximum = maximum;
    return *this;
}

Binding& Binding::above(double minimum, double maximum) {
    field_.minimum_exclusive = true;
    return range(minimum, maximum);
}

Binding& Binding::choices(std::vector<std::string> names) {
    field_.type = Field::Type::choice;
    field_.choices = std::move(names);
    return *this;
}

Binding& Binding::model() {
    field_.type = Field::Type::model;
    return *this;
}

Binding& Binding::model_or_endpoint() {
    field_.remote = true;
    return model();
}

Binding& Binding::data_file(std::vector<std::string> names) {
    field_.type = Field::Type::data_file;
    field_.choices = std::move(names);
    return *this;
}

Json Binding::value() const {
    return std::visit([](const auto* member) { return Json(*member); }, member_);
}

std::string Binding::assign(const Json& value) {
    if (auto sentence = check_value(field_, value); !sentence.empty()) return sentence;
    std::visit(
        Overloaded{[&](std::int64_t* member) { *member = static_cast<std::int64_t>(value.get<double>()); },
                   [&](auto* member) { *member = value.get<std::remove_pointer_t<decltype(member)>>(); }},
        member_);
    return "";
}

std::string check_value(const Field& field, const Json& value) {
    switch (field.type) {
    case Field::Type::boolean:
        return value.is_boolean() ? "" : must_be(field, "true or false", value);
    case Field::Type::integer:
        return check_integer(field, value);
    case Field::Type::real:
        return check_number(field, value, "a number");
    case Field::Type::text:
        return check_text(field, value);
    case Field::Type::model:
        return check_model_name(field, value);
    case Field::Type::choice:
        return check_choice(field, value);
    case Field::Type::data_file:
        return check_data_file(field, value);
    case Field::Type::real_list:
        return check_list(field, value, true);
    case Field::Type::text_list:
        return check_list(field, value, false);
    }
    return "";
}

std::vector<FieldProblem> assign_all(std::vector<Binding> bindings, const Json& recipe) {
    std::vector<FieldProblem> problems;
    for (auto& binding : bindings) {
        auto entry = recipe.find(binding.field().name);
        if (entry == recipe.end()) continue;
        if (auto sentence = binding.assign(*entry); !sentence.empty())
            problems.push_back({binding.field().name, sentence});
    }
    return problems;
}

bool names_a_run(const std::string& reference) {
    return reference.starts_with('@') || reference.starts_with("run:");
}

Json values_of(const std::vector<Binding>& bindings) {
    Json values = Json::object();
    for (const auto& binding : bindings)
        values[binding.field().name] = binding.value();
    return values;
}

} // namespace tempera
