#include "format_fixture.h"

#include "core/base/files.h"
#include "core/format/model_config.h"
#include "core/format/model_tensors.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden/format";

Json llama() {
    return parse_json(
        R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 100, "hidden_size": 64,
        "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
        "bos_token_id": 1, "eos_token_id": 2})",
        "test");
}

Json with(Json config, const char* key, Json value) {
    config[key] = std::move(value);
    return config;
}

} // namespace

class TestModelConfig : public QObject {
    Q_OBJECT

private slots:
    void readsWhatTransformersFiveWrites() {
        ModelConfig qwen = read_model_config(golden / "qwen2");
        QCOMPARE(qwen.family, ModelConfig::Family::qwen2);
        QVERIFY(qwen.qkv_bias && !qwen.o_bias && qwen.tied_embeddings && !qwen.llama3_rope);
        QCOMPARE(qwen.rope_theta, 1e6);
        QCOMPARE(qwen.kv_heads, std::int64_t(2));
        QCOMPARE(qwen.head_dim, std::int64_t(4));
        QCOMPARE(qwen.eos_ids, std::vector<std::int64_t>{3});
        QCOMPARE(qwen.bos_id, std::int64_t(-1));
        ModelConfig llama = read_model_config(golden / "llama-sharded");
        QCOMPARE(llama.family, ModelConfig::Family::llama);
        QVERIFY(!llama.qkv_bias && !llama.tied_embeddings && llama.llama3_rope);
        QCOMPARE(llama.llama3_rope->factor, 8.0);
        QCOMPARE(llama.llama3_rope->original_max_positions, std::int64_t(64));
        QCOMPARE(llama.raw["transformers_version"].get<std::string>(), std::string("5.23.0"));
    }

    void tensorsAndCountAreThoseOfTransformers() {
        for (const char* name : {"qwen2", "llama-sharded"}) {
            ModelConfig config = read_model_config(golden / name);
            Json expected = read_json_file(golden / (std::string(name) + ".json"));
            QCOMPARE(config.parameter_count(), expected["parameters"].get<std::int64_t>());
            auto tensors = model_tensors(config);
            QCOMPARE(tensors.size(), expected["tensors"].size());
            std::int64_t count = 0;
            for (const TensorSpec& tensor : tensors) {
                QCOMPARE(tensor.shape, expected["tensors"][tensor.name][0].get<std::vector<std::int64_t>>());
                std::int64_t elements = 1;
                for (std::int64_t dimension : tensor.shape)
                    elements *= dimension;
                count += elements;
            }
            QCOMPARE(count, config.parameter_count());
            check_weights(config, SafetensorsReader::open(golden / name), name);
        }
    }

    void weightsOfAnotherShapeAreRefused() {
        ModelConfig config = read_model_config(golden / "qwen2");
        SafetensorsReader weights = SafetensorsReader::open(golden / "qwen2");
        config.intermediate_size = 32;
        QVERIFY(refusal([&] { check_weights(config, weights, "m"); }).find("mlp.gate_proj.weight")
                != std::string::npos);
        config = read_model_config(golden / "qwen2");
        config.layers = 3;
        QVERIFY(
            refusal([&] { check_weights(config, weights, "m"); }).find("lacks the tensor \"model.layers.2.")
            != std::string::npos);
    }

    void readsOlderConfigs() {
        ModelConfig config = parse_model_config(llama(), "test");
        QCOMPARE(config.rope_theta, 10000.0);
        QCOMPARE(config.max_positions, std::int64_t(2048));
        QCOMPARE(config.head_dim, std::int64_t(16));
        config = parse_model_config(with(llama(), "rope_theta", 500000), "test");
        QCOMPARE(config.rope_theta, 500000.0);
        Json scaling = {{"rope_type", "llama3"},
                        {"factor", 32.0},
                        {"low_freq_factor", 1.0},
                        {"high_freq_factor", 4.0},
                        {"original_max_position_embeddings", 8192}};
        config =
            parse_model_config(with(with(llama(), "rope_scaling", scaling), "rope_theta", 500000.0), "test");
        QVERIFY(config.llama3_rope);
        QCOMPARE(config.llama3_rope->factor, 32.0);
        QCOMPARE(config.rope_theta, 500000.0);
        // Both places: transformers takes rope_scaling, and the theta that stands in it or at the top level.
        Json both = with(with(llama(), "rope_scaling", scaling), "rope_parameters",
                         {{"rope_type", "default"}, {"rope_theta", 7.0}});
        config = parse_model_config(both, "test");
        QVERIFY(config.llama3_rope && config.rope_theta == 10000);
        config = parse_model_config(with(both, "rope_scaling", nullptr), "test");
        QVERIFY(!config.llama3_rope && config.rope_theta == 7);
        config = parse_model_config(with(llama(), "rope_scaling", nullptr), "test");
        QVERIFY(!config.llama3_rope);
        config = parse_model_config(with(llama(), "num_key_value_heads", nullptr), "test");
        QCOMPARE(config.kv_heads, std::int64_t(4));
    }

    void defaultsAreThoseOfTheArchitecture() {
        Json json = llama();
        json.erase("eos_token_id");
        json.erase("bos_token_id");
        ModelConfig config = parse_model_config(json, "test");
        QCOMPARE(config.eos_ids, std::vector<std::int64_t>{2});
        QCOMPARE(config.bos_id, std::int64_t(1));
        config = parse_model_config(with(json, "eos_token_id", nullptr), "test");
        QVERIFY(config.eos_ids.empty());
        json.erase("architectures");
        QCOMPARE(parse_model_config(json, "test").family, ModelConfig::Family::llama);
    }

