#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/engine/lora/adapter_io.h"
#include "core/engine/lora/adapter_stack.h"
#include "core/engine/model/forward.h"
#include "tests/support/paths.h"

#include <QtTest>
#include <c10/core/GradMode.h>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

const fs::path models = fs::path(source_dir()) / "tests/golden/models";

at::Tensor logits_of(const Decoder& model) {
    c10::NoGradGuard no_grad;
    const std::vector<std::int32_t> ids{5, 17, 3, 60, 41, 8, 22};
    const std::span<const std::int32_t> spans[] = {ids};
    return decoder_logits(model,
                          decoder_hidden(model, make_token_row(spans), make_rope_table(model.config, 64)));
}

double relative(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max()).item<double>();
}

/// An adapter with something in B, as one trained on the model in `base`.
void write_adapter(const fs::path& folder, const fs::path& base, const std::vector<std::string>& targets,
                   std::uint64_t seed) {
    LoraConfig config;
    config.r = 3;
    config.alpha = 7;
    config.dropout = 0.1;
    config.targets = targets;
    config.base_model = base.string();
    Decoder model = load_decoder(base);
    attach_lora(model, config, seed);
    at::manual_seed(seed);
    for (LoraSlice* slice : lora_slices(model))
        slice->b.normal_(0, 0.2);
    fs::create_directories(folder);
    save_adapter(model, config, folder);
}

std::string refusal_of(const fs::path& model, const fs::path& adapter) {
    try {
        load_with_adapter(model, adapter);
    } catch (const Error& error) {
        return error.kind() == ErrorKind::bad_input ? error.what() : "";
    }
    return "";
}

} // namespace

class TestAdapterStack : public QObject {
    Q_OBJECT

    QTemporaryDir dir_;
    fs::path at(const char* name) const { return fs::path(dir_.path().toStdString()) / name; }

    /// Writes an adapter on the one in `below` as `name`, and as `name`-flat the same flattened.
    fs::path flattened(const char* name, const fs::path& below, const std::vector<std::string>& targets,
                       std::uint64_t seed = 3) {
        write_adapter(at(name), below, targets, seed);
        const fs::path flat = at(name).string() + "-flat";
        fs::copy(at(name), flat);
        const AdapterChain chain = adapter_chain(below);
        const Decoder model = load_decoder(below);
        flatten_adapter(model, stacked_slices(model, chain.adapters), chain.base, flat);
        return flat;
    }

private Q_SLOTS:
    void aFlattenedAdapterIsTheStack_data() {
        QTest::addColumn<QString>("below");
        QTest::addColumn<QStringList>("targets");
        QTest::newRow("the same modules") << "qwen2-tied-qv" << QStringList{"q_proj", "v_proj"};
        QTest::newRow("more modules") << "qwen2-tied-qv" << QStringList{"all-linear"};
        QTest::newRow("other modules") << "qwen2-tied-qv" << QStringList{"o_proj", "layers.1.mlp.up_proj"};
        QTest::newRow("rslora and patterns below") << "qwen2-tied-all" << QStringList{"q_proj", "down_proj"};
    }
    void aFlattenedAdapterIsTheStack() {
        QFETCH(QString, below);
        QFETCH(QStringList, targets);
        std::vector<std::string> list;
        for (const QString& target : targets)
            list.push_back(target.toStdString());
        const std::string name = QTest::currentDataTag();
        const fs::path under = models / below.toStdString(), flat = flattened(name.c_str(), under, list);
        const at::Tensor wanted = logits_of(load_decoder(at(name.c_str())));

        // What PEFT does with it: the base that it names, and this adapter alone.
        const LoraConfig config = read_lora_config(flat);
        QCOMPARE(config.base_model, fs::canonical(models / "qwen2-tied").string());
        Decoder model = load_decoder(config.base_model);
        load_adapter(model, flat);
        QVERIFY(relative(logits_of(model), wanted) < 1e-5);
        QVERIFY(!config.rslora);
        for (const LoraSlice* slice : lora_slices(model)) {
            QCOMPARE(slice->scaling, 1.0);
            QCOMPARE(slice->dropout, 0.1);
        }
        QVERIFY(relative(logits_of(load_decoder(flat)), wanted) < 1e-5);

        // The upper adapter alone on the base is another model: the test can tell them apart.
        Decoder upper = load_decoder(config.base_model);
        load_adapter(upper, at(name.c_str()));
        QVERIFY(relative(logits_of(upper), wanted) > 1e-3);
    }

    void aStackOfThreeIsFlattenedToo() {
        write_adapter(at("second"), models / "qwen2-tied-qv", {"v_proj", "up_proj"}, 5);
        const fs::path flat = flattened("third", at("second"), {"all-linear"}, 6);
        QCOMPARE(adapter_chain(at("third")).adapters.size(), std::size_t{3});
        QCOMPARE(adapter_chain(flat).adapters.size(), std::size_t{1});
        QVERIFY(relative(logits_of(load_decoder(flat)), logits_of(load_decoder(at("third")))) < 1e-5);
    }

    void modulesAreNamedAsPeoplesNamesWherePossible() {
        const LoraConfig same =
            read_lora_config(flattened("named", models / "qwen2-tied-qv", {"q_proj", "v_proj"}));
        QCOMPARE(same.targets, (std::vector<std::string>{"q_proj", "v_proj"}));
        QVERIFY(same.rank_pattern.empty());
        const LoraConfig part =
            read_lora_config(flattened("part", models / "qwen2-tied-qv", {"v_proj", "layers.1.mlp.up_proj"}));
        QCOMPARE(part.targets, (std::vector<std::string>{"q_proj", "v_proj", "model.layers.1.mlp.up_proj"}));
    }

    void anAdapterIsNotAppliedTwice() {
        const fs::path first = models / "qwen2-tied-qv", flat = flattened("upper", first, {"all-linear"}),
                       beside = flattened("beside", first, {"all-linear"}, 9), copy = at("copy");
        fs::copy(first, copy);
        for (const auto& [model, adapter] : {std::pair(first, first),
                                             {first, copy},
                                             {first, flat},
                                             {flat, first},
                                             {flat, at("upper")},
                                             {at("upper"), flat},
                                             {flat, beside}}) {
            const std::string said = refusal_of(model, adapter);
            QVERIFY2(said.find("already") != said.npos && said.find(adapter.string()) != said.npos,
                     (model.string() + " " + adapter.string() + ": " + said).c_str());
        }
        for (const auto& [model, adapter] : {std::pair(models / "qwen2-tied", first),
                                             {models / "qwen2-tied", flat},
                                             {first, at("upper")},
                                             {first, models / "qwen2-tied-all"}})
            QVERIFY(!lora_slices(std::vector{load_with_adapter(model, adapter)}.front()).empty());
    }
};

QTEST_APPLESS_MAIN(TestAdapterStack)
#include "tst_adapter_stack.moc"
