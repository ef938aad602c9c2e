// Broken and hostile WordPiece, Unigram and SentencePiece files: each one clear Error, no crash, no large
// allocation, no endless work.

#include "core/base/error.h"
#include "core/base/random.h"
#include "core/text/charsmap.h"
#include "text_golden.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>
#include <bit>
#include <fstream>
#include <functional>

using namespace tempera;
using namespace tempera::test;

namespace {

/// Little-endian bytes of 32-bit numbers.
std::string words(std::initializer_list<std::uint32_t> values) {
    std::string out;
    for (std::uint32_t value : values)
        for (int shift = 0; shift < 32; shift += 8)
            out += static_cast<char>(value >> shift & 0xFF);
    return out;
}

/// A double array of 256 units in which "a" is replaced by "b": root -> 'a' (unit 97) -> its value (unit 96).
std::string small_charsmap(std::uint32_t value = 0, std::string replacements = std::string("b\0", 2)) {
    std::vector<std::uint32_t> units(256, 0x800000ffu); // a label no byte has
    units[0] = 0;
    units[97] = 97u | 1u << 8 | 1u << 10; // label, a value follows, at 97 ^ 1
    units[96] = 0x80000000u | value;
    std::string out = words({1024});
    for (std::uint32_t unit : units)
        out += words({unit});
    return out + replacements;
}

std::string base64(const std::string& bytes) {
    return QByteArray::fromStdString(bytes).toBase64().toStdString();
}

std::string varint(std::uint64_t value) {
    std::string out;
    for (; value >= 0x80; value >>= 7)
        out += static_cast<char>(value | 0x80);
    return out + static_cast<char>(value);
}

/// A protobuf field with a length.
std::string field(unsigned number, const std::string& bytes) {
    return varint(number << 3 | 2) + varint(bytes.size()) + bytes;
}
std::string field(unsigned number, std::uint64_t value) {
    return varint(number << 3) + varint(value);
}

std::string piece(const std::string& text, float score, unsigned type = 1) {
    return field(1, field(1, text) + varint(2 << 3 | 5) + words({std::bit_cast<std::uint32_t>(score)})
                        + field(3, std::uint64_t(type)));
}

std::string small_model(const std::string& more = "") {
    return piece("<unk>", 0, 2) + piece("\u2581", -2) + piece("a", -1) + piece("\u2581ab", -3)
           + piece("b", -1.5f) + piece("<s>", 0, 3) + more;
}

} // namespace

class TestWordTokenizersHostile : public QObject {
    Q_OBJECT

private:
    Json wordpiece_, unigram_;

