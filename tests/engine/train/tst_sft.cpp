#include "recording_observer.h"
#include "training_fixture.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/checkpoint/checkpoint.h"
#include "core/engine/lora/adapter_io.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/model/forward.h"
#include "core/engine/train/sft.h"
#include "core/engine/train/sft_setup.h"
#include "core/engine/train/sft_step.h"

#include <ATen/ATen.h>
#include <QtTest>
#include <c10/core/GradMode.h>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

/// A run in a temporary folder on one of the tiny models.
struct TestRun {
    QTemporaryDir folder;
    Json recipe;
    RecordingObserver observer;

    explicit TestRun(const std::string& model = "qwen2-tied") {
        recipe = {{"kind", "sft"},
                  {"model", (golden / "models" / model).string()},
                  {"data", rows()},
                  {"examples", 1000},
                  {"validation_examples", 0},
                  {"method", "full"},
                  {"learning_rate", 3e-3},
                  {"warmup_steps", 0},
                  {"batch_size", 4},
                  {"accumulation", 2},
                  {"max_length", 64},
                  {"max_steps", 10},
                  {"eval_steps", 0},
                  {"checkpoint_steps", 0}};
    }
    static std::string rows() { return (golden / "sft/rows.jsonl").string(); }
    fs::path path() const { return folder.path().toStdString(); }
    RunOutcome run(bool resume = false) {
        observer.stop = StopToken();
        return run_sft({"sft", recipe, path(), resume, 2}, observer, observer.stop);
    }
};

Json golden_cases() {
    return read_json_file(golden / "sft/expected.json");
}

} // namespace

class TestSft : public QObject {
    Q_OBJECT

    void caseNames() {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const Json& item : golden_cases())
            QTest::newRow(item.at("name").get<std::string>().c_str()) << index++;
    }
    static Json recipeOf(const Json& item, TestRun& run) {
        Json recipe = run.recipe;
        recipe.update(item.at("recipe"));
        recipe["model"] = (golden / "models" / item.at("recipe").at("model").get<std::string>()).string();
        return recipe;
    }

