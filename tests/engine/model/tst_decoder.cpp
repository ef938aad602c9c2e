#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/lora/adapter_io.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/model/forward.h"
#include "core/engine/model/weights.h"
#include "core/format/safetensors.h"
#include "tests/support/paths.h"

#include <ATen/ATen.h>
#include <QtTest>
#include <c10/core/GradMode.h>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

const fs::path models = fs::path(source_dir()) / "tests/golden/models";

at::Tensor read(const SafetensorsReader& reader, const std::string& name) {
    const StoredTensor& stored = reader.at(name);
    at::Tensor value = at::empty(stored.shape, at::kFloat);
    reader.read_f32(name, {value.data_ptr<float>(), static_cast<std::size_t>(value.numel())});
    return value;
}

std::vector<std::int32_t> read_ids(const SafetensorsReader& reader, int prompt) {
    std::string name = "ids." + std::to_string(prompt);
    std::vector<std::int32_t> ids(static_cast<std::size_t>(reader.at(name).elements()));
    reader.read_bytes(name, std::as_writable_bytes(std::span(ids)));
    return ids;
}

at::Tensor logits_of(const Decoder& model, const std::vector<std::vector<std::int32_t>>& prompts) {
    c10::NoGradGuard no_grad;
    std::vector<std::span<const std::int32_t>> spans(prompts.begin(), prompts.end());
    TokenRow row = make_token_row(spans);
    return decoder_logits(model, decoder_hidden(model, row, make_rope_table(model.config, 200)));
}

double relative(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max()).item<double>();
}

} // namespace

class TestDecoder : public QObject {
    Q_OBJECT
    SafetensorsReader golden_ = SafetensorsReader::open(models / "logits.safetensors");
    std::vector<std::vector<std::int32_t>> prompts_{read_ids(golden_, 0), read_ids(golden_, 1),
                                                    read_ids(golden_, 2)};

