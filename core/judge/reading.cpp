#include "core/judge/reading.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <optional>

namespace tempera {

namespace {

constexpr double nothing = std::numeric_limits<double>::quiet_NaN();

Reading none(std::string problem) {
    return {nothing, std::move(problem)};
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t\r\n";
    const auto begin = text.find_first_not_of(space);
    if (begin == text.npos) return {};
    return text.substr(begin, text.find_last_not_of(space) - begin + 1);
}

/// The whole text as a finite decimal number.
std::optional<double> number_in(std::string_view text) {
    // from_chars reads no plus, but "nan" and "inf"
    const bool sign = text.starts_with('+') || text.starts_with('-');
    const std::string_view digits = sign ? text.substr(1) : text;
    if (text.starts_with('+')) text = digits;
    if (digits.empty() || ((digits[0] < '0' || digits[0] > '9') && digits[0] != '.')) return std::nullopt;
    double value = 0;
    const char* end = text.data() + text.size();
    auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest != end || !std::isfinite(value)) return std::nullopt;
    return value;
}

/// What stands between the only "[[" and "]]"; else the problem.
std::optional<std::string_view> bracketed(std::string_view reply, std::string& problem) {
    const auto open = reply.find("[[");
    const auto close = open == reply.npos ? open : reply.find("]]", open + 2);
    if (close == reply.npos) {
        problem = "The reply holds no [[...]].";
        return std::nullopt;
    }
    if (reply.find("[[", open + 2) != reply.npos) {
        problem = "The reply holds more than one [[...]].";
        return std::nullopt;
    }
    return trimmed(reply.substr(open + 2, close - open - 2));
}

} // namespace

Reading read_reward(std::string_view reply) {
    constexpr std::string_view label = "reward:";
    const std::string_view text = trimmed(reply);
    const auto at = text.find(label);
    if (at == text.npos) return none("The reply holds no \"reward:\".");
    if (text.find(label, at + label.size()) != text.npos)
        return none("The reply holds more than one reward.");
    if (at != 0) return none("The reply does not begin with \"reward:\".");
    const auto value = number_in(trimmed(text.substr(label.size())));
    if (!value) return none("What follows \"reward:\" is not one finite number.");
    return {*value, ""};
}

Reading read_grade(std::string_view reply) {
    std::string problem;
    const auto inside = bracketed(reply, problem);
    if (!inside) return none(std::move(problem));
    const auto value = number_in(*inside);
    if (!value || *value < 1 || *value > 10) return none("The grade is not a number from 1 to 10.");
    return {*value, ""};
}

Reading read_choice(std::string_view reply) {
    std::string problem;
    const auto inside = bracketed(reply, problem);
    if (!inside) return none(std::move(problem));
    if (*inside == "A") return {1, ""};
    if (*inside == "B") return {0, ""};
    if (*inside == "C") return {0.5, ""};
    return none("The choice is none of [[A]], [[B]] and [[C]].");
}

} // namespace tempera
