#include "core/task/expression.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace tempera {

namespace {

constexpr int most_parentheses = 200;
constexpr int most_depth = 2900;

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

} // namespace

/// Shunting-yard (Dijkstra 1961) with unary signs; depths are followed so that a tree too deep for Python is
/// refused.
class ExpressionParser {
public:
    explicit ExpressionParser(std::string_view text) { result_.text_ = text; }

    std::variant<Expression, std::string> run() {
        const std::string& text = result_.text_;
        while (at_ < text.size() && problem_.empty())
            step(text[at_]);
        if (problem_.empty() && parentheses_ > 0) problem_ = "A parenthesis is not closed.";
        if (problem_.empty() && expects_operand_)
            problem_ =
                text.empty() ? "There is no expression." : "The expression ends where a number is expected.";
        while (problem_.empty() && !pending_.empty())
            reduce();
        if (!problem_.empty()) return problem_;
        return std::move(result_);
    }

private:
    enum class Pending { open, plus, minus, times, over, negative, positive };

    void step(char c) {
        if (c == ' ' || c == '\t' || c == '\f')
            ++at_;
        else if (c == '\n' || c == '\r')
            line_break();
        else if (is_digit(c) || c == '.')
            number();
        else if (c == '(')
            open();
        else if (c == ')')
            close();
        else if (c == '+' || c == '-' || c == '*' || c == '/')
            sign(c);
        else
            problem_ = "It contains a character other than digits, + - * / ( ) . and white space.";
    }

    void line_break() {
        if (parentheses_ == 0) problem_ = "The expression is broken over two lines.";
        ++at_;
    }

    void number() {
        if (!expects_operand_) {
            problem_ = "Two numbers stand side by side without an operator.";
            return;
        }
        const std::string& text = result_.text_;
        std::size_t begin = at_;
        while (at_ < text.size() && is_digit(text[at_]))
            ++at_;
        std::size_t digits = at_ - begin;
        bool decimal = at_ < text.size() && text[at_] == '.';
        if (decimal) {
            ++at_;
            while (at_ < text.size() && is_digit(text[at_])) {
                ++at_;
                ++digits;
            }
        }
        std::string_view literal = std::string_view(text).substr(begin, at_ - begin);
        if (digits == 0)
            problem_ = "A point stands without a digit.";
        else if (!decimal && literal[0] == '0' && literal.find_first_not_of('0') != literal.npos)
            problem_ = "A whole number starts with a zero.";
        result_.elements_.push_back({Expression::Kind::number, begin, at_ - begin, decimal});
        push_depth(1);
        expects_operand_ = false;
    }

    void open() {
        if (!expects_operand_) {
            problem_ = "A parenthesis follows a value without an operator.";
            return;
        }
        if (++parentheses_ > most_parentheses) problem_ = "The parentheses are nested too deeply.";
        pending_.push_back(Pending::open);
        ++at_;
    }

    void close() {
        if (parentheses_ == 0) {
            problem_ = "A parenthesis closes that was never opened.";
            return;
        }
        if (expects_operand_) {
            problem_ = "A parenthesis closes where a number is expected.";
            return;
        }
        while (pending_.back() != Pending::open)
            reduce();
        pending_.pop_back();
        --parentheses_;
        ++at_;
    }

    void sign(char c) {
        if (expects_operand_) {
            if (c == '*' || c == '/') {
                bool doubled = at_ > 0 && result_.text_[at_ - 1] == c;
                problem_ = doubled ? std::string("The operator ") + c + c + " is not allowed."
                                   : std::string("The operator ") + c + " stands where a number is expected.";
                return;
            }
            pending_.push_back(c == '-' ? Pending::negative : Pending::positive);
        } else {
            Pending operation = c == '+'   ? Pending::plus
                                : c == '-' ? Pending::minus
                                : c == '*' ? Pending::times
                                           : Pending::over;
            while (!pending_.empty() && precedence(pending_.back()) >= precedence(operation))
                reduce();
            pending_.push_back(operation);
            expects_operand_ = true;
        }
        ++at_;
    }

    static int precedence(Pending operation) {
        switch (operation) {
        case Pending::open:
            return 0;
        case Pending::plus:
        case Pending::minus:
            return 1;
        case Pending::times:
        case Pending::over:
            return 2;
        default:
            return 3;
        }
    }

    void reduce() {
        Pending operation = pending_.back();
        pending_.pop_back();
        int depth = depths_.back();
        if (operation != Pending::negative && operation != Pending::positive) {
            depths_.pop_back();
            depth = std::max(depth, depths_.back());
        }
        depths_.pop_back();
        result_.elements_.push_back({kind_of(operation), 0, 0, false});
        push_depth(depth + 1);
    }

    static Expression::Kind kind_of(Pending operation) {
        switch (operation) {
        case Pending::plus:
            return Expression::Kind::plus;
        case Pending::minus:
            return Expression::Kind::minus;
        case Pending::times:
            return Expression::Kind::times;
        case Pending::over:
            return Expression::Kind::over;
        case Pending::negative:
            return Expression::Kind::negative;
        default:
            return Expression::Kind::positive;
        }
    }

    void push_depth(int depth) {
        if (depth > most_depth) problem_ = "The expression is too long or nested too deeply.";
        depths_.push_back(depth);
    }

    Expression result_;
    std::vector<Pending> pending_;
    std::vector<int> depths_; ///< of the operands on the evaluation stack
    std::size_t at_ = 0;
    int parentheses_ = 0;
    bool expects_operand_ = true;
    std::string problem_;
};

