#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/model/encoder_io.h"
#include "core/format/safetensors.h"
#include "tests/support/paths.h"

#include <QtTest>
#include <c10/core/GradMode.h>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden/encoders";

at::Tensor scores_of(const Encoder& model, const std::vector<EncoderInput>& inputs,
                     const EncoderDropout& dropout = {}) {
    c10::NoGradGuard no_grad;
    std::vector<const EncoderInput*> list;
    std::vector<std::int64_t> streams;
    for (const EncoderInput& input : inputs) {
        streams.push_back(static_cast<std::int64_t>(list.size()));
        list.push_back(&input);
    }
    return encoder_scores(model, make_encoder_batch(list, model.config.pad_id, streams), dropout);
}

double largest_difference(const at::Tensor& a, const at::Tensor& b) {
    return (a - b).abs().max().item<double>();
}

std::string refusal(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "accepted";
}

/// Copies a golden model with its config changed.
void changed_model(const std::string& name, const fs::path& target, const std::string& key,
                   const Json& value) {
    Json config = read_json_file(golden / name / "config.json");
    config[key] = value;
    write_file_atomic(target / "config.json", config.dump());
    write_file_atomic(target / "model.safetensors", read_file(golden / name / "model.safetensors", 1u << 22));
}

} // namespace

class TestEncoder : public QObject {
    Q_OBJECT
    Json expected_ = read_json_file(golden / "expected.json");
    std::vector<EncoderInput> inputs_;

    void models() {
        QTest::addColumn<QString>("name");
        for (const char* name : {"bert", "distilbert", "deberta-v3", "deberta-v2", "deberta-c2p"})
            QTest::newRow(name) << name;
    }

private Q_SLOTS:
    void initTestCase() {
        for (std::size_t i = 0; i < expected_["rows"].size(); ++i)
            inputs_.push_back({expected_["rows"][i].get<std::vector<std::int32_t>>(),
                               expected_["types"][i].get<std::vector<std::int32_t>>()});
        QCOMPARE(inputs_[0].ids.size(), std::size_t{512});
    }

    /// All rows in one batch, padded to 512, as transformers computed them.
    void logitsEqualTransformers_data() { models(); }
    void logitsEqualTransformers() {
        QFETCH(QString, name);
        Encoder model = load_encoder(golden / name.toStdString()).model;
        at::Tensor want = at::tensor(
            expected_["models"][name.toStdString()]["logits"].get<std::vector<float>>(), at::kFloat);
        double error = largest_difference(scores_of(model, inputs_), want);
        QVERIFY2(error < 1e-5, qPrintable(QString::number(error)));
    }

    void scoresDependOnNothingInTheBatch_data() { models(); }
    void scoresDependOnNothingInTheBatch() {
        QFETCH(QString, name);
        Encoder model = load_encoder(golden / name.toStdString()).model;
        at::Tensor together = scores_of(model, inputs_);
        for (std::size_t i = 0; i < inputs_.size(); ++i)
            QVERIFY(largest_difference(scores_of(model, {inputs_[i]}), together[static_cast<std::int64_t>(i)])
                    < 2e-6);
        std::vector<EncoderInput> turned(inputs_.rbegin(), inputs_.rend());
        QVERIFY(largest_difference(scores_of(model, turned).flip(0), together) < 2e-6);
        // Another padding token changes nothing; the same token inside of the text does.
        model.config.pad_id = 7;
        QVERIFY(scores_of(model, inputs_).equal(together));
        auto edited = inputs_;
        edited[1].ids[4] = 7;
        QVERIFY(!scores_of(model, edited)[1].equal(together[1]));
    }

    void groupsWasteLittle() {
        std::vector<const EncoderInput*> list;
        for (const EncoderInput& input : inputs_)
            list.push_back(&input);
        auto groups = group_by_length(list, 600); // lengths 512, 17, 300, 3, 140
        QCOMPARE(groups, (std::vector<std::vector<std::size_t>>{{0}, {2, 4}, {1, 3}}));
        QCOMPARE(group_by_length(list, 1).size(), std::size_t{5});
    }

    /// Trained weights go out and come back under the same names, config.json says what they are.
    void writtenFolderReadsBackTheSame_data() { models(); }
    void writtenFolderReadsBackTheSame() {
        QFETCH(QString, name);
        QTemporaryDir folder;
        fs::path source = golden / name.toStdString(), target = folder.path().toStdString();
        Encoder model = load_encoder(source).model;
        save_encoder(model, target);
        QVERIFY(scores_of(load_encoder(target).model, inputs_).equal(scores_of(model, inputs_)));
        auto names = [](const fs::path& path) {
            std::set<std::string> set;
            SafetensorsReader reader = SafetensorsReader::open(path);
            for (const StoredTensor& tensor : reader.tensors())
                set.insert(tensor.name);
            return set;
        };
        QCOMPARE(names(target), names(source)); // what transformers itself wrote
        Json config = read_json_file(target / "config.json");
        QCOMPARE(config["architectures"], read_json_file(source / "config.json")["architectures"]);
        QCOMPARE(config["id2label"].size(), std::size_t{1});
    }

