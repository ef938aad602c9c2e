#include "core/base/error.h"
#include "core/data/training_set.h"
#include "core/task/countdown.h"
#include "core/task/countdown_solver.h"
#include "core/task/countdown_verifier.h"
#include "core/task/traces.h"

#include <QTest>
#include <set>

using namespace tempera;

class TestCountdown : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void problemsAreAsPromised() {
        for (Split split : {Split::train, Split::validation, Split::test}) {
            auto problems = make_problems(split, 500, 7);
            QCOMPARE(problems.size(), std::size_t{500});
            std::set<std::uint64_t> seen;
            for (const auto& problem : problems) {
                QVERIFY(problem.nums.size() == 3 || problem.nums.size() == 4);
                for (auto number : problem.nums)
                    QVERIFY(number >= 1 && number <= 99);
                QVERIFY(problem.target >= 10 && problem.target <= 99);
                QVERIFY(split_of(problem) == split);
                QVERIFY(seen.insert(canonical_hash(problem)).second);
                auto solution = solve(problem);
                QVERIFY(solution);
                QVERIFY(solution->value() == Rational(problem.target));
                std::string completion = "<answer>" + solution->to_string() + "</answer>";
                QCOMPARE(verify(problem.nums, problem.target, completion).score, 1.0);
            }
        }
    }

    void tracesAreScoredOne() {
        for (const char* style : {"cognitive", "short"}) {
            TrainingSetOptions options;
            options.trace_style = style;
            options.prompt_style = style == std::string("short") ? "short" : "paper";
            options.examples = 300;
            options.validation_examples = 50;
            auto set = make_training_set(options);
            auto problems = make_problems(Split::train, 300, 0);
            for (std::size_t i = 0; i < problems.size(); ++i) {
                Verdict verdict = verify(problems[i].nums, problems[i].target, set.train[i].completion);
                QVERIFY2(verdict.score == 1.0, (set.train[i].completion + "\n" + verdict.reason).c_str());
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestCountdown)
#include "tst_countdown.moc"
