#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/lora/adapter_io.h"
#include "core/engine/model/decoder_io.h"
#include "core/format/safetensors.h"
#include "core/queue/engine.h"
#include "tests/support/cpu_clock.h"
#include "tests/support/paths.h"

#include <QtTest>

#include <cmath>

extern "C" tempera::EngineEntry tempera_engine_entry;

using namespace tempera;
namespace fs = std::filesystem;

namespace {

const fs::path models = fs::path(source_dir()) / "tests/golden/models";

Json smallest_config() {
    return {{"peft_type", "LORA"},
            {"task_type", "CAUSAL_LM"},
            {"r", 4},
            {"lora_alpha", 16},
            {"target_modules", {"q_proj"}}};
}

std::vector<std::string> modules_of(const LoraConfig& config) {
    Decoder model = load_decoder(models / "qwen2-tied");
    attach_lora(model, config, 1, false);
    std::vector<std::string> names;
    for (LoraSlice* slice : lora_slices(model))
        names.push_back(slice->module);
    return names;
}

ErrorKind refusal(const std::function<void()>& action, std::string* sentence = nullptr) {
    try {
        action();
    } catch (const Error& error) {
        if (sentence) *sentence = error.what();
        return error.kind();
    }
    return ErrorKind::internal; // not refused
}

void copy_adapter(const fs::path& target) {
    for (const char* name : {"adapter_config.json", "adapter_model.safetensors"})
        fs::copy_file(models / "qwen2-tied-qv" / name, target / name);
}

} // namespace