    void baseEncoderGetsAHead() {
        EncoderLoadOptions fresh{.fresh_head = true, .seed = 3};
        LoadedEncoder a = load_encoder(golden / "bert-base", fresh),
                      b = load_encoder(golden / "bert-base", fresh);
        QCOMPARE(a.fresh, (std::vector<std::string>{"classifier.weight", "classifier.bias"}));
        QVERIFY(a.model.classifier.weight.equal(b.model.classifier.weight));
        fresh.seed = 4;
        QVERIFY(!load_encoder(golden / "bert-base", fresh)
                     .model.classifier.weight.equal(a.model.classifier.weight));
        QVERIFY(a.model.classifier.weight.std().item<double>() > 0.01);
        QVERIFY(a.model.classifier.weight.std().item<double>() < 0.04);
        QCOMPARE(a.model.classifier.bias.item<float>(), 0.0f);
        QVERIFY(refusal([] { load_encoder(golden / "bert-base"); }).find("without a reward head")
                != std::string::npos);
    }

    void newTokensGetTheMeanRow() {
        Encoder model = load_encoder(golden / "bert").model;
        at::Tensor before = model.words.clone(), scores = scores_of(model, inputs_);
        resize_vocabulary(model, model.config.vocab_size + 2);
        QCOMPARE(model.words.size(0), before.size(0) + 2);
        QVERIFY(model.words.narrow(0, 0, before.size(0)).equal(before));
        QVERIFY(largest_difference(model.words[-1], before.mean(0)) < 1e-6);
        QVERIFY(scores_of(model, inputs_).equal(scores));
        QTemporaryDir folder;
        save_encoder(model, folder.path().toStdString());
        QCOMPARE(load_encoder(folder.path().toStdString()).model.config.vocab_size, before.size(0) + 2);
    }

    void dropoutFollowsSeedAndStream() {
        Encoder model = load_encoder(golden / "deberta-v3").model;
        at::Tensor none = scores_of(model, inputs_), once = scores_of(model, inputs_, {true, 1});
        QVERIFY(!once.equal(none));
        QVERIFY(scores_of(model, inputs_, {true, 1}).equal(once));
        QVERIFY(!scores_of(model, inputs_, {true, 2}).equal(once));
    }

    void gradientsReachEveryWeight_data() { models(); }
    void gradientsReachEveryWeight() {
        QFETCH(QString, name);
        Encoder model = load_encoder(golden / name.toStdString()).model;
        for (const NamedWeight& weight : huggingface_weights(model))
            weight.view.set_requires_grad(true);
        std::vector<const EncoderInput*> list{&inputs_[1], &inputs_[4]};
        encoder_scores(model, make_encoder_batch(list, 0)).sum().backward();
        for (const NamedWeight& weight : huggingface_weights(model)) {
            // A bias added to every key shifts all scores of a softmax alike.
            bool no_effect = weight.name.ends_with("key.bias") || weight.name.ends_with("k_lin.bias");
            QVERIFY2(weight.view.grad().defined(), weight.name.c_str());
            QVERIFY2(no_effect || weight.view.grad().norm().item<double>() > 1e-9, weight.name.c_str());
        }
    }

    void unsupportedConfigsAreRefused_data() {
        QTest::addColumn<QString>("model");
        QTest::addColumn<QString>("key");
        QTest::addColumn<QString>("value");
        QTest::newRow("architecture") << "bert"
                                      << "model_type"
                                      << "\"roberta\"";
        QTest::newRow("activation") << "bert"
                                    << "hidden_act"
                                    << "\"relu\"";
        QTest::newRow("convolution") << "deberta-v3"
                                     << "conv_kernel_size"
                                     << "3";
        QTest::newRow("positions") << "bert"
                                   << "position_embedding_type"
                                   << "\"relative_key\"";
        QTest::newRow("position scores") << "deberta-v3"
                                         << "pos_att_type"
                                         << "\"p2p\"";
        QTest::newRow("heads") << "distilbert"
                               << "n_heads"
                               << "5";
        QTest::newRow("a lie") << "bert"
                               << "vocab_size"
                               << "4000000";
        QTest::newRow("layers") << "bert"
                                << "num_hidden_layers"
                                << "3";
    }
    void unsupportedConfigsAreRefused() {
        QFETCH(QString, model);
        QFETCH(QString, key);
        QFETCH(QString, value);
        QTemporaryDir folder;
        fs::path target = folder.path().toStdString();
        changed_model(model.toStdString(), target, key.toStdString(), Json::parse(value.toStdString()));
        QVERIFY(refusal([&] { load_encoder(target); }) != "accepted");
    }

    void strangeInputsAreRefused() {
        Encoder model = load_encoder(golden / "bert").model;
        EncoderInput far{{5, 200}, {}}, longer{std::vector<std::int32_t>(513, 5), {}}, typed{{5}, {2}};
        QVERIFY(refusal([&] { scores_of(model, {far}); }).find("token") != std::string::npos);
        QVERIFY(refusal([&] { scores_of(model, {longer}); }).find("513") != std::string::npos);
        QVERIFY(refusal([&] { scores_of(model, {typed}); }).find("token type") != std::string::npos);
    }
};

QTEST_APPLESS_MAIN(TestEncoder)
#include "tst_encoder.moc"
