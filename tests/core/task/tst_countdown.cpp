#include "core/base/error.h"
#include "core/base/random.h"
#include "core/data/jsonl.h"
#include "core/data/task_rows.h"
#include "core/task/arithmetic_text.h"
#include "core/task/backward.h"
#include "core/task/countdown.h"
#include "core/task/countdown_solver.h"
#include "core/task/countdown_verifier.h"
#include "core/task/expression.h"
#include "core/task/traces.h"

#include <QTemporaryDir>
#include <QTest>
#include <bit>
#include <fstream>
#include <functional>
#include <numeric>
#include <set>
#include <sstream>

using namespace tempera;

namespace {

/// Every value the numbers of `mask` can give, by splitting the set in two: independent of the solver's
/// search.
std::set<std::pair<std::int64_t, std::int64_t>> reachable(const std::vector<std::int64_t>& nums,
                                                          unsigned mask) {
    std::set<std::pair<std::int64_t, std::int64_t>> values;
    if ((mask & (mask - 1)) == 0) {
        values.insert({nums[static_cast<std::size_t>(std::countr_zero(mask))], 1});
        return values;
    }
    for (unsigned part = (mask - 1) & mask; part != 0; part = (part - 1) & mask) {
        auto left = reachable(nums, part), right = reachable(nums, mask & ~part);
        for (auto [a, b] : left) {
            for (auto [c, d] : right) {
                for (auto [top, bottom] : {std::pair{a * d + c * b, b * d},
                                           {a * d - c * b, b * d},
                                           {a * c, b * d},
                                           {a * d, b * c}}) {
                    if (bottom == 0) continue;
                    std::int64_t divisor = std::gcd(top, bottom) * (bottom < 0 ? -1 : 1);
                    values.insert({top / divisor, bottom / divisor});
                }
            }
        }
    }
    return values;
}

void check_solution(const CountdownProblem& problem, const Calculation& solution) {
    for (const char* space : {"", " "}) {
        std::string completion = "<answer>" + solution.to_string(space) + "</answer>";
        Verdict verdict = verify(problem.nums, problem.target, completion);
        QVERIFY2(verdict.score == 1.0, (completion + " " + verdict.reason).c_str());
    }
    QVERIFY(solution.value() == Rational(problem.target));
}

std::string sentence_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

} // namespace

