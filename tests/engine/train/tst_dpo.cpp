#include "recording_observer.h"
#include "training_fixture.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/train/dpo.h"
#include "core/engine/train/dpo_setup.h"

#include <QtTest>
#include <set>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

const double ln2 = std::log(2.0);

/// A run in a temporary folder on one of the tiny models.
struct TestRun {
    QTemporaryDir folder;
    Json recipe;
    RecordingObserver observer;

    explicit TestRun(const std::string& model = "qwen2-tied") {
        recipe = {{"kind", "dpo"},
                  {"model", (golden / "models" / model).string()},
                  {"data", (golden / "dpo/rows.jsonl").string()},
                  {"examples", 1000},
                  {"validation_examples", 0},
                  {"learning_rate", 5e-4},
                  {"batch_size", 2},
                  {"accumulation", 4},
                  {"max_length", 64},
                  {"max_steps", 3},
                  {"checkpoint_steps", 0}};
    }
    fs::path path() const { return folder.path().toStdString(); }
    RunOutcome run(bool resume = false) {
        observer.stop = StopToken();
        return run_dpo({"dpo", recipe, path(), resume, 2}, observer, observer.stop);
    }
    double at(std::int64_t step, const std::string& name) { return observer.metrics.at(step).at(name); }
    TokenisedPairs pairs() {
        DpoRecipe parsed = DpoRecipe::from(recipe);
        TrainedModel model = load_trained_model(parsed.model, parsed, 1, {});
        return load_pairs(parsed, model, observer).train;
    }
};

const Json& expected() {
    static const Json json = read_json_file(golden / "dpo/expected.json");
    return json;
}

using Ids = std::vector<std::int32_t>;
std::multiset<std::vector<Ids>> as_set(const TokenisedPairs& pairs) {
    std::multiset<std::vector<Ids>> set;
    for (const PairExample& example : pairs.examples)
        set.insert({example.prompt, example.chosen, example.rejected});
    return set;
}
std::multiset<std::vector<Ids>> as_set(const Json& list) {
    std::multiset<std::vector<Ids>> set;
    for (const Json& row : list)
        set.insert({row.at("prompt").get<Ids>(), row.at("chosen").get<Ids>(), row.at("rejected").get<Ids>()});
    return set;
}

/// Every metric of every step but those that measure time and memory.
std::map<std::int64_t, std::map<std::string, double>> numbers(TestRun& run) {
    auto all = run.observer.metrics;
    for (auto& [step, metrics] : all)
        for (const char* name : {"tokens_per_second", "memory_gib", "eval_runtime"})
            metrics.erase(name);
    return all;
}

} // namespace

class TestDpo : public QObject {
    Q_OBJECT
    QTemporaryDir cache_;

    static void caseNames() {
        QTest::addColumn<int>("index");
        int index = 0;
        for (const Json& item : expected().at("cases"))
            QTest::newRow(item.at("name").get<std::string>().c_str()) << index++;
    }
    static void prepare(TestRun& run, const Json& item) {
        run.recipe.update(item.at("recipe"));
        run.recipe["model"] = (golden / "models" / item.at("recipe").at("model").get<std::string>()).string();
        run.recipe["max_steps"] = 10;
    }

private Q_SLOTS:
    void initTestCase() { qputenv("TEMPERA_CACHE", cache_.path().toUtf8()); }

    void tokensEqualTrl_data() { caseNames(); }
    void tokensEqualTrl() {
        QFETCH(int, index);
        Json item = expected().at("cases").at(static_cast<std::size_t>(index));
        TestRun run;
        prepare(run, item);
        TokenisedPairs pairs = run.pairs();
        QCOMPARE(pairs.examples.size(), item.at("tokens").size());
        QVERIFY(as_set(pairs) == as_set(item.at("tokens")));
        QCOMPARE(pairs.dropped, std::int64_t{1});
        QVERIFY(run.observer.has_event("warning", "were dropped"));
    }

