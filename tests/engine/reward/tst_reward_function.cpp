#include "core/base/error.h"
#include "core/engine/reward/reward_function.h"
#include "core/engine/reward/reward_model.h"
#include "tests/support/paths.h"

#include <QTest>
#include <cmath>

using namespace tempera;

namespace {

RewardScore score(const std::string& name, const RewardInput& input, const RewardOptions& options = {}) {
    return make_reward_function(name, options)(std::span(&input, 1)).at(0);
}

double of_tokens(const std::string& name, const std::vector<std::int32_t>& ids,
                 const RewardOptions& options = {}) {
    RewardInput input;
    input.token_ids = ids;
    return score(name, input, options).value;
}

const std::string encoder = source_dir() + "/tests/golden/encoders/distilbert";

/// A reward model that reads in this form, and what asks the reward function for the same.
struct EncoderInForm {
    explicit EncoderInForm(const char* form)
        : model(RewardModel::load(encoder, {.form = reward_form_from(form)})) {
        options.reward_model = encoder;
        options.reward_text = form;
    }
    RewardModel model;
    RewardOptions options;
};

double format(std::string_view prompt, std::string_view completion) {
    RewardInput input;
    input.prompt = prompt;
    input.completion = completion;
    return score("format", input).value;
}

} // namespace

class TestRewardFunction : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void verifiersApplyWhereTheFactsCallForThem() {
        RewardInput input;
        input.facts = R"({"nums":[3,4,5],"target":17})";
        input.completion = "3*4+5=17\n<answer> 3*4+5 </answer>";
        QCOMPARE(score("countdown", input).value, 1.0);
        QVERIFY(!score("countdown", input).note.empty());
        QVERIFY(std::isnan(score("constraints", input).value));
        QCOMPARE(verify_by_facts(input.facts, input.completion).value, 1.0);
        input.completion = "<answer> 3+4+5 </answer>";
        QCOMPARE(score("countdown", input).value, 0.1);

        input.facts = R"({"constraints":[{"type":"no_commas"},{"type":"lower"}]})";
        input.completion = "No commas here";
        QVERIFY(std::isnan(score("countdown", input).value));
        QCOMPARE(score("constraints", input).value, 0.5);
        QCOMPARE(verify_by_facts(input.facts, input.completion).value, 0.5);

