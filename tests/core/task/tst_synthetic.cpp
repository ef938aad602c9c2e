#include "core/base/random.h"
#include "core/task/synthetic.h"
#include "core/task/traces.h"

#include <QElapsedTimer>
#include <QTest>

using namespace tempera;

namespace {

const std::string good =
    R"({"nums": [3, 17, 42], "target": 28, "solution": "42 - 17 = 25, and 25 + 3 = 28.", "equation": "42 - 17 + 3"})";

/// The reason why the only problem of a reply cannot be read.
QString reason_of(const std::string& reply) {
    const auto problems = read_problems(reply, 50);
    return problems.size() == 1 ? QString::fromStdString(problems.front().reason)
                                : QString("%1 problems").arg(problems.size());
}

std::string changed(std::string from, const std::string& to) {
    std::string text = good;
    return text.replace(text.find(from), from.size(), to);
}

/// A written problem of the train split, so that only what a test changes can be wrong.
WrittenProblem written_of(const std::string& reply = good) {
    return read_problems(reply, 1).front().written;
}

SyntheticVerdict checked(const std::string& reply, SyntheticFilter filter = SyntheticFilter({}, {}, false)) {
    const WrittenProblem written = written_of(reply);
    return filter.check(written, completion_of(written, PromptStyle::paper));
}

} // namespace

class TestSynthetic : public QObject {
    Q_OBJECT

private slots:
    void problemsAreFoundInAnyShape_data() {
        QTest::addColumn<QString>("reply");
        QTest::addColumn<int>("count");
        const auto q = [](const std::string& text) { return QString::fromStdString(text); };
        QTest::newRow("alone") << q(good) << 1;
        QTest::newRow("list") << q("[" + good + ", " + good + "]") << 2;
        QTest::newRow("fence and prose") << q("Here you are:\n```json\n[" + good + "]\n```\nGood luck!") << 1;
        QTest::newRow("under problems") << q("{\"problems\": [" + good + "," + good + "]}") << 2;
        QTest::newRow("one a line") << q(good + "\n" + good + "\n" + good) << 3;
        QTest::newRow("cut list") << q("[" + good + ", " + good.substr(0, 60)) << 1;
        QTest::newRow("cut problems") << q("{\"problems\": [" + good + ", " + good.substr(0, 60)) << 1;
        QTest::newRow("braces in prose") << q("Sets are written {1, 2}. " + good) << 1;
        QTest::newRow("most") << q("[" + good + "," + good + "," + good + "," + good + "]") << 3;
    }
    void problemsAreFoundInAnyShape() {
        QFETCH(QString, reply);
        QFETCH(int, count);
        int readable = 0;
        for (const ReadProblem& problem : read_problems(reply.toStdString(), 3)) {
            if (!problem.reason.empty()) continue;
            ++readable;
            QCOMPARE(problem.written.problem, (CountdownProblem{{3, 17, 42}, 28}));
            QCOMPARE(problem.written.equation, std::string("42 - 17 + 3"));
        }
        QCOMPARE(readable, count);
    }

