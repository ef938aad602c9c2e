// Ids and texts against PyPI tokenizers, on adversarial strings; goldens by tests/golden/make_tokenizers.py.

#include "core/text/utf8.h"
#include "text_golden.h"

#include <QTest>
#include <atomic>
#include <sstream>
#include <thread>

using namespace tempera;
using namespace tempera::test;

class TestTokenizerDifferential : public QObject {
    Q_OBJECT

private:
    std::vector<std::string> strings_;

    /// Differences between `tokenizer` and the golden ids of every `step`-th string; the first is printed.
    int differences(const Tokenizer& tokenizer, GoldenReader& golden, std::size_t step, const char* name) {
        int count = 0;
        for (std::size_t i = 0; i < strings_.size(); i += step) {
            std::vector<std::int32_t> expected = golden.ids();
            std::vector<std::int32_t> got = tokenizer.encode(strings_[i], {.add_special_tokens = true});
            if (got == expected) continue;
            if (count++ == 0)
                qWarning("%s, string %zu %s: got %s, tokenizers has %s", name, i,
                         QByteArray::fromStdString(strings_[i]).toPercentEncoding(" ").constData(),
                         as_text(got).c_str(), as_text(expected).c_str());
        }
        return count;
    }

private Q_SLOTS:
    void initTestCase() {
        strings_ = golden_strings();
        QVERIFY(strings_.size() >= 5000);
    }

    void idsEqualTokenizers_data() {
        QTest::addColumn<QString>("name");
        QTest::newRow("Qwen2.5 kind") << "qwen2";
        QTest::newRow("SmolLM2 kind") << "smollm2";
    }
    void idsEqualTokenizers() {
        QFETCH(QString, name);
        Tokenizer tokenizer = Tokenizer::load(golden_folder() / (name.toStdString() + ".json"));
        GoldenReader golden(golden_folder() / (name.toStdString() + ".bin"));
        QCOMPARE(differences(tokenizer, golden, 1, qPrintable(name)), 0);
        QVERIFY(golden.at_end());
    }

    void everyPartAndFlagEqualsTokenizers() {
        Json base = read_json_file(golden_folder() / "qwen2.json");
        GoldenReader golden(golden_folder() / "variants.bin");
        std::istringstream lines(read_file(golden_folder() / "variants.jsonl", 8u << 20));
        int variants = 0, wrong = 0;
        for (std::string line; std::getline(lines, line); ++variants) {
            Json variant = parse_json(line, "variants.jsonl"), json = base;
            for (auto& [key, value] : variant["patch"].items())
                if (key == "model")
                    json["model"].update(value);
                else
                    json[key] = value;
            std::string name = variant["name"];
            wrong += differences(Tokenizer::from_json(json, {}, name), golden, 25, name.c_str()) > 0;
        }
        QCOMPARE(variants, 97);
        QCOMPARE(wrong, 0);
        QVERIFY(golden.at_end());
    }

    void templateProcessingAddsItsTokensOnlyWhenAsked() {
        Json json = read_json_file(golden_folder() / "qwen2.json");
        json["post_processor"] = parse_json(
            R"({"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"<b>","type_id":0}},{"Sequence":{"id":"A","type_id":0}},
                {"SpecialToken":{"id":"<e>","type_id":0}}],"pair":[],"special_tokens":{"<b>":{"id":"<b>","ids":[7,8],"tokens":[]},
                "<e>":{"id":"<e>","ids":[9],"tokens":[]}}})",
            "template");
        Tokenizer tokenizer = Tokenizer::from_json(json, {}, "test");
        std::vector<std::int32_t> plain = tokenizer.encode("a b"),
                                  full = tokenizer.encode("a b", {.add_special_tokens = true});
        std::vector<std::int32_t> expected{7, 8};
        expected.insert(expected.end(), plain.begin(), plain.end());
        expected.push_back(9);
        QCOMPARE(full, expected);
    }

    void textsEqualTokenizers_data() { idsEqualTokenizers_data(); }
    void textsEqualTokenizers() {
        QFETCH(QString, name);
        Tokenizer tokenizer = Tokenizer::load(golden_folder() / (name.toStdString() + ".json"));
        GoldenReader golden(golden_folder() / (name.toStdString() + ".decode.bin"));
        int count = 0;
        for (; !golden.at_end(); ++count) {
            std::vector<std::int32_t> ids = golden.ids();
            std::string with = golden.blob(), without = golden.blob();
            QCOMPARE(tokenizer.decode(ids, false), with);
            QCOMPARE(tokenizer.decode(ids, true), without);
            for (bool skip : {false, true}) {
                StreamingDecoder stream(tokenizer, skip);
                std::string all;
                for (std::int32_t id : ids) {
                    std::string part = stream.push(id);
                    QVERIFY(is_valid_utf8(part));
                    all += part;
                }
                QCOMPARE(all + stream.finish(), skip ? without : with);
            }
        }
        QCOMPARE(count, 700);
    }

    void decodingGivesTheTextBack() {
        // SmolLM2's kind normalises nothing, so every valid text comes back byte for byte.
        Tokenizer tokenizer = Tokenizer::load(golden_folder() / "smollm2.json");
        for (const std::string& text : strings_)
            if (is_valid_utf8(text)) QCOMPARE(tokenizer.decode(tokenizer.encode(text)), text);
    }

    void threadsShareOneTokenizer() {
        Tokenizer tokenizer = Tokenizer::load(golden_folder() / "qwen2.json");
        std::vector<std::vector<std::int32_t>> expected;
        for (const std::string& text : strings_)
            expected.push_back(tokenizer.encode(text));
        std::atomic<int> wrong{0};
        auto work = [&](std::size_t first) {
            for (std::size_t i = 0; i < strings_.size(); ++i) {
                std::size_t k = (i * 7 + first) % strings_.size();
                wrong += tokenizer.encode(strings_[k]) != expected[k];
            }
        };
        std::vector<std::thread> threads;
        for (std::size_t t = 0; t < 4; ++t)
            threads.emplace_back(work, t * 1000);
        for (std::thread& thread : threads)
            thread.join();
        QCOMPARE(wrong.load(), 0);
    }
};

QTEST_APPLESS_MAIN(TestTokenizerDifferential)
#include "tst_tokenizer_differential.moc"
