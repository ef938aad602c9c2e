#include "core/base/error.h"
#include "core/data/training_set.h"
#include "core/task/countdown.h"
#include "core/task/countdown_verifier.h"
#include "core/text/tokenizer.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <set>

using namespace tempera;

namespace {

bool same(const std::vector<TextExample>& a, const std::vector<TextExample>& b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
        return x.prompt == y.prompt && x.completion == y.completion;
    });
}

std::string sentence_of(const TrainingSetOptions& options) {
    try {
        make_training_set(options);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

} // namespace

class TestTrainingSet : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;
    TrainingSetOptions file(const std::string& content) {
        TrainingSetOptions options;
        options.data = folder_.filePath("rows.jsonl").toStdString();
        options.examples = 0;
        options.bad_rows = "refuse";
        std::ofstream(options.data, std::ios::binary) << content;
        return options;
    }

private Q_SLOTS:
    void countdownIsSeededAndSplit() {
        TrainingSetOptions options;
        options.examples = 200;
        options.validation_examples = 60;
        options.prompt_style = "short";
        options.trace_style = "short";
        auto set = make_training_set(options);
        QCOMPARE(set.train.size(), std::size_t{200});
        QCOMPARE(set.validation.size(), std::size_t{60});
        QVERIFY(same(set.train, make_training_set(options).train));
        auto problems = make_problems(Split::train, 200, 0);
        for (std::size_t i = 0; i < problems.size(); ++i) {
            QCOMPARE(set.train[i].prompt, format_prompt(problems[i], PromptStyle::brief));
            QCOMPARE(verify(problems[i].nums, problems[i].target, set.train[i].completion).score, 1.0);
        }
        std::set<std::string> prompts;
        for (const auto& example : set.train)
            prompts.insert(example.prompt);
        for (const auto& example : set.validation)
            QVERIFY(!prompts.contains(example.prompt));
        options.data_seed = 1;
        QVERIFY(!same(set.train, make_training_set(options).train));
        options.data_seed = 0;
        options.prompt_style = "paper";
        options.trace_style = "cognitive";
        auto paper = make_training_set(options);
        QVERIFY(paper.train[0].prompt.ends_with("<think>") && paper.train[0].completion.starts_with(" "));
        QVERIFY(paper.train[0].completion.ends_with(" </answer>"));
    }

    void arithmeticIsPlainText() {
        TrainingSetOptions options;
        options.data = "arithmetic";
        options.examples = 50;
        options.validation_examples = 10;
        auto set = make_training_set(options);
        QCOMPARE(set.train.size(), std::size_t{50});
        for (const auto& example : set.train)
            QVERIFY(example.prompt.empty() && example.completion.find('<') == std::string::npos);
        options.examples = 70; // validation stays the same
        auto more = make_training_set(options);
        QVERIFY(same(set.validation, more.validation));
        QCOMPARE(more.train[49].completion, set.train[49].completion);
        QVERIFY(set.train[0].completion != set.validation[0].completion);
    }

    void textRows() {
        std::string content;
        for (int i = 0; i < 40; ++i) // every prompt twice
            content += "{\"" + std::string(i % 3 ? "prompt" : "query") + "\":\"p" + std::to_string(i / 2)
                       + "\",\"completion\":\"c" + std::to_string(i) + "\"}\n";
        auto options = file(content);
        options.validation_examples = 5;
        auto set = make_training_set(options);
        QCOMPARE(set.validation.size(), std::size_t{5});
        std::set<std::string> held;
        for (const auto& example : set.validation)
            held.insert(example.prompt);
        for (const auto& example : set.train)
            QVERIFY(!held.contains(example.prompt));
        QCOMPARE(set.train.size(), std::size_t{34}); // three prompts with both their rows are held out
        options.examples = 7;
        auto fewer = make_training_set(options);
        QCOMPARE(fewer.train.size(), std::size_t{7});
        QVERIFY(same(fewer.validation, set.validation));
        options.data_seed = 5;
        QVERIFY(!same(make_training_set(options).validation, set.validation));
    }

    void problemRows() {
        auto options = file("{\"nums\":[3,17,42],\"target\":28}\n{\"nums\":[42,17,3],\"target\":28}\n{"
                            "\"nums\":[1,2],\"target\":3}\n");
        options.trace_style = "short";
        options.prompt_style = "short";
        auto set = make_training_set(options);
        QCOMPARE(set.train.size(), std::size_t{3});
        for (const auto& example : set.train)
            QVERIFY(example.completion.ends_with("</answer>"));
        options.validation_examples = 1;
        for (options.data_seed = 0; options.data_seed < 6; ++options.data_seed) {
            auto split = make_training_set(options);
            // The same problem in another order never stands on the other side.
            bool first = split.validation[0].prompt.ends_with(":28\n");
            QCOMPARE(split.train.size(), std::size_t{first ? 1u : 2u});
        }
    }

    void mistakesAreNamed() {
        TrainingSetOptions options;
        options.data = "countdwn";
        QVERIFY(sentence_of(options).ends_with("Did you mean \"countdown\"?"));
        options.data = "countdown";
        options.examples = 0;
        QVERIFY(sentence_of(options).find("examples must be at least 1") != std::string::npos);
        options.examples = -1;
        QVERIFY(sentence_of(options).starts_with("examples must be between"));
        options.examples = 1;
        options.prompt_style = "long";
        QVERIFY(sentence_of(options).find("prompt style") != std::string::npos);
        const std::string good = "{\"prompt\":\"p\",\"completion\":\"c\"}\n";
        QVERIFY(sentence_of(file(good + "{\"prompt\":\"p\"}"))
                    .find("rows.jsonl row 2 has no column \"completion\"")
                != std::string::npos);
        QVERIFY(sentence_of(file(good + "{\"completion\":\"p\"}"))
                    .find("row 2 has no column \"prompt\" or \"query\"")
                != std::string::npos);
        QVERIFY(
            sentence_of(file(good + "{\"prompt\":3,\"completion\":\"c\"}")).find("row 2, column \"prompt\"")
            != std::string::npos);
        QVERIFY(sentence_of(file(good + "{\"prompt\":\"\",\"completion\":\"\"}"))
                    .find("row 2, column \"completion\": it is empty")
                != std::string::npos);
        QVERIFY(sentence_of(file(good + "{\"nums\":[1],\"target\":1}")).find("row 2 has no column")
                != std::string::npos);
        QVERIFY(sentence_of(file("{\"nums\":[1,1],\"target\":77}"))
                    .find("rows.jsonl row 1: The target 77 cannot be reached with 1 1.")
                != std::string::npos);
        QVERIFY(sentence_of(file("\n\n")).find("holds no rows") != std::string::npos);
        auto all_validation = file(good);
        all_validation.validation_examples = 1;
        QVERIFY(sentence_of(all_validation).find("lower it") != std::string::npos);
        options = file(good);
        options.data = "/nowhere/rows.jsonl";
        QVERIFY(sentence_of(options).starts_with("There is no file"));
    }

    /// The tiny base's tokenizer writes every character of the task in one token and keeps the tags.
    void tinyTokenizerFits() {
        auto tokenizer = Tokenizer::load(source_dir() + "/resources/models/tiny");
        QCOMPARE(tokenizer.vocab_size(), std::size_t{261});
        std::size_t longest = 0;
        TrainingSetOptions options;
        options.prompt_style = options.trace_style = "short";
        options.examples = 500;
        for (const auto& example : make_training_set(options).train) {
            auto prompt = tokenizer.encode(example.prompt), completion = tokenizer.encode(example.completion);
            QCOMPARE(prompt.size(), example.prompt.size());
            QCOMPARE(completion.size(),
                     example.completion.size() - std::string("<answer></answer>").size() + 2);
            QCOMPARE(tokenizer.decode(completion, true), example.completion);
            longest = std::max(longest, completion.size());
        }
        QVERIFY2(longest <= 72, std::to_string(longest).c_str());
        QCOMPARE(*tokenizer.eos_id(), 256);
        QCOMPARE(tokenizer.decode(tokenizer.encode("<think>é</think><|endoftext|>"), true),
                 std::string("<think>é</think>"));
    }
};

QTEST_APPLESS_MAIN(TestTrainingSet)
#include "tst_training_set.moc"
