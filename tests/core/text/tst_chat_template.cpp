// Prompts against transformers' apply_chat_template; goldens by tests/golden/make_chat_templates.py.

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/text/chat_template.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>
#include <sstream>

using namespace tempera;
namespace fs = std::filesystem;

class TestChatTemplate : public QObject {
    Q_OBJECT

private:
    static std::vector<Json> golden() {
        std::istringstream lines(
            read_file(fs::path(source_dir()) / "tests/golden/chat_templates/cases.jsonl", 8u << 20));
        std::vector<Json> out;
        for (std::string line; std::getline(lines, line);)
            out.push_back(parse_json(line, "cases.jsonl"));
        return out;
    }
    static std::vector<ChatMessage> messages_of(const Json& json) {
        std::vector<ChatMessage> out;
        for (const Json& message : json)
            out.push_back({message["role"], message["content"]});
        return out;
    }

private Q_SLOTS:
    void promptsEqualTransformers() {
        int compared = 0, refused = 0;
        for (const Json& line : golden()) {
            if (line["cases"].is_null()) continue;
            std::string name = line["name"];
            ChatTemplate chat = ChatTemplate::recognise(line["template"], "<BOS>", name);
            ChatStyle expected = name.starts_with("llama")   ? ChatStyle::llama3
                                 : name.starts_with("gemma") ? ChatStyle::gemma
                                                             : ChatStyle::chatml;
            QVERIFY2(chat.style() == expected, name.c_str());
            for (const Json& item : line["cases"]) {
                ChatOptions options{item["add_generation_prompt"], name == "llama-3.2" ? "01 Feb 2025" : ""};
                if (item["text"].is_null()) {
                    QVERIFY_EXCEPTION_THROWN(chat.apply(messages_of(item["messages"]), options), Error);
                    ++refused;
                } else {
                    QCOMPARE(chat.apply(messages_of(item["messages"]), options),
                             item["text"].get<std::string>());
                    ++compared;
                }
            }
        }
        QCOMPARE(compared + refused, 120);
        QCOMPARE(refused, 4); // Gemma's system messages
    }

    void unknownTemplatesNameTheChoices() {
        int unknown = 0;
        for (const Json& line : golden()) {
            if (!line["cases"].is_null()) continue;
            ++unknown;
            try {
                ChatTemplate::recognise(line["template"], "", "m/tokenizer_config.json");
                QFAIL(("recognised " + line["name"].get<std::string>()).c_str());
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::unsupported);
                QVERIFY(std::string(error.what()).find("choose chatml, llama-3, gemma or plain")
                        != std::string::npos);
            }
        }
        QCOMPARE(unknown, 14);
    }

    void aFolderHasItsTemplateInOneOfTwoPlaces() {
        QTemporaryDir dir;
        fs::path folder = dir.path().toStdString();
        QCOMPARE(ChatTemplate::load(folder).style(), ChatStyle::plain);
        std::string gemma, chatml;
        for (const Json& line : golden())
            if (line["name"] == "gemma")
                gemma = line["template"];
            else if (line["name"] == "chatml")
                chatml = line["template"];
        Json config = {{"bos_token", {{"content", "<bos>"}}}, {"chat_template", gemma}};
        write_file_atomic(folder / "tokenizer_config.json", config.dump());
        std::vector<ChatMessage> hello{{"user", "hello"}};
        QCOMPARE(ChatTemplate::load(folder).apply(hello),
                 std::string("<bos><start_of_turn>user\nhello<end_of_turn>\n<start_of_turn>model\n"));
        config["chat_template"] = Json::array(
            {{{"name", "tool_use"}, {"template", gemma}}, {{"name", "default"}, {"template", chatml}}});
        write_file_atomic(folder / "tokenizer_config.json", config.dump());
        QCOMPARE(ChatTemplate::load(folder).style(), ChatStyle::chatml);
        write_file_atomic(folder / "chat_template.jinja", gemma);
        QCOMPARE(ChatTemplate::load(folder).style(), ChatStyle::gemma);
    }

    void malformedConfigsAreRefused() {
        QTemporaryDir dir;
        fs::path folder = dir.path().toStdString();
        for (const char* text : {"[]", "{\"chat_template\": 7}", "{\"chat_template\": [7]}",
                                 "{\"chat_template\": [{\"name\": 1}]}", "{\"chat_template\": []}", "{"}) {
            write_file_atomic(folder / "tokenizer_config.json", text);
            QVERIFY_EXCEPTION_THROWN(ChatTemplate::load(folder), Error);
        }
    }

    void aFamilyCanBeChosenByName() {
        std::vector<ChatMessage> talk{{"system", "s"}, {"user", "u"}};
        QCOMPARE(ChatTemplate::named("plain").apply(talk), std::string("s\n\nu"));
        QCOMPARE(
            ChatTemplate::named("chatml").apply(talk),
            std::string(
                "<|im_start|>system\ns<|im_end|>\n<|im_start|>user\nu<|im_end|>\n<|im_start|>assistant\n"));
        QCOMPARE(ChatTemplate::named("llama-3").apply(talk),
                 std::string("<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\ns<|eot_id|>"
                             "<|start_header_id|>user<|end_header_id|>\n\nu<|eot_id|><|start_header_id|>"
                             "assistant<|end_header_id|>\n\n"));
        QCOMPARE(ChatTemplate::named("gemma").apply(talk),
                 std::string("<bos><start_of_turn>user\ns\n\nu<end_of_turn>\n<start_of_turn>model\n"));
        QVERIFY_EXCEPTION_THROWN(ChatTemplate::named("vicuna"), Error);
    }

    void unknownRolesAndNothingToSayAreRefused() {
        for (const std::string& name : ChatTemplate::names()) {
            std::vector<ChatMessage> tool{{"tool", "x"}}, nothing;
            QVERIFY_EXCEPTION_THROWN(ChatTemplate::named(name).apply(tool), Error);
            QVERIFY_EXCEPTION_THROWN(ChatTemplate::named(name).apply(nothing), Error);
        }
    }
};

QTEST_APPLESS_MAIN(TestChatTemplate)
#include "tst_chat_template.moc"
