// WordPiece and Unigram tokenizers against PyPI tokenizers, on adversarial strings; goldens by
// tests/golden/make_word_tokenizers.py.

#include "core/text/utf8.h"
#include "text_golden.h"

#include <QTest>

using namespace tempera;
using namespace tempera::test;

class TestWordTokenizers : public QObject {
    Q_OBJECT

private:
    std::vector<std::string> strings_;

    static std::filesystem::path folder() {
        return std::filesystem::path(TEMPERA_SOURCE_DIR) / "tests/golden/word_tokenizers";
    }
    static Tokenizer load(const QString& name) {
        return Tokenizer::load(folder() / (name.toStdString() + ".json"));
    }

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
        QTest::newRow("BERT uncased") << "bert-uncased";
        QTest::newRow("BERT cased") << "bert-cased";
    }
    void idsEqualTokenizers() {
        QFETCH(QString, name);
        GoldenReader golden(folder() / (name.toStdString() + ".bin"));
        QCOMPARE(differences(load(name), golden, 1, qPrintable(name)), 0);
        QVERIFY(golden.at_end());
    }

    void textsEqualTokenizers_data() { idsEqualTokenizers_data(); }
    void textsEqualTokenizers() {
        QFETCH(QString, name);
        Tokenizer tokenizer = load(name);
        GoldenReader golden(folder() / (name.toStdString() + ".decode.bin"));
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
        QCOMPARE(count, 300);
    }

    void pairsEqualTokenizers_data() { idsEqualTokenizers_data(); }
    void pairsEqualTokenizers() {
        QFETCH(QString, name);
        Tokenizer tokenizer = load(name);
        GoldenReader golden(folder() / (name.toStdString() + ".pairs.bin"));
        int count = 0, cut = 0;
        for (; !golden.at_end(); ++count) {
            std::string text = strings_[golden.number()], pair = strings_[golden.number()];
            InputOptions options;
            options.max_length = golden.number();
            options.truncate_left = golden.number() != 0;
            std::vector<std::int32_t> ids = golden.ids(), types = golden.ids();
            EncodedText got = tokenizer.encode_with_specials(text, pair, options);
            QCOMPARE(as_text(got.ids), as_text(ids));
            QCOMPARE(as_text(got.type_ids), as_text(types));
            std::size_t whole = tokenizer.encode_with_specials(text, pair).ids.size();
            QCOMPARE(got.dropped, whole - ids.size());
            cut += got.dropped > 0;
        }
        QCOMPARE(count, 600);
        QVERIFY2(cut > 200 && cut < 580, std::to_string(cut).c_str());
    }
};

QTEST_APPLESS_MAIN(TestWordTokenizers)
#include "tst_word_tokenizers.moc"
