#include "recording_observer.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/model/encoder_io.h"
#include "core/engine/reward/reward_model.h"
#include "core/engine/train/reward.h"
#include "core/engine/train/reward_data.h"
#include "core/engine/train/reward_step.h"
#include "tests/support/paths.h"

#include <QtTest>
#include <numeric>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden";

/// A run in a temporary folder on a tiny encoder.
struct TestRun {
    QTemporaryDir folder;
    Json recipe;
    RecordingObserver observer;

    explicit TestRun(const std::string& model = "bert") {
        recipe = {{"kind", "reward"},
                  {"model", (golden / "encoders" / model).string()},
                  {"data", (golden / "reward/rows.jsonl").string()},
                  {"examples", 0},
                  {"validation_examples", 0},
                  {"learning_rate", 2e-3},
                  {"batch_size", 2},
                  {"max_length", 64},
                  {"max_steps", 6},
                  {"eval_steps", 0},
                  {"checkpoint_steps", 0}};
    }
    fs::path path() const { return folder.path().toStdString(); }
    RunOutcome run(bool resume = false) {
        observer.stop = StopToken();
        return run_reward({"reward", recipe, path(), resume, 2}, observer, observer.stop);
    }
};

Json cases() {
    return read_json_file(golden / "reward/expected.json");
}

std::vector<RewardText> row_texts() {
    std::vector<RewardText> texts;
    JsonlReader reader(golden / "reward/rows.jsonl");
    while (auto row = reader.next())
        for (const char* side : {"chosen", "rejected"})
            texts.push_back({row->text({"prompt"}, true), row->text({side}, true)});
    return texts;
}

std::string weights_in(const fs::path& folder) {
    return read_file(folder / "model.safetensors", 1u << 24);
}

