#include "core/base/error.h"
#include "core/data/preferences.h"
#include "core/data/training_set.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <set>

using namespace tempera;

class TestPreferences : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;

    std::string write(const std::string& name, const std::string& content) {
        std::string path = folder_.filePath(QString::fromStdString(name)).toStdString();
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    /// A folder whose tokenizer has the ChatML template without a default system turn.
    std::string chatml() {
        write(
            "tokenizer_config.json",
            R"({"chat_template":"{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"})");
        return folder_.path().toStdString();
    }
    PreferenceRow only(const std::string& line) {
        auto rows = read_preferences(write("one.jsonl", line + "\n"));
        return rows.at(0);
    }
    static std::string text(const std::vector<ChatMessage>& turns) {
        std::string all;
        for (const ChatMessage& turn : turns)
            all += turn.role + ":" + turn.content + "|";
        return all;
    }
    std::string refusal(const std::string& content) {
        try {
            read_preferences(write("bad.jsonl", content));
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }

private Q_SLOTS:
    void everyShapeIsRead_data() {
        QTest::addColumn<QString>("line");
        QTest::addColumn<QString>("prompt");
        QTest::addColumn<QString>("chosen");
        QTest::addColumn<QString>("rejected");
        QTest::newRow("texts") << R"({"prompt":"2+2=","chosen":" 4","rejected":" 5"})"
                               << "user:2+2=|"
                               << "assistant: 4|"
                               << "assistant: 5|";
        QTest::newRow("question") << R"({"question":"2+2=","chosen":" 4","rejected":" 5"})"
                                  << "user:2+2=|"
                                  << "assistant: 4|"
                                  << "assistant: 5|";
        // What TRL's extract_prompt makes of these (run with trl 1.16).
        QTest::newRow("common characters") << R"({"chosen":"The sky is blue","rejected":"The sky is green"})"
                                           << "user:The sky is|"
                                           << "assistant: blue|"
                                           << "assistant: green|";
        QTest::newRow("one begins the other") << R"({"chosen":"ab","rejected":"abc"})"
                                              << "user:a|"
                                              << "assistant:b|"
                                              << "assistant:bc|";
        QTest::newRow("a shared byte is no shared character") << R"({"chosen":"xé","rejected":"xè"})"
                                                              << "user:x|"
                                                              << "assistant:é|"
                                                              << "assistant:è|";
        QTest::newRow("ultrafeedback")
            << R"({"prompt":"Hi","prompt_id":"7","chosen":[{"role":"user","content":"Hi"},{"role":"assistant","content":"A"}],)"
               R"("rejected":[{"role":"user","content":"Hi"},{"role":"assistant","content":"B"}]})"
            << "user:Hi|"
            << "assistant:A|"
            << "assistant:B|";
        QTest::newRow("text prompt, turns")
            << R"({"prompt":"Hi","chosen":[{"role":"assistant","content":"A"}],"rejected":[{"role":"assistant","content":"B"}]})"
            << "user:Hi|"
            << "assistant:A|"
            << "assistant:B|";
        QTest::newRow("turns")
            << R"({"prompt":[{"role":"system","content":"S"},{"role":"user","content":"Hi"}],)"
               R"("chosen":[{"role":"assistant","content":"A"}],"rejected":[{"role":"assistant","content":"B"}]})"
            << "system:S|user:Hi|"
            << "assistant:A|"
            << "assistant:B|";
        QTest::newRow("they part early")
            << R"({"chosen":[{"role":"user","content":"Hi"},{"role":"assistant","content":"A"},{"role":"user","content":"more"},)"
               R"({"role":"assistant","content":"C"}],"rejected":[{"role":"user","content":"Hi"},{"role":"assistant","content":"B"}]})"
            << "user:Hi|"
            << "assistant:A|user:more|assistant:C|"
            << "assistant:B|";
    }
    void everyShapeIsRead() {
        QFETCH(QString, line);
        QFETCH(QString, prompt);
        QFETCH(QString, chosen);
        QFETCH(QString, rejected);
        PreferenceRow row = only(line.toStdString());
        QCOMPARE(QString::fromStdString(text(row.prompt)), prompt);
        QCOMPARE(QString::fromStdString(text(row.chosen)), chosen);
        QCOMPARE(QString::fromStdString(text(row.rejected)), rejected);
    }

    void conversationsThatDoNotFitTogetherAreToldOf() {
        const std::string chosen =
            R"("chosen":[{"role":"user","content":"A"},{"role":"assistant","content":"x"}],)"
            R"("rejected":[{"role":"user","content":"B"},{"role":"assistant","content":"y"}]})";
        QVERIFY(refusal("{" + chosen).find("there is no column \"prompt\"") != std::string::npos);
        const std::string both = refusal("{\"prompt\":\"p\"," + chosen);
        QVERIFY2(both.find("answers that do not fit together") != std::string::npos, both.c_str());
        QVERIFY2(both.find("no column") == std::string::npos, both.c_str());
    }

    void scoresAreKept() {
        PreferenceRow row =
            only(R"({"prompt":"p","chosen":"a","rejected":"b","score_chosen":8.5,"score_rejected":2})");
        QCOMPARE(*row.score_chosen, 8.5);
        QCOMPARE(*row.score_rejected, 2.0);
        QVERIFY(!row.margin);
        ConversationRenderer renderer(chatml());
        PreferencePair pair = render_preference(row, renderer);
        QCOMPARE(*pair.score_chosen, 8.5);
        QVERIFY(!pair.templated);
        QVERIFY(!only(R"({"prompt":"p","chosen":"a","rejected":"b","score_chosen":null})").score_chosen);
    }

    void scoredTextsAreReadWhereTheyAreAskedFor() {
        const std::string rows = R"({"prompt":"p","completion":"c","score":3}
{"text":"whole","score":-1.5}
{"prompt":[{"role":"user","content":"u"}],"completion":[{"role":"assistant","content":"a"}],"score":0}
{"prompt":"p","chosen":"a","rejected":"b","score":9}
)";
        QVERIFY(refusal(rows).find("\"chosen\"") != std::string::npos);
        const auto found = read_preferences(write("scored.jsonl", rows), true);
        QCOMPARE(found.size(), std::size_t{4});
        const char* texts[][2] = {
            {"user:p|", "assistant:c|"}, {"", "assistant:whole|"}, {"user:u|", "assistant:a|"}};
        const double scores[] = {3, -1.5, 0};
        for (std::size_t i = 0; i < 3; ++i) {
            QVERIFY(found[i].is_single());
            QCOMPARE(text(found[i].prompt), std::string(texts[i][0]));
            QCOMPARE(text(found[i].chosen), std::string(texts[i][1]));
            QCOMPARE(*found[i].score_chosen, scores[i]);
        }
        QVERIFY(!found[3].is_single());
        for (const char* bad : {R"({"text":"t","score":"high"})", R"({"text":"t","score":null})",
                                R"({"completion":"c","score":1})", R"({"prompt":"p","score":1})"})
            QVERIFY_THROWS_EXCEPTION(Error, read_preferences(write("bad.jsonl", bad), true));
    }

    void conversationsGoThroughTheTemplate() {
        PreferenceRow row = only(
            R"({"prompt":"Hi","chosen":[{"role":"assistant","content":"A"}],"rejected":[{"role":"assistant","content":"B"}]})");
        ConversationRenderer renderer(chatml(), "Be brief.");
        PreferencePair pair = render_preference(row, renderer);
        QCOMPARE(pair.prompt,
                 std::string("<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                             "<|im_start|>assistant\n"));
        QCOMPARE(pair.chosen, std::string("A<|im_end|>\n"));
        QCOMPARE(pair.rejected, std::string("B<|im_end|>\n"));
        QVERIFY(pair.templated);
    }

    void mistakesNameFileRowAndColumn_data() {
        QTest::addColumn<QString>("content");
        QTest::addColumn<QString>("part");
        const QString good = "{\"prompt\":\"p\",\"chosen\":\"a\",\"rejected\":\"b\"}\n";
        QTest::newRow("missing") << good + R"({"prompt":"p","chosen":"a"})"
                                 << "bad.jsonl row 2 has no column \"rejected\"";
        QTest::newRow("type") << R"({"prompt":"p","chosen":"a","rejected":3})"
                              << "bad.jsonl row 1, column \"rejected\": text is expected";
        QTest::newRow("mixed") << R"({"chosen":[{"role":"user","content":"u"}],"rejected":"b"})"
                               << "\"rejected\" must be a list";
        QTest::newRow("role") << R"({"chosen":[{"role":"robot","content":"u"}],"rejected":[]})"
                              << "has the role \"robot\"";
        QTest::newRow("no turns") << R"({"prompt":"p","chosen":[],"rejected":[]})"
                                  << "row 1, column \"chosen\": it has no turns";
        QTest::newRow("not an answer")
            << R"({"chosen":[{"role":"user","content":"u"}],"rejected":[{"role":"user","content":"v"}]})"
            << "the last turn must be the assistant's answer";
        QTest::newRow("no prompt")
            << R"({"chosen":[{"role":"assistant","content":"u"}],"rejected":[{"role":"assistant","content":"v"}]})"
            << "has no prompt";
        QTest::newRow("score") << R"({"prompt":"p","chosen":"a","rejected":"b","score_chosen":"8"})"
                               << "column \"score_chosen\": a number is expected";
        QTest::newRow("list prompt") << R"({"prompt":[],"chosen":"a","rejected":"b"})"
                                     << "must be lists of turns too";
        QTest::newRow("empty file") << ""
                                    << "holds no rows";
    }
    void mistakesNameFileRowAndColumn() {
        QFETCH(QString, content);
        QFETCH(QString, part);
        std::string sentence = refusal(content.toStdString());
        QVERIFY2(QString::fromStdString(sentence).contains(part), sentence.c_str());
    }

    void noPromptIsOnBothSides() {
        std::string rows;
        for (int i = 0; i < 60; ++i)
            rows += "{\"prompt\":\"p" + std::to_string(i % 20) + "\",\"chosen\":\"a" + std::to_string(i)
                    + "\",\"rejected\":\"b\"}\n";
        PreferenceOptions options;
        options.data = write("many.jsonl", rows);
        options.examples = 0;
        options.validation_examples = 7;
        PreferenceSet set = make_preference_set(options);
        QCOMPARE(set.validation.size(), std::size_t{7});
        std::set<std::string> held;
        for (const auto& row : set.validation)
            held.insert(row.prompt.front().content);
        for (const auto& row : set.train)
            QVERIFY(!held.contains(row.prompt.front().content));
        QVERIFY(!set.train.empty());
    }

    void countdownPairsDifferInTheAnswer() {
        PreferenceOptions options;
        options.examples = 20;
        options.validation_examples = 4;
        PreferenceSet set = make_preference_set(options);
        QCOMPARE(set.train.size(), std::size_t{20});
        QCOMPARE(set.validation.size(), std::size_t{4});
        for (const auto& row : set.train)
            QVERIFY(row.chosen.front().content != row.rejected.front().content);
        options.examples = 1;
        QVERIFY_THROWS_EXCEPTION(Error, make_preference_set(options));
    }

    void sftTakesConversations() {
        TrainingSetOptions options;
        options.data = write(
            "sft.jsonl",
            R"({"messages":[{"role":"user","content":"1"},{"role":"assistant","content":"a"},{"role":"user","content":"2"},{"role":"assistant","content":"b"},{"role":"user","content":"3"}]})"
            "\n"
            R"({"prompt":[{"role":"user","content":"9"}],"completion":[{"role":"assistant","content":"z"}]})"
            "\n"
            R"({"prompt":"x","completion":"y"})"
            "\n");
        options.examples = 0;
        options.model = chatml();
        std::set<std::string> texts;
        for (const auto& example : make_training_set(options).train)
            texts.insert(example.prompt + "#" + example.completion + (example.templated ? "#t" : ""));
        QCOMPARE(texts,
                 (std::set<std::string>{
                     "<|im_start|>user\n1<|im_end|>\n<|im_start|>assistant\na<|im_end|>\n<|im_start|>user\n2"
                     "<|im_end|>\n<|im_start|>assistant\n#b<|im_end|>\n#t",
                     "<|im_start|>user\n9<|im_end|>\n<|im_start|>assistant\n#z<|im_end|>\n#t", "x#y"}));
        options.data = write("silent.jsonl", R"({"messages":[{"role":"user","content":"1"}]})");
        QVERIFY_THROWS_EXCEPTION(Error, make_training_set(options));
    }
};

QTEST_APPLESS_MAIN(TestPreferences)
#include "tst_preferences.moc"
