// Broken and hostile tokenizer.json files: each one clear Error, no crash, no large allocation.

#include "core/base/error.h"
#include "core/base/random.h"
#include "tests/support/cpu_clock.h"
#include "text_golden.h"

#include <QTemporaryDir>
#include <QTest>
#include <fstream>
#include <functional>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

class TestTokenizerHostile : public QObject {
    Q_OBJECT

private:
    Json base_;

    struct Case {
        const char* name;
        std::function<void(Json&)> spoil;
        ErrorKind kind;
        const char* says; ///< part of the sentence
    };

    static std::vector<Case> cases();
    static std::vector<Case> component_cases();

    void check(const Case& item) {
        Json json = base_;
        item.spoil(json);
        try {
            Tokenizer::from_json(json, {}, "m/tokenizer.json");
        } catch (const Error& error) {
            std::string sentence = error.what();
            QVERIFY2(sentence.starts_with("m/tokenizer.json"), error.what());
            QVERIFY2(sentence.find(item.says) != std::string::npos, error.what());
            QVERIFY2(sentence.size() < 400 && sentence.ends_with("."), error.what());
            QVERIFY2(error.kind() == item.kind, error.what());
            return;
        }
        QFAIL((std::string("accepted: ") + item.name).c_str());
    }

private Q_SLOTS:
    void initTestCase() {
        base_ = parse_json(R"({"version":"1.0","truncation":null,"padding":null,"normalizer":{"type":"NFC"},
            "added_tokens":[{"id":3,"content":"<s>","single_word":false,"lstrip":false,"rstrip":false,"normalized":false,
            "special":true}],"pre_tokenizer":{"type":"ByteLevel","add_prefix_space":false,"use_regex":true},
            "post_processor":null,"decoder":{"type":"ByteLevel"},
            "model":{"type":"BPE","vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]}})",
                           "base");
        QCOMPARE(Tokenizer::from_json(base_, {}, "base").encode("abba<s>"),
                 (std::vector<std::int32_t>{2, 1, 0, 3}));
    }

    void brokenFilesAreRefused() {
        for (const Case& item : cases())
            check(item);
        for (const Case& item : component_cases())
            check(item);
    }

    void everyMissingOrWronglyTypedFieldIsRefusedOrHarmless() {
        // Replaces every value of the file in turn by each kind of JSON value, and removes it: an Error or a
        // working tokenizer.
        std::vector<Json> values{nullptr,
                                 true,
                                 -1,
                                 1e300,
                                 4294967296.0,
                                 "x",
                                 "",
                                 Json::array(),
                                 Json::object(),
                                 Json::array({1, "a"})};
        int refused = 0, accepted = 0;
        std::function<void(const Json::json_pointer&)> visit = [&](const Json::json_pointer& at) {
            auto attempt = [&](const Json& json) {
                try {
                    Tokenizer tokenizer = Tokenizer::from_json(json, {}, "m");
                    tokenizer.decode(tokenizer.encode("ab <s> \xff 12"));
                    ++accepted;
                } catch (const Error&) {
                    ++refused;
                }
            };
            for (const Json& value : values) {
                Json json = base_;
                json[at] = value;
                attempt(json);
            }
            const Json& here = base_[at];
            if (!here.is_structured()) return;
            for (const auto& item : here.items()) {
                Json json = base_;
                if (here.is_object())
                    json[at].erase(item.key());
                else
                    json[at].erase(std::stoul(item.key()));
                attempt(json);
                visit(here.is_object() ? at / item.key() : at / std::stoul(item.key()));
            }
        };
        visit(Json::json_pointer());
        QVERIFY2(refused > 200, std::to_string(refused).c_str());
        QVERIFY2(accepted > 20, std::to_string(accepted).c_str());
    }

    void randomBytesInTheFileAreRefusedOrHarmless() {
        std::string good = base_.dump();
        RandomStream random(11);
        for (int round = 0; round < 3000; ++round) {
            std::string text = good;
            for (std::uint32_t flips = random.below(4) + 1; flips > 0; --flips)
                text[random.below(static_cast<std::uint32_t>(text.size()))] =
                    static_cast<char>(random.below(256));
            if (random.below(4) == 0) text.resize(random.below(static_cast<std::uint32_t>(text.size())));
            try {
                Tokenizer tokenizer = Tokenizer::from_json(parse_json(text, "m"), {}, "m");
                tokenizer.decode(tokenizer.encode("ab<s>é"));
            } catch (const Error&) {
            }
        }
    }

    void filesThatAreNoTokenizersAreRefused() {
        QTemporaryDir dir;
        fs::path folder = dir.path().toStdString();
        auto kind_of = [&] {
            try {
                Tokenizer::load(folder);
            } catch (const Error& error) {
                return error.kind();
            }
            return ErrorKind::internal;
        };
        QCOMPARE(kind_of(), ErrorKind::not_found);
        for (const std::string& text :
             {std::string(), std::string("{"), std::string("[]"), std::string("\"x\""), std::string("null"),
              std::string(200000, '['), std::string("{\"model\":{\"vocab\":{\"a\":0,\"a\":1}}}"),
              std::string("\x00\xff", 2)}) {
            std::ofstream(folder / "tokenizer.json", std::ios::binary) << text;
            QCOMPARE(kind_of(), ErrorKind::bad_input);
        }
        std::ofstream(folder / "tokenizer.json") << base_.dump();
        QVERIFY(Tokenizer::load(folder).encode("ab").size() == 1);
        std::ofstream(folder / "tokenizer_config.json") << "{";
        QCOMPARE(kind_of(), ErrorKind::bad_input);
    }

    void namedTokensComeFromTheConfig() {
        Json config = {{"eos_token", "<s>"},
                       {"bos_token", {{"content", "ab"}}},
                       {"pad_token", "nobody"},
                       {"unk_token", 7}};
        Tokenizer tokenizer = Tokenizer::from_json(base_, config, "m");
        QCOMPARE(tokenizer.eos_id().value(), 3);
        QCOMPARE(tokenizer.bos_id().value(), 2);
        QVERIFY(!tokenizer.pad_id());
        for (const Json& odd : {Json(7), Json::array(), Json("x"), Json{{"eos_token", nullptr}},
                                Json{{"eos_token", Json::array()}}})
            QVERIFY(!Tokenizer::from_json(base_, odd, "m").eos_id());
    }

    void aRegexThatExplodesEndsInAnError() {
        Json json = base_;
        json["pre_tokenizer"] =
            parse_json(R"({"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(a|aa)+$"},
            "behavior":"Isolated","invert":false},{"type":"ByteLevel","add_prefix_space":false,"use_regex":false}]})",
                       "p");
        Tokenizer tokenizer = Tokenizer::from_json(json, {}, "m");
        QCOMPARE(tokenizer.encode("aa"), (std::vector<std::int32_t>{0, 0}));
        test::CpuClock clock;
        clock.start();
        QVERIFY_EXCEPTION_THROWN(tokenizer.encode(std::string(5000, 'a') + "b"), Error);
        QVERIFY2(clock.elapsed() < test::allowed_ms(5000), qPrintable(QString::number(clock.elapsed())));
    }

    void longTextsTakeNoQuadraticTime() {
        Json json = base_;
        json["added_tokens"][0]["content"] = std::string(1000, 'c') + "d";
        Tokenizer tokenizer = Tokenizer::from_json(json, {}, "m");
        test::CpuClock clock;
        clock.start();
        std::string letters;
        for (int i = 0; i < 500000; ++i)
            letters += "ab";
        QCOMPARE(tokenizer.encode(letters),
                 std::vector<std::int32_t>(500000, 2)); // one word of a million bytes
        QCOMPARE(tokenizer.encode(std::string(300000, '\n')).size(), std::size_t(0));
        for (const char* flag :
             {"lstrip", "rstrip"}) { // an added token of white space that takes the white space around it
            Json stripping = base_;
            stripping["added_tokens"][0]["content"] = " ";
            stripping["added_tokens"][0][flag] = true;
            QCOMPARE(Tokenizer::from_json(stripping, {}, "m").encode(std::string(200000, ' ')).size(),
                     std::size_t(200000));
        }
        QCOMPARE(tokenizer.encode(std::string(20000, 'c')).size(), std::size_t(0));
        QVERIFY2(clock.elapsed() < test::allowed_ms(5000), qPrintable(QString::number(clock.elapsed())));
    }
};

