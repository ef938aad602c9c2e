#include "comparison_observer.h"
#include "core/base/error.h"
#include "core/data/jsonl.h"
#include "core/engine/evaluate/pairs.h"
#include "core/engine/evaluate/win_rate.h"
#include "core/engine/train/rloo.h"
#include "core/recipe/pairs_recipe.h"
#include "core/recipe/win_rate_recipe.h"
#include "core/stats/best_of_n.h"
#include "core/stats/win_rate.h"
#include "core/store/answer_sets.h"
#include "core/store/run_reader.h"
#include "tests/core/judge/judge_server.h"
#include "tests/core/store/child_process.h"
#include "tests/engine/train/rloo_test_run.h"

#include <QTest>
#include <atomic>
#include <cmath>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

namespace {

/// The reward that the tests' judge gives an answer: its length; none to every fifth length.
double reward_of(const std::string& answer) {
    return answer.size() % 5 == 0 ? std::nan("") : static_cast<double>(answer.size());
}

ServedAnswer reward_answer(const ReceivedRequest& request) {
    const double reward = reward_of(last_turn(request));
    return chat_answer(std::isnan(reward) ? "reward:nan" : "reward:" + std::to_string(reward));
}

template <class Recipe>
void fill(Recipe& recipe) {
    recipe.judge = "remote";
    recipe.judge_endpoint = "lab";
    recipe.chat_template = "chatml";
    recipe.top_p = 1;
    recipe.max_tokens = 24;
    recipe.slots = 4;
    recipe.seed = 3;
}

RunRequest win_rate_request(const fs::path& folder, const std::string& style = "nemotron") {
    WinRateRecipe recipe;
    fill(recipe);
    recipe.judge_style = style;
    recipe.base = model_path("qwen2-tied");
    recipe.tuned = model_path("qwen2-untied");
    recipe.prompts = 12;
    recipe.temperature = 1.5;
    fs::create_directories(folder);
    return {"win_rate", recipe.to_json(), folder, false, 2};
}

RunRequest pairs_request(const fs::path& folder, std::int64_t prompts) {
    PairsRecipe recipe;
    fill(recipe);
    recipe.model = model_path("qwen2-tied");
    recipe.prompts = prompts;
    recipe.k = 3;
    recipe.temperature = 1.5;
    fs::create_directories(folder);
    return {"pairs", recipe.to_json(), folder, false, 2};
}

bool warned(const ComparisonObserver& seen, const std::string& part) {
    for (const std::string& message : seen.events)
        if (message.find(part) != std::string::npos) return true;
    return false;
}

/// Whether the run finishes, with what it reports stored.
bool finish_stored(const RunRequest& request, ComparisonObserver& seen) {
    RunWriter writer(request.folder);
    seen.writer = &writer;
    const RunOutcome outcome = run_pairs(request, seen, {});
    seen.writer = nullptr;
    writer.flush();
    return outcome == RunOutcome::finished;
}

} // namespace