class TestCountdown : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void problemsAreAsPromised() {
        int threes = 0;
        for (Split split : {Split::train, Split::validation, Split::test}) {
            auto problems = make_problems(split, 400, 7);
            QCOMPARE(problems.size(), std::size_t{400});
            std::set<std::uint64_t> seen;
            for (const auto& problem : problems) {
                threes += problem.nums.size() == 3;
                QVERIFY(problem.nums.size() == 3 || problem.nums.size() == 4);
                for (auto number : problem.nums)
                    QVERIFY(number >= 1 && number <= 99);
                QVERIFY(problem.target >= 10 && problem.target <= 99);
                QVERIFY(split_of(problem) == split);
                QVERIFY(seen.insert(canonical_hash(problem)).second);
                auto solution = solve(problem);
                QVERIFY(solution);
                check_solution(problem, *solution);
            }
        }
        QVERIFY(threes > 500 && threes < 700);
    }

    void problemsAreSeeded() {
        auto five = make_problems(Split::test, 5, 1), ten = make_problems(Split::test, 10, 1);
        QVERIFY(std::equal(five.begin(), five.end(), ten.begin()));
        QVERIFY(!(make_problems(Split::test, 5, 2) == five));
        QVERIFY(make_problems(Split::test, 0, 1).empty());
        QVERIFY_EXCEPTION_THROWN(make_problems(Split::test, -1, 1), Error);
        QVERIFY_EXCEPTION_THROWN(make_problems(Split::test, 1000001, 1), Error);
        // The draw is part of a run's meaning: it must not change by accident.
        QCOMPARE(format_prompt(make_problems(Split::test, 1, 0)[0], PromptStyle::brief),
                 std::string("11 14 2 37:64\n"));
    }

    void splitsIgnoreTheOrderOfNumbers() {
        CountdownProblem a{{3, 17, 42, 3}, 28}, b{{42, 3, 3, 17}, 28}, c{{42, 3, 17}, 28};
        QCOMPARE(canonical_hash(a), canonical_hash(b));
        QVERIFY(canonical_hash(a) != canonical_hash(c));
        int counts[3] = {0, 0, 0};
        RandomStream random(2);
        for (int i = 0; i < 3000; ++i) {
            auto problem = random_problem(3 + i % 2, random);
            Split split = split_of(problem);
            ++counts[static_cast<int>(split)];
            std::reverse(problem.nums.begin(), problem.nums.end());
            QVERIFY(split_of(problem) == split);
        }
        QVERIFY(counts[0] > 2300 && counts[0] < 2500);
        QVERIFY(counts[1] > 230 && counts[2] > 230);
    }

    void solverFindsWhatThereIs() {
        RandomStream random(3);
        for (int i = 0; i < 40; ++i) {
            CountdownProblem problem;
            for (int k = 0; k < 1 + i % 4; ++k)
                problem.nums.push_back(random.between(0, i % 3 == 0 ? 9 : 99));
            auto values = reachable(problem.nums, (1u << problem.nums.size()) - 1);
            for (std::int64_t target = -3; target <= 40; ++target) {
                problem.target = target;
                auto solution = solve(problem);
                QCOMPARE(solution.has_value(), values.contains({target, 1}));
                if (solution) check_solution(problem, *solution);
            }
        }
    }

    void solverKnowsFractions() {
        CountdownProblem classic{{3, 3, 8, 8}, 24};
        auto all = solve_all(classic);
        QCOMPARE(all.size(), std::size_t{1});
        QCOMPARE(all[0].to_string(), std::string("8/(3-8/3)"));
        QVERIFY(!all[0].is_simple());
        QCOMPARE(plain_solutions(classic).size(), std::size_t{1});
        QVERIFY(!solve({{1, 1, 1, 1}, 24}));
        QVERIFY(plain_solutions({{1, 1, 1, 1}, 24}).empty());
        QVERIFY(solve({{1, 3, 7, 10, 25, 50}, 765}));
        QCOMPARE(solve({{9}, 9})->to_string(), std::string("9"));
        QVERIFY_EXCEPTION_THROWN(solve({{1, 2, 3, 4, 5, 6, 7}, 9}), Error);
        QVERIFY_EXCEPTION_THROWN(solve({{}, 9}), Error);
        QVERIFY_EXCEPTION_THROWN(plain_solutions({{INT64_MAX, INT64_MAX}, 9}), Error);
        QVERIFY(!solve({{1000000000000000000, 1000000000000000000, 999999999999999999, 3}, 7}));
    }

    void solutionsAreSettled() {
        QCOMPARE(plain_solutions({{3, 17, 42}, 28}).front().to_string(), std::string("3+42-17"));
        QCOMPARE(plain_solutions({{92, 36, 77, 9}, 42}).front().to_string(), std::string("92+36-77-9"));
        for (const auto& problem : make_problems(Split::train, 300, 3)) {
            std::set<std::string> seen;
            for (const auto& all : solve_all(problem, 200)) {
                auto one = settled(all);
                check_solution(problem, one);
                QCOMPARE(settled(one).to_string(), one.to_string());
            }
            auto plain = plain_solutions(problem);
            QVERIFY(!plain.empty());
            for (const auto& solution : plain) {
                check_solution(problem, solution);
                QVERIFY(solution.is_simple());
                QVERIFY(seen.insert(solution.to_string()).second);
            }
        }
    }

    void tracesAreScoredOne() {
        std::set<std::string> marks;
        for (TraceStyle style : {TraceStyle::cognitive, TraceStyle::brief}) {
            std::size_t longest = 0;
            for (const auto& problem : make_problems(Split::train, 400, 5)) {
                RandomStream random(1, canonical_hash(problem)), again(1, canonical_hash(problem));
                std::string trace = make_trace(problem, style, random);
                QCOMPARE(make_trace(problem, style, again), trace);
                Verdict verdict = verify(problem.nums, problem.target, trace);
                QVERIFY2(verdict.score == 1.0, (trace + "\n" + verdict.reason).c_str());
                longest = std::max(longest, trace.size());
                if (style == TraceStyle::cognitive) {
                    QVERIFY(trace.find("</think>\n<answer> ") != std::string::npos
                            && trace.find("Check: ") != std::string::npos);
                    for (const char* mark : {"go back", " fits", " for "})
                        if (trace.find(mark) != std::string::npos) marks.insert(mark);
                    check_arithmetic(trace);
                }
            }
            QVERIFY2(longest < (style == TraceStyle::brief ? 90 : 420), std::to_string(longest).c_str());
        }
        QCOMPARE(marks.size(), std::size_t{3}); // backtracking and joined pairs do occur
    }

    void tracesOfLargeNumbers() {
        for (const CountdownProblem& problem :
             std::vector<CountdownProblem>{{{1000000000, 1000000000, 1000000}, 1000000000000},
                                           {{1000000000, 1000000000, 5}, 2000000005},
                                           {{0, 0, 5}, 5},
                                           {{0, 0, 0}, 0},
                                           {{3, 7, 4}, -8},
                                           {{999999999, 2, 1, 1, 1, 1}, 1000000001}}) {
            for (TraceStyle style : {TraceStyle::cognitive, TraceStyle::brief}) {
                if (!solve(problem)) continue;
                for (std::uint64_t seed = 0; seed < 8; ++seed) {
                    RandomStream random(seed);
                    std::string trace = make_trace(problem, style, random);
                    QVERIFY2(verify(problem.nums, problem.target, trace).score == 1.0, trace.c_str());
                }
            }
        }
        RandomStream random(0);
        QVERIFY(!make_trace({{3, 7, 4}, -8}, TraceStyle::brief, random).empty());
        QVERIFY(
            !make_trace({{1000000000, 1000000000, 5}, 2000000005}, TraceStyle::cognitive, random).empty());
    }

    /// Whole goals, each step true, everything used, and at a sum's every step one of two choices.
    void backwardStepsHold() {
        int joins = 0, products = 0;
        for (const auto& problem : make_problems(Split::train, 1500, 9)) {
            for (const auto& solution : plain_solutions(problem)) {
                auto told = tell_backwards(problem, solution);
                check_solution(problem, told.calculation);
                QCOMPARE(told.steps.size(), problem.nums.size() - 1);
                std::string goal = std::to_string(problem.target);
                for (const auto& step : told.steps) {
                    auto parsed = Expression::parse(step.left + step.op + step.right);
                    QCOMPARE(evaluate_exactly(std::get<Expression>(parsed)).value->to_string(), step.result);
                    QVERIFY2(step.result.find_first_of("-/") == std::string::npos, step.text().c_str());
                    if (step.kind == BackwardStep::Kind::peel)
                        QVERIFY(step.left == goal || step.right == goal);
                    if (step.kind == BackwardStep::Kind::join) QCOMPARE(step.goal, goal);
                    joins += step.kind == BackwardStep::Kind::join;
                    products += step.op == '*' || step.op == '/';
                    goal = step.goal;
                }
                QVERIFY(told.steps.back().kind == BackwardStep::Kind::meet);
                QCOMPARE(told.steps.back().result, goal);
                QVERIFY(told.steps.back().rest.empty());
            }
        }
        QVERIFY(joins > 20 && products > 200);
        QVERIFY_EXCEPTION_THROWN(tell_backwards({{3, 3, 8, 8}, 24}, plain_solutions({{3, 3, 8, 8}, 24})[0]),
                                 Error);
    }

    void briefTraceByHand() {
        RandomStream random(0);
        QCOMPARE(make_trace({{92, 36, 77, 9}, 42}, TraceStyle::brief, random),
                 std::string("42+9=51 92 36 77\n51+77=128 92 36\n92+36=128\n<answer>92+36-77-9</answer>"));
        QCOMPARE(make_trace({{41, 89, 56, 91}, 83}, TraceStyle::brief, random),
                 std::string("91-83=8 41 89 56\n56-8=48 41 89\n89-41=48\n<answer>91-(56-(89-41))</answer>"));
        int joins = 0;
        CountdownProblem two_pairs{{16, 11, 14, 41}, 11};
        for (const auto& solution : plain_solutions(two_pairs)) {
            if (solution.to_string() != "(14+41)/(16-11)") continue;
            auto steps = tell_backwards(two_pairs, solution).steps;
            QCOMPARE(steps[0].text(), std::string("16-11=5"));
            QCOMPARE(steps[0].goal, std::string("11"));
            QCOMPARE(steps[1].text(), std::string("11*5=55"));
            QCOMPARE(steps[2].text(), std::string("14+41=55"));
            joins += steps[0].kind == BackwardStep::Kind::join;
        }
        QCOMPARE(joins, 1);
        QCOMPARE(make_trace({{7}, 7}, TraceStyle::brief, random), std::string("<answer>7</answer>"));
        QCOMPARE(make_trace({{3, 3, 8, 8}, 24}, TraceStyle::brief, random),
                 std::string("8/3=8/3 3 8\n3-(8/3)=1/3 8\n8/(1/3)=24\n<answer>8/(3-8/3)</answer>"));
        QCOMPARE(verify(std::vector<std::int64_t>{7}, 7, make_trace({{7}, 7}, TraceStyle::cognitive, random))
                     .score,
                 1.0);
        QVERIFY(sentence_of([&] {
                    make_trace({{1, 1}, 50}, TraceStyle::brief, random);
                }).find("cannot be reached")
                != std::string::npos);
    }

    void arithmeticTextIsTrueAndForeign() {
        for (std::uint64_t i = 0; i < 300; ++i) {
            RandomStream random(2, i);
            std::string text = arithmetic_text(random);
            QVERIFY(text.size() >= 180 && text.size() <= 300);
            QVERIFY(text.find_first_not_of("0123456789+-*/=(),.: \nfor") == std::string::npos);
            check_arithmetic(text);
            std::istringstream lines(text);
            for (std::string line; std::getline(lines, line);) {
                auto colon = line.find(" for ");
                if (colon == std::string::npos) continue;
                CountdownProblem problem;
                std::istringstream numbers(line.substr(0, colon));
                for (std::int64_t number; numbers >> number;)
                    problem.nums.push_back(number);
                problem.target = std::stoll(line.substr(colon + 5));
                if (problem.nums.size() > 2) QVERIFY(split_of(problem) == Split::train);
            }
        }
    }

    void promptsAreVerbatim() {
        CountdownProblem problem{{44, 19, 35}, 98};
        QCOMPARE(format_prompt(problem, PromptStyle::brief), std::string("44 19 35:98\n"));
        QCOMPARE(
            format_prompt(problem, PromptStyle::paper),
            std::string("A conversation between User and Assistant. The user asks a question, and the "
                        "Assistant solves it. The assistant first thinks about the reasoning process in the "
                        "mind and then provides the user with the answer.\nUser: Using the numbers [44, 19, "
                        "35], create an equation that equals 98. You can use basic arithmetic operations (+, "
                        "-, *, /) and each number can only be used once. Show your work in <think> </think> "
                        "tags. And return the final answer in <answer> </answer> tags, for example <answer> "
                        "(1 + 2) / 3 </answer>.\nAssistant: Let me solve this step by step.\n<think>"));
    }

    void namesAreChecked() {
        QVERIFY(split_from("validation") == Split::validation);
        QVERIFY(prompt_style_from("short") == PromptStyle::brief
                && trace_style_from("cognitive") == TraceStyle::cognitive);
        QVERIFY(sentence_of([] { split_from("tset"); }).ends_with("Did you mean \"test\"?"));
        QVERIFY(sentence_of([] { prompt_style_from("papr"); }).ends_with("Did you mean \"paper\"?"));
        QVERIFY(sentence_of([] { trace_style_from("shortt"); }).ends_with("Did you mean \"short\"?"));
    }

    void problemsFromFile() {
        QTemporaryDir folder;
        std::string path = folder.filePath("p.jsonl").toStdString();
        auto write = [&](const std::string& content) { std::ofstream(path, std::ios::binary) << content; };
        write("{\"nums\":[3,17,42],\"target\":28}\r\n\n{\"target\":7,\"nums\":[7],\"extra\":{}}");
        ProblemOptions options;
        options.data = path;
        options.count = 10;
        auto problems = countdown_problems(options);
        QCOMPARE(problems.size(), std::size_t{2});
        QCOMPARE(problems[0], (CountdownProblem{{3, 17, 42}, 28}));
        options.count = 1;
        QCOMPARE(countdown_problems(options).size(), std::size_t{1});
        options.count = 0;
        options.bad_rows = "refuse";
        for (const auto& [row, part] : std::vector<std::pair<std::string, std::string>>{
                 {"{\"nums\":[3,17],\"targt\":28}",
                  "row 2 has no column \"target\" (its columns: nums, targt)"},
                 {"{\"target\":28}", "row 2 has no column \"nums\""},
                 {"{\"nums\":[3,\"17\"],\"target\":28}", "row 2, column \"nums\""},
                 {"{\"nums\":[3,1.5],\"target\":28}", "row 2, column \"nums\""},
                 {"{\"nums\":[3,-1],\"target\":28}", "row 2, column \"nums\""},
                 {"{\"nums\":[3,18446744073709551615],\"target\":28}", "row 2, column \"nums\""},
                 {"{\"nums\":[1,2,3,4,5,6,7],\"target\":28}", "row 2, column \"nums\""},
                 {"{\"nums\":[],\"target\":28}", "row 2, column \"nums\""},
                 {"{\"nums\":3,\"target\":28}", "row 2, column \"nums\""},
                 {"{\"nums\":[3],\"target\":28.5}", "row 2, column \"target\""},
                 {"{\"nums\":[3],\"target\":null}", "row 2, column \"target\""},
                 {"[1]", "row 2 is not a JSON object"}}) {
            write("{\"nums\":[3],\"target\":3}\n" + row + "\n");
            std::string sentence = sentence_of([&] { countdown_problems(options); });
            QVERIFY2(sentence.find(part) != std::string::npos, sentence.c_str());
            ProblemOptions skipping = options;
            skipping.bad_rows = "skip";
            SkippedRows skipped;
            QCOMPARE(countdown_problems(skipping, &skipped).size(), std::size_t{1});
            QCOMPARE(skipped.count, std::int64_t{1});
            QCOMPARE(skipped.first.front(), sentence);
        }
        write("\n \n");
        QVERIFY(sentence_of([&] { countdown_problems(options); }).find("no rows") != std::string::npos);
        options.data = "contdown";
        QVERIFY(sentence_of([&] { countdown_problems(options); }).ends_with("Did you mean \"countdown\"?"));
    }

private:
    /// Every "a op b = c" in `text` is right, with or without spaces around the signs.
    static void check_arithmetic(const std::string& text) {
        std::istringstream lines(text);
        int checked = 0;
        for (std::string line; std::getline(lines, line);) {
            for (std::size_t at = line.find('='); at != std::string::npos; at = line.find('=', at + 1)) {
                std::string allowed = "0123456789+-*/ ";
                std::size_t begin = at, end = at + 1;
                while (begin > 0 && (allowed + "()").find(line[begin - 1]) != std::string::npos)
                    --begin;
                while (end < line.size() && allowed.find(line[end]) != std::string::npos)
                    ++end;
                auto left = Expression::parse(line.substr(begin, at - begin));
                auto right = Expression::parse(line.substr(at + 1, end - at - 1));
                auto *a = std::get_if<Expression>(&left), *b = std::get_if<Expression>(&right);
                if (!a || !b) continue;
                QVERIFY2(*evaluate_exactly(*a).value == *evaluate_exactly(*b).value, line.c_str());
                ++checked;
            }
        }
        QVERIFY2(checked > 0, text.c_str());
    }
};

QTEST_APPLESS_MAIN(TestCountdown)
#include "tst_countdown.moc"
