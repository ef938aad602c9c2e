#include "comparison_observer.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/evaluate/win_rate.h"
#include "core/engine/reward/reward_model.h"
#include "core/recipe/win_rate_recipe.h"
#include "core/stats/win_rate.h"
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

std::string golden_model(const char* name) {
    return source_dir() + "/tests/golden/models/" + name;
}

fs::path golden_encoder() {
    return fs::path(source_dir()) / "tests/golden/encoders/bert";
}

RunRequest request(const fs::path& folder, const char* tuned, std::int64_t prompts = 12) {
    WinRateRecipe recipe;
    recipe.base = golden_model("qwen2-tied");
    recipe.tuned = golden_model(tuned);
    recipe.prompts = prompts;
    recipe.chat_template = "chatml";
    recipe.temperature = 1.5;
    recipe.top_p = 1;
    recipe.max_tokens = 30;
    recipe.slots = 4;
    recipe.seed = 3;
    RunRequest result;
    result.kind = "win_rate";
    result.recipe = recipe.to_json();
    result.folder = folder;
    result.threads = 2;
    return result;
}

void compare(const ComparedReply& a, const ComparedReply& b) {
    QCOMPARE(a.text, b.text);
    QCOMPARE(a.tokens, b.tokens);
    QCOMPARE(a.finish, b.finish);
    QCOMPARE(a.score, b.score);
    QCOMPARE(a.token_ids, b.token_ids);
    QCOMPARE(a.logprobs.size(), b.logprobs.size());
    for (std::size_t i = 0; i < a.logprobs.size(); ++i) // drawn in other company: equal but for rounding
        QVERIFY(std::abs(a.logprobs[i] - b.logprobs[i]) < 1e-4f);
}

} // namespace

class TestWinRateRun : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> cache_;

