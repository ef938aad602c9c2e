#include "core/task/rational.h"

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

__extension__ typedef unsigned __int128 Uint128;

Uint128 magnitude(Int128 value) {
    return value < 0 ? Uint128{0} - static_cast<Uint128>(value) : static_cast<Uint128>(value);
}

Uint128 greatest_divisor(Uint128 a, Uint128 b) {
    constexpr Uint128 small = ~std::uint64_t{0};
    while (b != 0) {
        if (a <= small && b <= small) { // 64-bit remainders are ten times faster
            auto x = static_cast<std::uint64_t>(a), y = static_cast<std::uint64_t>(b);
            while (y != 0) {
                std::uint64_t rest = x % y;
                x = y;
                y = rest;
            }
            return x;
        }
        Uint128 rest = a % b;
        a = b;
        b = rest;
    }
    return a;
}

bool product(Int128 a, Int128 b, Int128& result) {
    return !__builtin_mul_overflow(a, b, &result);
}

int bit_length(Uint128 value) {
    int bits = 0;
    for (; value != 0; value >>= 1)
        ++bits;
    return bits;
}

} // namespace

std::optional<Rational> Rational::of(Int128 numerator, Int128 denominator) {
    if (denominator == 0) return std::nullopt;
    if (denominator == 1) return Rational(numerator, 1);
    Uint128 top = magnitude(numerator), bottom = magnitude(denominator);
    Uint128 divisor = greatest_divisor(top, bottom);
    top /= divisor;
    bottom /= divisor;
    constexpr Uint128 largest = (Uint128{1} << 127) - 1;
    if (top > largest || bottom > largest) return std::nullopt;
    bool negative = (numerator < 0) != (denominator < 0);
    auto signed_top = static_cast<Int128>(top);
    return Rational(negative ? -signed_top : signed_top, static_cast<Int128>(bottom));
}

std::optional<Rational> add(const Rational& a, const Rational& b) {
    Int128 left = 0, right = 0, sum = 0, bottom = 0;
    if (!product(a.numerator_, b.denominator_, left) || !product(b.numerator_, a.denominator_, right)
        || __builtin_add_overflow(left, right, &sum) || !product(a.denominator_, b.denominator_, bottom))
        return std::nullopt;
    return Rational::of(sum, bottom);
}

std::optional<Rational> subtract(const Rational& a, const Rational& b) {
    auto minus_b = negate(b);
    return minus_b ? add(a, *minus_b) : std::nullopt;
}

std::optional<Rational> multiply(const Rational& a, const Rational& b) {
    Int128 top = 0, bottom = 0;
    if (!product(a.numerator_, b.numerator_, top) || !product(a.denominator_, b.denominator_, bottom))
        return std::nullopt;
    return Rational::of(top, bottom);
}

std::optional<Rational> divide(const Rational& a, const Rational& b) {
    Int128 top = 0, bottom = 0;
    if (!product(a.numerator_, b.denominator_, top) || !product(a.denominator_, b.numerator_, bottom))
        return std::nullopt;
    return Rational::of(top, bottom);
}

std::optional<Rational> negate(const Rational& a) {
    Int128 result = 0;
    if (__builtin_sub_overflow(Int128{0}, a.numerator_, &result)) return std::nullopt;
    return Rational(result, a.denominator_);
}

std::optional<Rational> apply(char op, const Rational& a, const Rational& b) {
    switch (op) {
    case '+':
        return add(a, b);
    case '-':
        return subtract(a, b);
    case '*':
        return multiply(a, b);
    default:
        return divide(a, b);
    }
}

double Rational::to_double() const {
    return divide_to_double(numerator_, denominator_);
}

double divide_to_double(Int128 a, Int128 b) {
    Uint128 top = magnitude(a), bottom = magnitude(b);
    double sign = (a < 0) != (b < 0) ? -1.0 : 1.0;
    if (top == 0) return sign < 0 ? -0.0 : 0.0;
    Uint128 quotient = top / bottom, rest = top % bottom;
    // 64 significant bits, or more, and whether anything follows them: enough to round once and rightly
    // to 53.
    int exponent = 0;
    while (bit_length(quotient) < 64) {
        rest <<= 1; // rest < bottom <= 2^127, so nothing is lost
        quotient <<= 1;
        --exponent;
        if (rest >= bottom) {
            rest -= bottom;
            quotient |= 1;
        }
    }
    int surplus = std::max(0, bit_length(quotient) - 64);
    bool sticky = rest != 0 || (quotient & ((Uint128{1} << surplus) - 1)) != 0;
    auto bits = static_cast<std::uint64_t>(quotient >> surplus);
    if (sticky)
        bits |= 1; // bits below the 53rd decide the rounding; the last of 64 stands for all that follow
    return sign * std::ldexp(static_cast<double>(bits), exponent + surplus);
}

std::string to_string(Int128 value) {
    Uint128 rest = magnitude(value);
    std::string digits;
    do {
        digits.push_back(static_cast<char>('0' + static_cast<int>(rest % 10)));
        rest /= 10;
    } while (rest != 0);
    if (value < 0) digits.push_back('-');
    std::reverse(digits.begin(), digits.end());
    return digits;
}

std::string Rational::to_string() const {
    std::string text = tempera::to_string(numerator_);
    if (denominator_ != 1) text += "/" + tempera::to_string(denominator_);
    return text;
}

} // namespace tempera