private Q_SLOTS:
    void tokensAndLabelsEqualTrl_data() { caseNames(); }
    void tokensAndLabelsEqualTrl() {
        QFETCH(int, index);
        Json item = golden_cases().at(static_cast<std::size_t>(index));
        TestRun run;
        SftRecipe recipe = SftRecipe::from(recipeOf(item, run));
        TrainedModel model = load_trained_model(recipe, {});
        TrainingData data = load_training_data(recipe, model, run.observer);
        // The file's rows come in a seeded order; compare as sets.
        std::multiset<std::vector<int>> found, wanted;
        for (const TokenExample& example : data.train.examples) {
            std::vector<int> both(example.ids.begin(), example.ids.end());
            for (std::int64_t t = 0; t < example.length(); ++t)
                both.push_back(t >= example.label_begin ? example.ids[static_cast<std::size_t>(t)] : -100);
            found.insert(both);
        }
        for (const Json& row : item.at("tokens")) {
            auto both = row.at("ids").get<std::vector<int>>(),
                 labels = row.at("labels").get<std::vector<int>>();
            both.insert(both.end(), labels.begin(), labels.end());
            wanted.insert(both);
        }
        QCOMPARE(found.size(), wanted.size());
        QVERIFY(found == wanted);
        bool completion = recipe.train_on == "completion";
        QCOMPARE(data.train.dropped, std::int64_t{completion ? 1 : 0});
        QCOMPARE(run.observer.has_event("warning", "dropped"), completion);
    }

    void tenStepsEqualTrl_data() { caseNames(); }
    void tenStepsEqualTrl() {
        QFETCH(int, index);
        Json item = golden_cases().at(static_cast<std::size_t>(index));
        TestRun run;
        run.recipe = recipeOf(item, run);
        QVERIFY(run.run() == RunOutcome::finished);
        std::int64_t step = 0;
        for (const Json& wanted : item.at("steps")) {
            auto& found = run.observer.metrics.at(++step);
            for (const char* name : {"loss", "grad_norm", "learning_rate", "num_tokens", "epoch"}) {
                double error = relative(found.at(name), wanted.at(name).get<double>());
                QVERIFY2(error < 1e-4, qPrintable(QString("step %1 %2: %3 instead of %4")
                                                      .arg(step)
                                                      .arg(name)
                                                      .arg(found.at(name), 0, 'g', 9)
                                                      .arg(wanted.at(name).get<double>(), 0, 'g', 9)));
            }
            // These two are means over micro-batches, whose rows TRL shuffles in its own way.
            QVERIFY(found.at("entropy") > 0);
            QVERIFY(found.at("mean_token_accuracy") >= 0);
        }
        QCOMPARE(step, std::int64_t{10});
        QVERIFY(fs::exists(run.path() / "model"
                           / (item.at("recipe").at("method") == "lora" ? "adapter_model.safetensors"
                                                                       : "model.safetensors")));
    }

    /// One batch without accumulation: the means are those of all rows, as TRL's.
    void gradientDoesNotDependOnHowTheBatchIsCut() {
        std::vector<std::vector<double>> norms;
        for (auto [batch, accumulation, tokens] :
             {std::array<int, 3>{8, 1, 100000}, {8, 1, 64}, {2, 4, 100000}, {4, 2, 70}}) {
            TestRun run("llama-rope");
            run.recipe["batch_size"] = batch;
            run.recipe["accumulation"] = accumulation;
            run.recipe["micro_batch_tokens"] = tokens;
            run.recipe["max_steps"] = 3;
            run.run();
            norms.push_back({});
            for (auto& [step, metrics] : run.observer.metrics)
                for (const char* name : {"grad_norm", "loss"})
                    norms.back().push_back(metrics.at(name));
        }
        for (std::size_t k = 1; k < norms.size(); ++k)
            for (std::size_t i = 0; i < norms[0].size(); ++i)
                QVERIFY2(relative(norms[k][i], norms[0][i]) < 1e-5,
                         qPrintable(QString("%1 %2").arg(norms[k][i]).arg(norms[0][i])));
    }

    /// The same for LoRA's dropout: a row's mask does not depend on what it is batched with.
    void dropoutDoesNotDependOnHowTheBatchIsCut() {
        std::vector<double> norms;
        for (int tokens : {100000, 64}) {
            TestRun run;
            run.recipe.update({{"method", "lora"},
                               {"lora_dropout", 0.4},
                               {"batch_size", 8},
                               {"accumulation", 1},
                               {"micro_batch_tokens", tokens},
                               {"max_steps", 3}});
            run.run();
            norms.push_back(run.observer.metrics.at(3).at("grad_norm"));
        }
        QVERIFY(relative(norms[0], norms[1]) < 1e-5);
        TestRun without;
        without.recipe.update({{"method", "lora"},
                               {"lora_dropout", 0.0},
                               {"batch_size", 8},
                               {"accumulation", 1},
                               {"max_steps", 3}});
        without.run();
        QVERIFY(relative(without.observer.metrics.at(3).at("grad_norm"), norms[0]) > 1e-3);
    }

    void everyLoraMatrixMoves() {
        TestRun run("llama-rope");
        run.recipe.update({{"method", "lora"}, {"lora_targets", {"all-linear"}}, {"max_steps", 2}});
        run.run();
        auto weights = weights_of(run.path() / "model" / "adapter_model.safetensors");
        QCOMPARE(weights.size(), std::size_t{28});
        for (const auto& [name, value] : weights)
            QVERIFY2(value.abs().max().item<double>() > 0, name.c_str());
        QVERIFY(relative(logitSum(load_decoder(run.path() / "model")),
                         logitSum(load_decoder(golden / "models/llama-rope")))
                > 1e-6);
    }

    static double logitSum(const Decoder& model) {
        c10::NoGradGuard no_grad;
        std::vector<std::int32_t> ids{5, 6, 7, 8};
        std::vector<std::span<const std::int32_t>> row{ids};
        return decoder_logits(model,
                              decoder_hidden(model, make_token_row(row), make_rope_table(model.config, 8)))
            .abs()
            .sum()
            .item<double>();
    }

    void stopAndResumeIsBitEqual_data() {
        QTest::addColumn<QString>("method");
        QTest::addColumn<int>("stop_after");
        for (const char* method : {"full", "lora"})
            for (int step : {1, 4, 7})
                QTest::addRow("%s after %d", method, step) << method << step;
    }
    void stopAndResumeIsBitEqual() {
        QFETCH(QString, method);
        QFETCH(int, stop_after);
        auto prepare = [&](TestRun& run) {
            run.recipe.update({{"method", method.toStdString()},
                               {"lora_dropout", 0.2},
                               {"batch_size", 3},
                               {"accumulation", 1},
                               {"weight_decay", 0.1},
                               {"max_steps", 0},
                               {"epochs", 3},
                               {"log_steps", stop_after == 4 ? 3 : 1}});
        };
        TestRun whole, broken;
        prepare(whole);
        prepare(broken);
        QVERIFY(whole.run() == RunOutcome::finished);
        broken.observer.stop_after = stop_after;
        QVERIFY(broken.run() == RunOutcome::stopped);
        QVERIFY(!fs::exists(broken.path() / "model"));
        QCOMPARE(broken.observer.checkpoints.back().step, std::int64_t{stop_after});
        broken.observer.stop_after = -1;
        QVERIFY(broken.run(true) == RunOutcome::finished);
        QVERIFY(broken.observer.has_event("resumed", "step " + std::to_string(stop_after)));
        QVERIFY(
            same_weights(whole.path() / "model" / (method == "lora" ? "adapter_model.safetensors" : ""),
                         broken.path() / "model" / (method == "lora" ? "adapter_model.safetensors" : "")));
        for (auto& [step, metrics] : whole.observer.metrics)
            for (const char* name : {"loss", "grad_norm", "learning_rate", "entropy", "mean_token_accuracy",
                                     "num_tokens", "epoch"})
                QVERIFY2(broken.observer.metrics.at(step).at(name) == metrics.at(name), name);
    }

    void cancelLeavesNothingBehind() {
        TestRun run;
        run.observer.stop_after = 3;
        run.observer.how = StopRequest::cancel;
        QVERIFY(run.run() == RunOutcome::cancelled);
        QVERIFY(!fs::exists(run.path() / "model"));
        QVERIFY(run.observer.checkpoints.empty());
    }

    void checkpointsAreKeptAndDamagedOnesPassedOver() {
        TestRun whole, run;
        for (TestRun* each : {&whole, &run})
            each->recipe.update({{"checkpoint_steps", 2}, {"keep_checkpoints", 2}});
        whole.run();
        QCOMPARE(checkpoint_steps(whole.path() / "checkpoints"), (std::vector<std::int64_t>{8, 10}));
        run.observer.stop_after = 8;
        run.run();
        QCOMPARE(checkpoint_steps(run.path() / "checkpoints"), (std::vector<std::int64_t>{6, 8}));
        fs::path newest = run.path() / "checkpoints/8/optimiser.safetensors";
        std::string bytes = read_file(newest, 1 << 26);
        bytes[bytes.size() / 2] ^= 1;
        write_file_atomic(newest, bytes);
        run.observer.stop_after = -1;
        QVERIFY(run.run(true) == RunOutcome::finished);
        QVERIFY(run.observer.has_event("warning", "Checkpoint 8 is not used"));
        QVERIFY(run.observer.has_event("resumed", "step 6"));
        QVERIFY(same_weights(whole.path() / "model", run.path() / "model"));
    }

    void evaluationKeepsTheBestAndStopsEarly() {
        TestRun run;
        run.recipe.update({{"validation_examples", 3},
                           {"eval_steps", 1},
                           {"patience", 2},
                           {"learning_rate", 0.05},
                           {"max_steps", 40},
                           {"batch_size", 8},
                           {"accumulation", 1},
                           {"keep_checkpoints", 1}});
        QVERIFY(run.run() == RunOutcome::finished);
        std::int64_t best_step = -1, last = run.observer.metrics.rbegin()->first;
        double best = 1e9;
        for (auto& [step, metrics] : run.observer.metrics)
            if (metrics.at("eval_loss") < best) {
                best = metrics.at("eval_loss");
                best_step = step;
            }
        QVERIFY(last < 40);
        QCOMPARE(last, best_step + 2);
        QCOMPARE(run.observer.headline.at("eval_loss"), best);
        QVERIFY(run.observer.checkpoints.back().best);
        QVERIFY(same_weights(run.path() / "model",
                             run.path() / "checkpoints" / std::to_string(best_step) / "model"));
        QVERIFY(run.observer.has_event("log", "Stopped early"));
    }

    void patienceSurvivesAResume() {
        Json recipe = {{"validation_examples", 3}, {"eval_steps", 1}, {"patience", 2},
                       {"learning_rate", 0.05},    {"max_steps", 40}, {"batch_size", 8},
                       {"accumulation", 1}};
        TestRun whole;
        whole.recipe.update(recipe);
        whole.run();
        std::int64_t last = whole.observer.metrics.rbegin()->first;
        QVERIFY(last >= 3);
        TestRun broken;
        broken.recipe.update(recipe);
        broken.observer.stop_after = last - 1; // one evaluation without gain is counted already
        QVERIFY(broken.run() == RunOutcome::stopped);
        broken.observer.stop_after = -1;
        QVERIFY(broken.run(true) == RunOutcome::finished);
        QCOMPARE(broken.observer.metrics.rbegin()->first, last);
        QVERIFY(same_weights(whole.path() / "model", broken.path() / "model"));
    }

    void notANumberStopsBeforeTheStep() {
        TestRun run;
        // Decay by a factor of -9 a step: the weights overflow within some dozens of steps.
        run.recipe.update({{"learning_rate", 1},
                           {"weight_decay", 10},
                           {"schedule", "constant"},
                           {"checkpoint_steps", 5},
                           {"max_steps", 80}});
        try {
            run.run();
            QFAIL("went on");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::numeric);
            QVERIFY2(QString(error.what())
                         .contains(QRegularExpression("not finite at step \\d+, in training rows \\d")),
                     error.what());
        }
        QVERIFY(!fs::exists(run.path() / "model"));
        auto steps = checkpoint_steps(run.path() / "checkpoints");
        QVERIFY(!steps.empty());
        QCOMPARE(checkpoint_damage(run.path() / "checkpoints" / std::to_string(steps.back())), std::string());
    }

    void smallStepsMoveAlmostEveryWeight() {
        TestRun run;
        run.recipe.update({{"learning_rate", 5e-7},
                           {"max_steps", 100},
                           {"batch_size", 8},
                           {"accumulation", 1},
                           {"schedule", "constant"},
                           {"weight_decay", 0}});
        run.run();
        auto before = weights_of(golden / "models/qwen2-tied"), after = weights_of(run.path() / "model");
        double moved = 0, all = 0;
        for (const auto& [name, value] : before) {
            if (name.find("embed") != std::string::npos) continue; // tokens that do not occur
            moved += (value != after.at(name)).sum().item<double>();
            all += static_cast<double>(value.numel());
        }
        QVERIFY2(moved / all > 0.99, qPrintable(QString::number(moved / all)));
    }

    void overfitsOneRowToItsEnd() {
        QTemporaryDir folder;
        fs::path rows = fs::path(folder.path().toStdString()) / "one.jsonl";
        write_file_atomic(rows, "{\"prompt\": \"4 * 5\", \"completion\": \" = 20\"}\n");
        TestRun run("llama-tied");
        run.recipe.update({{"data", rows.string()},
                           {"batch_size", 1},
                           {"accumulation", 1},
                           {"max_steps", 60},
                           {"learning_rate", 3e-3},
                           {"schedule", "constant"}});
        run.run();
        QVERIFY(run.observer.metrics.at(60).at("mean_token_accuracy") == 1.0);
        // pad == eos here; the end of the text must have been learnt all the same.
        Decoder model = load_decoder(run.path() / "model");
        Tokenizer tokenizer = Tokenizer::load(run.path() / "model");
        auto ids = tokenizer.encode("4 * 5 = 20");
        std::vector<std::span<const std::int32_t>> row{ids};
        c10::NoGradGuard no_grad;
        at::Tensor logits = decoder_logits(
            model, decoder_hidden(model, make_token_row(row), make_rope_table(model.config, 64)));
        QCOMPARE(logits[logits.size(0) - 1].argmax().item<int>(), *tokenizer.eos_id());
    }

    void randomWeightsAndWholeTextPretrain() {
        TestRun run;
        run.recipe.update(
            {{"initialise", "random"}, {"train_on", "all"}, {"max_steps", 30}, {"schedule", "constant"}});
        run.run();
        double first = run.observer.metrics.at(1).at("loss"), last = run.observer.metrics.at(30).at("loss");
        QVERIFY2(std::fabs(first - std::log(320.0)) < 0.3, qPrintable(QString::number(first)));
        QVERIFY(last < first - 1);
    }

    void unusableRecipesAreRefused() {
        TestRun cuda;
        cuda.recipe["device"] = "cuda";
        if (!at::hasCUDA()) QVERIFY_THROWS_EXCEPTION(Error, cuda.run());
        TestRun nothing;
        nothing.recipe["max_length"] = 2;
        QVERIFY_THROWS_EXCEPTION(Error, nothing.run());
        TestRun adapter;
        adapter.recipe.update({{"method", "lora"}, {"lora_targets", {"q_prj"}}});
        QVERIFY_THROWS_EXCEPTION(Error, adapter.run());
    }

    /// A model is trained on no position that it does not have, whatever max_length says.
    void theModelsPositionsBoundTheLength() {
        TestRun run;
        std::string long_answer;
        for (int i = 0; i < 900; ++i)
            long_answer += " 7 + 11";
        const fs::path file = run.path() / "long.jsonl";
        write_file_atomic(file, to_json_line({{"prompt", "Count."}, {"completion", long_answer}}) + "\n");
        run.recipe.update({{"max_length", 4096}, {"data", file.string()}, {"max_steps", 1}});
        const SftRecipe recipe = SftRecipe::from(run.recipe);
        const TrainingData data = load_training_data(recipe, load_trained_model(recipe, {}), run.observer);
        QCOMPARE(data.longest, std::int64_t{512}); // of config.json
        QVERIFY(run.observer.has_event("warning", "The model has 512 positions"));
    }

    void bfloat16KeepsFloatMasters() {
        TestRun run, reference;
        run.recipe.update({{"dtype", "bfloat16"}, {"max_steps", 3}});
        reference.recipe.update({{"max_steps", 3}});
        run.run();
        reference.run();
        double error =
            relative(run.observer.metrics.at(3).at("loss"), reference.observer.metrics.at(3).at("loss"));
        QVERIFY2(error < 0.03, qPrintable(QString::number(error)));
    }
};

QTEST_APPLESS_MAIN(TestSft)
#include "tst_sft.moc"