    void joinsEosOfBothFiles() {
        QTemporaryDir dir;
        fs::path folder = dir.path().toStdString();
        write_file_atomic(folder / "config.json", llama().dump());
        write_file_atomic(folder / "generation_config.json",
                          R"({"eos_token_id": [2, 5, 7], "pad_token_id": 100})");
        ModelConfig config = read_model_config(folder);
        QCOMPARE(config.eos_ids, (std::vector<std::int64_t>{2, 5, 7}));
        QCOMPARE(config.pad_id, std::int64_t(-1)); // outside of the vocabulary: older models do that
        write_file_atomic(folder / "generation_config.json", R"({"eos_token_id": [2, 100]})");
        QVERIFY(
            refusal([&] { read_model_config(folder); }).find("generation_config.json: eos_token_id is 100")
            != std::string::npos);
        write_file_atomic(folder / "generation_config.json", "[]");
        QVERIFY(!refusal([&] { read_model_config(folder); }).empty());
        QVERIFY(refusal([&] { read_model_config(folder / "none"); }).find("not a folder")
                != std::string::npos);
        fs::remove(folder / "config.json");
        QVERIFY(refusal([&] { read_model_config(folder); }).find("no config.json") != std::string::npos);
    }

    void refusesLies_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("reason");
        auto row = [](const char* key, const char* value, const char* reason) {
            QTest::addRow("%s = %s", key, value) << QString(key) << QString(value) << QString(reason);
        };
        for (const char* key :
             {"vocab_size", "hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads"}) {
            for (const char* value :
                 {"0", "-1", "2147483648", "1e9", "18446744073709551615", "\"3\"", "[3]", "1.5", "true"})
                row(key, value, key);
            row(key, "null", "lacks");
        }
        row("num_hidden_layers", "1000000000", "num_hidden_layers");
        row("hidden_size", "66", "is not hidden_size (66)");
        row("num_attention_heads", "7", "is not hidden_size");
        row("head_dim", "32", "head_dim (32) is not hidden_size (64)");
        row("num_attention_heads", "64", "head_dim is 1");
        row("num_key_value_heads", "3", "not a multiple");
        row("num_key_value_heads", "0", "num_key_value_heads");
        row("max_position_embeddings", "0", "max_position_embeddings");
        row("rms_norm_eps", "-1", "rms_norm_eps");
        row("rms_norm_eps", "0", "rms_norm_eps");
        row("rms_norm_eps", "1e-40", "rms_norm_eps");
        row("rms_norm_eps", "\"small\"", "rms_norm_eps");
        row("rope_theta", "0", "rope_theta");
        row("tie_word_embeddings", "1", "tie_word_embeddings");
        row("eos_token_id", "100", "eos_token_id");
        row("eos_token_id", "[1, -5]", "eos_token_id");
        row("bos_token_id", "100", "bos_token_id");
        row("model_type", "\"qwen2\"", "model_type");
        row("architectures", "[\"MixtralForCausalLM\"]", "MixtralForCausalLM");
        row("architectures", "[\"LlamaForSequenceClassification\"]", "LlamaForSequenceClassification");
        row("architectures", "[]", "architectures");
        row("hidden_act", "\"gelu\"", "hidden_act \"gelu\"");
        row("quantization_config", "{\"quant_method\":\"gptq\"}", "gptq");
        row("use_sliding_window", "true", "use_sliding_window");
        row("layer_types", "[\"full_attention\", \"sliding_attention\"]", "sliding_attention");
        row("layer_types", "[\"full_attention\"]", "layer_types lists 1");
        row("rope_scaling", "{\"type\":\"linear\",\"factor\":2.0}", "rope_type \"linear\"");
        row("rope_scaling", "{\"rope_type\":\"yarn\"}", "yarn");
        row("rope_scaling", "{\"rope_type\":\"llama3\"}", "lacks factor");
        row("rope_scaling", "3", "rope_scaling is not a JSON object");
        row("rope_parameters", "{\"rope_type\":\"longrope\",\"rope_theta\":1e4}", "longrope");
        row("rope_parameters", "{\"full_attention\":{\"rope_type\":\"default\"}}", "one rope for all layers");
        row("rope_parameters", "{\"rope_type\":\"default\",\"rope_theta\":-1}", "rope_theta");
        row("partial_rotary_factor", "0.5", "partial_rotary_factor");
    }

    void refusesLies() {
        QFETCH(QString, key);
        QFETCH(QString, value);
        QFETCH(QString, reason);
        Json config = with(llama(), key.toUtf8().constData(), parse_json(value.toStdString(), "value"));
        std::string sentence = refusal([&] { parse_model_config(config, "dir/config.json"); });
        QVERIFY2(sentence.find(reason.toStdString()) != std::string::npos, sentence.c_str());
        QVERIFY2(sentence.starts_with("dir/config.json"), sentence.c_str());
    }

    void refusesWhatIsNoConfig() {
        for (const char* text : {"[]", "3", "null", "{}", "{\"model_type\":3}", "{\"model_type\":\"bert\"}"})
            QVERIFY2(!refusal([&] { parse_model_config(parse_json(text, "t"), "t"); }).empty(), text);
        // Every size at its limit: each is allowed, all together are not.
        Json huge = llama();
        for (auto& [key, value] : std::map<std::string, int>{{"vocab_size", 1 << 22},
                                                             {"hidden_size", 1 << 17},
                                                             {"intermediate_size", 1 << 20},
                                                             {"num_hidden_layers", 1024},
                                                             {"num_attention_heads", 1024}})
            huge[key] = value;
        huge["num_key_value_heads"] = 1024;
        QVERIFY(refusal([&] { parse_model_config(huge, "t"); }).find("parameters") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestModelConfig)
#include "tst_model_config.moc"
