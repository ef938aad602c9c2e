#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace tempera {

__extension__ typedef __int128 Int128;

/// A fraction in lowest terms with a positive denominator, in 128 bits each. Exact or nothing: every
/// operation gives nullopt where its result (or a product on the way to it) does not fit, and where it
/// divides by zero.
class Rational {
public:
    Rational() = default;
    Rational(std::int64_t whole) : numerator_(whole) {} // NOLINT: a whole number is a rational
    /// nullopt for denominator 0.
    static std::optional<Rational> of(Int128 numerator, Int128 denominator);

    Int128 numerator() const { return numerator_; }
    Int128 denominator() const { return denominator_; }
    bool is_zero() const { return numerator_ == 0; }
    bool is_integer() const { return denominator_ == 1; }

    friend std::optional<Rational> add(const Rational& a, const Rational& b);
    friend std::optional<Rational> subtract(const Rational& a, const Rational& b);
    friend std::optional<Rational> multiply(const Rational& a, const Rational& b);
    friend std::optional<Rational> divide(const Rational& a, const Rational& b);
    friend std::optional<Rational> negate(const Rational& a);
    friend bool operator==(const Rational& a, const Rational& b) {
        return a.numerator_ == b.numerator_ && a.denominator_ == b.denominator_;
    }

    double to_double() const;
    /// "29" or "-7/2".
    std::string to_string() const;

private:
    Rational(Int128 numerator, Int128 denominator) : numerator_(numerator), denominator_(denominator) {}
    Int128 numerator_ = 0;
    Int128 denominator_ = 1;
};

std::optional<Rational> add(const Rational& a, const Rational& b);
std::optional<Rational> subtract(const Rational& a, const Rational& b);
std::optional<Rational> multiply(const Rational& a, const Rational& b);
std::optional<Rational> divide(const Rational& a, const Rational& b);
std::optional<Rational> negate(const Rational& a);
/// `op` is one of + - * /.
std::optional<Rational> apply(char op, const Rational& a, const Rational& b);

/// a / b as the nearest double, ties to even: what Python's int / int gives. b != 0.
double divide_to_double(Int128 a, Int128 b);

std::string to_string(Int128 value);

} // namespace tempera
