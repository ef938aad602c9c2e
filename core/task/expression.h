#pragma once

#include "core/task/rational.h"

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace tempera {

/// An arithmetic expression in + - * / ( ), unary signs, whole numbers and decimals, read as Python reads it.
///
/// The grammar is Python 3.11's, restricted to those characters (The Python Language Reference, 2.4.5
/// to 2.4.6 and 6.5 to 6.7), without `**` and `//`:
///   sum     := product (("+" | "-") product)*        left to right
///   product := signed (("*" | "/") signed)*          left to right
///   signed  := ("+" | "-")* atom                     binds tighter than * and /
///   atom    := number | "(" sum ")"
///   number  := digits without a leading zero ("0", "00" are zero; "007" is refused) | decimals "1.5" ".5"
///   "1." "007.5"
/// White space is space, tab and form feed; carriage return and newline inside parentheses only.
/// Limits, as Python's: 200 parentheses deep, 2,900 operators deep. It never recurses, so hostile input
/// cannot overflow the stack, and it is linear in the length of the text.
class Expression {
public:
    enum class Kind { number, plus, minus, times, over, negative, positive };
    /// One element in reverse Polish order; `literal` is set for numbers and points into `text()`'s
    /// characters.
    struct Element {
        Kind kind = Kind::number;
        std::size_t begin = 0; ///< of the literal in text()
        std::size_t length = 0;
        bool decimal = false; ///< a literal with a point
    };

    /// What was read, or one sentence why it cannot be.
    static std::variant<Expression, std::string> parse(std::string_view text);

    const std::string& text() const { return text_; }
    const std::vector<Element>& elements() const { return elements_; }
    std::string_view literal(const Element& element) const {
        return std::string_view(text_).substr(element.begin, element.length);
    }

private:
    std::string text_;
    std::vector<Element> elements_;
    friend class ExpressionParser;
};

/// A value or, in `problem`, one sentence why there is none (division by zero; a number beyond 128 bits).
template <typename Value>
struct Evaluated {
    std::optional<Value> value;
    std::string problem;
};

/// The exact value: decimals are decimal fractions, 1/3*3 is 1.
Evaluated<Rational> evaluate_exactly(const Expression& expression);

/// The value as Python's arithmetic gives it: whole numbers exact (128 bits here), `/` always the nearest
/// double, a decimal the nearest double, and a double once there is one. Whole numbers beyond 128 bits are a
/// problem here, not in Python.
using PythonNumber = std::variant<Int128, double>;
Evaluated<PythonNumber> evaluate_as_python(const Expression& expression);

} // namespace tempera
