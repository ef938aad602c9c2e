#include "core/base/random.h"
#include "core/engine/kernels/functions.h"
#include "core/engine/kernels/gemm.h"
#include "core/engine/kernels/multiarch.h"
#include "core/engine/kernels/pointwise.h"
#include "core/engine/model/loss.h"

#include <ATen/ATen.h>
#include <QtTest>

using namespace tempera;

namespace {

double worst(const at::Tensor& a, const at::Tensor& b) {
    return ((a - b).abs().max() / b.abs().max().clamp_min(1e-30)).item<double>();
}

at::Tensor random(at::IntArrayRef shape, int seed) {
    at::manual_seed(static_cast<std::uint64_t>(seed));
    return at::randn(shape);
}

/// Gradients of sum(f * probe) by `leaves`, and f.
std::vector<at::Tensor> gradients(const at::Tensor& value, const at::Tensor& probe,
                                  std::vector<at::Tensor> leaves) {
    for (at::Tensor& leaf : leaves)
        leaf.mutable_grad() = at::Tensor();
    (value * probe).sum().backward();
    std::vector<at::Tensor> result;
    for (at::Tensor& leaf : leaves)
        result.push_back(leaf.grad().clone());
    return result;
}

ModelConfig small_config(int d) {
    ModelConfig config;
    config.hidden_size = 6 * d;
    config.heads = 6;
    config.kv_heads = 2;
    config.head_dim = d;
    config.rope_theta = 10000;
    return config;
}

} // namespace

