#include "core/base/error.h"
#include "core/base/json.h"
#include "core/engine/lora/adapter_io.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/sample/aten_forward.h"
#include "core/engine/sample/lane_forward.h"
#include "core/engine/sample/sampler.h"
#include "core/format/safetensors.h"
#include "tests/support/paths.h"

#include <QTest>
#include <algorithm>
#include <cmath>
#include <filesystem>
#include <map>

using namespace tempera;

namespace {

const std::filesystem::path golden = std::filesystem::path(source_dir()) / "tests" / "golden";

struct Model {
    explicit Model(const std::string& name)
        : decoder(load_decoder(golden / "models" / name)),
          tokenizer(Tokenizer::load(golden / "models" / name)) {}
    Decoder decoder;
    Tokenizer tokenizer;
};

SamplerOptions options(std::int64_t max_tokens, int slots = 0) {
    SamplerOptions result;
    result.max_tokens = max_tokens;
    result.slots = slots;
    result.threads = 2;
    return result;
}

struct Job {
    std::vector<std::int32_t> ids;
    int n = 1;
    DrawSettings settings;
};

/// Draws all; the result is in the order of jobs and samples.
std::vector<DrawnSequence> draw(Sampler& sampler, const std::vector<Job>& jobs, std::uint64_t seed = 1) {
    std::map<std::int64_t, DrawnSequence> drawn;
    std::size_t next = 0;
    sampler.run(
        [&](PromptRequest& request) {
            if (next == jobs.size()) return false;
            request.ids = jobs[next].ids;
            for (int s = 0; s < jobs[next].n; ++s)
                request.sequences.push_back({static_cast<std::int64_t>(next * 1000) + s, jobs[next].settings,
                                             RandomStream(seed, next, static_cast<std::uint32_t>(s))});
            ++next;
            return true;
        },
        [&](DrawnSequence&& sequence) { drawn.emplace(sequence.tag, std::move(sequence)); });
    std::vector<DrawnSequence> result;
    for (auto& [tag, sequence] : drawn)
        result.push_back(std::move(sequence));
    return result;
}

std::vector<Job> jobs_of(const Model& model, int prompts, int n, DrawSettings settings) {
    std::vector<Job> jobs;
    for (int i = 0; i < prompts; ++i) {
        std::string text = "Using the numbers [" + std::to_string(i % 83) + ", 17], create an equation";
        for (int j = 0; j < i % 7; ++j)
            text += " that equals " + std::to_string(i);
        jobs.push_back({model.tokenizer.encode(text), n, settings});
    }
    return jobs;
}

double relative_error(const float* found, const float* wanted, std::int64_t count) {
    double difference = 0, size = 0;
    for (std::int64_t i = 0; i < count; ++i) {
        difference =
            std::max(difference, std::abs(static_cast<double>(found[i]) - static_cast<double>(wanted[i])));
        size = std::max(size, std::abs(static_cast<double>(wanted[i])));
    }
    return difference / size;
}

void add_model_rows() {
    QTest::addColumn<QString>("name");
    for (const char* name : {"qwen2-tied", "qwen2-untied", "llama-tied", "llama-rope"})
        QTest::newRow(name) << name;
}

} // namespace