    void compareWithTransformers(const Decoder& model, const std::string& name) {
        at::Tensor together = logits_of(model, prompts_);
        std::int64_t begin = 0;
        for (std::size_t p = 0; p < prompts_.size(); ++p) {
            auto n = static_cast<std::int64_t>(prompts_[p].size());
            for (const char* side : {"left", "right"}) {
                double error = relative(together.narrow(0, begin, n),
                                        read(golden_, name + "." + side + "." + std::to_string(p)));
                QVERIFY2(error < 1e-5,
                         qPrintable(QString::fromStdString(name) + QString(" %1 %2").arg(side).arg(error)));
            }
            QVERIFY(relative(logits_of(model, {prompts_[p]}), together.narrow(0, begin, n)) < 1e-6);
            begin += n;
        }
    }

private Q_SLOTS:
    void logitsEqualTransformers_data() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"qwen2-tied", "qwen2-untied", "llama-tied", "llama-rope"})
            QTest::newRow(name) << name;
    }
    void logitsEqualTransformers() {
        QFETCH(QString, name);
        compareWithTransformers(load_decoder(models / name.toStdString()), name.toStdString());
    }

    void adapterEqualsPeft_data() {
        QTest::addColumn<QString>("base");
        QTest::addColumn<QString>("adapter");
        QTest::newRow("qv") << "qwen2-tied"
                            << "qwen2-tied-qv";
        QTest::newRow("all-linear, rslora, patterns") << "qwen2-tied"
                                                      << "qwen2-tied-all";
        QTest::newRow("attention") << "llama-rope"
                                   << "llama-rope-attn";
        QTest::newRow("regex") << "llama-rope"
                               << "llama-rope-regex";
    }
    void adapterEqualsPeft() {
        QFETCH(QString, base);
        QFETCH(QString, adapter);
        Decoder model = load_decoder(models / base.toStdString());
        load_adapter(model, models / adapter.toStdString());
        compareWithTransformers(model, adapter.toStdString());
        at::Tensor beside = logits_of(model, prompts_);
        merge_lora(model);
        QVERIFY(lora_slices(model).empty());
        QVERIFY(relative(logits_of(model, prompts_), beside) < 1e-5);
        compareWithTransformers(load_decoder(models / adapter.toStdString()),
                                adapter.toStdString()); // base + merge
    }

    void wantedTokensOnly() {
        Decoder model = load_decoder(models / "llama-tied");
        std::vector<std::span<const std::int32_t>> spans(prompts_.begin(), prompts_.end());
        TokenRow row = make_token_row(spans);
        RopeTable rope = make_rope_table(model.config, 200);
        c10::NoGradGuard no_grad;
        at::Tensor wanted = at::tensor(std::vector<std::int64_t>{0, 3, row.tokens() - 1});
        at::Tensor all = decoder_hidden(model, row, rope);
        QVERIFY(relative(decoder_hidden(model, row, rope, {}, wanted), all.index_select(0, wanted)) < 1e-6);
    }

    /// No attention across sequences and positions that start again.
    void sequencesDoNotSeeEachOther() {
        Decoder model = load_decoder(models / "qwen2-tied");
        at::Tensor before = logits_of(model, prompts_);
        auto edited = prompts_;
        edited[0][3] = 7;
        at::Tensor after = logits_of(model, edited);
        auto first = static_cast<std::int64_t>(prompts_[0].size());
        QVERIFY(!after.narrow(0, 0, first).equal(before.narrow(0, 0, first)));
        QVERIFY(after.narrow(0, first, after.size(0) - first)
                    .equal(before.narrow(0, first, after.size(0) - first)));
    }

    void writtenFolderReadsBackTheSame() {
        QTemporaryDir folder;
        fs::path target = folder.path().toStdString();
        for (const char* name : {"qwen2-untied", "llama-tied", "llama-rope"}) {
            Decoder model = load_decoder(models / name);
            save_decoder(model, target);
            copy_tokenizer_files(models / name, target);
            QVERIFY(fs::exists(target / "tokenizer.json"));
            QVERIFY(logits_of(load_decoder(target), prompts_).equal(logits_of(model, prompts_)));
        }
    }

    void randomWeightsAreTransformersKind() {
        ModelConfig config = read_model_config(models / "llama-rope");
        Decoder a = random_decoder(config, 5), b = random_decoder(config, 5), c = random_decoder(config, 6);
        QVERIFY(a.layers[1].gate_up.weight.equal(b.layers[1].gate_up.weight));
        QVERIFY(!a.layers[1].gate_up.weight.equal(c.layers[1].gate_up.weight));
        QVERIFY(!a.layers[0].gate_up.weight.equal(a.layers[1].gate_up.weight));
        double deviation = a.embedding.std().item<double>();
        QVERIFY(std::fabs(deviation / config.initializer_range - 1) < 0.03);
        QVERIFY(std::fabs(a.embedding.mean().item<double>()) < 0.001);
        QVERIFY(a.layers[0].qkv.bias.abs().max().item<double>() == 0);
        QVERIFY(a.final_norm.equal(at::ones({config.hidden_size})));
        QVERIFY(
            random_decoder(read_model_config(models / "qwen2-tied"), 1)
                .lm_head.weight.is_same(random_decoder(read_model_config(models / "qwen2-tied"), 1).embedding)
            == false);
    }

    void missingTensorIsNamed() {
        QTemporaryDir folder;
        fs::path target = folder.path().toStdString();
        write_file_atomic(target / "config.json", read_file(models / "qwen2-tied/config.json", 1 << 20));
        std::string weights = read_file(models / "qwen2-tied/model.safetensors", 1 << 24);
        std::string name = "model.layers.1.mlp.up_proj.weight";
        weights.replace(weights.find(name), name.size(), "model.layers.1.mlp.xx_proj.weight");
        write_file_atomic(target / "model.safetensors", weights);
        try {
            load_decoder(target);
            QFAIL("accepted");
        } catch (const Error& error) {
            QVERIFY2(QString(error.what()).contains("up_proj"), error.what());
        }
    }

    void adapterWithoutItsBaseIsRefused() {
        QTemporaryDir folder;
        fs::path target = folder.path().toStdString();
        write_file_atomic(target / "adapter_config.json",
                          read_file(models / "qwen2-tied-qv/adapter_config.json", 1 << 20));
        QVERIFY_THROWS_EXCEPTION(Error, load_decoder(target));
        Json self = read_json_file(target / "adapter_config.json");
        self["base_model_name_or_path"] = "."; // stands on itself
        write_file_atomic(target / "adapter_config.json", self.dump());
        QVERIFY_THROWS_EXCEPTION(Error, load_decoder(target));
    }
};

QTEST_APPLESS_MAIN(TestDecoder)
#include "tst_decoder.moc"
