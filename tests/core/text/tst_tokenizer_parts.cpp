// The tokenizer's parts on their own: UTF-8, split patterns against ICU, BPE's two ways, streaming, special
// text.

#include "core/base/random.h"
#include "core/text/bpe.h"
#include "core/text/byte_alphabet.h"
#include "core/text/char_class.h"
#include "core/text/pre_tokenizer.h"
#include "core/text/split_pattern.h"
#include "core/text/utf8.h"
#include "core/text/word_cache.h"
#include "text_golden.h"

#include <QTest>
#include <map>

using namespace tempera;
using namespace tempera::test;

class TestTokenizerParts : public QObject {
    Q_OBJECT

private:
    /// Characters that meet in every way the regexes tell apart, all in Unicode before 15.1, which ICU 72
    /// does not know.
    static std::string random_text(RandomStream& random) {
        static const char* const pieces[] = {
            "a",    "B",          "z",      "s",      "S",       "t",      "re",     "LL",     "ve",
            "d",    "'",          "'",      "'",      "\u017f",  "é",      "ß",      "\u0301", "日",
            "ا",    "\U0001d4d0", "1",      "0",      "٣",       "½",      "Ⅻ",      "²",      " ",
            " ",    " ",          "\n",     "\r",     "\t",      "\u00a0", "\u3000", "\u0085", "\u2028",
            "\x0b", "\x1c",       "\u200b", "\ufeff", ".",       ",",      "!",      "-",      "_",
            "{",    "🙂",       "\u200d", "€",      "\u0000x", "\ufffd", "\u00ad", "K",      "\u212a"};
        std::string out;
        for (std::uint32_t length = random.below(14); length > 0; --length)
            out += pieces[random.below(std::size(pieces))];
        return out;
    }

private Q_SLOTS:
    void handWrittenMatchersEqualIcu_data() {
        QTest::addColumn<QString>("pattern");
        QTest::newRow("GPT-2") << gpt2_pattern;
        QTest::newRow("Qwen2") << qwen2_pattern;
        QTest::newRow("Llama 3") << llama3_pattern;
    }
    void handWrittenMatchersEqualIcu() {
        QFETCH(QString, pattern);
        SplitPattern fast = SplitPattern::regex(pattern.toStdString(), "test");
        SplitPattern slow = SplitPattern::regex_by_icu(pattern.toStdString(), "test");
        QVERIFY(fast.covers_everything() && !slow.covers_everything());
        RandomStream random(3);
        std::vector<TextRange> expected, got;
        for (int round = 0; round < 40000; ++round) {
            std::string text = random_text(random);
            fast.find_all(text, got);
            slow.find_all(text, expected);
            bool equal =
                std::equal(got.begin(), got.end(), expected.begin(), expected.end(), [](auto& a, auto& b) {
                    return a.begin == b.begin && a.end == b.end && a.match && b.match;
                });
            QVERIFY2(equal, QByteArray::fromStdString(text).toPercentEncoding().constData());
        }
    }

    void classesHaveTheFixedPoints() {
        const CharClassTable& classes = char_classes();
        auto is = [&](char32_t c, int expected) { return classes(c) == expected; };
        QVERIFY(is('a', class_letter | class_word) && is('7', class_number | class_numeric | class_word)
                && is('_', class_word | class_punctuation));
        QVERIFY(is(' ', class_space) && is(0x85, class_space | class_control) && is(0x1C, class_control)
                && is(0x200B, class_control) && is(0x10FFFD, class_control) && is(0x10FFFF, 0)
                && is(0x20AC, 0));
        QVERIFY(is('$', class_punctuation) && is(0xAB, class_punctuation) && is(0xB0, 0));
        QVERIFY(is(0x301, class_word | class_nonspacing_mark | class_combining_mark));
        QVERIFY(lower_case('A') == 'a' && lower_case(0x3A3) == 0x3C3 && lower_case(0x1E900) == 0x1E922
                && lower_case(0x130) == 0x130 && lower_case(0xDF) == 0xDF);
        QVERIFY(is(0x10D4A, class_letter | class_word)); // Garay, Unicode 16
        int spaces = 0;
        for (char32_t c = 0; c <= 0x10FFFF; ++c)
            spaces += (classes(c) & class_space) != 0;
        QCOMPARE(spaces, 25);
    }