    static std::string sentence_of(const std::function<void()>& action, ErrorKind kind) {
        try {
            action();
        } catch (const Error& error) {
            std::string sentence = error.what();
            if (error.kind() != kind) return "kind " + std::string(name_of(error.kind())) + ": " + sentence;
            if (sentence.size() >= 500 || !sentence.ends_with(".")) return "no sentence: " + sentence;
            return sentence;
        }
        return "accepted";
    }
    static void use(const Tokenizer& tokenizer) {
        for (const char* text : {"", "ab <s> \xff 12", "a\u0301 \u2581b\r\n\u1100\u1161", "[CLS]"}) {
            tokenizer.decode(tokenizer.encode(text));
            tokenizer.encode_with_specials(text, {}, {.max_length = 9});
        }
    }

private Q_SLOTS:
    void initTestCase() {
        wordpiece_ =
            parse_json(R"({"version":"1.0","added_tokens":[{"id":2,"content":"[CLS]","single_word":false,
            "lstrip":false,"rstrip":false,"normalized":false,"special":true}],
            "normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,"strip_accents":null,"lowercase":true},
            "pre_tokenizer":{"type":"BertPreTokenizer"},"decoder":{"type":"WordPiece","prefix":"##","cleanup":true},
            "post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"[CLS]","type_id":0}},
            {"Sequence":{"id":"A","type_id":0}}],"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
            "special_tokens":{"[CLS]":{"id":"[CLS]","ids":[2],"tokens":["[CLS]"]}}},
            "model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
            "vocab":{"[UNK]":0,"a":1,"[CLS]":2,"##b":3}}})",
                       "base");
        QCOMPARE(Tokenizer::from_json(wordpiece_, {}, "m").encode("AB b a", {.add_special_tokens = true}),
                 (std::vector<std::int32_t>{2, 1, 3, 0, 1}));
        unigram_ =
            parse_json(R"({"version":"1.0","added_tokens":[],"normalizer":{"type":"Sequence","normalizers":[
            {"type":"Strip","strip_left":true,"strip_right":true},{"type":"Precompiled","precompiled_charsmap":"@"},
            {"type":"Replace","pattern":{"Regex":" {2,}"},"content":" "},{"type":"Prepend","prepend":""}]},
            "pre_tokenizer":{"type":"Metaspace","replacement":"▁","prepend_scheme":"always","split":true},
            "decoder":{"type":"Sequence","decoders":[{"type":"ByteFallback"},{"type":"Metaspace","replacement":"▁",
            "prepend_scheme":"always"},{"type":"Fuse"},{"type":"Strip","content":" ","start":1,"stop":0}]},
            "post_processor":{"type":"BertProcessing","cls":["<s>",1],"sep":["</s>",2]},
            "model":{"type":"Unigram","unk_id":0,"byte_fallback":false,"vocab":[["<unk>",0.0],["<s>",0.0],["</s>",0.0],
            ["▁",-2.0],["b",-1.5],["▁b",-3]]}})",
                       "base");
        unigram_["normalizer"]["normalizers"][1]["precompiled_charsmap"] = base64(small_charsmap());
        QCOMPARE(Tokenizer::from_json(unigram_, {}, "m").encode("a  abc"),
                 (std::vector<std::int32_t>{5, 5, 4, 0}));
    }

    void brokenFilesAreRefused_data() {
        QTest::addColumn<QString>("change");
        QTest::addColumn<QString>("says");
        auto row = [](const char* name, const char* change, const char* says) {
            QTest::newRow(name) << QString(change) << QString(says);
        };
        row("empty WordPiece vocabulary", R"({"model":{"vocab":{}}})", "unk_token \"[UNK]\" is not in");
        row("unknown unk", R"({"model":{"unk_token":"<unk>"}})", "unk_token");
        row("word length as text", R"({"model":{"max_input_chars_per_word":"x"}})", "whole number");
        row("negative word length", R"({"model":{"max_input_chars_per_word":-1}})", "whole number");
        row("prefix as number", R"({"model":{"continuing_subword_prefix":7}})", "must be a string");
        row("one id twice", R"({"model":{"vocab":{"[UNK]":0,"a":0}}})", "share the id 0");
        row("empty Unigram vocabulary", R"({"U":1,"model":{"vocab":[]}})", "vocabulary is empty");
        row("Unigram vocabulary as object", R"({"U":1,"model":{"vocab":{"a":0}}})", "must be a list");
        row("entry without score", R"({"U":1,"model":{"vocab":[["a"]]}})", "entry 0");
        row("score as text", R"({"U":1,"model":{"vocab":[["a",1],["b","x"]]}})", "entry 1");
        row("unk_id outside", R"({"U":1,"model":{"unk_id":6}})", "unk_id 6 is outside");
        row("unk_id huge", R"({"U":1,"model":{"unk_id":18446744073709551615}})", "outside 0 to");
        row("unk_id negative", R"({"U":1,"model":{"unk_id":-1}})", "outside 0 to");
        row("charsmap not base64",
            R"({"U":1,"normalizer":{"type":"Precompiled","precompiled_charsmap":"?"}})", "base64");
        row("charsmap empty", R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":""}})",
            "truncated");
        row("charsmap truncated",
            R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAQAAAAA"}})",
            "truncated: its double array has 1024 bytes");
        row("charsmap without array",
            R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":"AAAAAAAA"}})",
            "0 bytes cannot be");
        row("charsmap as number", R"({"normalizer":{"type":"Precompiled","precompiled_charsmap":4}})",
            "must be a string");
        row("replacement of two characters",
            R"({"pre_tokenizer":{"type":"Metaspace","replacement":"ab","prepend_scheme":"always"}})",
            "one character");
        row("unknown scheme",
            R"({"pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"x"}})",
            "unsupported");
        row("contradicting prefix",
            R"({"pre_tokenizer":{"type":"Metaspace","replacement":"_","prepend_scheme":"first","add_prefix_space":false}})",
            "contradicts");
        row("unknown behavior", R"({"pre_tokenizer":{"type":"Punctuation","behavior":"x"}})", "unsupported");
        row("decoder strips minus one", R"({"decoder":{"type":"Strip","content":" ","start":-1,"stop":0}})",
            "from 0");
        row("decoder behind ByteLevel",
            R"({"decoder":{"type":"Sequence","decoders":[{"type":"ByteLevel"},{"type":"ByteFallback"}]}})",
            "unsupported");
        row("cls without id", R"({"post_processor":{"type":"BertProcessing","cls":["a"],"sep":["b",1]}})",
            "\"cls\"");
        row("two templates",
            R"({"post_processor":{"type":"Sequence","processors":[{"type":"BertProcessing","cls":["a",1],"sep":["b",1]},
            {"type":"BertProcessing","cls":["a",1],"sep":["b",1]}]}})",
            "unsupported");
        row("sequence C",
            R"({"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"C","type_id":0}}]}})",
            "not A or B");
        row("type id huge",
            R"({"post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":1e30}}]}})",
            "whole number");
    }
    void brokenFilesAreRefused() {
        QFETCH(QString, change);
        QFETCH(QString, says);
        Json patch = parse_json(change.toStdString(), "patch"),
             json = patch.contains("U") ? unigram_ : wordpiece_;
        for (auto& [key, value] : patch.items())
            if (key == "model")
                json["model"].update(value);
            else
                json[key] = value;
        bool unsupported = says == "unsupported";
        std::string sentence = sentence_of([&] { Tokenizer::from_json(json, {}, "m/tokenizer.json"); },
                                           unsupported ? ErrorKind::unsupported : ErrorKind::bad_input);
        QVERIFY2(sentence.starts_with("m/tokenizer.json"), sentence.c_str());
        QVERIFY2(unsupported || sentence.find(says.toStdString()) != std::string::npos, sentence.c_str());
    }

    void charsmapsThatLeadOutsideAreRefused() {
        std::string out;
        QVERIFY(Charsmap::from_bytes(small_charsmap(), "m").apply("xax", out));
        QCOMPARE(out, std::string("xbx"));
        auto refused = [](const std::string& bytes, const char* says) {
            std::string sentence =
                sentence_of([&] { Charsmap::from_bytes(bytes, "m"); }, ErrorKind::bad_input);
            QVERIFY2(sentence.find(says) != std::string::npos, sentence.c_str());
        };
        refused(small_charsmap(2), "points outside the 2 bytes");
        refused(small_charsmap(0x7fffffff), "points outside");
        refused(small_charsmap(1, "\u00e9"), "points outside"); // into a character
        refused(small_charsmap(0, "\xff"), "not UTF-8");
        refused(words({6}) + "123456", "multiple of 4");
        refused("abc", "truncated");
        std::string far = small_charsmap(); // the value's place far beyond the array
        far.replace(4 + 4 * 97, 4, words({97u | 1u << 8 | 1u << 9 | 0x1fffffu << 10}));
        refused(far, "points outside");
        std::string cyclic = words({1024}); // every unit's children begin at unit 0: 'a' follows 'a' for ever
        for (std::uint32_t i = 0; i < 256; ++i)
            cyclic += words({i | i << 10});
        QVERIFY(!Charsmap::from_bytes(cyclic, "m").apply(std::string(5000, 'a'), out));
    }

    void everyMissingOrWronglyTypedFieldIsRefusedOrHarmless_data() {
        QTest::addColumn<bool>("unigram");
        QTest::newRow("WordPiece") << false;
        QTest::newRow("Unigram") << true;
    }
    void everyMissingOrWronglyTypedFieldIsRefusedOrHarmless() {
        QFETCH(bool, unigram);
        const Json& base = unigram ? unigram_ : wordpiece_;
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
        auto attempt = [&](const Json& json) {
            try {
                use(Tokenizer::from_json(json, {}, "m"));
                ++accepted;
            } catch (const Error&) {
                ++refused;
            }
        };
        std::function<void(const Json::json_pointer&)> visit = [&](const Json::json_pointer& at) {
            for (const Json& value : values) {
                Json json = base;
                json[at] = value;
                attempt(json);
            }
            const Json& here = base[at];
            if (!here.is_structured()) return;
            for (const auto& item : here.items()) {
                Json json = base;
                if (here.is_object())
                    json[at].erase(item.key());
                else
                    json[at].erase(std::stoul(item.key()));
                attempt(json);
                visit(here.is_object() ? at / item.key() : at / std::stoul(item.key()));
            }
        };
        visit(Json::json_pointer());
        QVERIFY2(refused > 250, std::to_string(refused).c_str());
        QVERIFY2(accepted > 20, std::to_string(accepted).c_str());
    }

    void randomBytesAreRefusedOrHarmless() {
        std::string model = small_model(field(3, field(2, small_charsmap()) + field(3, std::uint64_t(1)))
                                        + field(2, field(35, std::uint64_t(0))));
        std::vector<std::string> files{wordpiece_.dump(), unigram_.dump(), model, small_charsmap()};
        RandomStream random(11);
        int refused = 0, accepted = 0;
        for (int round = 0; round < 6000; ++round) {
            std::size_t kind = static_cast<std::size_t>(round) % files.size();
            std::string text = files[kind];
            for (std::uint32_t flips = random.below(4) + 1; flips > 0; --flips)
                text[random.below(static_cast<std::uint32_t>(text.size()))] =
                    static_cast<char>(random.below(256));
            if (random.below(4) == 0) text.resize(random.below(static_cast<std::uint32_t>(text.size())));
            std::string out;
            try {
                if (kind < 2)
                    use(Tokenizer::from_json(parse_json(text, "m"), {}, "m"));
                else if (kind == 2)
                    use(Tokenizer::from_sentencepiece(text, {}, "m"));
                else
                    Charsmap::from_bytes(text, "m").apply("aXa\u0301 \xF0\x9F\x99\x82 abab", out);
                ++accepted;
            } catch (const Error&) {
                ++refused;
            }
        }
        QVERIFY2(refused > 1000 && accepted > 300,
                 (std::to_string(refused) + " " + std::to_string(accepted)).c_str());
    }

    void brokenSentencePieceModelsAreRefused() {
        Tokenizer good = Tokenizer::from_sentencepiece(small_model(), {}, "m");
        QCOMPARE(good.encode("ab a<s>c"), (std::vector<std::int32_t>{3, 1, 2, 5, 1, 0}));
        QCOMPARE(good.decode(std::vector<std::int32_t>{3, 1, 2}), std::string("ab a"));
        QCOMPARE(good.unk_id().value(), 0);
        struct {
            std::string bytes;
            const char* says;
            ErrorKind kind = ErrorKind::bad_input;
        } const cases[] = {
            {"", "one unknown piece"},
            {piece("a", -1), "one unknown piece"},
            {small_model(piece("<pad>", 0, 2)), "but has 2"},
            {small_model(piece("a", -4)), "\"a\" stands twice"},
            {small_model(piece("", -4)), "empty"},
            {small_model(piece("\xff", -4)), "UTF-8"},
            {small_model(piece("z", std::bit_cast<float>(0x7fc00000u))), "not a number"},
            {small_model(piece("z", 1, 9)), "type 9"},
            {small_model(piece(std::string(2000, 'z'), 1)), "longer than 1024"},
            {small_model(field(2, field(3, std::uint64_t(2)))), "BPE is not implemented",
             ErrorKind::unsupported},
            {small_model(field(2, field(3, std::uint64_t(77)))), "77", ErrorKind::unsupported},
            {small_model(field(3, field(2, std::string("abc")))), "charsmap is truncated"},
            {small_model(field(3, field(3, std::string("abc")))), "damaged"},
            {small_model(field(1, std::uint64_t(3))), "damaged"},
            {small_model("\x0a"), "damaged"},
            {small_model(std::string("\x0a\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11)), "damaged"},
            {small_model(std::string(20, '\xff')), "damaged"},
            {small_model("\x0b"), "damaged"}, // groups
            {std::string("{\"model\":{}}"), "m"},
        };
        for (const auto& item : cases) {
            std::string sentence =
                sentence_of([&] { Tokenizer::from_sentencepiece(item.bytes, {}, "m/spm.model"); }, item.kind);
            QVERIFY2(sentence.starts_with("m/spm.model") && sentence.find(item.says) != std::string::npos,
                     sentence.c_str());
        }
    }

    void aFolderWithASentencePieceModelLoads() {
        QTemporaryDir dir;
        std::filesystem::path folder = dir.path().toStdString();
        QVERIFY(!Tokenizer::is_in(folder));
        std::ofstream(folder / "spm.model", std::ios::binary)
            << small_model(piece("[CLS]", 0, 3) + piece("[SEP]", 0, 3));
        QVERIFY(Tokenizer::is_in(folder));
        EncodedText both = Tokenizer::load(folder).encode_with_specials("ab", "a");
        QCOMPARE(both.ids, (std::vector<std::int32_t>{6, 3, 7, 1, 2, 7}));
        QCOMPARE(both.type_ids, (std::vector<std::int32_t>{0, 0, 0, 1, 1, 1}));
        std::ofstream(folder / "tokenizer.json") << wordpiece_.dump(); // goes before the model
        QCOMPARE(Tokenizer::load(folder).encode("a"), (std::vector<std::int32_t>{1}));
    }

    void limitsThatCannotBeKeptAreRefused() {
        Tokenizer tokenizer = Tokenizer::from_json(unigram_, {}, "m");
        QCOMPARE(tokenizer.encode_with_specials("bbbb", "bbb", {.max_length = 4}).ids.size(), std::size_t(4));
        auto limited = [&](std::size_t most, bool pair) {
            return sentence_of(
                [&] {
                    tokenizer.encode_with_specials("b",
                                                   pair ? std::optional<std::string_view>("b") : std::nullopt,
                                                   {.max_length = most});
                },
                ErrorKind::bad_input);
        };
        QVERIFY(limited(2, false).find("max_length of 2 leaves no room beside the 2") != std::string::npos);
        QVERIFY(limited(3, true).find("beside the 3") != std::string::npos);
        Json single = wordpiece_;
        single["post_processor"].erase("pair");
        QVERIFY(sentence_of([&] { Tokenizer::from_json(single, {}, "m").encode_with_specials("a", "a"); },
                            ErrorKind::unsupported)
                    .find("no template for a pair")
                != std::string::npos);
    }

    void aCharacterWithoutTokenOrUnknownTokenIsAnError() {
        Json json = unigram_;
        json["model"].erase("unk_id");
        Tokenizer tokenizer = Tokenizer::from_json(json, {}, "m");
        QCOMPARE(tokenizer.encode("b b"), (std::vector<std::int32_t>{5, 5}));
        std::string sentence = sentence_of([&] { tokenizer.encode("b x"); }, ErrorKind::bad_input);
        QVERIFY2(sentence.find("\"x\"") != std::string::npos, sentence.c_str());
    }

    void longTextsTakeNoQuadraticTime() {
        QElapsedTimer clock;
        clock.start();
        Json words = wordpiece_, unigram = unigram_;
        words["model"]["max_input_chars_per_word"] = 4000000000u;
        words["model"]["vocab"]["##" + std::string(1000, 'b')] = 4;
        Tokenizer wordpiece = Tokenizer::from_json(words, {}, "m");
        QCOMPARE(wordpiece.encode("a" + std::string(1'000'000, 'b')).size(), std::size_t(1001));
        QCOMPARE(wordpiece.encode("a" + std::string(200'000, 'b') + "c").size(), std::size_t(1));
        unigram["pre_tokenizer"]["split"] = false;
        Tokenizer whole = Tokenizer::from_json(unigram, {}, "m");
        QCOMPARE(whole.encode(std::string(1'000'000, 'a')).size(), std::size_t(1'000'000));
        QCOMPARE(whole.encode(std::string(300'000, 'x')).size(), std::size_t(2));
        QCOMPARE(whole.encode(std::string(500'000, ' ')).size(), std::size_t(0));
        std::string marks = "a";
        for (int i = 0; i < 200'000; ++i)
            marks += "\u0301"; // one grapheme cluster of 400 kB
        whole.encode(marks);
        wordpiece.encode(marks);
        QVERIFY2(clock.elapsed() < 20'000, qPrintable(QString::number(clock.elapsed())));
    }
};

QTEST_APPLESS_MAIN(TestWordTokenizersHostile)
#include "tst_word_tokenizers_hostile.moc"