class TestRemoteJudgeRun : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void aWinRateIsJudgedOverTheNetwork() {
        const Lab home;
        ScriptedServer server([](const ReceivedRequest& request) { return reward_answer(request); });
        home.point_at(server);
        ComparisonObserver seen;
        QCOMPARE(run_win_rate(win_rate_request(home.path("run")), seen, {}), RunOutcome::finished);
        QCOMPARE(seen.comparisons.size(), std::size_t{12});
        QVERIFY(!seen.twice);
        std::vector<double> base, tuned;
        for (const auto& [index, comparison] : seen.comparisons) {
            for (const ComparedReply* reply : {&comparison.base, &comparison.tuned}) {
                const double expected = reward_of(reply->text);
                QVERIFY(std::isnan(expected) ? std::isnan(reply->score) : reply->score == expected);
                QCOMPARE(std::isnan(expected), reply->note.starts_with("No score: "));
            }
            base.push_back(comparison.base.score);
            tuned.push_back(comparison.tuned.score);
        }
        const WinRate expected = win_rate(base, tuned, 100, 0);
        QVERIFY(expected.unscored > 0 && expected.prompts > 0);
        QCOMPARE(seen.headline["win_rate"], expected.rate);
        QCOMPARE(seen.headline["unscored"], static_cast<double>(expected.unscored));
        QVERIFY(warned(seen, "left out, for"));
        QVERIFY(warned(seen, "tokens of prompts"));
        // another run of the same recipe pays for nothing
        const std::size_t asked = server.requests().size();
        ComparisonObserver again;
        QCOMPARE(run_win_rate(win_rate_request(home.path("again")), again, {}), RunOutcome::finished);
        QCOMPARE(server.requests().size(), asked);
        QCOMPARE(again.headline["win_rate"], expected.rate);
    }

    void bothAnswersAreComparedInBothOrders() {
        const Lab home;
        ScriptedServer server([](const ReceivedRequest& request) { // prefers whatever stands first
            return chat_answer(last_turn(request).size() % 2 ? "[[A]]" : "[[A]] it is");
        });
        home.point_at(server);
        ComparisonObserver seen;
        QCOMPARE(run_win_rate(win_rate_request(home.path("run"), "rubric-pair"), seen, {}),
                 RunOutcome::finished);
        QCOMPARE(seen.headline["ties"], 1.0); // it contradicts itself everywhere
        QCOMPARE(seen.headline["win_rate"], 0.0);
        for (const auto& [index, comparison] : seen.comparisons)
            QCOMPARE(comparison.base.score, 0.5);
    }

    void aStoppedWinRateGoesOn() {
        const Lab home;
        Counter counter;
        ScriptedServer server([&](const ReceivedRequest& request) {
            counter.note(request.body);
            return reward_answer(request);
        });
        home.point_at(server);
        ComparisonObserver whole;
        run_win_rate(win_rate_request(home.path("whole")), whole, {});
        RunRequest part = win_rate_request(home.path("parts"));
        for (const int stop_after : {15, 1 << 30}) { // among the tuned model's replies
            RunWriter writer(part.folder);
            ComparisonObserver seen;
            seen.writer = &writer;
            seen.stop_after = stop_after;
            const RunOutcome outcome = run_win_rate(part, seen, seen.stop);
            QCOMPARE(outcome, stop_after < 24 ? RunOutcome::stopped : RunOutcome::finished);
            part.resume = true;
            if (outcome == RunOutcome::finished)
                QCOMPARE(seen.headline["win_rate"], whole.headline["win_rate"]);
        }
        for (const auto& [question, times] : counter.asked())
            QCOMPARE(times, 1);
    }

    void aKilledWinRateLosesNoScore() {
        const Lab home(2);
        Counter counter;
        ScriptedServer server([&](const ReceivedRequest& request) {
            counter.note(request.body);
            ServedAnswer reply = reward_answer(request);
            reply.delay = std::chrono::milliseconds(20);
            return reply;
        });
        home.point_at(server);
        {
            Child child([&](int) {
                RunRequest request = win_rate_request(home.path("run"));
                request.threads = 1;
                RunWriter writer(request.folder);
                run_win_rate(request, writer, {});
                return 0;
            });
            QTRY_VERIFY_WITH_TIMEOUT(counter.total() >= 7, 60000);
            child.kill_and_wait();
        }
        QTest::qSleep(60); // what the server still had in hand
        RunRequest request = win_rate_request(home.path("run"));
        request.resume = true;
        ComparisonObserver seen;
        QCOMPARE(run_win_rate(request, seen, {}), RunOutcome::finished);
        int again = 0;
        for (const auto& [question, times] : counter.asked())
            again += times - 1;
        QVERIFY2(again <= 2, qPrintable(QString::number(again)));
    }

    void aJudgeThatIsDownFailsTheRunWhichGoesOnLater() {
        const Lab home;
        std::atomic<bool> down{true};
        ScriptedServer server([&](const ReceivedRequest& request) {
            if (!down) return reward_answer(request);
            ServedAnswer refusal;
            refusal.status = 400;
            refusal.body = R"({"error":{"message":"closed for today"}})";
            return refusal;
        });
        home.point_at(server);
        for (RunRequest request :
             {win_rate_request(home.path("win")), pairs_request(home.path("pairs"), 6)}) {
            const auto run = request.kind == "pairs" ? run_pairs : run_win_rate;
            down = true;
            {
                RunWriter writer(request.folder);
                ComparisonObserver seen;
                seen.writer = &writer;
                try {
                    run(request, seen, {});
                    QFAIL("finished although nothing was judged");
                } catch (const Error& error) {
                    QVERIFY2(std::string(error.what()).find("closed for today") != std::string::npos,
                             error.what());
                }
                QVERIFY(!seen.headline.contains("win_rate"));
            }
            down = false;
            request.resume = true;
            ComparisonObserver seen;
            QCOMPARE(run(request, seen, {}), RunOutcome::finished);
            QVERIFY(seen.headline.at(request.kind) > 0); // the share, and the number of pairs
        }
    }

    void pairsLeaveOutWhatHasNoScore() {
        const Lab home;
        ScriptedServer server([](const ReceivedRequest& request) { return reward_answer(request); });
        home.point_at(server);
        const RunRequest request = pairs_request(home.path("run"), 10);
        ComparisonObserver seen;
        QVERIFY(finish_stored(request, seen));
        int unscored = 0;
        for (std::int64_t prompt = 0; prompt < 10; ++prompt)
            for (const Sample& sample : RunReader(home.path("run")).samples(1.5, prompt)) {
                const double expected = reward_of(sample.text);
                QVERIFY(std::isnan(expected) ? std::isnan(sample.score) : sample.score == expected);
                unscored += std::isnan(expected);
            }
        QVERIFY(unscored > 0);
        QCOMPARE(seen.headline["unscored"], static_cast<double>(unscored));
        QVERIFY(seen.headline["pairs"] > 0);
        QVERIFY(warned(seen, "are left out"));
        JsonlReader reader(home.path("run/artifacts/pairs.jsonl"));
        while (auto row = reader.next())
            QVERIFY(row->value["score_chosen"].get<double>() > row->value["score_rejected"].get<double>());
    }

    /// The paper's judge scores mostly below 0.
    void negativeScoresLoseNothing() {
        const Lab home;
        const auto score = [](const std::string& answer) {
            return -18.7 - static_cast<double>(answer.size()) / 8;
        };
        ScriptedServer server([&](const ReceivedRequest& request) {
            return chat_answer("reward:" + std::to_string(score(last_turn(request))));
        });
        home.point_at(server);
        const RunRequest request = pairs_request(home.path("run"), 10);
        ComparisonObserver seen;
        QVERIFY(finish_stored(request, seen));
        const RunReader reader(home.path("run"));
        std::vector<std::pair<double, double>> pairs; // the best and the worst score where they differ
        std::vector<double> best;
        double best_total = 0;
        for (std::int64_t prompt = 0; prompt < 10; ++prompt) {
            std::vector<double> scores;
            for (const Sample& sample : reader.samples(1.5, prompt))
                scores.push_back(score(sample.text));
            QCOMPARE(scores.size(), std::size_t{3});
            const auto [low, high] = std::ranges::minmax(scores);
            if (high > low) pairs.emplace_back(high, low);
            best.push_back(high);
            best_total += high;
            QCOMPARE(best_of_n_curve(scores, 3).back(), high);
        }
        QVERIFY(pairs.size() > 5);
        QCOMPARE(seen.headline["pairs"], static_cast<double>(pairs.size()));
        QCOMPARE(seen.headline["best"], 10.0);
        QCOMPARE(seen.headline["best_score"], best_total / 10);
        for (const int n : {0, 3}) { // what the run left, and what is made of the stored answers
            const AnswerSetOptions options{std::nullopt, n};
            std::vector<std::pair<double, double>> found;
            for_each_preference(home.path("run"), reader, options, [&](const Json& row) {
                found.emplace_back(row["score_chosen"].get<double>(), row["score_rejected"].get<double>());
            });
            QVERIFY(found == pairs);
            std::vector<double> found_best;
            for_each_best(home.path("run"), reader, options,
                          [&](const Json& row) { found_best.push_back(row["score"].get<double>()); });
            QVERIFY(found_best == best);
        }
    }

    void rlooTrainsOnARemoteReward() {
        const Lab home;
        ScriptedServer server([](const ReceivedRequest& request) { return reward_answer(request); });
        home.point_at(server);
        RlooTestRun run;
        run.recipe.update({{"rewards", {"remote:0.5", "length"}}, {"judge_endpoint", "lab"}});
        QVERIFY(run.run() == RunOutcome::finished);
        for (const RolloutGroup& group : run.observer.groups)
            for (const RolloutSample& sample : group.samples) {
                const double expected = reward_of(sample.text);
                const double given = sample.rewards.at("remote");
                QVERIFY(std::isnan(expected) ? std::isnan(given) : given == expected);
                if (std::isnan(expected)) // "length" alone would count it as a 0
                    QVERIFY(std::isnan(sample.reward) && sample.advantage == 0);
                else
                    QVERIFY(std::abs(sample.reward - 0.5 * expected - sample.rewards.at("length")) < 1e-9);
            }
        QCOMPARE(run.metric(1, "judge/asked") + run.metric(1, "judge/stored"), 12.0);
        QVERIFY(run.metric(1, "judge/prompt_tokens") > 0);
        QVERIFY(run.metric(1, "judge/cost") > 0);
    }

    void aGroupWithoutAScoreIsSkipped() {
        const Lab home;
        ScriptedServer server([](const ReceivedRequest&) { return chat_answer("I cannot say."); });
        home.point_at(server);
        RlooTestRun run;
        run.recipe.update(
            {{"rewards", {"remote"}}, {"judge_endpoint", "lab"}, {"max_steps", 2}, {"weight_decay", 0}});
        QVERIFY(run.run() == RunOutcome::finished);
        QVERIFY(run.observer.has_event("warning", "4 groups of this step have no reward and are skipped"));
        QCOMPARE(run.metric(1, "grad_norm"), 0.0);
        for (const RolloutGroup& group : run.observer.groups)
            for (const RolloutSample& sample : group.samples) {
                QVERIFY(sample.masked && std::isnan(sample.rewards.at("remote")));
                QCOMPARE(sample.advantage, 0.0);
                QVERIFY(sample.note.find("I cannot say.") != std::string::npos);
            }
    }
};

QTEST_GUILESS_MAIN(TestRemoteJudgeRun)
#include "tst_remote_judge_run.moc"
