#include "rloo_test_run.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/model/forward.h"
#include "core/engine/model/weights.h"
#include "core/engine/reward/reward_model.h"
#include "core/engine/train/rollout.h"

#include <ATen/ATen.h>
#include <QtTest>
#include <cmath>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

std::string model_bytes(const fs::path& run, const std::string& method) {
    return read_file(run / "model" / (method == "lora" ? "adapter_model.safetensors" : "model.safetensors"),
                     1 << 26);
}

} // namespace

class TestRlooRun : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Bug 11: with an adapter's dropout in the recipe, the first step's ratio is 1 and nothing is clipped,
    /// whatever the clip; and the sampler's numbers are the trainer's.
    void theFirstStepsRatioIsExactlyOne() {
        RlooTestRun run("llama-rope", "lora");
        run.recipe.update({{"lora_dropout", 0.05},
                           {"clip_low", 0},
                           {"clip_high", 0},
                           {"iterations", 2},
                           {"learning_rate", 1e-2}});
        QVERIFY(run.run() == RunOutcome::finished);
        for (std::int64_t step : {1, 3}) {
            QCOMPARE(run.metric(step, "ratio/mean"), 1.0);
            QCOMPARE(run.metric(step, "clip_ratio/region_mean"), 0.0);
            QVERIFY(run.metric(step, "sampling/sampling_logp_difference/max") < 1e-4);
        }
        // The second step on the same completions is another policy already.
        QVERIFY(run.metric(2, "ratio/mean") != 1.0);
        QVERIFY(run.metric(2, "clip_ratio/region_mean") > 0);
        QVERIFY(!run.observer.metrics.at(2).contains("reward"));
        // With dropout on the pass that trains is not the policy that drew.
        run.recipe.update({{"disable_dropout", false}, {"lora_dropout", 0.5}, {"max_steps", 3}});
        run.run();
        QVERIFY(run.metric(3, "ratio/mean") != 1.0);
    }

    void aRewardThatNoPromptGivesAnythingToIsRefused() {
        for (auto [data, reward] :
             {std::pair("instructions", "countdown"), std::pair("countdown", "constraints:0.5")}) {
            RlooTestRun run("qwen2-tied", "full");
            run.recipe.update({{"data", data}, {"rewards", {reward}}});
            try {
                run.run();
                QFAIL("it ran");
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::bad_input);
                QVERIFY2(std::string(error.what()).find("which the reward") != std::string::npos,
                         error.what());
            }
        }
    }

    /// Bug 12: the reference is the model the run started from, and stays it.
    void theReferenceIsTheStart_data() {
        QTest::addColumn<QString>("method");
        QTest::newRow("full") << "full";
        QTest::newRow("lora") << "lora";
    }
    void theReferenceIsTheStart() {
        QFETCH(QString, method);
        RlooTestRun run("qwen2-tied", method.toStdString());
        run.recipe.update({{"old_logprobs", "trainer"}, {"learning_rate", 1e-2}});
        QVERIFY(run.run() == RunOutcome::finished);
        QCOMPARE(run.metric(1, "kl"), 0.0);
        QCOMPARE(run.metric(1, "kl_sum"), 0.0);
        QVERIFY(run.metric(4, "kl") > 1e-6);
        // What was reported as reference is what the first model says, after four steps too.
        Decoder start = load_decoder(run.recipe["model"].get<std::string>());
        const RopeTable rope = make_rope_table(start.config, 128);
        const Tokenizer tokenizer = Tokenizer::load(run.recipe["model"].get<std::string>());
        for (const RolloutGroup& group : run.observer.groups) {
            PolicyPrompt prompt;
            prompt.ids = tokenizer.encode(group.prompt, {true, false});
            Rollout one;
            one.prompts = {0};
            one.groups = {group};
            one.old_logprobs.resize(group.samples.size());
            auto wanted =
                completion_logprobs({start, rope, at::kCPU, at::kFloat, 256}, one, {prompt}, 0.8, {});
            for (std::size_t i = 0; i < group.samples.size(); ++i)
                for (std::size_t t = 0; t < (*wanted)[i].size(); ++t)
                    QVERIFY(std::fabs(group.samples[i].ref_logprobs[t] - (*wanted)[i][t]) < 1e-5f);
        }
    }

    /// Bug 13: a higher coefficient keeps the policy nearer, wherever the estimate stands.
    void aHigherCoefficientLowersTheDivergence_data() {
        QTest::addColumn<QString>("place");
        QTest::addColumn<QString>("estimator");
        QTest::newRow("reward") << "reward"
                                << "k1";
        QTest::newRow("loss") << "loss"
                              << "k3";
    }
    void aHigherCoefficientLowersTheDivergence() {
        QFETCH(QString, place);
        QFETCH(QString, estimator);
        std::vector<double> divergence;
        for (double coefficient : {1e-6, 3.0}) {
            RlooTestRun run;
            run.recipe.update({{"kl_coef", coefficient},
                               {"kl_in", place.toStdString()},
                               {"kl_estimator", estimator.toStdString()},
                               {"learning_rate", 5e-3},
                               {"schedule", "constant"},
                               {"batch_size", 36},
                               {"iterations", 2},
                               {"max_steps", 12}});
            run.run();
            divergence.push_back(run.metric(11, "kl"));
        }
        QVERIFY2(divergence[1] < 0.7 * divergence[0],
                 qPrintable(QString("%1 %2").arg(divergence[0]).arg(divergence[1])));
    }

    /// Bugs 1 and 14: there is no padding, and nothing depends on what is computed together.
    void nothingDependsOnHowARolloutIsCut() {
        std::vector<std::vector<double>> found;
        for (auto [batch, accumulation, tokens] :
             {std::array<int, 3>{12, 1, 4096}, {12, 1, 64}, {3, 4, 100}, {4, 3, 4096}}) {
            RlooTestRun run("llama-rope");
            run.recipe.update({{"batch_size", batch},
                               {"accumulation", accumulation},
                               {"micro_batch_tokens", tokens},
                               {"max_steps", 2}});
            run.run();
            found.push_back({});
            for (auto& [step, metrics] : run.observer.metrics)
                for (const char* name : {"grad_norm", "reward", "kl", "entropy", "completions/mean_length"})
                    found.back().push_back(metrics.at(name));
        }
        for (std::size_t k = 1; k < found.size(); ++k)
            for (std::size_t i = 0; i < found[0].size(); ++i)
                QVERIFY2(relative(found[k][i], found[0][i]) < 2e-4,
                         qPrintable(QString("%1 %2").arg(found[k][i]).arg(found[0][i])));
    }

    /// Bug 15: a cut completion keeps its flag and gets no end token; masked, it has no gradient.
    void cutCompletionsStayCut() {
        RlooTestRun run;
        run.recipe.update({{"max_tokens", 2},
                           {"missing_eos_penalty", 5.0},
                           {"mask_truncated", true},
                           {"kl_coef", 0},
                           {"max_steps", 1}});
        run.run();
        int cut = 0;
        for (const RolloutGroup& group : run.observer.groups)
            for (const RolloutSample& sample : group.samples) {
                const bool ended = sample.token_ids.back() == 0;
                QCOMPARE(sample.finish == "length", !ended);
                QCOMPARE(sample.masked, !ended);
                QVERIFY(std::fabs(sample.reward
                                  - (sample.rewards.at("repetition") + 0.5 * sample.rewards.at("length")
                                     - (ended ? 0 : 5)))
                        < 1e-12);
                cut += ended ? 0 : 1;
            }
        QVERIFY(cut > 0);
        QCOMPARE(run.metric(1, "completions/clipped_ratio"), cut / 12.0);
        if (cut == 12) QCOMPARE(run.metric(1, "grad_norm"), 0.0);
    }

    /// Bug 22: the weights are fp32 whatever the computation, so that a tiny learning rate moves them all.
    void aTinyLearningRateMovesEveryWeight() {
        RlooTestRun run;
        run.recipe.update({{"learning_rate", 5e-7},
                           {"schedule", "constant"},
                           {"dtype", "bfloat16"},
                           {"batch_size", 6},
                           {"max_steps", 10},
                           {"max_tokens", 4}});
        run.run();
        Decoder before = load_decoder(model_path("qwen2-tied")), after = load_decoder(run.path() / "model");
        auto a = huggingface_weights(before), b = huggingface_weights(after);
        double moved = 0, all = 0;
        for (std::size_t i = 0; i < a.size(); ++i) {
            if (a[i].name.find("embed") != std::string::npos) continue; // rows of tokens that never occur
            moved += a[i].view.ne(b[i].view).sum().item<double>();
            all += static_cast<double>(a[i].view.numel());
        }
        QVERIFY2(moved > 0.97 * all, qPrintable(QString("%1").arg(moved / all)));
    }

    void aStoppedRunGoesOnBitForBit_data() {
        QTest::addColumn<QString>("method");
        QTest::addColumn<int>("stop");
        QTest::newRow("full, between iterations") << "full" << 3;
        QTest::newRow("lora, between iterations") << "lora" << 3;
        QTest::newRow("lora, between rollouts") << "lora" << 4;
    }
    void aStoppedRunGoesOnBitForBit() {
        QFETCH(QString, method);
        QFETCH(int, stop);
        RlooTestRun whole("llama-rope", method.toStdString()), broken("llama-rope", method.toStdString());
        for (RlooTestRun* run : {&whole, &broken})
            run->recipe.update({{"iterations", 2},
                                {"max_steps", 6},
                                {"lora_dropout", 0.1},
                                {"log_steps", 4},
                                {"disable_dropout", false},
                                {"validation_examples", 6},
                                {"eval_steps", 3}});
        QVERIFY(whole.run() == RunOutcome::finished);
        broken.observer.stop_after = stop;
        QVERIFY(broken.run() == RunOutcome::stopped);
        broken.observer.stop_after = -1;
        QCOMPARE(fs::exists(broken.path() / "checkpoints" / std::to_string(stop) / "rollout.json"),
                 stop == 3);
        QVERIFY(broken.run(true) == RunOutcome::finished);
        QVERIFY(model_bytes(whole.path(), method.toStdString())
                == model_bytes(broken.path(), method.toStdString()));
        for (const auto& [step, metrics] : whole.observer.metrics)
            for (const auto& [name, value] : metrics)
                if (name != "tokens_per_second" && name != "memory_gib" && name != "eval_runtime")
                    QVERIFY2(broken.observer.metrics.at(step).at(name) == value,
                             (name + " of step " + std::to_string(step)).c_str());
    }

    /// Rewards that never differ within a group, as here, fire a rule; where the recipe asks for it, the run
    /// pauses there, and goes on when it is resumed, without being told again.
    void anUnhealthyRunPauses() {
        RlooTestRun run;
        run.recipe.update({{"rewards", {"countdown"}},
                           {"max_tokens", 4},
                           {"health_pause", true},
                           {"max_steps", 6},
                           {"kl_coef", 0}});
        QVERIFY(run.run() == RunOutcome::stopped);
        QVERIFY(run.observer.has_event("health", "nothing is learnt"));
        QCOMPARE(run.observer.metrics.rbegin()->first, std::int64_t{3});
        QVERIFY(fs::exists(run.path() / "checkpoints/3"));
        run.recipe["health_pause"] = false;
        QVERIFY(run.run(true) == RunOutcome::finished);
        QCOMPARE(run.observer.metrics.rbegin()->first, std::int64_t{6});
    }

    /// The same with the reference that a recipe has by default: the sampler's and the reference's numbers
    /// differ by rounding, which is neither variance nor a direction to move in.
    void roundingIsNoDirection() {
        RlooTestRun run;
        run.recipe.update({{"rewards", {"countdown"}}, {"max_tokens", 4}, {"max_steps", 3}});
        QVERIFY(run.run() == RunOutcome::finished);
        QVERIFY(run.metric(1, "sampling/sampling_logp_difference/max") > 0);
        for (std::int64_t step : {1, 2, 3}) {
            QCOMPARE(run.metric(step, "frac_reward_alike"), 1.0);
            QCOMPARE(run.metric(step, "frac_reward_zero_std"), 1.0);
            QCOMPARE(run.metric(step, "grad_norm"), 0.0);
        }
        QVERIFY(run.observer.has_event("health", "nothing is learnt"));
        auto before = load_decoder(model_path("qwen2-tied")), after = load_decoder(run.path() / "model");
        auto a = huggingface_weights(before), b = huggingface_weights(after);
        for (std::size_t i = 0; i < a.size(); ++i)
            QVERIFY2(at::equal(a[i].view, b[i].view), a[i].name.c_str());
    }

    /// Where every completion is cut and masked, that is what is said: there is no entropy of nothing.
    void aRunWithoutACountingCompletionIsTold() {
        RlooTestRun run;
        run.recipe.update({{"max_tokens", 1}, {"mask_truncated", true}, {"max_steps", 12}});
        run.run();
        QCOMPARE(run.metric(12, "completions/masked_ratio"), 1.0);
        QVERIFY(!run.observer.metrics.at(12).contains("entropy"));
        QVERIFY(run.observer.has_event("health", "Every completion of a step is masked"));
        QVERIFY(!run.observer.has_event("health", "entropy"));
    }

    /// A reward model hears all turns of a conversation, as it was trained on them.
    void rewardModelsReadTheConversation() {
        RlooTestRun run;
        const fs::path file = run.path() / "prompts.jsonl";
        const std::vector<ChatMessage> turns = {{"user", "Two?"}, {"assistant", "2"}, {"user", "Twice?"}};
        Json list = Json::array();
        for (const ChatMessage& turn : turns)
            list.push_back({{"role", turn.role}, {"content", turn.content}});
        write_file_atomic(file, to_json_line({{"messages", list}}) + "\n");
        const std::string judge = (golden / "encoders/distilbert").string();
        run.recipe.update({{"data", file.string()},
                           {"rewards", {"model"}},
                           {"reward_model", judge},
                           {"reward_text", "plain"},
                           {"chat_template", "plain"},
                           {"batch_size", 3},
                           {"max_steps", 1}});
        QVERIFY(run.run() == RunOutcome::finished);
        const RewardModel model = RewardModel::load(judge, {.form = RewardForm::plain});
        for (const RolloutSample& sample : run.observer.groups.at(0).samples) {
            std::vector<ChatMessage> whole = turns;
            whole.push_back({"assistant", sample.text});
            const EncoderInput encoded = model.tokeniser().encode_conversation(whole);
            const double wanted = model.score_inputs(std::span(&encoded, 1)).front();
            QVERIFY(std::fabs(sample.rewards.at("model") - wanted) < 1e-5);
        }
    }

    /// A prompt that leaves the model no room is an unusable row like any other.
    void promptsThatAreTooLongAreSkipped() {
        RlooTestRun run;
        const fs::path file = run.path() / "prompts.jsonl";
        std::string rows, long_prompt;
        for (int i = 0; i < 600; ++i)
            long_prompt += " 7 11:";
        for (int i = 0; i < 5; ++i)
            rows += to_json_line({{"prompt", i == 1 ? long_prompt : "1 2:3"}}) + "\n";
        write_file_atomic(file, rows);
        run.recipe.update({{"data", file.string()}, {"max_steps", 1}, {"chat_template", "plain"}});
        QVERIFY(run.run() == RunOutcome::finished);
        QVERIFY(run.observer.has_event("warning", "1 of 5 rows was skipped: prompts.jsonl row 2 has"));
        run.recipe["bad_rows"] = "refuse";
        try {
            run.run();
            QFAIL("it ran");
        } catch (const Error& error) {
            QVERIFY2(std::string(error.what()).find("prompts.jsonl row 2 has") != std::string::npos,
                     error.what());
        }
    }

    /// Held-out prompts are answered before the first step too, and the run trained is the same.
    void theStartIsEvaluated() {
        std::vector<std::string> bytes;
        for (int evaluations : {0, 2}) {
            RlooTestRun run;
            run.recipe.update({{"validation_examples", 6}, {"eval_steps", evaluations}});
            QVERIFY(run.run() == RunOutcome::finished);
            QCOMPARE(run.observer.metrics.contains(0), evaluations > 0);
            if (evaluations > 0) QVERIFY(run.observer.metrics.at(0).contains("eval_score"));
            bytes.push_back(model_bytes(run.path(), "full"));
        }
        QVERIFY(bytes[0] == bytes[1]);
    }

    /// The evaluation before the first step need not be waited for: a resumed run does it anew.
    void aStopLeavesTheFirstEvaluation() {
        const auto prepare = [](RlooTestRun& run) {
            run.recipe.update({{"validation_examples", 6}, {"eval_steps", 2}});
        };
        RlooTestRun whole, broken;
        prepare(whole);
        prepare(broken);
        QVERIFY(whole.run() == RunOutcome::finished);
        broken.observer.stop_phase = "evaluating";
        QVERIFY(broken.run() == RunOutcome::stopped);
        QVERIFY(broken.observer.metrics.empty());
        QVERIFY(broken.observer.checkpoints.empty());
        broken.observer.how = StopRequest::cancel;
        QVERIFY(broken.run() == RunOutcome::cancelled);
        broken.observer.stop_phase.clear();
        QVERIFY(broken.run(true) == RunOutcome::finished);
        for (std::int64_t step : {0, 2, 4})
            for (const char* name : {"eval_reward", "eval_score", "eval_mean_length"})
                QCOMPARE(broken.metric(step, name), whole.metric(step, name));
        QVERIFY(model_bytes(broken.path(), "full") == model_bytes(whole.path(), "full"));
    }

    void rolloutsAreReportedWhole() {
        RlooTestRun run("qwen2-tied", "lora");
        run.recipe.update(
            {{"log_steps", 2}, {"validation_examples", 5}, {"eval_steps", 4}, {"eval_temperature", 0.5}});
        run.run();
        QCOMPARE(run.observer.groups.size(), std::size_t{8}); // steps 2 and 4, four prompts each
        for (const RolloutGroup& group : run.observer.groups) {
            QVERIFY(group.step == 2 || group.step == 4);
            QVERIFY(!group.prompt.empty() && !group.facts.empty());
            double sum = 0;
            for (const RolloutSample& sample : group.samples) {
                QCOMPARE(sample.logprobs.size(), sample.token_ids.size());
                QCOMPARE(sample.ref_logprobs.size(), sample.token_ids.size());
                sum += sample.advantage;
                QVERIFY(std::fabs(sample.reward - 0.05 * sample.kl - sample.baseline - sample.advantage)
                        < 1e-9);
            }
            QVERIFY(std::fabs(sum) < 1e-9);
        }
        for (const char* name :
             {"reward", "reward_std", "rewards/repetition/mean", "rewards/length/std", "kl", "entropy",
              "completions/mean_length", "completions/min_terminated_length", "completions/clipped_ratio",
              "frac_reward_zero_std", "clip_ratio/high_max", "num_tokens", "loss", "grad_norm",
              "learning_rate", "epoch", "tokens_per_second"})
            QVERIFY2(run.observer.metrics.at(4).contains(name), name);
        QVERIFY(run.observer.metrics.at(4).contains("eval_score"));
        QCOMPARE(run.metric(4, "epoch"), 0.4);
        QVERIFY(run.observer.headline.contains("reward"));
    }
};

QTEST_GUILESS_MAIN(TestRlooRun)
#include "tst_rloo_run.moc"