    void conversationsEqualTrl() {
        TestRun run;
        fs::path model = run.path() / "templated";
        fs::copy(golden / "models/qwen2-tied", model, fs::copy_options::recursive);
        write_file_atomic(model / "chat_template.jinja", expected().at("chat_template").get<std::string>());
        run.recipe.update(
            {{"model", model.string()}, {"data", (golden / "dpo/conversations.jsonl").string()}});
        TokenisedPairs pairs = run.pairs();
        QVERIFY(as_set(pairs) == as_set(expected().at("conversations")));
    }

    void tenStepsEqualTrl_data() { caseNames(); }
    void tenStepsEqualTrl() {
        QFETCH(int, index);
        Json item = expected().at("cases").at(static_cast<std::size_t>(index));
        TestRun run;
        prepare(run, item);
        QVERIFY(run.run() == RunOutcome::finished);
        // Means of tokens over a batch: TRL shuffles which rows are a batch in its own way.
        const std::set<std::string> by_batch{"entropy", "mean_token_accuracy", "logits/chosen",
                                             "logits/rejected"};
        const bool whole = item.at("recipe").at("accumulation") == 1;
        std::int64_t step = 0;
        for (const Json& wanted : item.at("steps")) {
            ++step;
            for (const auto& [name, value] : wanted.items()) {
                if (by_batch.contains(name) && !whole) {
                    QVERIFY(run.observer.metrics.at(step).contains(name));
                    continue;
                }
                double found = run.at(step, name), target = value.get<double>();
                double scale = name == "loss" || name == "grad_norm" ? 0 : 0.02;
                double error = std::fabs(found - target) / std::max({std::fabs(target), scale, 1e-12});
                QVERIFY2(error < 1e-4, qPrintable(QString("step %1 %2: %3 instead of %4")
                                                      .arg(step)
                                                      .arg(QString::fromStdString(name))
                                                      .arg(found, 0, 'g', 9)
                                                      .arg(target, 0, 'g', 9)));
            }
        }
        QCOMPARE(step, std::int64_t{10});
    }

    /// algorithms.md, bug 12. Whatever computes the reference, and however the pairs are cut.
    void beforeTheFirstStepNothingDiffers_data() {
        QTest::addColumn<QString>("method");
        QTest::addColumn<QString>("reference");
        QTest::addColumn<int>("tokens");
        for (const char* method : {"full", "lora"})
            for (const char* reference : {"auto", "adapter_off", "model", "precomputed"})
                for (int tokens : {64, 100000})
                    if (std::string(method) != "full" || std::string(reference) != "adapter_off")
                        QTest::addRow("%s %s %d", method, reference, tokens) << method << reference << tokens;
    }
    void beforeTheFirstStepNothingDiffers() {
        QFETCH(QString, method);
        QFETCH(QString, reference);
        QFETCH(int, tokens);
        TestRun run("llama-rope");
        run.recipe.update({{"method", method.toStdString()},
                           {"reference", reference.toStdString()},
                           {"micro_batch_tokens", tokens},
                           {"max_steps", 1}});
        run.run();
        QVERIFY2(run.at(1, "loss") == ln2, qPrintable(QString::number(run.at(1, "loss") - ln2)));
        for (const char* name : {"chosen", "rejected", "margins", "accuracies"})
            QVERIFY2(run.at(1, std::string("rewards/") + name) == 0, name);
    }

    /// An adapter that was trained before is part of the reference.
    void theReferenceOfAnAdapterIsTheAdaptedModel() {
        for (const char* reference : {"adapter_off", "precomputed"}) {
            TestRun run("qwen2-tied-qv");
            run.recipe.update({{"method", "lora"}, {"reference", reference}, {"max_steps", 1}});
            run.run();
            QCOMPARE(run.at(1, "loss"), ln2);
            TestRun base;
            base.recipe.update({{"method", "lora"}, {"max_steps", 1}});
            base.run();
            QVERIFY(run.at(1, "logps/chosen") != base.at(1, "logps/chosen"));
        }
    }

