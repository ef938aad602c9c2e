#include "core/base/error.h"
#include "core/base/files.h"
#include "core/data/prompt_set.h"
#include "core/task/constraints.h"
#include "core/task/instruction.h"

#include <QTemporaryDir>
#include <QTest>
#include <set>

using namespace tempera;

class TestPromptSet : public QObject {
    Q_OBJECT

    std::vector<TaskPrompt> from_file(const std::string& rows, PromptSetOptions options = {}) {
        options.data = folder_.path().toStdString() + "/rows.jsonl";
        options.bad_rows = "refuse";
        write_file_atomic(options.data, rows);
        return make_prompt_set(options);
    }

    QTemporaryDir folder_;

private Q_SLOTS:
    void theShippedInstructionsCanBeCheckedAndShareNoPrompt() {
        std::set<std::string> prompts, constraints;
        std::size_t total = 0;
        for (Split split : {Split::train, Split::validation, Split::test}) {
            const auto rows = load_instructions(split, 0, 0);
            QVERIFY(rows.size() >= 50);
            total += rows.size();
            for (const auto& row : rows) {
                prompts.insert(row.prompt);
                const auto list = constraints_from(parse_json(row.facts, "facts"), "facts");
                QVERIFY(list.size() <= 3);
                for (const auto& constraint : list)
                    constraints.insert(std::to_string(static_cast<int>(constraint.kind)));
                QVERIFY2(check_constraints(list, "Yes").score < 1,
                         row.prompt.c_str()); // a word is not enough
            }
        }
        QCOMPARE(prompts.size(), total);
        QCOMPARE(constraints.size(), std::size_t{20}); // every kind is asked for
    }

    void errorsCallAPromptByItsRow() {
        const auto prompts = from_file("\n{\"prompt\":\"a\"}\n{\"nums\":[1,2],\"target\":3}\n");
        QVERIFY(name_of(prompts.at(0), 0).ends_with("rows.jsonl row 2"));
        QVERIFY(name_of(prompts.at(1), 1).ends_with("rows.jsonl row 3"));
        PromptSetOptions drawn;
        drawn.data = "countdown";
        drawn.count = 1;
        QCOMPARE(name_of(make_prompt_set(drawn).at(0), 0), std::string("Prompt 1"));
    }

    void theSeedNamesTheOrder() {
        const auto few = load_instructions(Split::test, 10, 3), more = load_instructions(Split::test, 20, 3);
        const auto other = load_instructions(Split::test, 10, 4);
        QCOMPARE(few.size(), std::size_t{10});
        bool differs = false;
        for (std::size_t i = 0; i < few.size(); ++i) {
            QCOMPARE(few[i].prompt, more[i].prompt);
            differs = differs || few[i].prompt != other[i].prompt;
        }
        QVERIFY(differs);
    }

    void instructionsGoThroughTheChatTemplate() {
        PromptSetOptions options;
        options.split = "test";
        options.count = 3;
        options.system = "Be brief.";
        const auto prompts = make_prompt_set(options);
        QCOMPARE(prompts.size(), std::size_t{3});
        QCOMPARE(prompt_text(prompts[0], ChatTemplate::named("chatml")),
                 "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n" + prompts[0].text
                     + "<|im_end|>\n<|im_start|>assistant\n");
        QVERIFY(!prompts[0].facts.empty());
        options.data = "countdown";
        const auto problems = make_prompt_set(options);
        QVERIFY(problems[0].messages.empty());
        QCOMPARE(prompt_text(problems[0], ChatTemplate::named("chatml")), problems[0].text);
    }

    void readsTheShapesOfFiles() {
        PromptSetOptions options;
        options.system = "S";
        options.prompt_style = "short";
        const auto prompts = from_file(R"({"prompt":"Hi","constraints":[{"type":"lower"}]}
{"prompt":[{"role":"system","content":"T"},{"role":"user","content":"Hello"}]}
{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"},{"role":"user","content":"c"},)"
                                       R"({"role":"assistant","content":"d"}],"chosen":1}
{"nums":[1,2,3],"target":6}
{"query":"Make 6.","nums":[1,2,3],"target":6}
)",
                                       options);
        QCOMPARE(prompts.size(), std::size_t{5});
        QCOMPARE(prompts[0].facts, std::string(R"({"constraints":[{"type":"lower"}]})"));
        QCOMPARE(prompts[0].messages.size(), std::size_t{2});
        QCOMPARE(prompts[1].messages[0].content, std::string("T")); // its own system turn
        QCOMPARE(prompts[2].messages.size(), std::size_t{4});
        QCOMPARE(prompts[2].text, std::string("c"));
        // What judges read is what the row says, without the recipe's system turn.
        QCOMPARE(prompts[1].conversation.size(), std::size_t{2});
        QCOMPARE(prompts[2].conversation.size(), std::size_t{3});
        QCOMPARE(prompts[2].conversation[1].content, std::string("b"));
        for (std::size_t i : {0u, 3u, 4u})
            QVERIFY(prompts[i].conversation.empty());
        QCOMPARE(prompts[3].text, std::string("1 2 3:6\n"));
        QCOMPARE(prompts[4].facts, prompts[3].facts);
        QCOMPARE(prompts[4].messages.back().content, std::string("Make 6."));
    }

    void wrongRowsAreNamed_data() {
        QTest::addColumn<QString>("rows");
        QTest::addColumn<QString>("part");
        QTest::newRow("nothing") << ""
                                 << "no rows";
        QTest::newRow("no column") << "{\"text\":\"a\"}"
                                   << "row 1 has no";
        QTest::newRow("empty") << "{\"prompt\":\"a\"}\n{\"prompt\":\"\"}"
                               << "row 2";
        QTest::newRow("role") << R"({"messages":[{"role":"owl","content":"a"}]})"
                              << "\"owl\"";
        QTest::newRow("turn") << R"({"messages":[{"role":"user"}]})"
                              << "must be a list";
        QTest::newRow("answer alone") << R"({"messages":[{"role":"assistant","content":"a"}]})"
                                      << "must end";
        QTest::newRow("no turn") << R"({"prompt":[]})"
                                 << "must end";
        QTest::newRow("constraint") << R"({"prompt":"a","constraints":[{"type":"loud"}]})"
                                    << "row 1";
        QTest::newRow("number") << R"({"prompt":3})"
                                << "row 1";
    }

    void wrongRowsAreNamed() {
        QFETCH(QString, rows);
        QFETCH(QString, part);
        try {
            from_file(rows.toStdString());
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::bad_input);
            QVERIFY2(QString(error.what()).contains(part), error.what());
        }
    }

    void unknownSourcesAreRefused() {
        PromptSetOptions options;
        options.data = "instruction";
        QVERIFY_THROWS_EXCEPTION(Error, make_prompt_set(options));
        options.data = "countdown";
        options.count = 0;
        QVERIFY_THROWS_EXCEPTION(Error, make_prompt_set(options));
        options.split = "tset";
        QVERIFY_THROWS_EXCEPTION(Error, make_prompt_set(options));
    }
};

QTEST_APPLESS_MAIN(TestPromptSet)
#include "tst_prompt_set.moc"