    void brokenUtf8IsReplacedByMaximalParts() {
        struct {
            const char *bytes, *expected;
        } const cases[] = {
            // Unicode 15, tables 3-8 to 3-11
            {"\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdA"},
            {"\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", "\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffd\ufffdA"},
            {"\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", "\ufffd\ufffd\ufffd\ufffd\ufffdA\ufffd\ufffdB"},
            {"\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", "\ufffd\ufffd\ufffd\ufffdA"},
            {"a\xE2\x82", "a\ufffd"},
            {"\xF0\x9F\x99\x82", "🙂"},
            {"", ""}};
        for (const auto& item : cases)
            QCOMPARE(replace_invalid_utf8(item.bytes), std::string(item.expected));
        QVERIFY(is_valid_utf8("aé日🙂\xF4\x8F\xBF\xBF\xED\x9F\xBF")
                && !is_valid_utf8("\xF4\x90\x80\x80"));
        QVERIFY(!is_valid_utf8("12345678\xFF") && !is_valid_utf8("1234567\xC3"));
        QCOMPARE(unfinished_utf8_suffix("a\xF0\x9F\x99"), std::size_t(3));
        QCOMPARE(unfinished_utf8_suffix("a\xC3"), std::size_t(1));
        QCOMPARE(unfinished_utf8_suffix("aé"), std::size_t(0));
        QCOMPARE(unfinished_utf8_suffix("a\xE0\x80"), std::size_t(0)); // no character begins so
        QCOMPARE(unfinished_utf8_suffix("\x80\x80\x80\x80"), std::size_t(0));
    }

    void theByteAlphabetIsGpt2s() {
        const ByteAlphabet& alphabet = ByteAlphabet::instance();
        QCOMPARE(alphabet.of(' '), std::string("Ġ"));
        QCOMPARE(alphabet.of('\n'), std::string("Ċ"));
        QCOMPARE(alphabet.of(0xAD), std::string("Ń"));
        for (unsigned byte = 0; byte < 256; ++byte) {
            std::string out;
            QVERIFY(alphabet.to_bytes(alphabet.of(static_cast<std::uint8_t>(byte)), out));
            QCOMPARE(out, std::string(1, static_cast<char>(byte)));
        }
        std::string kept = "x";
        QVERIFY(!alphabet.to_bytes("Ġa b", kept) && kept == "x");
    }

