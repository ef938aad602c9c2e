#include "core/engine/lora/lora.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/model/forward.h"
#include "core/engine/model/loss.h"
#include "core/engine/model/weights.h"

#include <ATen/ATen.h>
#include <QtTest>
#include <set>

using namespace tempera;

namespace {

double worst(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max().clamp_min(1e-30)).item<double>();
}

std::vector<std::int32_t> ids(int count, int seed) {
    std::vector<std::int32_t> list;
    for (int k = 0; k < count; ++k)
        list.push_back((seed * 131 + k * 17 + k * k) % 100);
    return list;
}

/// Two prompts with completions of ragged lengths, some longer than a block of the kernel.
struct Prompts {
    std::vector<std::vector<std::int32_t>> prompts{ids(70, 1), ids(9, 2)};
    std::vector<std::vector<std::vector<std::int32_t>>> completions{{ids(5, 3), ids(80, 4), ids(1, 5)},
                                                                    {ids(12, 6), ids(3, 7)}};

    std::vector<PromptBranches> branches() const {
        std::vector<PromptBranches> list;
        for (std::size_t p = 0; p < prompts.size(); ++p) {
            PromptBranches item{prompts[p], {}, static_cast<std::int64_t>(10 * p)};
            for (const auto& completion : completions[p])
                item.completions.emplace_back(completion);
            list.push_back(item);
        }
        return list;
    }
    /// The same with every prompt written out before each of its completions.
    BranchedRow repeated() const {
        std::vector<std::vector<std::int32_t>> whole;
        std::vector<std::int64_t> wanted;
        std::vector<std::int32_t> targets;
        BranchedRow result;
        result.target_bounds.push_back(0);
        std::int64_t begin = 0;
        for (std::size_t p = 0; p < prompts.size(); ++p)
            for (const auto& completion : completions[p]) {
                whole.push_back(prompts[p]);
                whole.back().insert(whole.back().end(), completion.begin(), completion.end());
                for (std::size_t t = 0; t < completion.size(); ++t) {
                    wanted.push_back(begin + static_cast<std::int64_t>(prompts[p].size() + t) - 1);
                    targets.push_back(completion[t]);
                }
                begin += static_cast<std::int64_t>(whole.back().size());
                result.target_bounds.push_back(static_cast<std::int64_t>(targets.size()));
            }
        std::vector<std::span<const std::int32_t>> sequences(whole.begin(), whole.end());
        result.row = make_token_row(sequences);
        result.wanted = at::tensor(wanted, at::kLong);
        result.targets = at::tensor(targets, at::kInt);
        return result;
    }
};

ModelConfig config_of(int d) {
    ModelConfig config;
    config.vocab_size = 100;
    config.hidden_size = 4 * d;
    config.intermediate_size = 40;
    config.layers = 2;
    config.heads = 4;
    config.kv_heads = 2;
    config.head_dim = d;
    config.rope_theta = 10000;
    config.rms_norm_eps = 1e-6;
    config.tied_embeddings = true;
    config.initializer_range = 0.3;
    return config;
}

at::Tensor logprobs(const Decoder& model, const BranchedRow& branched, const RopeTable& rope) {
    at::Tensor hidden = decoder_hidden(model, branched.row, rope, {}, branched.wanted);
    return token_logprobs(hidden, model.lm_head, branched.targets);
}

/// Gradients of sum(probe * log p) by every weight.
std::vector<at::Tensor> gradients(Decoder& model, const BranchedRow& branched, const RopeTable& rope,
                                  const at::Tensor& probe) {
    std::vector<at::Tensor> weights{model.embedding, model.final_norm};
    for (DecoderLayer& layer : model.layers)
        weights.insert(weights.end(), {layer.qkv.weight, layer.o.weight, layer.gate_up.weight,
                                       layer.down.weight, layer.input_norm, layer.post_attention_norm});
    for (at::Tensor& weight : weights) {
        weight.requires_grad_(true);
        weight.mutable_grad() = at::zeros_like(weight);
    }
    logprobs(model, branched, rope).backward(probe);
    std::vector<at::Tensor> result;
    for (at::Tensor& weight : weights) {
        result.push_back(weight.grad().clone());
        weight.requires_grad_(false);
        weight.mutable_grad() = at::Tensor();
    }
    return result;
}

} // namespace