    /// The reference stays where it was while the policy moves: all ways to have it agree bit for bit.
    void theReferenceNeverMoves() {
        for (const char* method : {"full", "lora"}) {
            std::vector<std::map<std::int64_t, std::map<std::string, double>>> runs;
            for (const char* reference : {"model", "precomputed", "auto"}) {
                TestRun run("llama-rope");
                run.recipe.update({{"method", method},
                                   {"reference", reference},
                                   {"max_steps", 6},
                                   {"validation_examples", 2},
                                   {"eval_steps", 2}});
                run.run();
                QVERIFY(run.at(6, "rewards/margins") > 0);
                runs.push_back(numbers(run));
            }
            QVERIFY(runs[0] == runs[1]);
            QVERIFY(runs[0] == runs[2]);
        }
    }

    void anotherReferenceModelIsUsed() {
        TestRun run, itself;
        itself.run();
        run.recipe["ref_model"] = (golden / "models/qwen2-tied-qv").string();
        run.run();
        QVERIFY(run.at(1, "loss") != ln2);
        QCOMPARE(run.at(1, "logps/chosen"), itself.at(1, "logps/chosen"));
    }

    void referenceNumbersAreKeptByContent() {
        QTemporaryDir cache;
        qputenv("TEMPERA_CACHE", cache.path().toUtf8());
        TestRun first, again, other, damaged;
        first.run();
        QVERIFY(!first.observer.has_event("log", "earlier run"));
        again.recipe["beta"] = 0.2; // neither model nor data
        again.run();
        QVERIFY(again.observer.has_event("log", "earlier run"));
        QCOMPARE(again.at(1, "loss"), ln2);
        other.recipe["max_length"] = 32; // other tokens
        other.run();
        QVERIFY(!other.observer.has_event("log", "earlier run"));
        for (const auto& entry : fs::directory_iterator(cache.path().toStdString() + "/reference"))
            write_file_atomic(entry.path(), "{\"chosen\": [1, 2], \"rejected\"");
        damaged.run();
        QVERIFY(!damaged.observer.has_event("log", "earlier run"));
        QVERIFY(numbers(damaged) == numbers(first));
        qputenv("TEMPERA_CACHE", cache_.path().toUtf8());
    }

    void referenceNumbersThatAreLongUnusedMakeRoom() {
        QTemporaryDir cache;
        qputenv("TEMPERA_CACHE", cache.path().toUtf8());
        ReferenceLogprobs numbers(1);
        numbers.known[0] = true;
        const fs::path folder = fs::path(cache.path().toStdString()) / "reference";
        const auto now = fs::file_time_type::clock::now();
        for (const char* key : {"a", "b", "c"}) {
            store_reference(key, numbers);
            fs::last_write_time(folder / (std::string(key) + ".json"), now - std::chrono::hours(key[0]));
        }
        QVERIFY(load_reference("c", 1).known[0]); // the oldest is used again
        store_reference("d", numbers, 2 * fs::file_size(folder / "a.json"));
        for (auto [key, kept] : {std::pair("a", false), {"b", false}, {"c", true}, {"d", true}})
            QCOMPARE(bool(load_reference(key, 1).known[0]), kept);
        store_reference("e", numbers, 0);
        QVERIFY(load_reference("e", 1).known[0]); // the one just made stays
        qputenv("TEMPERA_CACHE", cache_.path().toUtf8());
    }

    /// algorithms.md, bug 1.
    void gradientDoesNotDependOnHowTheBatchIsCut() {
        std::vector<std::vector<double>> found;
        for (auto [batch, accumulation, tokens] :
             {std::array<int, 3>{8, 1, 100000}, {8, 1, 64}, {2, 4, 100000}, {4, 2, 150}}) {
            TestRun run("llama-rope");
            run.recipe.update({{"batch_size", batch},
                               {"accumulation", accumulation},
                               {"micro_batch_tokens", tokens},
                               {"warmup_steps", 0}});
            run.run();
            found.push_back({});
            for (auto& [step, metrics] : run.observer.metrics)
                for (const char* name : {"grad_norm", "loss", "rewards/margins"})
                    found.back().push_back(metrics.at(name));
        }
        for (std::size_t k = 1; k < found.size(); ++k)
            for (std::size_t i = 0; i < found[0].size(); ++i)
                QVERIFY2(relative(found[k][i], found[0][i]) < 1e-5 || std::fabs(found[0][i]) < 1e-12,
                         qPrintable(QString("%1 %2").arg(found[k][i]).arg(found[0][i])));
    }