        input.facts = "";
        QVERIFY(std::isnan(score("countdown", input).value));
        QVERIFY(std::isnan(verify_by_facts("", "text").value));
        input.facts = R"({"nums":"three","target":17})";
        QVERIFY_THROWS_EXCEPTION(Error, score("countdown", input));
        QVERIFY_THROWS_EXCEPTION(Error, make_reward_function("countdwn", {}));
    }

    /// TRL 1.16: soft_overlong_punishment(max_completion_len 100, soft_punish_cache 20) of 90 tokens is -0.5.
    void lengthAsTrl() {
        const RewardOptions options{.max_tokens = 100, .length_limit = 80};
        QCOMPARE(of_tokens("length", std::vector<std::int32_t>(80, 1), options), 0.0);
        QCOMPARE(of_tokens("length", std::vector<std::int32_t>(90, 1), options), -0.5);
        QCOMPARE(of_tokens("length", std::vector<std::int32_t>(100, 1), options), -1.0);
        QCOMPARE(of_tokens("length", std::vector<std::int32_t>(75, 1), {.max_tokens = 100}), 0.0);
        QVERIFY(of_tokens("length", std::vector<std::int32_t>(76, 1), {.max_tokens = 100}) < 0);
        QCOMPARE(of_tokens("length", std::vector<std::int32_t>(9, 1), {.max_tokens = 8, .length_limit = 20}),
                 -1.0);
    }

    /// TRL 1.16's repetition_penalty_reward with trigrams.
    void repetitionAsTrl() {
        QCOMPARE(of_tokens("repetition", {1, 2, 3, 4}), 0.0);
        QCOMPARE(of_tokens("repetition", {5, 5, 5, 5, 5}), 1.0 / 3 - 1);
        QCOMPARE(of_tokens("repetition", {1, 2, 1, 2, 1, 2}), 2.0 / 4 - 1);
        QCOMPARE(of_tokens("repetition", {7, 7}), 0.0);
    }

    /// The question and the answer reach the model as they are; the chat template's tokens do not.
    void aRewardModelScoresQuestionAndAnswer() {
        const std::vector<std::string> answers = {"4", "It is four.", "Ask somebody else, at length."};
        std::vector<RewardInput> inputs;
        std::vector<RewardText> texts;
        for (const std::string& answer : answers) {
            RewardInput input;
            input.prompt = "What is 2 + 2?";
            input.prompt_text = "<|im_start|>user\nWhat is 2 + 2?<|im_end|>\n";
            input.completion = answer;
            inputs.push_back(input);
            texts.push_back({"What is 2 + 2?", answer});
        }
        std::vector<std::vector<double>> seen;
        for (const char* form : {"pair", "plain"}) {
            const auto [model, options] = EncoderInForm(form);
            const auto scores = make_reward_function("model", options)(inputs);
            const auto wanted = model.score(texts);
            seen.emplace_back();
            for (std::size_t i = 0; i < wanted.size(); ++i) {
                QVERIFY(std::fabs(scores[i].value - wanted[i]) < 1e-9);
                seen.back().push_back(scores[i].value);
            }
        }
        QVERIFY(seen[0] != seen[1]);
    }

    /// algorithms.md, bug 3: a conversation is scored as the trainer of reward models encodes it, and as the
    /// verb "reward" scores the same text.
    void aConversationIsScoredAsItIsTrained() {
        const std::vector<ChatMessage> turns = {
            {"system", "Be brief."}, {"user", "Two?"}, {"assistant", "2"}, {"user", "And twice?"}};
        RewardInput whole;
        whole.prompt = "And twice?";
        whole.completion = "4";
        RewardInput last = whole;
        whole.conversation = turns;
        std::vector<ChatMessage> trained = turns;
        trained.push_back({"assistant", "4"});
        for (const char* form : {"pair", "plain", "chat"}) {
            const auto [model, options] = EncoderInForm(form);
            const EncoderInput encoded = model.tokeniser().encode_conversation(trained);
            const double scored = score("model", whole, options).value;
            QVERIFY(std::fabs(scored - model.score_inputs(std::span(&encoded, 1)).front()) < 1e-9);
            QVERIFY(std::fabs(scored - score("model", last, options).value) > 1e-6);
            if (form != std::string("plain")) continue;
            const std::string text =
                "system\nBe brief.\nuser\nTwo?\nassistant\n2\nuser\nAnd twice?\nassistant\n4";
            QVERIFY(std::fabs(scored - model.score_whole(std::span(&text, 1)).front()) < 1e-9);
        }
    }

    /// Rows of a run of kind pairs carry the usual system turn, prompts that are scored do not.
    void theUsualSystemTurnChangesNoScore() {
        const std::vector<ChatMessage> trained = {
            {"system", "You are a helpful assistant."}, {"user", "Two?"}, {"assistant", "2"}};
        RewardInput question;
        question.prompt = "Two?";
        question.completion = "2";
        for (const char* form : {"pair", "plain", "chat"}) {
            const auto [model, options] = EncoderInForm(form);
            const EncoderInput encoded = model.tokeniser().encode_conversation(trained);
            QVERIFY(std::fabs(score("model", question, options).value
                              - model.score_inputs(std::span(&encoded, 1)).front())
                    < 1e-9);
        }
    }

    void formatWantsOneThoughtThenOneAnswer() {
        QCOMPARE(format("2 3:5\n", "2+3=5\n<answer> 2+3 </answer>"), 1.0);
        QCOMPARE(format("Solve.\n<think>", " 2+3 </think>\n<answer> 2+3 </answer>"), 1.0);
        QCOMPARE(format("Solve.", "<think> 2+3 </think>\n<answer> 2+3 </answer>"), 1.0);
        QCOMPARE(format("Solve.\n<think>", " 2+3\n<answer> 2+3 </answer>"), 0.0);   // never closed
        QCOMPARE(format("Solve.", "2+3 </think>\n<answer> 2+3 </answer>"), 0.0);    // never opened
        QCOMPARE(format("Solve.", "</think> <think> <answer> 2+3 </answer>"), 0.0); // closed before
        QCOMPARE(format("Solve.", "<think> <answer> 2+3 </answer> </think>"), 0.0); // answer inside
        QCOMPARE(format("Solve.", "<think> a </think> <think> b </think> <answer> 1 </answer>"), 0.0);
        QCOMPARE(format("Solve.", "<answer> 2+3 </answer>\nDone."), 0.0); // not the last line
        QCOMPARE(format("Solve.", "<answer>  </answer>"), 0.0);
        QCOMPARE(format("Solve.", ""), 0.0);
    }
};

QTEST_APPLESS_MAIN(TestRewardFunction)
#include "tst_reward_function.moc"