    void whatCannotBeReadHasAReason_data() {
        QTest::addColumn<QString>("reply");
        QTest::addColumn<QString>("reason");
        const auto row = [](const char* name, const std::string& reply, const char* reason) {
            QTest::newRow(name) << QString::fromStdString(reply) << reason;
        };
        const char* nums = "\"nums\" holds something else than whole numbers from 1 to 99.";
        const char* list = "\"nums\" is not a list of 3 or 4 numbers.";
        const char* target = "\"target\" is not a whole number from 10 to 99.";
        row("prose", "I cannot help with that.", "The reply holds no JSON object.");
        row("empty", "", "The reply holds no JSON object.");
        row("html", "<html><body>502</body></html>", "The reply holds no JSON object.");
        row("no JSON", "{nums: 3}", "What stands between the braces is not JSON.");
        row("float", changed("17", "17.0"), nums);
        row("text", changed("17", "\"17\""), nums);
        row("zero", changed("17", "0"), nums);
        row("negative", changed("17", "-17"), nums);
        row("huge", changed("17", "18446744073709551615"), nums);
        row("beyond", changed("17", "1e400"), "What stands between the braces is not JSON.");
        row("nested", changed("17", "[[[[[[17]]]]]]"), nums);
        row("null", changed("[3, 17, 42]", "null"), list);
        row("two", changed("3, ", ""), list);
        row("five", changed("3, ", "3, 4, 5, "), list);
        row("no target", changed("\"target\": 28, ", ""), target);
        row("target 100", changed("28", "100"), target);
        row("float target", changed("28", "28.0"), target);
        row("no solution", changed("42 - 17 = 25, and 25 + 3 = 28.", "  "),
            "\"solution\" holds no worked solution.");
        row("solution is a list", changed("\"42 - 17 = 25, and 25 + 3 = 28.\"", "[1]"),
            "\"solution\" holds no worked solution.");
        row("special token", changed("25, and", "25<|im_end|> and"),
            "The worked solution holds \"<|\", which belongs to the format.");
        row("answer tag", changed("25, and", "<answer>1</answer>"),
            "The worked solution holds \"<answer\", which belongs to the format.");
        row("long", changed("25, and", std::string(5000, 'x')),
            "The worked solution is longer than 4,000 bytes.");
        row("other target", changed("17 + 3\"", "17 + 3 = 29\""),
            "The equation's right side is not the target.");
        row("no equation", changed("42 - 17 + 3", ""), "\"equation\" is missing or longer than 200 bytes.");
        row("same key twice", changed("\"target\": 28", "\"target\": 28, \"target\": 29"),
            "What stands between the braces is not JSON.");
        row("too long", std::string(100000, 'a'), "The reply is longer than 64 KiB.");
    }
    void whatCannotBeReadHasAReason() {
        QFETCH(QString, reply);
        QFETCH(QString, reason);
        QCOMPARE(reason_of(reply.toStdString()), reason);
    }

    void hostileRepliesAreReadInLinearTime() {
        QElapsedTimer timer;
        timer.start();
        for (const std::string unit :
             {"{", "[", "{\"", "{\"a\":", "{\"a\":{", "}", "\\", "{{{{}", "[[{", "{'"}) {
            std::string reply;
            while (reply.size() + unit.size() <= longest_teacher_reply)
                reply += unit;
            const auto problems = read_problems(reply, 50);
            QVERIFY(!problems.empty() && problems.size() <= 50);
            for (const ReadProblem& problem : problems) {
                QVERIFY(!problem.reason.empty());
                QVERIFY(problem.raw.size() <= 2100);
            }
        }
        QVERIFY2(timer.elapsed() < 5000, qPrintable(QString::number(timer.elapsed())));
    }

    void mutatedRepliesNeverCrash() {
        RandomStream random(3);
        SyntheticFilter filter({}, {}, true);
        for (int round = 0; round < 20000; ++round) {
            std::string reply = "[" + good + "," + good + "]";
            for (int i = 0, n = random.between(1, 8); i < n; ++i) {
                const auto at = random.below(static_cast<std::uint32_t>(reply.size()));
                if (random.below(3) == 0)
                    reply.erase(at, random.below(20));
                else
                    reply[at] = static_cast<char>(random.below(256));
                if (reply.empty()) reply = "{";
            }
            for (const ReadProblem& problem : read_problems(reply, 8))
                if (problem.reason.empty()) {
                    const std::string completion = completion_of(problem.written, PromptStyle::paper);
                    const SyntheticVerdict verdict = filter.check(problem.written, completion);
                    QVERIFY(verdict.step != SyntheticStep::fresh || verdict.verdict.score == 1);
                }
        }
    }

    void onlyWhatIsRightIsKept_data() {
        QTest::addColumn<QString>("reply");
        QTest::addColumn<QString>("reason");
        const auto row = [](const char* name, const std::string& reply, const char* reason) {
            QTest::newRow(name) << QString::fromStdString(reply) << reason;
        };
        row("right", good, "");
        row("wrong value", changed("42 - 17 + 3\"", "42 - 17 - 3\""), "Its value is 22, the target is 28.");
        row("a number twice", changed("42 - 17 + 3\"", "42 - 17 + 3 + 3 - 3\""),
            "It does not use exactly the given numbers, each once.");
        row("a number left out", changed("42 - 17 + 3\"", "42 - 14\""),
            "It does not use exactly the given numbers, each once.");
        row("power", changed("42 - 17 + 3\"", "42 - 17 ** 3\""), "Not a valid equation");
        row("code", changed("42 - 17 + 3\"", "__import__('os')\""), "Not a valid equation");
        row("division by zero", changed("42 - 17 + 3\"", "42 / (17 - 17) + 3\""), "It ");
        row("wrong step", changed("25 + 3 = 28", "25 + 3 = 29, so 28"),
            "The calculation \" 25 + 3 = 29\" of the worked solution is wrong.");
        row("right side", changed("42 - 17 + 3\"", "42 - 17 + 3 = 28\""), "");
    }
    void onlyWhatIsRightIsKept() {
        QFETCH(QString, reply);
        QFETCH(QString, reason);
        const SyntheticVerdict verdict = checked(reply.toStdString());
        const QString found = QString::fromStdString(verdict.reason);
        QVERIFY2(reason.isEmpty() ? found.isEmpty() : found.startsWith(reason), qPrintable(found));
        QCOMPARE(verdict.step == SyntheticStep::fresh, reason.isEmpty());
        if (reason.isEmpty()) QCOMPARE(verdict.verdict.score, 1.0);
    }