std::variant<Expression, std::string> Expression::parse(std::string_view text) {
    return ExpressionParser(text).run();
}

namespace {

constexpr const char* by_zero = "It divides by zero.";
constexpr const char* too_large = "A number in it is too large.";

/// Digits as a 128-bit whole number.
std::optional<Int128> whole_number(std::string_view digits) {
    Int128 value = 0;
    for (char c : digits) {
        if (__builtin_mul_overflow(value, Int128{10}, &value)
            || __builtin_add_overflow(value, Int128{c - '0'}, &value))
            return std::nullopt;
    }
    return value;
}

std::optional<Rational> exact_literal(std::string_view literal, bool decimal) {
    std::size_t point = decimal ? literal.find('.') : literal.size();
    std::string_view fraction = decimal ? literal.substr(point + 1) : std::string_view();
    while (!fraction.empty() && fraction.back() == '0')
        fraction.remove_suffix(1);
    auto top = whole_number(std::string(literal.substr(0, point)).append(fraction));
    if (!top || fraction.size() > 38) return std::nullopt;
    Int128 bottom = 1;
    for (std::size_t i = 0; i < fraction.size(); ++i)
        bottom *= 10; // 10^38 < 2^127
    return Rational::of(*top, bottom);
}

double nearest_double(std::string_view literal) {
    double value = 0;
    auto [end, error] =
        std::from_chars(literal.data(), literal.data() + literal.size(), value, std::chars_format::fixed);
    if (error == std::errc::result_out_of_range) {
        bool large = literal.substr(0, literal.find('.')).find_first_not_of('0') != literal.npos;
        return large ? HUGE_VAL : 0.0;
    }
    return value;
}

Evaluated<Rational> combine_exact(Expression::Kind kind, const Rational& a, const Rational& b) {
    using Kind = Expression::Kind;
    if (kind == Kind::over && b.is_zero()) return {std::nullopt, by_zero};
    char op = kind == Kind::plus ? '+' : kind == Kind::minus ? '-' : kind == Kind::times ? '*' : '/';
    auto value = apply(op, a, b);
    if (!value) return {std::nullopt, too_large};
    return {value, ""};
}

double as_double(const PythonNumber& number) {
    if (const auto* whole = std::get_if<Int128>(&number)) return static_cast<double>(*whole);
    return std::get<double>(number);
}

Evaluated<PythonNumber> combine_python(Expression::Kind kind, const PythonNumber& a, const PythonNumber& b) {
    using Kind = Expression::Kind;
    const auto *x = std::get_if<Int128>(&a), *y = std::get_if<Int128>(&b);
    if (kind == Kind::over) {
        if (as_double(b) == 0) return {std::nullopt, by_zero};
        return {PythonNumber(x && y ? divide_to_double(*x, *y) : as_double(a) / as_double(b)), ""};
    }
    if (x && y) {
        Int128 value = 0;
        bool overflow = kind == Kind::plus    ? __builtin_add_overflow(*x, *y, &value)
                        : kind == Kind::minus ? __builtin_sub_overflow(*x, *y, &value)
                                              : __builtin_mul_overflow(*x, *y, &value);
        if (overflow) return {std::nullopt, too_large};
        return {PythonNumber(value), ""};
    }
    double p = as_double(a), q = as_double(b);
    return {PythonNumber(kind == Kind::plus ? p + q : kind == Kind::minus ? p - q : p * q), ""};
}

Evaluated<Rational> negated(const Rational& value) {
    auto result = negate(value);
    if (!result) return {std::nullopt, too_large};
    return {result, ""};
}

Evaluated<PythonNumber> negated(const PythonNumber& value) {
    const auto* whole = std::get_if<Int128>(&value);
    if (!whole) return {PythonNumber(-std::get<double>(value)), ""};
    Int128 result = 0;
    if (__builtin_sub_overflow(Int128{0}, *whole, &result)) return {std::nullopt, too_large};
    return {PythonNumber(result), ""};
}

/// Runs the reverse Polish program over a stack of `Value`s.
template <typename Value, typename Literal, typename Combine>
Evaluated<Value> evaluate(const Expression& expression, Literal literal, Combine combine) {
    using Kind = Expression::Kind;
    std::vector<Value> stack;
    for (const auto& element : expression.elements()) {
        if (element.kind == Kind::number) {
            std::optional<Value> value = literal(element);
            if (!value) return {std::nullopt, too_large};
            stack.push_back(*value);
        } else if (element.kind == Kind::negative) {
            auto result = negated(stack.back());
            if (!result.value) return result;
            stack.back() = *result.value;
        } else if (element.kind != Kind::positive) {
            Value right = stack.back();
            stack.pop_back();
            auto result = combine(element.kind, stack.back(), right);
            if (!result.value) return result;
            stack.back() = *result.value;
        }
    }
    return {stack.back(), ""};
}

} // namespace

Evaluated<Rational> evaluate_exactly(const Expression& expression) {
    auto literal = [&](const Expression::Element& element) {
        return exact_literal(expression.literal(element), element.decimal);
    };
    return evaluate<Rational>(expression, literal, combine_exact);
}

Evaluated<PythonNumber> evaluate_as_python(const Expression& expression) {
    auto literal = [&](const Expression::Element& element) -> std::optional<PythonNumber> {
        std::string_view text = expression.literal(element);
        if (element.decimal) return PythonNumber(nearest_double(text));
        auto whole = whole_number(text);
        return whole ? std::optional<PythonNumber>(*whole) : std::nullopt;
    };
    return evaluate<PythonNumber>(expression, literal, combine_python);
}

} // namespace tempera