std::string refusal(TestRun& run) {
    try {
        run.run();
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

} // namespace

class TestReward : public QObject {
    Q_OBJECT

private Q_SLOTS:
    /// Losses, gradient norms, metrics and the scores after five steps. Bradley-Terry alone says nothing of
    /// the scores' level: the gradient of the classifier's bias is 0 but for rounding, which Adam scales up
    /// to whole steps. So levels are compared where something holds them, else distances from the mean.
    void stepsEqualTransformers_data() {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const Json& item : cases())
            QTest::newRow(item["name"].get<std::string>().c_str()) << index++;
    }
    void stepsEqualTransformers() {
        QFETCH(int, index);
        Json item = cases()[static_cast<std::size_t>(index)];
        TestRun run;
        run.recipe.update(item["recipe"]);
        run.recipe["model"] = (golden / "encoders" / item["recipe"]["model"].get<std::string>()).string();
        run.recipe["dropout"] = false;
        run.recipe["micro_batch_tokens"] = 200; // several micro-batches a step
        QVERIFY(run.run() == RunOutcome::finished);
        const bool free_level =
            RewardRecipe::from(run.recipe).center_rewards == 0 && run.recipe["objective"] == "bradley-terry";
        std::int64_t step = 0;
        for (const Json& wanted : item["steps"]) {
            auto& found = run.observer.metrics[++step];
            for (const char* name : {"loss", "grad_norm", "learning_rate", "accuracy", "margin", "min_reward",
                                     "mean_reward", "max_reward"}) {
                if (!wanted.contains(name)) continue;
                double a = found[name], b = wanted[name].get<double>();
                if (free_level && std::string_view(name).ends_with("_reward")) {
                    a -= found["mean_reward"];
                    b -= wanted["mean_reward"].get<double>();
                }
                QVERIFY2(std::fabs(a - b) < 1e-4 * std::max(1.0, std::fabs(b)),
                         qPrintable(QString("step %1 %2: %3 for %4").arg(step).arg(name).arg(a).arg(b)));
            }
        }
        QCOMPARE(step, std::int64_t{5});
        auto scores = RewardModel::load(run.path() / "model").score(row_texts());
        auto after = item["after"].get<std::vector<double>>();
        auto mean = [](const std::vector<double>& values) {
            return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
        };
        const double shift = free_level ? mean(scores) - mean(after) : 0;
        for (std::size_t i = 0; i < scores.size(); ++i)
            QVERIFY2(std::fabs(scores[i] - shift - after[i]) < 5e-4 * std::max(1.0, std::fabs(after[i])),
                     qPrintable(QString("%1: %2 for %3").arg(i).arg(scores[i] - shift).arg(after[i])));
    }

    void gradientsDoNotDependOnMicroBatches() {
        TestRun run;
        RewardRecipe recipe = RewardRecipe::from(run.recipe);
        Encoder model = load_encoder(recipe.model).model;
        RewardTokeniser tokeniser(recipe.model, {RewardForm::plain, "", 64}, model.config);
        RewardData data = load_reward_data(recipe, tokeniser, run.observer);
        auto examples = reward_examples(data.train, false);
        for (const NamedWeight& weight : huggingface_weights(model))
            weight.view.set_requires_grad(true);
        std::vector<std::int64_t> all{0, 1, 2, 3, 4, 5};
        std::vector<at::Tensor> sums;
        for (std::int64_t tokens : {64, 100000}) {
            for (const NamedWeight& weight : huggingface_weights(model))
                weight.view.mutable_grad() = at::Tensor();
            accumulate_reward_gradients({model, at::kCPU, tokens, 0.01, {}}, examples, all, 0, {});
            sums.push_back(model.words.grad().clone());
        }
        QVERIFY((sums[0] - sums[1]).norm().item<double>() < 1e-5 * sums[1].norm().item<double>());
    }

    void baseEncoderLearnsAndIsEvaluated() {
        TestRun run("bert-base");
        run.recipe["validation_examples"] = 2;
        run.recipe["eval_steps"] = 10;
        run.recipe["max_steps"] = 30;
        run.recipe["batch_size"] = 4;
        run.recipe["learning_rate"] = 5e-3;
        run.recipe["dropout"] = false;
        std::vector<std::string> added{"<|im_start|>", "<|im_end|>", "[SEP]"};
        while (added.size() < 120) // more than the embedding has rows to spare
            added.push_back("<|" + std::to_string(added.size()) + "|>");
        run.recipe["added_tokens"] = added;
        run.recipe["text"] = "chat";
        QVERIFY(run.run() == RunOutcome::finished);
        QVERIFY(run.observer.has_event("log", "classifier.weight"));
        auto& last = run.observer.metrics[30];
        QVERIFY(last["loss"] < 0.3);
        QVERIFY(last["loss"] < run.observer.metrics[1]["loss"]);
        for (const char* name : {"eval_loss", "eval_accuracy", "eval_margin", "eval_calibration_error",
                                 "eval_score_correlation", "eval_min_reward", "eval_runtime"})
            QVERIFY2(last.contains(name), name);
        RewardModel model = RewardModel::load(run.path() / "model");
        const Tokenizer& tokenizer = model.tokeniser().tokenizer();
        QVERIFY(model.encoder().config.vocab_size > 200);
        QCOMPARE(model.encoder().config.vocab_size, static_cast<std::int64_t>(tokenizer.id_limit()));
        QCOMPARE(tokenizer.encode("<|im_end|><|119|>").size(), std::size_t{2});
        QVERIFY(model.tokeniser().format().form == RewardForm::chat);
        QCOMPARE(model.tokeniser().format().max_length, std::int64_t{64});
    }

    void regressionLearnsTheScores() {
        TestRun run("distilbert");
        run.recipe["objective"] = "regression";
        run.recipe["max_steps"] = 60;
        run.recipe["batch_size"] = 12;
        run.recipe["learning_rate"] = 1e-2;
        run.recipe["dropout"] = false;
        QVERIFY(run.run() == RunOutcome::finished);
        QVERIFY(run.observer.metrics[60]["loss"] < 0.2 * run.observer.metrics[1]["loss"]);
        QVERIFY(!run.observer.metrics[60].contains("accuracy"));
    }

    /// Rows with one scored text train alone and beside pairs; whole texts are read as they are.
    void regressionTakesSingleTexts() {
        TestRun run("distilbert");
        const fs::path rows = run.path() / "rows.jsonl";
        std::string text;
        for (int i = 0; i < 8; ++i) {
            const std::string word = i % 2 ? "good" : "bad";
            text += "{\"text\":\"" + word + " number " + std::to_string(i)
                    + "\",\"score\":" + std::to_string(i % 2) + "}\n{\"prompt\":\"which " + std::to_string(i)
                    + "\",\"completion\":\"" + word + "\",\"score\":" + std::to_string(i % 2) + "}\n";
        }
        write_file_atomic(rows, text);
        run.recipe.update({{"data", rows.string()},
                           {"objective", "regression"},
                           {"validation_examples", 4},
                           {"eval_steps", 60},
                           {"max_steps", 60},
                           {"batch_size", 12},
                           {"learning_rate", 1e-2},
                           {"dropout", false}});
        QVERIFY(run.run() == RunOutcome::finished);
        auto& last = run.observer.metrics[60];
        QVERIFY(last["loss"] < 0.2 * run.observer.metrics[1]["loss"]);
        QVERIFY(last.contains("eval_loss") && last.contains("eval_score_correlation"));
        QVERIFY(!last.contains("eval_accuracy") && !last.contains("eval_calibration_error"));

        write_file_atomic(rows, read_file(golden / "reward/rows.jsonl", 1 << 20) + text);
        run.recipe["validation_examples"] = 12;
        run.recipe["max_steps"] = 1;
        run.recipe["eval_steps"] = 1;
        run.observer.metrics.clear();
        RewardRecipe recipe = RewardRecipe::from(run.recipe);
        Encoder model = load_encoder(recipe.model).model;
        RewardData data = load_reward_data(
            recipe, RewardTokeniser(recipe.model, {RewardForm::plain, "", 64}, model.config), run.observer);
        const auto is_pair = [](const RewardPair& pair) { return pair.rejected.has_value(); };
        const auto pairs = std::ranges::count_if(data.validation, is_pair);
        QVERIFY(pairs > 0 && pairs < 12);
        QVERIFY(std::ranges::is_partitioned(data.validation, is_pair));
        // By hand: the mean over every text, and the share of pairs in order.
        double loss = 0, right = 0, texts = 0;
        auto score = [&](const EncoderInput& input) {
            return score_inputs(model, std::vector{input}, 4096, at::kCPU).front();
        };
        for (const RewardPair& pair : data.validation) {
            const double a = score(pair.chosen);
            loss += std::pow(a - *pair.score_chosen, 2);
            ++texts;
            if (!pair.rejected) continue;
            const double b = score(*pair.rejected);
            loss += std::pow(b - *pair.score_rejected, 2);
            right += a > b;
            ++texts;
        }
        auto found = evaluate_reward({model, at::kCPU, 100000, 0, {}}, data.validation, true, {});
        QCOMPARE(found->at(0).name, std::string("eval_loss"));
        QVERIFY(std::fabs(found->at(0).value - loss / texts) < 1e-4 * loss / texts);
        QCOMPARE(found->at(1).name, std::string("eval_accuracy"));
        QCOMPARE(found->at(1).value, right / static_cast<double>(pairs));
    }

    /// Dropout on, stopped after step 3 of 6 and taken up again.
    void resumedRunIsBitEqual() {
        TestRun whole, broken;
        whole.run();
        broken.observer.stop_after = 3;
        QVERIFY(broken.run() == RunOutcome::stopped);
        broken.observer.stop_after = -1;
        QVERIFY(broken.run(true) == RunOutcome::finished);
        QVERIFY(weights_in(whole.path() / "model") == weights_in(broken.path() / "model"));
        for (std::int64_t step = 1; step <= 6; ++step)
            for (const char* name : {"loss", "accuracy", "margin", "grad_norm", "max_reward"})
                QCOMPARE(broken.observer.metrics[step][name], whole.observer.metrics[step][name]);
    }

    void bestModelIsKept() {
        TestRun run;
        run.recipe["validation_examples"] = 2;
        run.recipe["eval_steps"] = 1;
        run.recipe["patience"] = 2;
        run.recipe["max_steps"] = 40;
        run.recipe["learning_rate"] = 5e-2; // runs away
        QVERIFY(run.run() == RunOutcome::finished);
        std::int64_t best = -1;
        for (const CheckpointRecord& checkpoint : run.observer.checkpoints)
            if (checkpoint.best) best = checkpoint.step;
        QVERIFY(best > 0);
        QVERIFY(weights_in(run.path() / "model")
                == weights_in(run.path() / "checkpoints" / std::to_string(best) / "model"));
    }

    void rowsWithoutWhatIsAskedAreNamed() {
        TestRun run;
        fs::path rows = run.path() / "rows.jsonl";
        write_file_atomic(rows,
                          "{\"prompt\":\"a\",\"chosen\":\"b\",\"rejected\":\"c\",\"score_chosen\":1,"
                          "\"score_rejected\":0}\n{\"prompt\":\"d\",\"chosen\":\"e\",\"rejected\":\"f\"}\n");
        run.recipe["data"] = rows.string();
        run.recipe["objective"] = "regression";
        auto told = [&] { return run.observer.has_event("warning", "rows.jsonl row 2"); };
        for (const char* objective : {"regression", "bradley-terry"}) {
            run.recipe["objective"] = objective;
            run.recipe["use_margin"] = objective == std::string("bradley-terry");
            run.recipe["bad_rows"] = "refuse";
            QVERIFY(refusal(run).find("rows.jsonl row 2") != std::string::npos);
            QVERIFY(!told());
            run.recipe["bad_rows"] = "skip";
            QCOMPARE(refusal(run), std::string("accepted"));
            QVERIFY(told());
            run.observer.events.clear();
        }
        run.recipe["use_margin"] = false;
        QCOMPARE(refusal(run), std::string("accepted"));
    }

    void contradictionsAreRefused() {
        TestRun run;
        run.recipe["objective"] = "regression";
        run.recipe["center_rewards"] = 0.1;
        QVERIFY(refusal(run).find("center_rewards") != std::string::npos);
        run.recipe["center_rewards"] = 0;
        run.recipe["dtype"] = "bfloat16";
        QVERIFY(refusal(run).find("float32") != std::string::npos);
        run.recipe["dtype"] = "float32";
        run.recipe["model"] = (golden / "models/qwen2-tied").string();
        QVERIFY(refusal(run).find("deberta") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestReward)
#include "tst_reward.moc"
