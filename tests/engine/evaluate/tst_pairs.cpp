#include "comparison_observer.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/data/jsonl.h"
#include "core/engine/evaluate/pairs.h"
#include "core/engine/reward/reward_model.h"
#include "core/recipe/pairs_recipe.h"
#include "core/stats/best_and_worst.h"
#include "core/store/run_reader.h"
#include "core/task/constraints.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <cmath>
#include <set>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

RunRequest request(const fs::path& folder, std::int64_t prompts) {
    PairsRecipe recipe;
    recipe.model = source_dir() + "/tests/golden/models/qwen2-tied";
    recipe.prompts = prompts;
    recipe.chat_template = "chatml";
    recipe.k = 5;
    recipe.temperature = 1.5;
    recipe.max_tokens = 30;
    recipe.seed = 2;
    recipe.slots = 6;
    RunRequest result;
    result.kind = "pairs";
    result.recipe = recipe.to_json();
    result.folder = folder;
    result.threads = 2;
    return result;
}

std::vector<JsonRow> rows_of(const fs::path& file) {
    JsonlReader reader(file);
    std::vector<JsonRow> rows;
    while (auto row = reader.next())
        rows.push_back(*row);
    return rows;
}

/// The answer in a column that is a conversation's last turn.
std::string answer(const JsonRow& row, const char* column) {
    const Json& turns = row.value.at(column);
    return turns.size() == 1 && turns[0]["role"] == "assistant" ? turns[0]["content"].get<std::string>()
                                                                : "?";
}

/// The user's turn.
std::string question(const JsonRow& row) {
    const Json& turns = row.value.at("prompt");
    return turns.size() == 2 && turns[0]["role"] == "system" && turns[1]["role"] == "user"
               ? turns[1]["content"].get<std::string>()
               : "?";
}

Sample made(double score, const char* finish) {
    Sample sample;
    sample.score = score;
    sample.finish = finish;
    return sample;
}

} // namespace