class TestSampler : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void greedyEqualsTransformers_data() { add_model_rows(); }
    void greedyEqualsTransformers() {
        QFETCH(QString, name);
        Model model(name.toStdString());
        Json cases = read_json_file(golden / "sampling" / "greedy.json")[name.toStdString()];
        std::vector<Job> jobs;
        for (const Json& c : cases) {
            DrawSettings settings;
            settings.temperature = 0;
            settings.repetition_penalty = c["penalty"];
            jobs.push_back({c["ids"].get<std::vector<std::int32_t>>(), 1, settings});
            QCOMPARE(model.tokenizer.encode(c["prompt"].get<std::string>()), jobs.back().ids);
        }
        Sampler sampler(model.decoder, model.tokenizer, options(48));
        std::vector<DrawnSequence> drawn = draw(sampler, jobs);
        QCOMPARE(drawn.size(), std::size_t{50});
        for (std::size_t i = 0; i < drawn.size(); ++i) {
            auto wanted = cases[i]["new"].get<std::vector<std::int32_t>>();
            auto logprobs = cases[i]["logprobs"].get<std::vector<double>>();
            std::size_t sure = cases[i]["sure"];
            for (std::size_t t = 0; t < sure; ++t) {
                QCOMPARE(drawn[i].token_ids[t], wanted[t]);
                QVERIFY(std::abs(static_cast<double>(drawn[i].logprobs[t]) - logprobs[t]) < 2e-5);
            }
            if (sure == wanted.size()) QCOMPARE(drawn[i].token_ids.size(), wanted.size());
        }
    }

    /// Both forwards, with the cache, token by token, against transformers' logits.
    void cachedLogitsEqualTransformers_data() { add_model_rows(); }
    void cachedLogitsEqualTransformers() {
        QFETCH(QString, name);
        Model model(name.toStdString());
        Json cases = read_json_file(golden / "sampling" / "greedy.json")[name.toStdString()];
        SafetensorsReader steps = SafetensorsReader::open(golden / "sampling" / "steps.safetensors");
        ThreadTeam team(2);
        LaneForward lanes(model.decoder, team);
        AtenForward aten(model.decoder);
        const std::int64_t vocab = model.decoder.config.vocab_size, row = lanes.padded_vocab();
        for (int i = 0; i < 3; ++i) {
            const std::string key = name.toStdString() + "." + std::to_string(i);
            std::vector<float> wanted(static_cast<std::size_t>(steps.at(key).elements()));
            steps.read_f32(key, wanted);
            auto ids = cases[static_cast<std::size_t>(i)]["ids"].get<std::vector<std::int32_t>>();
            auto next = cases[static_cast<std::size_t>(i)]["new"].get<std::vector<std::int32_t>>();
            const auto prompt_tokens = static_cast<std::int64_t>(ids.size());
            for (DecodeBackend* backend :
                 {static_cast<DecodeBackend*>(&lanes), static_cast<DecodeBackend*>(&aten)}) {
                auto prompt = backend->make_cache(), own = backend->make_cache();
                prompt->reserve(prompt_tokens);
                std::vector<float> logits(static_cast<std::size_t>(row));
                std::vector<Lane> all;
                for (std::int64_t t = 0; t < prompt_tokens; ++t)
                    all.push_back({ids[static_cast<std::size_t>(t)], t, prompt.get(), 0, nullptr, nullptr});
                all.back().logits = logits.data();
                // in pieces of five, so that later tokens of a prompt find earlier ones in the cache
                DecodeBackend::Chain chain;
                for (std::size_t at = 0; at < all.size(); at += 5)
                    chain.push_back(
                        std::span<const Lane>(all).subspan(at, std::min<std::size_t>(5, all.size() - at)));
                QVERIFY(backend->run(std::span(&chain, 1)));
                for (std::int64_t t = 0; t * vocab < static_cast<std::int64_t>(wanted.size()); ++t) {
                    QVERIFY(relative_error(logits.data(), wanted.data() + t * vocab, vocab) < 1e-5);
                    own->reserve(t + 1);
                    Lane lane{next[static_cast<std::size_t>(t)],
                              prompt_tokens + t,
                              prompt.get(),
                              prompt_tokens,
                              own.get(),
                              logits.data()};
                    DecodeBackend::Chain step{std::span<const Lane>(&lane, 1)};
                    QVERIFY(backend->run(std::span(&step, 1)));
                }
            }
        }
    }

    void filteredDistributionsEqualVllm() {
        SafetensorsReader file = SafetensorsReader::open(golden / "sampling" / "filters.safetensors");
        auto read = [&](const char* name) {
            std::vector<float> values(static_cast<std::size_t>(file.at(name).elements()));
            file.read_f32(name, values);
            return values;
        };
        const std::vector<float> logits = read("logits"), settings = read("settings"),
                                 distributions = read("distributions");
        std::vector<std::int32_t> seen(static_cast<std::size_t>(file.at("seen").elements()));
        file.read_bytes("seen", std::as_writable_bytes(std::span(seen)));
        const std::size_t vocab = logits.size() / 3, cases = settings.size() / 6;
        QVERIFY(cases > 400);
        TokenDrawer drawer(static_cast<std::int64_t>(vocab));
        for (std::size_t c = 0; c < cases; ++c) {
            const float* s = settings.data() + 6 * c;
            auto wide = [](float x) { return std::round(static_cast<double>(x) * 1e6) / 1e6; };
            DrawSettings draw_settings{wide(s[1]), wide(s[2]), static_cast<int>(s[3]), wide(s[4]),
                                       wide(s[5])};
            const std::size_t half = seen.size() / 2; // half of them in the prompt, half in the output
            auto found =
                drawer.distribution(logits.data() + static_cast<std::size_t>(s[0]) * vocab, draw_settings,
                                    std::span(seen).first(half), std::span(seen).subspan(half));
            for (std::size_t i = 0; i < vocab; ++i)
                QVERIFY2(std::abs(found[i] - static_cast<double>(distributions[c * vocab + i])) < 2e-6,
                         qPrintable(QString("case %1 token %2").arg(c).arg(i)));
        }
    }

    /// 1,000 samples drawn one at a time, with every slot count, order of prompts and number of threads: the
    /// same.
    void samplesDoNotDependOnTheBatch() {
        Model model("llama-tied");
        std::vector<Job> jobs = jobs_of(model, 100, 10, {1.0, 0.95, 0, 0.01, 1.1});
        Sampler together(model.decoder, model.tokenizer, options(24, 64));
        std::vector<DrawnSequence> wanted = draw(together, jobs);
        QCOMPARE(wanted.size(), std::size_t{1000});
        for (int slots : {1, 7, 200}) {
            SamplerOptions o = options(24, slots);
            o.threads = slots == 7 ? 1 : 3;
            Sampler other(model.decoder, model.tokenizer, o);
            std::vector<DrawnSequence> found = draw(other, jobs);
            for (std::size_t i = 0; i < wanted.size(); ++i) {
                QCOMPARE(found[i].token_ids, wanted[i].token_ids);
                QCOMPARE(found[i].logprobs, wanted[i].logprobs);
                QCOMPARE(found[i].finish, wanted[i].finish);
            }
        }
        std::size_t distinct = 0;
        for (std::size_t i = 1; i < 10; ++i)
            distinct += wanted[i].token_ids != wanted[0].token_ids;
        QVERIFY(distinct == 9);
        QVERIFY(draw(together, jobs, 2)[0].token_ids != wanted[0].token_ids);
    }

    void samplersLogprobsEqualScoring_data() { add_model_rows(); }
    void samplersLogprobsEqualScoring() {
        QFETCH(QString, name);
        Model model(name.toStdString());
        Sampler sampler(model.decoder, model.tokenizer, options(100));
        std::vector<Job> jobs = jobs_of(model, 8, 2, {1.2});
        for (const DrawnSequence& s : draw(sampler, jobs)) {
            auto scored = sampler.logprobs(jobs[static_cast<std::size_t>(s.tag / 1000)].ids, s.token_ids);
            QCOMPARE(scored.size(), s.logprobs.size());
            for (std::size_t t = 0; t < scored.size(); ++t)
                QVERIFY(std::abs(scored[t] - s.logprobs[t]) < 1e-5f);
        }
    }

    /// LoRA unmerged = merged; and the ATen way draws the same greedy tokens.
    void adaptersAndAtenAgree() {
        for (const char* adapter : {"qwen2-tied-qv", "qwen2-tied-all"}) {
            Model unmerged("qwen2-tied"), merged("qwen2-tied"), plain("qwen2-tied");
            load_adapter(unmerged.decoder, golden / "models" / adapter);
            load_adapter(merged.decoder, golden / "models" / adapter);
            merge_lora(merged.decoder);
            std::vector<std::int32_t> prompt = plain.tokenizer.encode("Using the numbers"),
                                      rest = plain.tokenizer.encode(" 3 17 42 check the answer");
            Sampler a(unmerged.decoder, unmerged.tokenizer, options(8)),
                b(merged.decoder, merged.tokenizer, options(8)),
                base(plain.decoder, plain.tokenizer, options(8));
            auto x = a.logprobs(prompt, rest), y = b.logprobs(prompt, rest), z = base.logprobs(prompt, rest);
            double apart = 0;
            for (std::size_t i = 0; i < x.size(); ++i) {
                QVERIFY(std::abs(x[i] - y[i]) < 2e-5f);
                apart += std::abs(static_cast<double>(x[i] - z[i]));
            }
            QVERIFY(apart > 0.01);
            AtenForward aten(unmerged.decoder);
            auto cache = aten.make_cache();
            std::vector<float> logits(static_cast<std::size_t>(aten.padded_vocab()));
            std::vector<Lane> lanes;
            for (std::int32_t id : prompt)
                lanes.push_back(
                    {id, static_cast<std::int64_t>(lanes.size()), cache.get(), 0, nullptr, nullptr});
            lanes.back().logits = logits.data();
            DecodeBackend::Chain chain{lanes};
            QVERIFY(aten.run(std::span(&chain, 1)));
            TokenDrawer drawer(unmerged.decoder.config.vocab_size);
            QVERIFY(std::abs(drawer.logprob(logits.data(), rest[0]) - x[0]) < 2e-5f);
        }
    }

    /// Shapes that are no multiple of the vector's width; both forwards, prompts and steps, must agree.
    void oddShapesAgree() {
        ModelConfig config;
        config.family = ModelConfig::Family::llama;
        config.vocab_size = 131;
        config.hidden_size = 40;
        config.intermediate_size = 52;
        config.layers = 2;
        config.heads = 10;
        config.kv_heads = 2;
        config.head_dim = 24;
        config.max_positions = 256;
        config.o_bias = config.mlp_bias = config.qkv_bias = true;
        Decoder decoder = random_decoder(config, 5);
        for (DecoderLayer& layer : decoder.layers)
            for (Linear* linear : {&layer.qkv, &layer.o, &layer.gate_up, &layer.down}) {
                linear->weight.mul_(8);
                linear->bias.uniform_(-0.3, 0.3);
            }
        ThreadTeam team(2);
        LaneForward lanes(decoder, team);
        AtenForward aten(decoder);
        std::vector<std::vector<float>> found;
        for (DecodeBackend* backend :
             {static_cast<DecodeBackend*>(&lanes), static_cast<DecodeBackend*>(&aten)}) {
            std::vector<float>& rows =
                found.emplace_back(static_cast<std::size_t>(60 * lanes.padded_vocab()));
            auto prompt = backend->make_cache(), first = backend->make_cache(),
                 second = backend->make_cache();
            prompt->reserve(50);
            std::vector<Lane> all;
            for (std::int32_t t = 0; t < 50; ++t)
                all.push_back(
                    {t * 7 % 131, t, prompt.get(), 0, nullptr, rows.data() + t * lanes.padded_vocab()});
            DecodeBackend::Chain chain{all};
            QVERIFY(backend->run(std::span(&chain, 1)));
            first->reserve(5);
            second->reserve(5);
            for (std::int32_t t = 0; t < 5; ++t) {
                float* at = rows.data() + (50 + 2 * t) * lanes.padded_vocab();
                std::vector<Lane> step{
                    {t, 50 + t, prompt.get(), 50, first.get(), at},
                    {9 * t, 50 + t, prompt.get(), 50, second.get(), at + lanes.padded_vocab()}};
                DecodeBackend::Chain next{step};
                QVERIFY(backend->run(std::span(&next, 1)));
            }
        }
        for (std::int64_t r = 0; r < 60; ++r)
            QVERIFY(relative_error(found[0].data() + r * lanes.padded_vocab(),
                                   found[1].data() + r * lanes.padded_vocab(), 131)
                    < 1e-5);
    }

    /// bfloat16 goes through ATen; its samples come from nearly the same distribution.
    void bfloat16RunsThroughAten() {
        Model wide("llama-rope"), narrow("llama-rope");
        move_decoder(narrow.decoder, at::kCPU, at::kBFloat16);
        QVERIFY(!LaneForward::supports(narrow.decoder));
        Sampler a(wide.decoder, wide.tokenizer, options(12, 6)),
            b(narrow.decoder, narrow.tokenizer, options(12, 6));
        std::vector<Job> jobs = jobs_of(wide, 5, 3, {1.0});
        std::vector<DrawnSequence> drawn = draw(b, jobs);
        QCOMPARE(drawn.size(), std::size_t{15});
        double apart = 0, count = 0;
        for (const DrawnSequence& s : drawn) {
            auto scored = a.logprobs(jobs[static_cast<std::size_t>(s.tag / 1000)].ids, s.token_ids);
            for (std::size_t t = 0; t < scored.size(); ++t, ++count)
                apart += std::abs(static_cast<double>(scored[t] - s.logprobs[t]));
        }
        QVERIFY2(apart / count < 0.05, qPrintable(QString::number(apart / count)));
    }

    void endsWhereItShould() {
        Model model("qwen2-untied");
        std::vector<Job> jobs = jobs_of(model, 30, 8, {1.0});
        Sampler free_running(model.decoder, model.tokenizer, options(40));
        std::vector<DrawnSequence> all = draw(free_running, jobs);
        std::size_t ended = 0;
        for (const DrawnSequence& s : all) {
            bool eos = s.token_ids.back() == 0;
            ended += eos;
            QCOMPARE(QString::fromStdString(s.finish), QString(eos ? "eos" : "length"));
            QVERIFY(eos || s.token_ids.size() == 40);
            QCOMPARE(std::count(s.token_ids.begin(), s.token_ids.end() - 1, 0), 0);
            QCOMPARE(s.text, model.tokenizer.decode(s.token_ids, true));
            QCOMPARE(s.token_ids.size(), s.logprobs.size());
        }
        QVERIFY(ended > 0 && ended < all.size());

        // Stop strings cut out of what was drawn, most of them across token borders and some across UTF-8
        // characters.
        std::size_t stopped = 0;
        for (std::size_t pick : {std::size_t{3}, std::size_t{50}, std::size_t{120}, std::size_t{200}}) {
            const std::string& text = all[pick].text;
            if (text.size() < 12) continue;
            SamplerOptions o = options(40);
            o.stop = {text.substr(text.size() / 2, 3), "never in it", text.substr(text.size() / 2 + 1, 5),
                      ""};
            Sampler stopping(model.decoder, model.tokenizer, o);
            std::vector<DrawnSequence> cut = draw(stopping, jobs);
            for (std::size_t i = 0; i < cut.size(); ++i) {
                std::size_t end = std::string::npos, begin = end;
                for (const std::string& stop : {o.stop[0], o.stop[2]})
                    if (std::size_t at = all[i].text.find(stop);
                        at != std::string::npos && at + stop.size() < end)
                        begin = at, end = at + stop.size();
                QVERIFY(
                    std::equal(cut[i].token_ids.begin(), cut[i].token_ids.end(), all[i].token_ids.begin()));
                if (begin == std::string::npos) {
                    QCOMPARE(cut[i].finish, all[i].finish);
                } else if (cut[i].finish == "stop") {
                    ++stopped;
                    QCOMPARE(cut[i].text, all[i].text.substr(0, begin));
                }
                if (cut[i].finish != "stop") QCOMPARE(cut[i].text, all[i].text);
            }
        }
        QVERIFY(stopped >= 2);
    }

    /// "<|im_end|>" is a special token: decoded text never holds it, so it must be recognised by its id.
    void specialTokensStopById() {
        Model model("qwen2-untied");
        std::int32_t id = *model.tokenizer.id_of("<|im_end|>");
        QVERIFY(model.tokenizer.is_special(id));
        SamplerOptions o = options(60);
        o.stop = {"<|im_end|>"};
        Sampler sampler(model.decoder, model.tokenizer, o);
        std::size_t stopped = 0;
        for (const DrawnSequence& s : draw(sampler, jobs_of(model, 40, 8, {2.0}))) {
            QCOMPARE(std::count(s.token_ids.begin(), s.token_ids.end() - 1, id), 0);
            QCOMPARE(s.token_ids.back() == id, s.finish == "stop");
            QCOMPARE(s.text, model.tokenizer.decode(s.token_ids, true));
            stopped += s.finish == "stop";
        }
        QVERIFY(stopped > 0);
    }

    void contextIsNotExceeded() {
        Model model("qwen2-tied"); // 512 positions
        Sampler sampler(model.decoder, model.tokenizer, options(5000));
        std::vector<std::int32_t> ids(505, 7);
        std::vector<DrawnSequence> drawn = draw(sampler, {{ids, 4, {0.9}}});
        for (const DrawnSequence& s : drawn)
            QVERIFY(s.token_ids.size() <= 7 && !s.finish.empty());
        for (std::vector<std::int32_t> bad :
             {std::vector<std::int32_t>{}, std::vector<std::int32_t>(512, 7), {5, 320}, {-1}}) {
            try {
                draw(sampler, {{bad, 1, {}}});
                QFAIL("accepted");
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::bad_input);
            }
        }
    }

    void damagedWeightsAreNumericErrors() {
        for (int i = 0; i < 3; ++i) {
            const bool aten = i == 1, in_head = i == 2;
            Model model("qwen2-untied");
            const float infinity = std::numeric_limits<float>::infinity();
            if (in_head)
                model.decoder.lm_head.weight[3].fill_(std::numeric_limits<float>::quiet_NaN());
            else
                model.decoder.layers[1].down.weight[3][4] = infinity;
            if (aten) move_decoder(model.decoder, at::kCPU, at::kDouble);
            Sampler sampler(model.decoder, model.tokenizer, options(8));
            try {
                draw(sampler, jobs_of(model, 2, 2, {}));
                QFAIL("accepted");
            } catch (const Error& error) {
                QCOMPARE(error.kind(), ErrorKind::numeric);
            }
        }
    }

    void interruptionLeavesAtOnce() {
        Model model("llama-tied");
        Sampler sampler(model.decoder, model.tokenizer, options(400, 4));
        int asked = 0, delivered = 0;
        bool first = true;
        sampler.run(
            [&](PromptRequest& request) {
                if (!std::exchange(first, false)) return false;
                request.ids = {5, 6, 7};
                for (int i = 0; i < 100; ++i)
                    request.sequences.push_back({i, {}, RandomStream(1, 2, static_cast<std::uint32_t>(i))});
                return true;
            },
            [&](DrawnSequence&&) { ++delivered; }, [&] { return ++asked > 10; });
        QCOMPARE(asked, 11);
        QVERIFY(delivered < 40);
    }
};

QTEST_APPLESS_MAIN(TestSampler)
#include "tst_sampler.moc"
