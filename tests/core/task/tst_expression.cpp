#include "core/base/random.h"
#include "core/task/expression.h"

#include <QTest>
#include <cmath>
#include <limits>

using namespace tempera;

namespace {

std::string exact(std::string_view text) {
    auto parsed = Expression::parse(text);
    if (auto* problem = std::get_if<std::string>(&parsed)) return "! " + *problem;
    auto result = evaluate_exactly(std::get<Expression>(parsed));
    return result.value ? result.value->to_string() : "? " + result.problem;
}

std::optional<double> python(std::string_view text) {
    auto parsed = Expression::parse(text);
    if (!std::holds_alternative<Expression>(parsed)) return std::nullopt;
    auto result = evaluate_as_python(std::get<Expression>(parsed));
    if (!result.value) return std::nullopt;
    if (auto* whole = std::get_if<Int128>(&*result.value)) return static_cast<double>(*whole);
    return std::get<double>(*result.value);
}

constexpr Int128 largest = (((Int128{1} << 126) - 1) << 1) + 1;

} // namespace

class TestExpression : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void valuesAreExact() {
        QCOMPARE(exact("1/3*3"), std::string("1"));
        QCOMPARE(exact("8/(3-8/3)"), std::string("24"));
        QCOMPARE(exact("2-3*4+5"), std::string("-5"));
        QCOMPARE(exact("2-3-4"), std::string("-5"));
        QCOMPARE(exact("64/4/2"), std::string("8"));
        QCOMPARE(exact("-2*-3"), std::string("6"));
        QCOMPARE(exact("-(2+3)*-(4)"), std::string("20"));
        QCOMPARE(exact("--+-2"), std::string("-2"));
        QCOMPARE(exact(".5+1.+0.125"), std::string("13/8"));
        QCOMPARE(exact("007.50"), std::string("15/2"));
        QCOMPARE(exact("1/(3-2-1)"), std::string("? It divides by zero."));
        QCOMPARE(exact("0/5"), std::string("0"));
    }

    void refusesWhatPythonRefuses() {
        for (const char* text :
             {"",     " ",   "+",     "1+", "*1",  "1**2", "1//2",     "1 2",         "(1)(2)", "1(2)",
              "(1)2", "()",  "(",     ")",  "(1",  "1)",   "007",      "1.5.2",       ".",      "1..5",
              "1+.",  "1\n", "1\n+2", "x",  "1e5", "1_0",  "\xd9\xa3", "1\xc2\xa0+2", "1\v+2"})
            QVERIFY2(exact(text).starts_with("! "), text);
        QCOMPARE(exact("(1\n+\r2)"), std::string("3"));
        QCOMPARE(exact("00"), std::string("0"));
    }

    void limits() {
        std::string open(200, '('), close(200, ')');
        QCOMPARE(exact(open + "1" + close), std::string("1"));
        QVERIFY(exact("(" + open + "1" + close + ")").starts_with("! "));
        QCOMPARE(exact(std::string(2000, '-') + "1"), std::string("1"));
        QVERIFY(exact(std::string(3000, '-') + "1").starts_with("! "));
        QCOMPARE(exact("170141183460469231731687303715884105727"),
                 std::string("170141183460469231731687303715884105727"));
        QVERIFY(exact("170141183460469231731687303715884105728").starts_with("? "));
        QVERIFY(exact("170141183460469231731687303715884105727+1").starts_with("? "));
        QVERIFY(exact("-170141183460469231731687303715884105727-2").starts_with("? "));
    }

    void pythonsArithmetic() {
        QCOMPARE(python("1/49*49").value(), 1.0 / 49 * 49); // .9999999999999999
        QVERIFY(python("1/49*49").value() != 1.0);
        QCOMPARE(python("0.1+0.2").value(), 0.1 + 0.2);
        QCOMPARE(python("7/2").value(), 3.5);
        QVERIFY(!python("1/0"));
        QVERIFY(!python("1/0."));
        QVERIFY(!python("1/(0.1+0.2-.1-.2-0.00000000000000002775557561562891351)")); // doubles: zero
        QCOMPARE(python("9007199254740993").value(), 9007199254740992.0);
        QCOMPARE(python("9007199254740993-9007199254740992").value(), 1.0); // whole numbers stay exact
        QCOMPARE(python("9007199254740993.-9007199254740992").value(), 0.0);
        QCOMPARE(python("1" + std::string(400, '0') + ".").value(), std::numeric_limits<double>::infinity());
        QCOMPARE(python("." + std::string(400, '0') + "1").value(), 0.0);
    }

    void divisionIsTheNearestDouble() {
        RandomStream random(4);
        auto draw = [&](int bits) {
            std::uint64_t value = (std::uint64_t{random()} << 32 | random()) >> (64 - bits);
            return static_cast<std::int64_t>(value | 1);
        };
        for (int i = 0; i < 20000; ++i) {
            std::int64_t a = draw(random.between(1, 53)), b = draw(random.between(1, 53));
            QCOMPARE(divide_to_double(a, b),
                     static_cast<double>(a) / static_cast<double>(b)); // IEEE division rounds rightly
            QCOMPARE(divide_to_double(-a, b), -static_cast<double>(a) / static_cast<double>(b));
        }
        // Scaling both sides changes nothing, also where they no longer fit a double.
        for (int i = 0; i < 20000; ++i) {
            std::int64_t a = draw(53), b = draw(53);
            Int128 scale = draw(random.between(1, 62));
            QCOMPARE(divide_to_double(a * scale, b * scale), static_cast<double>(a) / static_cast<double>(b));
        }
        QCOMPARE(divide_to_double(largest, 1), 0x1p127);
        QCOMPARE(divide_to_double(1, largest), 0x1p-127);
        QCOMPARE(divide_to_double((Int128{1} << 53) + 1, 1), 0x1p53);     // tie to even
        QCOMPARE(divide_to_double((Int128{1} << 54) + 3, 2), 0x1p53 + 2); // above the tie
        QCOMPARE(divide_to_double(0, 5), 0.0);
    }

    void rationals() {
        auto half = *Rational::of(2, -4);
        QCOMPARE(half.to_string(), std::string("-1/2"));
        QCOMPARE(half.to_double(), -0.5);
        QVERIFY(!Rational::of(1, 0));
        QVERIFY(!divide(Rational(1), Rational(0)));
        QCOMPARE(add(half, *Rational::of(1, 3))->to_string(), std::string("-1/6"));
        QVERIFY(!multiply(*Rational::of(largest, 1), Rational(2)));
        QVERIFY(!add(*Rational::of(1, largest), *Rational::of(1, largest - 1)));
        QVERIFY(!negate(*Rational::of(-largest - 1, 1)));
        QCOMPARE(Rational::of(-largest - 1, 2)->to_string(),
                 std::string("-85070591730234615865843651857942052864"));
        QVERIFY(!Rational::of(1, -largest - 1));
    }
};

QTEST_APPLESS_MAIN(TestExpression)
#include "tst_expression.moc"