class TestPairs : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theBestIsAWholeAnswerAndTheFirstOfEquals() {
        auto of = [](std::vector<Sample> samples) {
            const auto [best, worst] = best_and_worst(samples);
            return std::pair(best, worst);
        };
        QCOMPARE(of({made(0.5, "eos")}), std::pair(std::size_t{0}, std::size_t{0}));
        QCOMPARE(of({made(0.5, "eos"), made(1, "eos"), made(0, "eos"), made(1, "eos"), made(0, "eos")}),
                 std::pair(std::size_t{1}, std::size_t{2}));
        QCOMPARE(of({made(1, "length"), made(0, "eos"), made(1, "stop")}),
                 std::pair(std::size_t{2}, std::size_t{1}));
        QCOMPARE(of({made(1, "length"), made(0.5, "eos")}), std::pair(std::size_t{0}, std::size_t{1}));
    }

    void oneAnswerMakesNoPairAndThatIsSaid() {
        QTemporaryDir folder;
        ComparisonObserver seen;
        RunRequest one = request(folder.path().toStdString(), 2);
        one.recipe["k"] = 1;
        QCOMPARE(run_pairs(one, seen, {}), RunOutcome::finished);
        QCOMPARE(seen.headline.at("pairs"), 0.0);
        QVERIFY(std::ranges::any_of(
            seen.events, [](const std::string& event) { return event.find("k is 1") != std::string::npos; }));
    }

    /// A reward model hears all turns of a conversation, as it was trained on them.
    void rewardModelsReadTheConversation() {
        QTemporaryDir folder;
        const fs::path path = folder.path().toStdString();
        const std::string judge = source_dir() + "/tests/golden/encoders/distilbert";
        write_file_atomic(path / "prompts.jsonl",
                          R"({"prompt":[{"role":"system","content":"S"},{"role":"user","content":"Two?"}]})"
                          "\n");
        RunRequest asked = request(path, 1);
        asked.recipe.update({{"data", (path / "prompts.jsonl").string()},
                             {"judge", "reward_model"},
                             {"reward_model", judge}});
        ComparisonObserver seen;
        QCOMPARE(run_pairs(asked, seen, {}), RunOutcome::finished);
        const RewardModel model = RewardModel::load(judge);
        QCOMPARE(seen.samples.size(), std::size_t{5});
        for (const auto& [key, sample] : seen.samples) {
            const std::vector<ChatMessage> whole = {
                {"system", "S"}, {"user", "Two?"}, {"assistant", sample.text}};
            const EncoderInput encoded = model.tokeniser().encode_conversation(whole);
            QVERIFY(std::fabs(sample.score - model.score_inputs(std::span(&encoded, 1)).front()) < 1e-5);
        }
    }

    void everyAnswerIsScoredAndTheBestMeetsTheWorst() {
        QTemporaryDir folder;
        const fs::path path = folder.path().toStdString();
        ComparisonObserver seen;
        RunRequest part = request(path, 30);
        part.recipe["min_score"] = 0.4;
        QCOMPARE(run_pairs(part, seen, {}), RunOutcome::finished);
        QCOMPARE(seen.samples.size(), std::size_t{30 * 5});
        QVERIFY(!seen.twice);
        QVERIFY(seen.prompts[0].text.starts_with("<|im_start|>system\n"));
        double total = 0;
        std::map<std::string, std::vector<std::pair<double, std::string>>> answers; // by prompt
        for (const auto& [key, sample] : seen.samples) {
            const PromptRecord& prompt = seen.prompts[static_cast<std::size_t>(key.first)];
            QCOMPARE(sample.score, check_constraints(prompt.facts, sample.text).score);
            QVERIFY(sample.token_ids.size() == sample.logprobs.size());
            const auto begin = prompt.text.find("user\n") + 5;
            answers[prompt.text.substr(begin, prompt.text.find("<|im_end|>", begin) - begin)].push_back(
                {sample.score, sample.text});
            total += sample.score;
        }
        std::size_t expected_pairs = 0, expected_best = 0;
        for (const auto& [prompt, list] : answers) {
            const double best = std::ranges::max_element(list)->first,
                         worst = std::ranges::min_element(list)->first;
            expected_pairs += best > worst;
            expected_best += best >= 0.4;
        }
        const auto pairs = rows_of(path / "artifacts/pairs.jsonl"),
                   best = rows_of(path / "artifacts/best.jsonl");
        QVERIFY2(expected_pairs > 0 && expected_pairs < 30,
                 std::to_string(expected_pairs).c_str()); // both cases
        const auto asked = rows_of(path / "artifacts/_prompts.jsonl");
        QCOMPARE(asked.size(), std::size_t{30});
        QVERIFY(seen.prompts[29].text.find("user\n" + question(asked[29]) + "<|im_end|>")
                != std::string::npos);
        QCOMPARE(pairs.size(), expected_pairs);
        QCOMPARE(best.size(), expected_best);
        QCOMPARE(seen.headline["pairs"], static_cast<double>(expected_pairs));
        QCOMPARE(seen.headline["best"], static_cast<double>(expected_best));
        QVERIFY(std::abs(seen.headline["mean_score"] - total / 150) < 1e-12);
        for (const JsonRow& row : pairs) {
            auto list = answers.at(question(row));
            const double high = row.value["score_chosen"].get<double>(),
                         low = row.value["score_rejected"].get<double>();
            QVERIFY(high > low);
            QCOMPARE(high, std::ranges::max_element(list)->first);
            QCOMPARE(low, std::ranges::min_element(list)->first);
            auto holds = [&](double score, const char* column) {
                return std::ranges::count(list, std::pair(score, answer(row, column))) > 0;
            };
            QVERIFY(holds(high, "chosen") && holds(low, "rejected"));
        }
        for (const JsonRow& row : best) {
            QVERIFY(row.value["score"].get<double>() >= 0.4);
            QVERIFY(answers.contains(question(row)) && answer(row, "completion") != "?");
        }
    }

    void problemsAreWrittenAsTexts() {
        QTemporaryDir folder;
        RunRequest part = request(folder.path().toStdString(), 4);
        part.recipe.merge_patch({{"data", "countdown"}, {"judge", "countdown"}, {"prompt_style", "short"}});
        ComparisonObserver seen;
        QCOMPARE(run_pairs(part, seen, {}), RunOutcome::finished);
        const auto best = rows_of(part.folder / "artifacts/best.jsonl");
        QCOMPARE(best.size(), std::size_t{4});
        for (std::size_t i = 0; i < 4; ++i) {
            QCOMPARE(best[i].text({"prompt"}, false), seen.prompts[i].text);
            QVERIFY(best[i].value["completion"].is_string());
        }
    }

    void aMarginLeavesCloseOnesOut() {
        QTemporaryDir folder;
        RunRequest part = request(folder.path().toStdString(), 30);
        part.recipe["min_margin"] = 0.6;
        ComparisonObserver seen;
        QCOMPARE(run_pairs(part, seen, {}), RunOutcome::finished);
        for (const JsonRow& row : rows_of(part.folder / "artifacts/pairs.jsonl"))
            QVERIFY(row.value["score_chosen"].get<double>() - row.value["score_rejected"].get<double>()
                    >= 0.6);
    }

    void rewardPairsHaveAnswersOfOtherPrompts() {
        QTemporaryDir folder;
        RunRequest part = request(folder.path().toStdString(), 30);
        part.recipe["off_topic"] = 3;
        ComparisonObserver seen;
        QCOMPARE(run_pairs(part, seen, {}), RunOutcome::finished);
        std::map<std::string, std::set<std::int64_t>> prompts_of_answer;
        for (const auto& [key, sample] : seen.samples)
            prompts_of_answer[sample.text].insert(key.first);
        const auto pairs = rows_of(part.folder / "artifacts/pairs.jsonl"),
                   rows = rows_of(part.folder / "artifacts/reward.jsonl");
        QCOMPARE(seen.headline.at("reward_pairs"), static_cast<double>(rows.size()));
        std::map<std::int64_t, int> off_topic; // by prompt
        std::size_t own = 0;
        for (const JsonRow& row : rows) {
            const std::string rejected = answer(row, "rejected"),
                              turn = "user\n" + question(row) + "<|im_end|>";
            const auto prompt = std::ranges::find_if(seen.prompts, [&](const PromptRecord& each) {
                return each.text.find(turn) != std::string::npos;
            });
            QVERIFY(prompt != seen.prompts.end());
            QVERIFY(prompts_of_answer.at(answer(row, "chosen")).contains(prompt->index));
            const double low = row.value["score_rejected"].get<double>();
            QCOMPARE(low, check_constraints(prompt->facts, rejected).score);
            QVERIFY(row.value["score_chosen"].get<double>() > low);
            if (own < pairs.size() && row.value == pairs[own].value)
                ++own;
            else {
                QVERIFY(!prompts_of_answer.at(rejected).contains(prompt->index));
                ++off_topic[prompt->index];
            }
        }
        QCOMPARE(own, pairs.size());
        QVERIFY(!off_topic.empty());
        for (const auto& [prompt, count] : off_topic)
            QVERIFY(count <= 3);
        part.recipe["judge"] = "remote";
        part.recipe["judge_endpoint"] = "nvidia";
        QVERIFY_THROWS_EXCEPTION(Error, run_pairs(part, seen, {}));
    }

    void noPairAtAllIsSaid() {
        QTemporaryDir folder;
        RunRequest none = request(folder.path().toStdString(), 4);
        none.recipe["min_margin"] = 1e6;
        none.recipe["min_score"] = 1e6;
        ComparisonObserver seen;
        QCOMPARE(run_pairs(none, seen, {}), RunOutcome::finished);
        QCOMPARE(seen.headline.at("pairs"), 0.0);
        for (const char* part : {"No preference pair", "min_score"})
            QVERIFY(std::ranges::any_of(seen.events, [&](const std::string& event) {
                return event.find(part) != std::string::npos;
            }));
    }

    /// A resumed run leaves out the same rows.
    void promptsThatAreTooLongAreSkipped() {
        QTemporaryDir folder;
        RunRequest part = request(folder.path().toStdString(), 0);
        const fs::path file = part.folder / "prompts.jsonl";
        std::string rows;
        for (int i = 0; i < 6; ++i)
            rows += to_json_line({{"prompt", i == 1 ? std::string(700, '7') : "Row " + std::to_string(i)}})
                    + "\n";
        write_file_atomic(file, rows);
        part.recipe.update({{"data", file.string()},
                            {"prompts", 6},
                            {"judge", "reward_model"},
                            {"reward_model", source_dir() + "/tests/golden/encoders/distilbert"}});
        {
            RunWriter writer(part.folder);
            ComparisonObserver seen;
            seen.writer = &writer;
            seen.stop_after = 1;
            run_pairs(part, seen, seen.stop);
            QVERIFY(seen.tells("1 of 6 rows was skipped: prompts.jsonl row 2 has"));
        }
        part.resume = true;
        ComparisonObserver rest;
        QCOMPARE(run_pairs(part, rest, {}), RunOutcome::finished);
        QCOMPARE(rest.progress.done, 25);
        QCOMPARE(rest.progress.total, 25);
        const auto asked = rows_of(part.folder / "artifacts/_prompts.jsonl");
        QCOMPARE(asked.size(), std::size_t{5});
        QCOMPARE(question(asked[1]), std::string("Row 2"));
        part.recipe["bad_rows"] = "refuse";
        try {
            run_pairs(part, rest, {});
            QFAIL("it ran");
        } catch (const Error& error) {
            QVERIFY2(std::string(error.what()).starts_with("prompts.jsonl row 2 has "), error.what());
        }
    }

    void aFolderThatCannotBeMadeIsNamed() {
        QTemporaryDir folder;
        const RunRequest run = request(folder.path().toStdString(), 2);
        write_file_atomic(run.folder / "artifacts", "a file");
        ComparisonObserver seen;
        try {
            run_pairs(run, seen, {});
            QFAIL("wrote into a file");
        } catch (const Error& error) {
            QVERIFY2(std::string(error.what()).find("artifacts") != std::string::npos, error.what());
        }
    }

    void resumesWhatWasStopped() {
        QTemporaryDir whole_folder, folder;
        ComparisonObserver whole;
        RunRequest all = request(whole_folder.path().toStdString(), 40);
        all.recipe["off_topic"] = 2;
        QCOMPARE(run_pairs(all, whole, {}), RunOutcome::finished);
        RunRequest part = request(folder.path().toStdString(), 40);
        part.recipe = all.recipe;
        {
            RunWriter writer(part.folder);
            ComparisonObserver seen;
            seen.writer = &writer;
            seen.stop_after = 1;
            run_pairs(part, seen, seen.stop);
        }
        const std::int64_t before = RunReader(part.folder).sample_count();
        QVERIFY(before > 0);
        part.resume = true;
        ComparisonObserver rest;
        QCOMPARE(run_pairs(part, rest, {}), RunOutcome::finished);
        QCOMPARE(static_cast<std::int64_t>(rest.samples.size()), 200 - before);
        for (const char* name : {"pairs.jsonl", "best.jsonl", "reward.jsonl"})
            QCOMPARE(read_file(part.folder / "artifacts" / name, 1 << 24),
                     read_file(all.folder / "artifacts" / name, 1 << 24));
        part.recipe["data_seed"] = 9;
        QVERIFY_THROWS_EXCEPTION(Error, run_pairs(part, rest, {}));
    }
};

QTEST_APPLESS_MAIN(TestPairs)
#include "tst_pairs.moc"
