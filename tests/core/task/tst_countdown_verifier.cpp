#include "core/base/random.h"
#include "core/data/jsonl.h"
#include "core/task/countdown_verifier.h"
#include "tests/support/cpu_clock.h"
#include "tests/support/paths.h"

#include <QElapsedTimer>
#include <QTest>

using namespace tempera;

namespace {

const std::vector<std::int64_t> numbers{3, 17, 42};

Verdict judge(const std::string& equation) {
    return verify(numbers, 28, "<answer>" + equation + "</answer>");
}

std::string repeated(std::string_view text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i)
        result += text;
    return result;
}

} // namespace

class TestCountdownVerifier : public QObject {
    Q_OBJECT
private Q_SLOTS:
    /// Over 5,000 completions scored by Python's eval under the paper's rule: no difference but for `//` and
    /// `**`.
    void scoresAsThePaperDoes() {
        JsonlReader reader(source_dir() + "/tests/golden/countdown/cases.jsonl");
        int count = 0, refused = 0, right = 0;
        while (auto row = reader.next()) {
            auto nums = row->integers("nums", 0, 100000, 0, INT64_MAX);
            auto target = row->integer("target", INT64_MIN, INT64_MAX);
            std::string completion = row->text({"completion"}, true);
            double expected = row->value["score"].get<double>();
            bool deviates = row->has("deviates");
            Verdict verdict = verify(nums, target, completion);
            if (deviates) refused += expected == 1;
            if (deviates && expected == 1) expected = 0.1;
            QVERIFY2(verdict.score == expected,
                     (row->place() + ": " + completion.substr(0, 200) + " scored "
                      + std::to_string(verdict.score) + " (" + verdict.reason.substr(0, 200) + "), expected "
                      + std::to_string(expected))
                         .c_str());
            QVERIFY(!verdict.reason.empty());
            ++count;
            right += expected == 1;
        }
        QVERIFY(count > 5000);
        QVERIFY(right > 1500);
        QVERIFY(refused >= 5); // the deviation is really met
    }

    void tellsWhatItSaw() {
        Verdict verdict = judge(" (42 - 17) + 3 ");
        QCOMPARE(verdict.score, 1.0);
        QCOMPARE(verdict.equation, std::string("(42 - 17) + 3"));
        QCOMPARE(verdict.value, std::string("28"));
        verdict = judge("42/17*3");
        QCOMPARE(verdict.score, 0.1);
        QCOMPARE(verdict.value, std::string("126/17"));
        QVERIFY(verdict.reason.find("126/17") != std::string::npos
                && verdict.reason.find("28") != std::string::npos);
        QCOMPARE(judge("42-17").reason, std::string("It does not use exactly the given numbers, each once."));
        QCOMPARE(judge("42-17").value, std::string("25"));
        QVERIFY(verify(std::vector<std::int64_t>{5, 5, 7}, 7, "<answer>7/(5-5)</answer>").reason.find("zero")
                != std::string::npos);
        verdict = verify(numbers, 28, "no answer here");
        QCOMPARE(verdict.score, 0.0);
        QCOMPARE(verdict.equation, std::string());
        QCOMPARE(verify(std::vector<std::int64_t>{1, 5, 2}, 3, "<answer>1.5*2</answer>").value,
                 std::string("3"));
    }

    void operatorsThatAreRefused() {
        for (const char* equation :
             {"42//17*3", "42**17**3", "42**3**17", "9**9**9**9**9**9", "(42)**17*3", "42// 17+3"}) {
            Verdict verdict = judge(equation);
            QCOMPARE(verdict.score, 0.1);
            QCOMPARE(verdict.value, std::string());
            QVERIFY(verdict.reason.find("not allowed") != std::string::npos);
        }
        // Right under Python, refused here: the one deviation.
        QCOMPARE(verify(std::vector<std::int64_t>{7, 2}, 3, "<answer>7//2</answer>").score, 0.1);
        QCOMPARE(verify(std::vector<std::int64_t>{2, 3}, 8, "<answer>2**3</answer>").score, 0.1);
    }