std::vector<TestTokenizerHostile::Case> TestTokenizerHostile::cases() {
    auto pairs = [](std::initializer_list<std::pair<const char*, const char*>> list) {
        Json out = Json::array();
        for (auto [left, right] : list)
            out.push_back(Json::array({left, right}));
        return out;
    };
    auto model = [](const char* key, Json value) { return [=](Json& json) { json["model"][key] = value; }; };
    auto added = [](const char* key, Json value) {
        return [=](Json& json) { json["added_tokens"][0][key] = value; };
    };
    const ErrorKind bad = ErrorKind::bad_input, unsupported = ErrorKind::unsupported;
    return {
        {"huge id", model("vocab", {{"a", 4294967295u}}), bad, "4294967295"},
        {"id beyond 64 bits", model("vocab", {{"a", 1e30}}), bad, "whole number"},
        {"id 2^63", model("vocab", {{"a", 9223372036854775808u}}), bad, "outside 0 to"},
        {"id beyond all proportion", model("vocab", {{"a", 4000000}}), bad, "far beyond the 1 tokens"},
        {"added token beyond all proportion", added("id", 4000000), bad, "far beyond"},
        {"negative id", model("vocab", {{"a", -1}}), bad, "-1"},
        {"real id", model("vocab", {{"a", 1.5}}), bad, "1.5"},
        {"two tokens, one id", model("vocab", {{"a", 0}, {"b", 0}}), bad, "share the id 0"},
        {"list as vocabulary", model("vocab", Json::array({"a"})), bad, "must be an object"},
        {"no vocabulary", [](Json& json) { json["model"].erase("vocab"); }, bad, "\"vocab\""},
        {"no merges", [](Json& json) { json["model"].erase("merges"); }, bad, "\"merges\""},
        {"no model", [](Json& json) { json.erase("model"); }, bad, "\"model\""},
        {"merge of an unknown token", model("merges", pairs({{"a", "c"}})), bad,
         "merge 1 names the token \"c\""},
        {"merge into an unknown token", model("merges", pairs({{"a", "b"}, {"b", "a"}})), bad,
         "merge 2 names the token \"ba\""},
        {"merge longer than any token", model("merges", pairs({{"ababababab", "b"}})), bad, "ababababab"},
        {"two ranks", model("merges", pairs({{"a", "b"}, {"a", "b"}})), bad, "stands twice"},
        {"merge of three", model("merges", Json::array({"a b ab"})), bad, "merge 1 is not a pair"},
        {"merge of one", model("merges", Json::array({"ab"})), bad, "not a pair"},
        {"merge of numbers", model("merges", Json::array({Json::array({1, 2})})), bad, "not a pair"},
        {"dropout", model("dropout", 0.1), unsupported, "dropout 0.1"},
        {"byte fallback", model("byte_fallback", true), unsupported, "byte_fallback"},
        {"prefix", model("continuing_subword_prefix", "##"), unsupported, "continuing_subword_prefix"},
        {"suffix", model("end_of_word_suffix", "</w>"), unsupported, "end_of_word_suffix"},
        {"unknown unk", model("unk_token", "<unk>"), bad, "unk_token"},
        {"another model", model("type", "WordLevel"), unsupported, "\"WordLevel\""},
        {"WordPiece behind ByteLevel", model("type", "WordPiece"), unsupported, "WordPiece behind"},
        {"another version", [](Json& json) { json["version"] = "2.0"; }, unsupported, "2.0"},
        {"added token with a used id", added("id", 1), bad, "the vocabulary says that is \"b\""},
        {"added token with another id", added("content", "ab"), bad, "the vocabulary says it is 2"},
        {"added token with a huge id", added("id", 2147483648u), bad, "2147483648"},
        {"very long added token", added("content", std::string(5000, 'x')), bad, "longer than 1024"},
        {"same added token twice",
         [](Json& json) { json["added_tokens"].push_back(json["added_tokens"][0]); }, bad, "stands twice"},
        {"added tokens equal once normalised",
         [](Json& json) {
             Json token = json["added_tokens"][0];
             token["normalized"] = true;
             token["content"] = "\u00e9";
             json["added_tokens"].push_back(token);
             json["added_tokens"][1]["id"] = 4;
             token["content"] = "e\u0301";
             token["id"] = 5;
             json["added_tokens"].push_back(token);
         },
         bad, "once normalised"},
    };
}