class TestLora : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void defaultsAreThoseOfPeft() {
        LoraConfig config = parse_lora_config({{"peft_type", "LORA"}, {"target_modules", {"q_proj"}}}, "x");
        QCOMPARE(config.r, std::int64_t{8});
        QCOMPARE(config.alpha, 8.0);
        QCOMPARE(config.dropout, 0.0);
        QVERIFY(!config.rslora);
    }

    void unknownKeysAreIgnored() {
        Json json = smallest_config();
        json["a_key_of_the_future"] = 3;
        QCOMPARE(parse_lora_config(json, "x").r, std::int64_t{4});
    }

    void variantsAreRefusedByName_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::newRow("dora") << "use_dora"
                              << "true";
        QTest::newRow("lora bias") << "lora_bias"
                                   << "true";
        QTest::newRow("bias") << "bias"
                              << "\"lora_only\"";
        QTest::newRow("alora") << "alora_invocation_tokens"
                               << "[1, 2]";
        QTest::newRow("replication") << "layer_replication"
                                     << "[[0, 2], [1, 2]]";
        QTest::newRow("parameters") << "target_parameters"
                                    << "[\"experts.w\"]";
        QTest::newRow("saved modules") << "modules_to_save"
                                       << "[\"lm_head\"]";
        QTest::newRow("token indices") << "trainable_token_indices"
                                       << "[5]";
        QTest::newRow("pissa") << "init_lora_weights"
                               << "\"pissa\"";
        QTest::newRow("qalora") << "use_qalora"
                                << "true";
        QTest::newRow("fan in fan out") << "fan_in_fan_out"
                                        << "true";
        QTest::newRow("another method") << "peft_type"
                                        << "\"IA3\"";
        QTest::newRow("layers pattern") << "layers_pattern"
                                        << "\"blocks\"";
    }
    void variantsAreRefusedByName() {
        QFETCH(QString, key);
        QFETCH(QString, value);
        Json json = smallest_config();
        json[key.toStdString()] = Json::parse(value.toStdString());
        QVERIFY(refusal([&] { parse_lora_config(json, "x"); }) == ErrorKind::unsupported);
    }

    void wrongValuesNameTheField_data() {
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        for (auto [key, value] : std::initializer_list<std::pair<const char*, const char*>>{
                 {"r", "0"},
                 {"r", "-3"},
                 {"r", "1e9"},
                 {"r", "\"8\""},
                 {"r", "2.5"},
                 {"lora_alpha", "\"x\""},
                 {"lora_alpha", "1e300"},
                 {"lora_dropout", "1"},
                 {"lora_dropout", "-0.1"},
                 {"target_modules", "[]"},
                 {"target_modules", "5"},
                 {"target_modules", "[1]"},
                 {"target_modules", "[\"\"]"},
                 {"rank_pattern", "{\"q_proj\": 0}"},
                 {"alpha_pattern", "{\"q_proj\": \"x\"}"},
                 {"base_model_name_or_path", "5"},
                 {"layers_to_transform", "[\"a\"]"}})
            QTest::addRow("%s %s", key, value) << key << value;
    }
    void wrongValuesNameTheField() {
        QFETCH(QString, key);
        QFETCH(QString, value);
        Json json = smallest_config();
        json[key.toStdString()] = Json::parse(value.toStdString());
        std::string sentence;
        QVERIFY(refusal([&] { parse_lora_config(json, "the file"); }, &sentence) == ErrorKind::bad_input);
        QVERIFY2(sentence.find(key.toStdString()) != std::string::npos && sentence.find("the file") == 0,
                 sentence.c_str());
    }

    void targetsMatchAsInPeft() {
        LoraConfig config;
        config.targets = {"q_proj", "layers.1.mlp.up_proj", "roj"};
        QCOMPARE(modules_of(config),
                 (std::vector<std::string>{"model.layers.0.self_attn.q_proj",
                                           "model.layers.1.self_attn.q_proj", "model.layers.1.mlp.up_proj"}));
        config.targets = {"all-linear"};
        QCOMPARE(modules_of(config).size(), std::size_t{14});
        config.excluded = {"down_proj"};
        config.blocks = {1};
        QCOMPARE(modules_of(config).size(), std::size_t{6});
        config = {};
        config.target_pattern = ".*\\.0\\..*_proj";
        QCOMPARE(modules_of(config).size(), std::size_t{7});
        config.target_pattern = "q_proj"; // the whole path must match
        QVERIFY(refusal([&] { modules_of(config); }) == ErrorKind::bad_input);
    }

    void hostilePatternsEndSoon() {
        LoraConfig config;
        config.target_pattern = "(.*.*.*.*)*(a*)*(a|a)*b";
        test::CpuClock timer;
        timer.start();
        refusal([&] { modules_of(config); });
        QVERIFY(timer.elapsed() < test::allowed_ms(3000));
        config.target_pattern = std::string(100000, '(');
        QVERIFY(refusal([&] { modules_of(config); }) == ErrorKind::bad_input);
        config.target_pattern = "[";
        QVERIFY(refusal([&] { modules_of(config); }) == ErrorKind::unsupported);
    }

    void aMisspeltTargetAmongGoodOnesIsRefusedByName() {
        Decoder model = load_decoder(models / "qwen2-tied");
        LoraConfig config;
        config.targets = {"q_proj", "v_porj"};
        try {
            attach_lora(model, config, 1);
            QFAIL("it was taken");
        } catch (const Error& error) {
            QVERIFY2(std::string(error.what()).find("targets (v_porj)") != std::string::npos, error.what());
        }
        QVERIFY(lora_slices(model).empty());
    }

    void freshAdaptersStartAsPeft() {
        Decoder model = load_decoder(models / "qwen2-tied");
        LoraConfig config;
        config.targets = {"all-linear"};
        config.r = 16;
        config.alpha = 32;
        attach_lora(model, config, 3);
        for (LoraSlice* slice : lora_slices(model)) {
            double bound = 1 / std::sqrt(static_cast<double>(slice->a.size(1)));
            QCOMPARE(slice->scaling, 2.0);
            QVERIFY(slice->b.abs().max().item<double>() == 0);
            QVERIFY(slice->a.abs().max().item<double>() <= bound
                    && slice->a.abs().max().item<double>() > 0.98 * bound);
            QVERIFY(std::fabs(slice->a.std().item<double>() / (bound / std::sqrt(3.0)) - 1) < 0.08);
        }
        config.rslora = true;
        Decoder other = load_decoder(models / "qwen2-tied");
        attach_lora(other, config, 3);
        QCOMPARE(lora_slices(other)[0]->scaling, 8.0);
    }

    void writtenAdapterReadsBackTheSame() {
        for (const char* name : {"qwen2-tied-all", "qwen2-tied-qv"}) {
            Decoder model = load_decoder(models / "qwen2-tied"), again = load_decoder(models / "qwen2-tied");
            LoraConfig config = load_adapter(model, models / name);
            QTemporaryDir folder;
            save_adapter(model, config, folder.path().toStdString());
            load_adapter(again, folder.path().toStdString());
            auto a = lora_slices(model), b = lora_slices(again);
            QCOMPARE(a.size(), b.size());
            for (std::size_t k = 0; k < a.size(); ++k) {
                QVERIFY(a[k]->a.equal(b[k]->a) && a[k]->b.equal(b[k]->b));
                QCOMPARE(a[k]->scaling, b[k]->scaling);
                QCOMPARE(a[k]->module, b[k]->module);
            }
            // The same keys as PEFT's own file.
            SafetensorsReader ours =
                SafetensorsReader::open(fs::path(folder.path().toStdString()) / "adapter_model.safetensors");
            SafetensorsReader theirs = SafetensorsReader::open(models / name / "adapter_model.safetensors");
            QCOMPARE(ours.tensors().size(), theirs.tensors().size());
            for (const StoredTensor& tensor : theirs.tensors())
                QVERIFY(ours.contains(tensor.name));
        }
    }

    void brokenAdapterFilesAreRefusedAndLeaveTheModel() {
        for (const char* kind : {"renamed", "other rank", "fewer targets", "cut"}) {
            QTemporaryDir folder;
            fs::path target = folder.path().toStdString();
            copy_adapter(target);
            std::string weights = read_file(target / "adapter_model.safetensors", 1 << 24);
            Json config = read_json_file(target / "adapter_config.json");
            std::string wish = kind;
            if (wish == "renamed") weights.replace(weights.find("v_proj.lora_B"), 13, "v_proX.lora_B");
            if (wish == "cut") weights.resize(weights.size() / 2);
            if (wish == "other rank") config["r"] = 5;
            if (wish == "fewer targets") config["target_modules"] = {"q_proj"};
            write_file_atomic(target / "adapter_model.safetensors", weights);
            write_file_atomic(target / "adapter_config.json", config.dump());
            Decoder model = load_decoder(models / "qwen2-tied");
            QVERIFY2(refusal([&] { load_adapter(model, target); }) != ErrorKind::internal, kind);
            QVERIFY(lora_slices(model).empty());
        }
    }

    void infiniteAdapterIsNotMerged() {
        Decoder model = load_decoder(models / "qwen2-tied");
        load_adapter(model, models / "qwen2-tied-qv");
        at::Tensor before = model.layers[0].qkv.weight.clone();
        lora_slices(model)[2]->a.fill_(NAN);
        QVERIFY(refusal([&] { merge_lora(model); }) == ErrorKind::numeric);
        QVERIFY(model.layers[0].qkv.weight.equal(before));
    }

    void aStoppedMergeLeavesNothing() {
        for (const char* where : {"reading", "writing"}) {
            QTemporaryDir folder;
            const fs::path target = fs::path(folder.path().toStdString()) / "merged";
            StopToken stop;
            int told = 0; // after the stop
            auto progress = [&](const char* phase, std::int64_t, std::int64_t) {
                told += stop ? 1 : 0;
                if (std::string_view(phase) == where) stop.request(StopRequest::cancel);
            };
            QCOMPARE(refusal([&] {
                         tempera_engine_entry()->merge(models / "qwen2-tied", models / "qwen2-tied-qv",
                                                       target, progress, stop);
                     }),
                     ErrorKind::stopped);
            QVERIFY2(stop, where);
            QCOMPARE(told, 0);
            QVERIFY2(fs::is_empty(folder.path().toStdString()), where);
        }
    }
};

QTEST_APPLESS_MAIN(TestLora)
#include "tst_lora.moc"