    void numbersBeyond128Bits() {
        std::vector<std::int64_t> large(5, INT64_MAX);
        std::string product = std::to_string(INT64_MAX);
        std::string equation = product;
        for (int i = 0; i < 4; ++i)
            equation += "*" + product;
        Verdict verdict = verify(large, 1, "<answer>" + equation + "</answer>");
        QCOMPARE(verdict.score, 0.1);
        QVERIFY(verdict.reason.find("too large") != std::string::npos);
        // A value whose exact form needs more than 128 bits still has a decimal one.
        std::vector<std::int64_t> nums{0, 1};
        verdict = verify(nums, 0, "<answer>0." + std::string(60, '0') + "1</answer>");
        QCOMPARE(verdict.score, 1.0);
        QCOMPARE(verdict.value, std::string("1e-61"));
    }

    /// 10^5 of everything: a low score, no crash, and time in proportion to the length.
    void hostileLengths() {
        test::CpuClock timer;
        constexpr int many = 100000;
        std::string good = "42-17+3";
        for (const std::string& equation : {repeated("(", many) + good + repeated(")", many),
                                            repeated("(", many),
                                            repeated(")", many),
                                            repeated("-", many) + good,
                                            repeated("1+", many) + "1",
                                            std::string(many, '9'),
                                            std::string(many, '0'),
                                            std::string(many, '.'),
                                            "1." + std::string(many, '9'),
                                            repeated("(-", many),
                                            repeated("()", many),
                                            repeated("1 ", many),
                                            repeated("٣", many),
                                            repeated("1/0+", many) + "1",
                                            repeated("9*", many) + "9",
                                            repeated("9**", many) + "9",
                                            repeated("\xff", many),
                                            repeated("<answer>", many),
                                            std::string(many, '\0'),
                                            repeated("((1)+", many) + "1" + repeated(")", many)}) {
            QCOMPARE(judge(equation).score, 0.1);
        }
        QCOMPARE(judge(repeated(" ", many) + good + repeated("\xe2\x80\xa8", many)).score, 1.0);
        QCOMPARE(verify(numbers, 28, repeated("<answer>", many)).score, 0.0);
        QCOMPARE(verify(numbers, 28, repeated("</answer>", many)).score, 0.0);
        QCOMPARE(verify(numbers, 28, repeated("<answer>1</answer>", many)).score, 0.1);
        QCOMPARE(verify(numbers, 28, repeated("<answer>" + good + "</answer>", many)).score, 1.0);
        QCOMPARE(verify(numbers, 28, repeated("x\n", many)).score, 0.0);
        QVERIFY2(timer.elapsed() < test::allowed_ms(3000), qPrintable(QString("%1 ms").arg(timer.elapsed())));
    }

    /// Random bytes and random near-equations: the score is one of three, and an empty value means it does
    /// not evaluate.
    void fuzz() {
        RandomStream random(11);
        const std::vector<std::string> pieces{"<answer>",
                                              "</answer>",
                                              "\n",
                                              "(",
                                              ")",
                                              "+",
                                              "-",
                                              "*",
                                              "/",
                                              ".",
                                              "3",
                                              "17",
                                              "42",
                                              "0",
                                              " ",
                                              "\r",
                                              "\xc2\xa0",
                                              "\xff",
                                              "99999999999999999999",
                                              "é",
                                              "42-17+3",
                                              "e",
                                              "_"};
        QElapsedTimer timer;
        timer.start();
        int right = 0;
        for (int i = 0; i < 200000 && timer.elapsed() < 2000; ++i) {
            std::string completion = i % 2 == 0 ? "<answer>" : "";
            int length = random.between(0, 12);
            for (int k = 0; k < length; ++k) {
                if (i % 5 == 0)
                    completion.push_back(static_cast<char>(random.below(256)));
                else
                    completion += pieces[random.below(static_cast<std::uint32_t>(pieces.size()))];
            }
            if (i % 2 == 0) completion += "</answer>";
            Verdict verdict = verify(numbers, 28, completion);
            QVERIFY(verdict.score == 0 || verdict.score == 0.1 || verdict.score == 1);
            QVERIFY(verdict.score != 1 || verdict.value == "28");
            right += verdict.score == 1;
        }
        QVERIFY(right > 10);
    }
};

QTEST_APPLESS_MAIN(TestCountdownVerifier)
#include "tst_countdown_verifier.moc"