class TestKernels : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void exponential() {
        double error = 0;
        for (int k = -8600; k <= 8700; ++k) {
            auto x = static_cast<float>(k) * 0.01f;
            double exact = std::exp(static_cast<double>(x));
            error = std::max(error, std::fabs(static_cast<double>(fast_exp(x)) / exact - 1));
        }
        QVERIFY2(error < 2.5e-7, qPrintable(QString::number(error)));
        QVERIFY(std::isnan(fast_exp(std::nanf(""))));
        QCOMPARE(fast_exp(-std::numeric_limits<float>::infinity()), 0.0f);
        QCOMPARE(fast_exp(-1000.0f), 0.0f);
    }

    void rmsNormMatchesAten() {
        at::Tensor x = random({37, 50}, 1).requires_grad_(), delta = random({37, 50}, 2).requires_grad_();
        at::Tensor weight = random({50}, 3).requires_grad_(), probe = random({37, 50}, 4),
                   probe_sum = random({37, 50}, 5);
        auto reference = [&] {
            at::Tensor sum = x + delta;
            at::Tensor y = sum * at::rsqrt(sum.square().mean(-1, true) + 1e-5) * weight;
            return at::cat({sum, y});
        };
        at::Tensor expected = reference().detach();
        auto wanted = gradients(reference(), at::cat({probe_sum, probe}), {x, delta, weight});
        NormResult norm = add_rms_norm(x, delta.clone(), weight, 1e-5);
        at::Tensor both = at::cat({norm.sum, norm.y});
        QVERIFY(worst(both, expected) < 1e-6);
        auto found = gradients(both, at::cat({probe_sum, probe}), {x, delta, weight});
        for (std::size_t k = 0; k < wanted.size(); ++k)
            QVERIFY2(worst(found[k], wanted[k]) < 2e-6, qPrintable(QString::number(k)));
    }

    void normWithoutDeltaLeavesItsInputAlone() {
        at::Tensor x = random({5, 16}, 1).requires_grad_(), weight = at::ones({16});
        at::Tensor before = x.detach().clone();
        NormResult norm = add_rms_norm(x, {}, weight, 1e-6);
        (norm.sum + norm.y).sum().backward();
        QVERIFY(x.detach().equal(before));
        QVERIFY(x.grad().defined());
    }

    void swigluMatchesAten() {
        at::Tensor x = (random({19, 46}, 1) * 4).requires_grad_(), probe = random({19, 23}, 2);
        auto halves = x.chunk(2, -1);
        at::Tensor expected = at::silu(halves[0]) * halves[1];
        auto wanted = gradients(expected, probe, {x});
        at::Tensor y = swiglu(x);
        QVERIFY(worst(y, expected) < 1e-6);
        QVERIFY(worst(gradients(y, probe, {x})[0], wanted[0]) < 1e-6);
    }

    void attentionMatchesPlainFormula_data() {
        QTest::addColumn<int>("d");
        QTest::newRow("own kernel") << 16;
        QTest::newRow("own kernel, wide") << 64;
        QTest::newRow("out of ATen operations") << 8;
    }
    void attentionMatchesPlainFormula() {
        QFETCH(int, d);
        ModelConfig config = small_config(d);
        std::vector<std::int32_t> a(23, 1), b(1, 1), c(70, 1);
        std::vector<std::span<const std::int32_t>> sequences{a, b, c};
        TokenRow row = make_token_row(sequences);
        RopeTable rope = make_rope_table(config, 100);
        at::Tensor qkv = random({94, 10 * d}, 1).requires_grad_(), probe = random({94, 6 * d}, 2);
        auto reference = [&] {
            std::vector<at::Tensor> parts;
            at::Tensor cosine = rope.cosine.index_select(0, row.positions).repeat({1, 2}).unsqueeze(1);
            at::Tensor sine = rope.sine.index_select(0, row.positions).repeat({1, 2}).unsqueeze(1);
            at::Tensor heads = qkv.view({94, 10, d}), qk = heads.narrow(1, 0, 8);
            at::Tensor rotated = at::cat({-qk.narrow(2, d / 2, d / 2), qk.narrow(2, 0, d / 2)}, 2);
            qk = qk * cosine + rotated * sine;
            for (std::size_t s = 0; s < 3; ++s) {
                std::int64_t begin = row.bounds[s], n = row.bounds[s + 1] - begin;
                at::Tensor q = qk.narrow(0, begin, n).narrow(1, 0, 6).transpose(0, 1);
                at::Tensor k = qk.narrow(0, begin, n).narrow(1, 6, 2).transpose(0, 1).repeat_interleave(3, 0);
                at::Tensor v =
                    heads.narrow(0, begin, n).narrow(1, 8, 2).transpose(0, 1).repeat_interleave(3, 0);
                at::Tensor scores = at::matmul(q, k.transpose(1, 2)) / std::sqrt(static_cast<double>(d));
                scores = scores.masked_fill(at::ones({n, n}, at::kBool).triu(1), -INFINITY);
                parts.push_back(at::matmul(at::softmax(scores, -1), v).transpose(0, 1).reshape({n, 6 * d}));
            }
            return at::cat(parts);
        };
        at::Tensor expected = reference().detach();
        auto wanted = gradients(reference(), probe, {qkv});
        at::Tensor y = attention(qkv * 1, config, rope, row);
        QVERIFY(worst(y, expected) < 2e-6);
        QVERIFY(worst(gradients(y, probe, {qkv})[0], wanted[0]) < 3e-6);
    }

    void loraLinearMatchesAten() {
        at::Tensor x = random({31, 24}, 1).requires_grad_();
        Linear layer{random({40, 24}, 2).requires_grad_(), random({40}, 3).requires_grad_(), {}};
        layer.lora.push_back(
            {"q", 0, 16, 2.0, 0, random({4, 24}, 4).requires_grad_(), random({16, 4}, 5).requires_grad_()});
        layer.lora.push_back(
            {"v", 28, 40, 0.5, 0, random({3, 24}, 6).requires_grad_(), random({12, 3}, 7).requires_grad_()});
        at::Tensor probe = random({31, 40}, 8);
        std::vector<at::Tensor> leaves{
            x, layer.weight, layer.bias, layer.lora[0].a, layer.lora[0].b, layer.lora[1].a, layer.lora[1].b};
        at::Tensor expected = at::linear(x, layer.weight, layer.bias);
        expected =
            expected
            + at::constant_pad_nd(2.0 * at::linear(at::linear(x, layer.lora[0].a), layer.lora[0].b), {0, 24});
        expected =
            expected
            + at::constant_pad_nd(0.5 * at::linear(at::linear(x, layer.lora[1].a), layer.lora[1].b), {28, 0});
        auto wanted = gradients(expected, probe, leaves);
        at::Tensor y = linear(x, layer, {}, {}, 0);
        QVERIFY(worst(y, expected) < 1e-6);
        auto found = gradients(y, probe, leaves);
        for (std::size_t k = 0; k < leaves.size(); ++k)
            QVERIFY2(worst(found[k], wanted[k]) < 2e-6, qPrintable(QString::number(k)));
    }

    void frozenWeightGetsNoGradient() {
        at::Tensor x = random({3, 8}, 1);
        Linear layer{random({6, 8}, 2), {}, {}};
        layer.lora.push_back(
            {"q", 0, 6, 1.0, 0, random({2, 8}, 3).requires_grad_(), at::zeros({6, 2}).requires_grad_()});
        linear(x, layer, {}, {}, 0).sum().backward();
        QVERIFY(!layer.weight.grad().defined());
        QVERIFY(layer.lora[0].b.grad().abs().sum().item<double>() > 0);
    }

    void dropoutIsOneStreamPerSequence() {
        const std::int64_t c = 37, rows = 9;
        std::vector<std::int64_t> streams(rows, 5);
        std::vector<std::int32_t> positions{0, 1, 2, 3, 4, 5, 6, 7, 8};
        at::Tensor x = at::ones({rows, c}), y = at::empty_like(x);
        kernels::dropout(x.data_ptr<float>(), y.data_ptr<float>(), rows, c, 0.25, 77, streams.data(),
                         positions.data(), 3);
        RandomStream stream(77, 5, 3);
        for (std::int64_t t = 0; t < rows; ++t)
            for (std::int64_t k = 0; k < c; ++k) {
                bool dropped = stream.at(static_cast<std::uint32_t>(t * c + k)) < 0x40000000u;
                QCOMPARE(y[t][k].item<float>(), dropped ? 0.0f : 1 / 0.75f);
            }
        // A row alone draws what it draws among others.
        at::Tensor alone = at::empty({1, c});
        kernels::dropout(x.data_ptr<float>(), alone.data_ptr<float>(), 1, c, 0.25, 77, streams.data(),
                         positions.data() + 6, 3);
        QVERIFY(alone[0].equal(y[6]));
    }

    void loraDropoutGradientMatchesItsMask() {
        std::vector<std::int32_t> tokens(12, 1);
        std::vector<std::span<const std::int32_t>> sequences{tokens};
        std::vector<std::int64_t> streams{9};
        TokenRow row = make_token_row(sequences, streams);
        at::Tensor x = random({12, 16}, 1).requires_grad_(), probe = random({12, 6}, 4);
        Linear layer{random({6, 16}, 2), {}, {}};
        layer.lora.push_back(
            {"q", 0, 6, 1.5, 0.3, random({2, 16}, 3).requires_grad_(), random({6, 2}, 5).requires_grad_()});
        at::Tensor mask = at::ones({12, 16});
        kernels::dropout(mask.data_ptr<float>(), mask.data_ptr<float>(), 12, 16, 0.3, 11,
                         row.streams.data_ptr<std::int64_t>(), row.positions.data_ptr<std::int32_t>(), 4);
        std::vector<at::Tensor> leaves{x, layer.lora[0].a, layer.lora[0].b};
        at::Tensor expected = at::linear(x, layer.weight)
                              + 1.5 * at::linear(at::linear(x * mask, layer.lora[0].a), layer.lora[0].b);
        auto wanted = gradients(expected, probe, leaves);
        at::Tensor y = linear(x, layer, row, {true, 11}, 4);
        QVERIFY(worst(y, expected) < 1e-6);
        auto found = gradients(y, probe, leaves);
        for (std::size_t k = 0; k < leaves.size(); ++k)
            QVERIFY(worst(found[k], wanted[k]) < 2e-6);
        QVERIFY(worst(linear(x, layer, row, {false, 11}, 4), expected) > 1e-3); // off in evaluation
    }

    void crossEntropyMatchesAten() {
        const std::int64_t n = 70, v = 333;
        at::Tensor hidden = random({n, 20}, 1).requires_grad_();
        Linear head{(random({v, 20}, 2)).requires_grad_(), {}, {}};
        at::Tensor targets = at::randint(0, v, {n}, at::kInt);
        at::Tensor logits = at::linear(hidden, head.weight), logprob = at::log_softmax(logits, -1);
        at::Tensor nll = -logprob.gather(1, targets.to(at::kLong).unsqueeze(1)).sum();
        double entropy = -(logprob.exp() * logprob).sum().item<double>();
        auto wanted = gradients(nll, at::tensor(0.01), {hidden, head.weight});
        hidden.mutable_grad() = at::Tensor();
        head.weight.mutable_grad() = at::Tensor();
        at::Tensor d;
        CrossEntropySums sums = cross_entropy(hidden, head, targets, 0.01, &d, 32);
        QVERIFY(std::fabs(sums.negative_logprob / nll.item<double>() - 1) < 1e-6);
        QVERIFY(std::fabs(sums.entropy / entropy - 1) < 1e-5);
        QCOMPARE(sums.correct, (logits.argmax(-1) == targets).sum().item<std::int64_t>());
        QCOMPARE(sums.tokens, n);
        QVERIFY(worst(d, wanted[0]) < 2e-6);
        QVERIFY(worst(head.weight.grad(), wanted[1]) < 2e-6);
    }

    void tieWithAnEarlierTokenIsWrong() {
        at::Tensor hidden = at::ones({2, 1});
        Linear head{at::tensor({1.0f, 2.0f, 2.0f}).view({3, 1}), {}, {}};
        QCOMPARE(cross_entropy(hidden, head, at::tensor({1, 2}, at::kInt), 1, nullptr).correct,
                 std::int64_t{1});
    }

    void logprobsWithTemperature() {
        at::Tensor hidden = random({11, 20}, 1).requires_grad_(), probe = random({11}, 3);
        Linear head{random({50, 20}, 2).requires_grad_(), {}, {}};
        at::Tensor targets = at::randint(0, 50, {11}, at::kInt);
        at::Tensor expected = at::log_softmax(at::linear(hidden, head.weight) / 0.6, -1)
                                  .gather(1, targets.to(at::kLong).unsqueeze(1))
                                  .squeeze(1);
        auto wanted = gradients(expected, probe, {hidden, head.weight});
        at::Tensor y = token_logprobs(hidden, head, targets, 0.6, 4);
        QVERIFY(worst(y, expected) < 1e-6);
        auto found = gradients(y, probe, {hidden, head.weight});
        QVERIFY(worst(found[0], wanted[0]) < 2e-6);
        QVERIFY(worst(found[1], wanted[1]) < 2e-6);
    }

    void adamwMatchesTorch() {
        at::Tensor weight = random({1000}, 1), ours = weight.clone(), first = at::zeros({1000}),
                   second = at::zeros({1000});
        at::Tensor torch_first = at::zeros({1000}), torch_second = at::zeros({1000}), count = at::zeros({});
        for (int step = 1; step <= 20; ++step) {
            at::Tensor gradient = random({1000}, 100 + step), scaled = gradient * 0.5;
            count.add_(1);
            at::_fused_adamw_({weight}, {scaled}, {torch_first}, {torch_second}, {}, {count}, 1e-2, 0.9, 0.98,
                              0.1, 1e-8, false, false);
            kernels::adamw_step({1e-2, 0.9, 0.98, 1e-8, 0.1, 0.5, step}, ours.data_ptr<float>(),
                                gradient.data_ptr<float>(), first.data_ptr<float>(), second.data_ptr<float>(),
                                1000);
        }
        QVERIFY(worst(ours, weight) < 1e-6);
        QVERIFY(worst(first, torch_first) < 1e-6 && worst(second, torch_second) < 1e-6);
    }

    void embeddingGradientAddsRepeatedTokens() {
        at::Tensor weight = random({10, 130}, 1).requires_grad_(), probe = random({5, 130}, 2);
        at::Tensor ids = at::tensor({3, 3, 9, 0, 3}, at::kInt);
        auto wanted = gradients(at::embedding(weight, ids), probe, {weight});
        QVERIFY(worst(gradients(embed(weight, ids), probe, {weight})[0], wanted[0]) < 1e-6);
    }

    void productsMatchAten_data() {
        QTest::addColumn<int>("m");
        QTest::addColumn<int>("n");
        QTest::addColumn<int>("k");
        for (auto [m, n, k] : {std::array{1, 1, 1},
                               {3, 5, 7},
                               {64, 64, 64},
                               {65, 130, 33},
                               {200, 8, 576},
                               {130, 576, 8},
                               {257, 100, 300}})
            QTest::addRow("%dx%dx%d", m, n, k) << m << n << k;
    }

    void productsMatchAten() {
        QFETCH(int, m);
        QFETCH(int, n);
        QFETCH(int, k);
        at::Tensor wide = random({m, k + 5}, 1), x = wide.narrow(1, 2, k), w = random({n, k}, 2),
                   d = random({m, n}, 3);
        QVERIFY(worst(kernels::matmul_nt(x, w), at::matmul(x, w.t())) < 3e-6);
        QVERIFY(worst(kernels::matmul_nn(d, w), at::matmul(d, w)) < 3e-6);
        at::Tensor g = random({n, k}, 4), expected = g + 0.5 * at::matmul(d.t(), x);
        kernels::accumulate_tn(g, d, x, 0.5);
        QVERIFY(worst(g, expected) < 3e-6);
        at::Tensor target = random({m, n + 7}, 5), part = target.narrow(1, 3, n), before = target.clone();
        at::Tensor sum = part + 2.0 * at::matmul(x, w.t());
        kernels::matmul_nt_into(part, x, w, true, 2.0);
        QVERIFY(worst(part, sum) < 3e-6);
        QVERIFY(target.narrow(1, 0, 3).equal(before.narrow(1, 0, 3)));
        QVERIFY(target.narrow(1, 3 + n, 4).equal(before.narrow(1, 3 + n, 4)));
    }
};

QTEST_APPLESS_MAIN(TestKernels)
#include "tst_kernels.moc"