private Q_SLOTS:
    void init() {
        cache_ = std::make_unique<QTemporaryDir>();
        qputenv("TEMPERA_CACHE", cache_->path().toUtf8());
    }

    void bothModelsAnswerAndAreJudged() {
        QTemporaryDir folder;
        const fs::path path = folder.path().toStdString();
        ComparisonObserver seen;
        QCOMPARE(run_win_rate(request(path, "qwen2-untied"), seen, {}), RunOutcome::finished);
        QCOMPARE(seen.comparisons.size(), std::size_t{12});
        QVERIFY(!seen.twice);
        std::vector<double> base, tuned;
        std::set<std::string> texts;
        for (const auto& [index, comparison] : seen.comparisons) {
            for (const ComparedReply* reply : {&comparison.base, &comparison.tuned}) {
                const auto verdict = check_constraints(comparison.facts, reply->text);
                QCOMPARE(reply->score, verdict.score);
                QCOMPARE(reply->note, verdict.reason);
                QVERIFY(reply->tokens >= 1 && reply->tokens <= 30);
                QCOMPARE(static_cast<std::int64_t>(reply->token_ids.size()), reply->tokens);
                QCOMPARE(reply->logprobs.size(), reply->token_ids.size());
                QVERIFY(std::all_of(reply->logprobs.begin(), reply->logprobs.end(),
                                    [](float logprob) { return logprob <= 0; }));
                texts.insert(reply->text);
            }
            base.push_back(comparison.base.score);
            tuned.push_back(comparison.tuned.score);
        }
        QVERIFY(texts.size() > 12); // two models that differ
        const WinRate expected = win_rate(base, tuned, 100, 0);
        QCOMPARE(seen.headline["win_rate"], expected.rate);
        QCOMPARE(seen.headline["low"], expected.low);
        QCOMPARE(seen.headline["p"], expected.p);
        QCOMPARE(seen.headline["mean_difference"], expected.difference.mean);
        QCOMPARE(seen.headline["ties"], static_cast<double>(expected.ties) / 12);
        QCOMPARE(seen.progress.done, 24);
        for (auto [name, side] :
             {std::pair("base.json", &Comparison::base), std::pair("tuned.json", &Comparison::tuned)}) {
            const Json list = read_json_file(path / "artifacts" / name);
            QCOMPARE(list.size(), std::size_t{12});
            for (const auto& [index, comparison] : seen.comparisons) {
                const Json& row = list[static_cast<std::size_t>(index)];
                QCOMPARE(row["prompt"].get<std::string>(), comparison.prompt);
                QCOMPARE(row["reply"].get<std::string>(), (comparison.*side).text);
                QCOMPARE(row["score"].get<double>(), (comparison.*side).score);
                QCOMPARE(row.size(), std::size_t{3});
            }
        }
    }

    void aModelAgainstItselfTiesAndAnswersOnce() {
        QTemporaryDir folder;
        ComparisonObserver seen;
        QCOMPARE(run_win_rate(request(folder.path().toStdString(), "qwen2-tied"), seen, {}),
                 RunOutcome::finished);
        QCOMPARE(seen.headline["win_rate"], 0.0);
        QCOMPARE(seen.headline["ties"], 1.0);
        QCOMPARE(seen.headline["p"], 1.0);
        int answered = 0;
        for (const auto& message : seen.events)
            answered += message.find(" answers ") != std::string::npos;
        QCOMPARE(answered, 1);
    }

    /// The second tuned model meets the base's replies to the first; another temperature, or weights that
    /// changed, asks the base anew.
    void aBaseAnswersOnceForAllItsComparisons() {
        const auto run = [](const RunRequest& request, ComparisonObserver& seen) {
            QCOMPARE(run_win_rate(request, seen, {}), RunOutcome::finished);
        };
        const auto base_answers = [](const ComparisonObserver& seen) {
            return std::ranges::any_of(seen.events, [](const std::string& message) {
                return message.starts_with("The base model answers ");
            });
        };
        QTemporaryDir first_folder, second_folder, fresh_folder, third_folder, fourth_folder, base_folder;
        ComparisonObserver first, second, fresh, third, fourth;
        run(request(first_folder.path().toStdString(), "qwen2-tied"), first);
        run(request(second_folder.path().toStdString(), "qwen2-untied"), second);
        QVERIFY(base_answers(first));
        QVERIFY(!base_answers(second));
        qputenv("TEMPERA_CACHE", QByteArray(cache_->path().toUtf8() + "/none"));
        run(request(fresh_folder.path().toStdString(), "qwen2-untied"), fresh);
        QVERIFY(base_answers(fresh));
        for (const auto& [index, comparison] : fresh.comparisons) {
            compare(comparison.base, second.comparisons.at(index).base);
            compare(comparison.tuned, second.comparisons.at(index).tuned);
        }
        QCOMPARE(second.headline["win_rate"], fresh.headline["win_rate"]);

        RunRequest hotter = request(third_folder.path().toStdString(), "qwen2-untied");
        hotter.recipe["temperature"] = 1.4;
        run(hotter, third);
        QVERIFY(base_answers(third));

        RunRequest changed = request(fourth_folder.path().toStdString(), "qwen2-untied");
        const fs::path base = fs::path(base_folder.path().toStdString()) / "base";
        fs::copy(golden_model("qwen2-tied"), base, fs::copy_options::recursive);
        std::string weights = read_file(base / "model.safetensors", 1 << 28);
        weights[weights.size() - 2] ^= 1;
        write_file_atomic(base / "model.safetensors", weights);
        changed.recipe["base"] = base.string();
        run(changed, fourth);
        QVERIFY(base_answers(fourth));
    }

    /// Stopped among the base's replies, then among the tuned model's: nothing is drawn again, and the result
    /// is that of an uninterrupted run.
    void resumesWhatWasStopped() {
        QTemporaryDir whole_folder, folder;
        ComparisonObserver whole;
        QCOMPARE(run_win_rate(request(whole_folder.path().toStdString(), "qwen2-untied", 40), whole, {}),
                 RunOutcome::finished);
        RunRequest part = request(folder.path().toStdString(), "qwen2-untied", 40);
        std::size_t compared = 0;
        for (std::int64_t after : {1, 41}) {
            RunWriter writer(part.folder);
            ComparisonObserver seen;
            seen.writer = &writer;
            seen.stop_after = after;
            run_win_rate(part, seen, seen.stop);
            writer.flush();
            QVERIFY(!seen.twice);
            const std::size_t stored = RunReader(part.folder).comparisons().size();
            QCOMPARE(stored, compared + seen.comparisons.size());
            compared = stored;
            part.resume = true;
        }
        RunWriter writer(part.folder);
        ComparisonObserver rest;
        rest.writer = &writer;
        QCOMPARE(run_win_rate(part, rest, {}), RunOutcome::finished);
        writer.flush();
        QCOMPARE(rest.comparisons.size(), 40 - compared);
        const auto stored = RunReader(part.folder).comparisons();
        QCOMPARE(stored.size(), std::size_t{40});
        for (const Comparison& comparison : stored) {
            compare(comparison.base, whole.comparisons.at(comparison.prompt_index).base);
            compare(comparison.tuned, whole.comparisons.at(comparison.prompt_index).tuned);
        }
        for (const char* name : {"win_rate", "low", "high", "p", "mean_difference", "difference_low"})
            QCOMPARE(rest.headline[name], whole.headline[name]);
        QCOMPARE(read_file(part.folder / "artifacts/tuned.json", 1 << 20),
                 read_file(fs::path(whole_folder.path().toStdString()) / "artifacts/tuned.json", 1 << 20));
    }

    void aReplyThatWasCutShortIsDrawnAgain() {
        QTemporaryDir folder;
        RunRequest part = request(folder.path().toStdString(), "qwen2-untied");
        ComparisonObserver first;
        QCOMPARE(run_win_rate(part, first, {}), RunOutcome::finished);
        const fs::path log = part.folder / "artifacts/base_replies.jsonl";
        const std::string text = read_file(log, 1 << 20);
        write_file_atomic(log, text.substr(0, text.size() - 9) + "\xff"); // as a kill may leave it
        { RunWriter writer(part.folder); }
        part.resume = true;
        ComparisonObserver again;
        QCOMPARE(run_win_rate(part, again, {}), RunOutcome::finished);
        for (const auto& [index, comparison] : first.comparisons)
            compare(comparison.base, again.comparisons.at(index).base);
    }

    void aRewardModelJudgesAnything() {
        QTemporaryDir folder;
        RunRequest judged = request(folder.path().toStdString(), "qwen2-untied", 5);
        const fs::path file = judged.folder / "prompts.jsonl", model = golden_encoder();
        write_file_atomic(file, "{\"prompt\":\"Hi\"}\n{\"prompt\":\"Say more\"}\n");
        judged.recipe.merge_patch(
            {{"data", file.string()}, {"judge", "reward_model"}, {"reward_model", model.string()}});
        ComparisonObserver seen;
        QCOMPARE(run_win_rate(judged, seen, {}), RunOutcome::finished);
        QCOMPARE(seen.comparisons.size(), std::size_t{2});
        const RewardModel reward = RewardModel::load(model);
        for (const auto& [index, comparison] : seen.comparisons)
            for (const ComparedReply* reply : {&comparison.base, &comparison.tuned}) {
                const std::vector<RewardText> text = {{comparison.prompt, reply->text}};
                QVERIFY(std::abs(reply->score - reward.score(text)[0]) < 1e-5);
            }
        QVERIFY(seen.comparisons.at(0).base.score != seen.comparisons.at(0).tuned.score);
    }

    /// A row that is too long for one of the models is left out for both, whichever it is.
    void promptsThatAreTooLongForEitherModelAreSkipped() {
        QTemporaryDir folder, small_folder;
        const fs::path small = fs::path(small_folder.path().toStdString()) / "small";
        fs::copy(golden_model("qwen2-untied"), small, fs::copy_options::recursive);
        Json config = read_json_file(small / "config.json");
        config["max_position_embeddings"] = 256; // half the other's
        write_file_atomic(small / "config.json", config.dump());
        RunRequest judged = request(folder.path().toStdString(), "qwen2-untied", 5);
        const fs::path file = judged.folder / "prompts.jsonl";
        std::string rows;
        for (const std::string& prompt : {std::string("Hi"), std::string(700, '7'), std::string("Say more"),
                                          std::string(300, '7'), std::string("Go on")})
            rows += to_json_line({{"prompt", prompt}}) + "\n";
        write_file_atomic(file, rows);
        judged.recipe.merge_patch({{"data", file.string()},
                                   {"judge", "reward_model"},
                                   {"reward_model", golden_encoder().string()}});
        for (const char* shorter : {"tuned", "base"}) {
            RunRequest part = judged;
            part.recipe[shorter] = small.string();
            ComparisonObserver seen;
            QCOMPARE(run_win_rate(part, seen, {}), RunOutcome::finished);
            QCOMPARE(seen.comparisons.size(), std::size_t{3});
            QCOMPARE(seen.comparisons.at(1).prompt, std::string("Say more"));
            QCOMPARE(seen.comparisons.at(2).prompt, std::string("Go on"));
            QCOMPARE(seen.progress.total, 6);
            QVERIFY(seen.tells("2 of 5 rows were skipped: prompts.jsonl row 2 has"));
            QVERIFY(seen.tells("prompts.jsonl row 4 has"));
        }
        const auto fault = [&] {
            ComparisonObserver seen;
            try {
                run_win_rate(judged, seen, {});
            } catch (const Error& error) {
                return QString(error.what());
            }
            return QString("none");
        };
        const QString room = "and needs room for the completion: shorten the prompt.";
        judged.recipe["bad_rows"] = "refuse";
        QVERIFY2(fault().startsWith("prompts.jsonl row 2 has ") && fault().endsWith(room),
                 qPrintable(fault()));
        judged.recipe["bad_rows"] = "skip";
        write_file_atomic(file, to_json_line({{"prompt", std::string(700, '7')}}) + "\n");
        QVERIFY2(fault().startsWith("prompts.jsonl row 1 has ") && fault().endsWith(room),
                 qPrintable(fault()));
    }

    void otherPromptsAreRefusedOnResume() {
        QTemporaryDir folder;
        RunRequest part = request(folder.path().toStdString(), "qwen2-tied");
        ComparisonObserver seen;
        run_win_rate(part, seen, {});
        part.resume = true;
        part.recipe["data_seed"] = 9;
        QVERIFY_THROWS_EXCEPTION(Error, run_win_rate(part, seen, {}));
    }

    void promptsThatTheJudgeCannotCheckAreRefusedBeforeAnythingIsDrawn() {
        QTemporaryDir folder;
        RunRequest bad = request(folder.path().toStdString(), "qwen2-tied");
        const fs::path file = bad.folder / "prompts.jsonl";
        write_file_atomic(file, "{\"prompt\":\"Hi\"}\n");
        bad.recipe["data"] = file.string();
        ComparisonObserver seen;
        try {
            run_win_rate(bad, seen, {});
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::bad_input);
            QVERIFY2(QString(error.what()).contains("prompts.jsonl row 1 (\"Hi\")"), error.what());
        }
        QVERIFY(seen.comparisons.empty());
    }

    void cancelLeavesAtOnce() {
        QTemporaryDir folder;
        ComparisonObserver seen;
        seen.stop.request(StopRequest::cancel);
        QCOMPARE(run_win_rate(request(folder.path().toStdString(), "qwen2-untied"), seen, seen.stop),
                 RunOutcome::cancelled);
        QVERIFY(seen.comparisons.empty());
    }
};

QTEST_APPLESS_MAIN(TestWinRateRun)
#include "tst_win_rate_run.moc"