    void shortAndLongWordsMergeAlike() {
        // merge_short (up to 32 bytes) and merge_long (a heap) against BPE's definition, step by step.
        Json model = read_json_file(golden_folder() / "smollm2.json")["model"];
        Vocabulary vocabulary = Vocabulary::from_json(model["vocab"], "test");
        Bpe bpe = Bpe::from_json(model, vocabulary, "test");
        RandomStream random(5);
        for (int round = 0; round < 1500; ++round) {
            std::string word;
            while (word.size() < 10 + random.below(50))
                word += vocabulary.piece(static_cast<std::int32_t>(300 + random.below(2200)))
                            .substr(0, 3 + random.below(4));
            std::erase_if(word, [](char c) { return static_cast<unsigned char>(c) > 126 || c <= ' '; });
            std::vector<std::string> parts;
            for (char c : word)
                parts.emplace_back(1, c);
            static std::map<std::pair<std::string, std::string>, std::size_t> ranks;
            if (ranks.empty())
                for (std::size_t rank = 0; rank < model["merges"].size(); ++rank)
                    ranks[{model["merges"][rank][0], model["merges"][rank][1]}] = rank;
            while (true) {
                std::size_t best = ranks.size(), at = 0;
                for (std::size_t i = 0; i + 1 < parts.size(); ++i) {
                    auto found = ranks.find({parts[i], parts[i + 1]});
                    if (found != ranks.end() && found->second < best) best = found->second, at = i;
                }
                if (best == ranks.size()) break;
                parts[at] += parts[at + 1];
                parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(at) + 1);
            }
            std::vector<std::int32_t> expected, once, again;
            for (const std::string& part : parts)
                expected.push_back(vocabulary.id_of(part).value());
            bpe.encode_word(word, once);
            bpe.encode_word(word, again); // from the cache
            QCOMPARE(once, expected);
            QCOMPARE(again, expected);
        }
    }

    void theWordCacheForgetsButNeverLies() {
        WordCache& cache = WordCache::of_this_thread(1ull << 60);
        auto ids_of = [](int n) { return std::vector<std::int32_t>(static_cast<std::size_t>(n % 5), n); };
        int known = 0;
        for (int n = 0; n < 200000; ++n) {
            std::string word =
                std::to_string(n * 7919 % 100003) + std::string(static_cast<std::size_t>(n % 60), 'x');
            std::string old = std::to_string(n / 2 * 7919 % 100003)
                              + std::string(static_cast<std::size_t>(n / 2 % 60), 'x');
            cache.insert(word, WordCache::hash(word), ids_of(n));
            auto found = cache.find(word, WordCache::hash(word));
            QVERIFY(found.count == ids_of(n).size() && (found.count == 0 || found.ids[0] == n));
            auto older = cache.find(old, WordCache::hash(old));
            if (!older.ids || older.count == 0) continue;
            ++known;
            QVERIFY(older.ids[0] == n / 2 || older.ids[0] % 100003 * 7919 % 100003 == n / 2 * 7919 % 100003);
        }
        QVERIFY(known > 0);
        QVERIFY(&WordCache::of_this_thread(2ull << 60) != &cache);
    }

    void aStreamNeverEndsInsideACharacter() {
        Tokenizer tokenizer = Tokenizer::load(golden_folder() / "smollm2.json");
        auto byte_id = [&](unsigned char byte) {
            return tokenizer.id_of(ByteAlphabet::instance().of(byte)).value();
        };
        StreamingDecoder stream(tokenizer);
        std::vector<std::string> expected{"", "", "", "🙂", "x", ""};
        std::vector<std::string> got;
        for (unsigned char byte : {0xF0, 0x9F, 0x99, 0x82, int('x'), 0xE6})
            got.push_back(stream.push(byte_id(byte)));
        QCOMPARE(got, expected);
        QCOMPARE(stream.push(byte_id('y')), std::string("\ufffdy")); // what was held turned out broken
        QCOMPARE(stream.push(byte_id(0xC3)), std::string());
        QCOMPARE(stream.push(tokenizer.id_of("<|im_end|>").value()), std::string()); // special: skipped
        QCOMPARE(stream.finish(), std::string("\ufffd"));
        QCOMPARE(stream.finish(), std::string());
        StreamingDecoder with(tokenizer, false);
        QCOMPARE(with.push(tokenizer.id_of("<|im_end|>").value()), std::string("<|im_end|>"));
    }

    void specialTextCanBePlain() {
        Tokenizer tokenizer = Tokenizer::load(golden_folder() / "qwen2.json");
        std::string text = "hi <|im_end|><tool_call>";
        std::vector<std::int32_t> ids = tokenizer.encode(text),
                                  plain = tokenizer.encode(text, {.special_text_is_plain = true});
        auto count = [](const std::vector<std::int32_t>& all, std::int32_t id) {
            return std::count(all.begin(), all.end(), id);
        };
        std::int32_t end = tokenizer.id_of("<|im_end|>").value(),
                     tool = tokenizer.id_of("<tool_call>").value();
        QVERIFY(tokenizer.is_special(end) && !tokenizer.is_special(tool));
        QVERIFY(count(ids, end) == 1 && count(plain, end) == 0);
        QVERIFY(count(ids, tool) == 1
                && count(plain, tool) == 1); // an added token that is not special stays one
        QCOMPARE(tokenizer.decode(plain), text);
        QCOMPARE(tokenizer.decode(ids, true), std::string("hi <tool_call>"));
    }

    void lookUpsOutsideTheVocabularyAreEmpty() {
        Tokenizer tokenizer = Tokenizer::load(golden_folder() / "qwen2.json");
        QCOMPARE(tokenizer.vocab_size(), std::size_t(2522));
        QCOMPARE(tokenizer.id_limit(), 2522);
        for (std::int32_t id : {-1, 2522, 2000000000, -2147483647}) {
            QVERIFY(tokenizer.piece(id).empty() && tokenizer.bytes(id).empty() && !tokenizer.is_special(id));
            QCOMPARE(tokenizer.decode(std::vector<std::int32_t>{id}), std::string());
        }
        QVERIFY(!tokenizer.id_of("no such token"));
        QCOMPARE(tokenizer.pieces(tokenizer.encode(" the\n")), (std::vector<std::string>{"Ġthe", "Ċ"}));
    }
};

QTEST_APPLESS_MAIN(TestTokenizerParts)
#include "tst_tokenizer_parts.moc"