    /// algorithms.md, bugs 2 and 3: pad == eos in these models, and every answer ends in it all the same.
    void everyWholeAnswerEndsInEos() {
        TestRun run;
        run.recipe["max_length"] = 1024;
        Tokenizer tokenizer = Tokenizer::load(run.recipe["model"].get<std::string>());
        for (const PairExample& example : run.pairs().examples) {
            QCOMPARE(example.chosen.back(), *tokenizer.eos_id());
            QCOMPARE(example.rejected.back(), *tokenizer.eos_id());
            QVERIFY(example.chosen.size() < 2
                    || example.chosen[example.chosen.size() - 2] != *tokenizer.eos_id());
        }
    }

    /// algorithms.md, bug 7.
    void promptsThatFillTheLengthAreRefusedWhenNothingIsLeft() {
        TestRun run;
        run.recipe["max_length"] = 8;
        run.recipe["data"] = (run.path() / "long.jsonl").string();
        write_file_atomic(
            run.path() / "long.jsonl",
            R"({"prompt":"The target is 10. Combine the numbers","chosen":"a","rejected":"b"})");
        QVERIFY_THROWS_EXCEPTION(Error, run.run());
    }

    void pairsOfOneAnswerAreToldOf() {
        TestRun run;
        run.recipe["data"] = (run.path() / "same.jsonl").string();
        write_file_atomic(run.path() / "same.jsonl", R"({"prompt":"p","chosen":"a","rejected":"a"}
{"prompt":"q","chosen":"a","rejected":"b"}
)");
        QCOMPARE(run.pairs().examples.size(), std::size_t{2});
        QVERIFY(run.observer.has_event("warning", "1 training pairs have one answer as chosen and rejected"));
    }

    /// A model is trained on no position that it does not have, whatever max_length says.
    void theModelsPositionsBoundTheLength() {
        TestRun run;
        std::string long_answer;
        for (int i = 0; i < 900; ++i)
            long_answer += " 7 + 11";
        run.recipe["max_length"] = 4096;
        run.recipe["data"] = (run.path() / "long.jsonl").string();
        write_file_atomic(run.path() / "long.jsonl",
                          to_json_line({{"prompt", "Count."}, {"chosen", long_answer}, {"rejected", "b"}})
                              + "\n");
        const TokenisedPairs pairs = run.pairs();
        QCOMPARE(pairs.truncated, std::int64_t{1});
        QCOMPARE(pairs.longest, std::int64_t{512}); // of config.json
        QVERIFY(run.observer.has_event("warning", "The model has 512 positions"));
    }

    void aReferenceWithFewerPositionsBoundsTheLengthToo() {
        for (const bool fewer : {true, false}) {
            TestRun run;
            const fs::path reference = run.path() / "reference";
            fs::copy(golden / "models/qwen2-tied", reference, fs::copy_options::recursive);
            Json config = read_json_file(reference / "config.json");
            config["max_position_embeddings"] = fewer ? 16 : 1024;
            write_file_atomic(reference / "config.json", config.dump());
            run.recipe.update({{"ref_model", reference.string()}, {"max_length", 4096}, {"max_steps", 1}});
            const TokenisedPairs pairs = run.pairs();
            QCOMPARE(pairs.longest == 16, fewer);
            QCOMPARE(run.observer.has_event("warning", "The reference model has 16 positions, fewer than"),
                     fewer);
            for (const char* how : {"model", "precomputed"}) {
                TestRun trained;
                trained.recipe = run.recipe;
                trained.recipe["reference"] = how;
                trained.run();
                QVERIFY(std::isfinite(trained.at(1, "loss")));
            }
        }
    }

    /// Dropout reaches the policy only where it is asked for, and never the reference.
    void dropoutIsOffUnlessAskedFor() {
        TestRun off, on, none;
        for (TestRun* run : {&off, &on, &none})
            run->recipe.update({{"method", "lora"}, {"lora_dropout", run == &none ? 0.0 : 0.4}});
        on.recipe["disable_dropout"] = false;
        off.run();
        on.run();
        none.run();
        QVERIFY(numbers(off) == numbers(none));
        QVERIFY(on.at(3, "loss") != off.at(3, "loss"));
        QCOMPARE(on.at(1, "loss"), ln2); // B is zero: dropout on A's input changes nothing yet
    }