    void calculationsAreReadGenerously() {
        for (const char* right : {"7 * 8 = 56", "1. 3 + 4 = 7", "- 3 + 4 = 7", "3 + 4 = 7 + 1 = 8", "x = 5",
                                  "(2 + 3) * 4 = 20", "3 - 5 = -2", "7 / 2 = 3.5", "7 / 2 = 7/2",
                                  "so 42+9=51 92 36 77", "a = b = c", "== 5", "=", ""})
            QVERIFY2(wrong_calculation(right).empty(), right);
        for (const char* wrong : {"7 * 8 = 54", "Then 100 - 1 = 98.", "(2 + 3) * 4 = 21", "3 - 5 = 2"})
            QVERIFY2(!wrong_calculation(wrong).empty(), wrong);
        // the built-in solver's own words pass
        RandomStream random(5);
        for (int i = 0; i < 300; ++i) {
            const CountdownProblem problem = random_problem(random.between(3, 4), random);
            for (TraceStyle style : {TraceStyle::cognitive, TraceStyle::brief}) {
                const std::string trace = make_trace(problem, style, random);
                QVERIFY2(wrong_calculation(trace).empty(), trace.c_str());
            }
        }
    }

    void nothingKnownIsKept() {
        const CountdownProblem same{{42, 3, 17}, 28}; // in another order
        const std::vector<CountdownProblem> list{same};
        QCOMPARE(checked(good, SyntheticFilter(list, {}, false)).reason,
                 std::string("The problem is in the training data."));
        QCOMPARE(checked(good, SyntheticFilter({}, list, false)).reason,
                 std::string("The problem belongs to held-out data."));
        SyntheticFilter filter({}, {}, false);
        const WrittenProblem written = written_of();
        QCOMPARE(filter.check(written, completion_of(written, PromptStyle::paper)).step,
                 SyntheticStep::fresh);
        const SyntheticVerdict again = filter.check(written, completion_of(written, PromptStyle::paper));
        QCOMPARE(again.step, SyntheticStep::correct);
        QCOMPARE(again.reason, std::string("The problem was written before."));
    }

    /// Whatever a sweep may draw for a test is never learnt.
    void theSplitsAreHeldOut() {
        SyntheticFilter filter({}, {}, true);
        RandomStream random(1);
        for (Split split : {Split::train, Split::validation, Split::test})
            for (const CountdownProblem& problem : make_problems(split, 50, 9)) {
                const std::string trace = make_trace(problem, TraceStyle::cognitive, random);
                const SyntheticVerdict verdict = filter.check({problem, trace, ""}, trace);
                QCOMPARE(verdict.step == SyntheticStep::fresh, split == Split::train);
            }
    }

    void theFunnelCountsEveryStep() {
        SyntheticFunnel funnel;
        SyntheticVerdict unread, wrong, known, kept;
        unread.reason = "The reply holds no JSON object.";
        wrong.step = SyntheticStep::parsed;
        wrong.reason = "Its value is 22, the target is 28.";
        known.step = SyntheticStep::correct;
        known.reason = "The problem was written before.";
        kept.step = SyntheticStep::fresh;
        const std::vector<SyntheticVerdict> reply{wrong, known, kept, wrong};
        funnel.add(std::vector{unread}, 8);
        funnel.add(reply, 8);
        QCOMPARE(funnel.asked, std::int64_t{16});
        QCOMPARE(funnel.parsed, std::int64_t{4});
        QCOMPARE(funnel.correct, std::int64_t{2});
        QCOMPARE(funnel.fresh, std::int64_t{1});
        QCOMPARE(funnel.reasons.at("The equation has another value than the target."), std::int64_t{2});
        QCOMPARE(funnel.reasons.size(), std::size_t{3});
    }
};

QTEST_APPLESS_MAIN(TestSynthetic)
#include "tst_synthetic.moc"