std::vector<TestTokenizerHostile::Case> TestTokenizerHostile::component_cases() {
    const ErrorKind bad = ErrorKind::bad_input, unsupported = ErrorKind::unsupported;
    auto part = [](const char* key, std::string text) {
        return [=](Json& json) { json[key] = parse_json(text, "part"); };
    };
    auto repeated = [](const std::string& text, int times) {
        std::string out;
        for (int i = 0; i < times; ++i)
            out += text;
        return out;
    };
    auto split = [](std::string pattern) {
        return [=](Json& json) {
            json["pre_tokenizer"] = {{"type", "Split"}, {"behavior", "Isolated"}, {"invert", false}};
            json["pre_tokenizer"]["pattern"] = parse_json(pattern, "pattern");
        };
    };
    return {
        {"normalizer", part("normalizer", R"({"type":"Nmt"})"), unsupported, "\"Nmt\""},
        {"nested normalizer",
         part("normalizer", R"({"type":"Sequence","normalizers":[{"type":"ByteLevel"}]})"), unsupported,
         "\"ByteLevel\""},
        {"pre-tokenizer", part("pre_tokenizer", R"({"type":"UnicodeScripts"})"), unsupported,
         "\"UnicodeScripts\""},
        {"decoder", part("decoder", R"({"type":"CTC"})"), unsupported, "\"CTC\""},
        {"post-processor", part("post_processor", R"({"type":"Padding"})"), unsupported, "\"Padding\""},
        {"no byte level", part("pre_tokenizer", "null"), unsupported, "ByteLevel"},
        {"behind byte level",
         part("pre_tokenizer",
              R"({"type":"Sequence","pretokenizers":[{"type":"ByteLevel","add_prefix_space":false},
              {"type":"Digits","individual_digits":true}]})"),
         unsupported, "\"Digits\" follows ByteLevel"},
        {"no type", part("pre_tokenizer", "{}"), bad, "\"type\""},
        {"long name", part("decoder", "{\"type\":\"" + std::string(9000, 'x') + "\"}"), unsupported,
         "xxx..."},
        {"broken regex", split(R"({"Regex":"(a"})"), bad, "regular expression"},
        {"long regex", split("{\"Regex\":\"" + std::string(30000, 'a') + "\"}"), bad, "too long"},
        {"regex of many classes", split("{\"Regex\":\"" + repeated(R"(\\w)", 5000) + "\"}"), bad, "too long"},
        {"deep regex", split("{\"Regex\":\"" + std::string(9999, '(') + std::string(9999, ')') + "\"}"), bad,
         "cannot be used"},
        {"deep set", split("{\"Regex\":\"" + std::string(9999, '[') + "a" + std::string(9999, ']') + "\"}"),
         bad, "cannot be used"},
        {"a thousand steps",
         part("pre_tokenizer", "{\"type\":\"Sequence\",\"pretokenizers\":["
                                   + repeated(R"({"type":"Digits","individual_digits":true},)", 1000)
                                   + R"({"type":"ByteLevel","add_prefix_space":false}]})"),
         bad, "more than 64 steps"},
        {"empty text", split(R"({"String":""})"), bad, "empty"},
        {"no pattern", split("{}"), bad, "\"String\""},
        {"number as pattern", split(R"({"Regex":7})"), bad, "must be a string"},
        {"template without text",
         part("post_processor", R"({"type":"TemplateProcessing","single":[],"special_tokens":{}})"), bad,
         "sequence A"},
        {"template with an unknown token",
         part("post_processor",
              R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}],"special_tokens":{}})"),
         bad, "\"x\""},
    };
}

QTEST_APPLESS_MAIN(TestTokenizerHostile)
#include "tst_tokenizer_hostile.moc"