/// One prompt computed once for its completions gives what the prompt repeated gives.
class TestBranchedRow : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void targetsAreTheCompletions() {
        Prompts prompts;
        BranchedRow shared = make_branched_row(prompts.branches()), repeated = prompts.repeated();
        QVERIFY(shared.targets.equal(repeated.targets));
        QVERIFY(shared.target_bounds == repeated.target_bounds);
        QCOMPARE(shared.row.tokens(), std::int64_t{70 + 86 + 9 + 15});
        // What each target is predicted from: the same token at the same position.
        auto at_wanted = [](const BranchedRow& b, const at::Tensor& x) {
            return x.index_select(0, b.wanted);
        };
        QVERIFY(at_wanted(shared, shared.row.ids).equal(at_wanted(repeated, repeated.row.ids)));
        QVERIFY(at_wanted(shared, shared.row.positions).equal(at_wanted(repeated, repeated.row.positions)));
    }

    void equalsTheRepeatedPrompt_data() {
        QTest::addColumn<int>("d");
        QTest::newRow("own kernel") << 16;
        QTest::newRow("out of ATen operations") << 8;
    }
    void equalsTheRepeatedPrompt() {
        QFETCH(int, d);
        Decoder model = random_decoder(config_of(d), 3);
        RopeTable rope = make_rope_table(model.config, 200);
        Prompts prompts;
        BranchedRow shared = make_branched_row(prompts.branches()), repeated = prompts.repeated();
        QVERIFY(worst(logprobs(model, shared, rope), logprobs(model, repeated, rope)) < 1e-5);
        at::manual_seed(1);
        at::Tensor probe = at::randn({shared.targets.size(0)});
        auto found = gradients(model, shared, rope, probe), wanted = gradients(model, repeated, rope, probe);
        for (std::size_t k = 0; k < wanted.size(); ++k)
            QVERIFY2(worst(found[k], wanted[k]) < 2e-5,
                     qPrintable(QString("weight %1: %2").arg(k).arg(worst(found[k], wanted[k]))));
    }

    /// algorithms.md, bug 8: nothing is seen across prompts or from branch to branch, bit for bit.
    void branchesDoNotSeeEachOther() {
        Decoder model = random_decoder(config_of(16), 3);
        RopeTable rope = make_rope_table(model.config, 200);
        Prompts prompts, edited, alone;
        edited.completions[0][1] = ids(33, 99);
        edited.prompts[1] = ids(20, 98);
        alone.prompts.resize(1);
        alone.completions.resize(1);
        alone.completions[0].resize(1);
        auto first = [&](const Prompts& p) {
            return logprobs(model, make_branched_row(p.branches()), rope).narrow(0, 0, 5);
        };
        QVERIFY(first(prompts).equal(first(edited)));
        QVERIFY(first(prompts).equal(first(alone)));
    }

    void anEmptyPromptPredictsNoFirstToken() {
        auto a = ids(4, 1), b = ids(6, 2);
        PromptBranches item{{}, {a, b}, 0};
        BranchedRow branched = make_branched_row(std::span(&item, 1));
        QCOMPARE(branched.targets.size(0), std::int64_t{3 + 5});
        QCOMPARE(branched.row.sequences(), std::int64_t{2});
        QVERIFY(branched.row.prefix_of(1) == -1);
        QVERIFY(branched.wanted.equal(at::tensor({0, 1, 2, 4, 5, 6, 7, 8}, at::kLong)));
    }

    /// Every completion has its own dropout, and its prompt another one.
    void branchesDrawTheirOwnDropout() {
        BranchedRow branched = make_branched_row(Prompts().branches());
        std::set<std::int64_t> streams;
        for (std::int64_t s = 0; s < branched.row.sequences(); ++s)
            streams.insert(
                branched.row.streams[branched.row.bounds[static_cast<std::size_t>(s)]].item<std::int64_t>());
        QCOMPARE(streams.size(), std::size_t{7});
    }

    void statisticsAreThoseOfTheLogits() {
        at::manual_seed(5);
        at::Tensor hidden = at::randn({11, 20}), targets = at::randint(0, 50, {11}, at::kInt);
        Linear head{at::randn({50, 20}), {}, {}};
        targets[3] = at::linear(hidden, head.weight)[3].argmax().item<int>();
        TokenStatistics statistics;
        token_logprobs(hidden, head, targets, 1, 4, &statistics);
        at::Tensor logits = at::linear(hidden, head.weight), logp = at::log_softmax(logits, -1);
        QVERIFY(worst(statistics.mean_logit, logits.mean(-1)) < 1e-5);
        QVERIFY(worst(statistics.entropy, -(logp.exp() * logp).sum(-1)) < 1e-5);
        QVERIFY(statistics.correct.equal(logits.argmax(-1) == targets.to(at::kLong)));
        QVERIFY(statistics.correct[3].item<bool>());
    }
};

QTEST_APPLESS_MAIN(TestBranchedRow)
#include "tst_branched_row.moc"