    void stopAndResumeIsBitEqual_data() {
        QTest::addColumn<QString>("method");
        QTest::addColumn<int>("stop_after");
        for (const char* method : {"full", "lora"})
            for (int step : {1, 4})
                QTest::addRow("%s after %d", method, step) << method << step;
    }
    void stopAndResumeIsBitEqual() {
        QFETCH(QString, method);
        QFETCH(int, stop_after);
        QTemporaryDir cache; // the numbers of the reference must not come from the whole run
        auto prepare_run = [&](TestRun& run) {
            run.recipe.update({{"method", method.toStdString()},
                               {"lora_dropout", 0.2},
                               {"disable_dropout", false},
                               {"batch_size", 3},
                               {"accumulation", 1},
                               {"weight_decay", 0.1},
                               {"max_steps", 0},
                               {"epochs", 3},
                               {"validation_examples", 2},
                               {"eval_steps", 2},
                               {"log_steps", stop_after == 4 ? 3 : 1}});
        };
        TestRun whole, broken;
        prepare_run(whole);
        prepare_run(broken);
        QVERIFY(whole.run() == RunOutcome::finished);
        qputenv("TEMPERA_CACHE", cache.path().toUtf8());
        broken.observer.stop_after = stop_after;
        QVERIFY(broken.run() == RunOutcome::stopped);
        if (stop_after == 4) fs::remove_all(cache.path().toStdString() + "/reference");
        broken.observer.stop_after = -1;
        QVERIFY(broken.run(true) == RunOutcome::finished);
        qputenv("TEMPERA_CACHE", cache_.path().toUtf8());
        QVERIFY(broken.observer.has_event("resumed", "step " + std::to_string(stop_after)));
        std::string file = method == "lora" ? "model/adapter_model.safetensors" : "model";
        QVERIFY(same_weights(whole.path() / file, broken.path() / file));
        QVERIFY(numbers(broken) == numbers(whole));
    }

    void evaluationKeepsTheBestAndStopsEarly() {
        TestRun run;
        run.recipe.update({{"validation_examples", 2},
                           {"eval_steps", 1},
                           {"patience", 2},
                           {"learning_rate", 0.05},
                           {"max_steps", 40},
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
        QVERIFY(run.observer.metrics.at(1).contains("eval_rewards/accuracies"));
        QVERIFY(same_weights(run.path() / "model",
                             run.path() / "checkpoints" / std::to_string(best_step) / "model"));
    }

    void notANumberStopsBeforeTheStep() {
        TestRun run;
        run.recipe.update(
            {{"learning_rate", 1}, {"weight_decay", 10}, {"schedule", "constant"}, {"max_steps", 80}});
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
    }

    void unusableRecipesAreRefused_data() {
        QTest::addColumn<QString>("change");
        QTest::addColumn<QString>("part");
        QTest::newRow("no adapter") << R"({"method":"full","reference":"adapter_off"})"
                                    << "needs an adapter";
        QTest::newRow("two references") << R"({"method":"lora","reference":"adapter_off","ref_model":"x"})"
                                        << "leave ref_model empty";
        QTest::newRow("smoothing") << R"({"loss":"ipo","label_smoothing":0.1})"
                                   << "goes with loss";
        QTest::newRow("half") << R"({"label_smoothing":0.5})"
                              << "label_smoothing must be";
        QTest::newRow("loss") << R"({"loss":"sigmoyd"})"
                              << "Did you mean \"sigmoid\"";
    }
    void unusableRecipesAreRefused() {
        QFETCH(QString, change);
        QFETCH(QString, part);
        TestRun run;
        run.recipe.update(Json::parse(change.toStdString()));
        try {
            run.run();
            QFAIL("accepted");
        } catch (const Error& error) {
            QVERIFY2(QString(error.what()).contains(part), error.what());
        }
    }
};

QTEST_APPLESS_MAIN(TestDpo)
#include "tst_dpo.moc"
