#include "store_fixture.h"
#include "tests/support/cpu_clock.h"

#include <atomic>
#include <cmath>
#include <fstream>
#include <thread>

using namespace tempera;
using namespace tempera::test;

class TestRunStore : public QObject {
    Q_OBJECT

private slots:
    void init() { folder_ = std::make_unique<QTemporaryDir>(); }

    void anAbsentDatabaseReadsAsAnEmptyRun() {
        RunReader reader(path());
        QCOMPARE(reader.version(), 0);
        QVERIFY(reader.metric_names().empty());
        QVERIFY(reader.events().empty());
        QCOMPARE(reader.sample_count(), 0);
        QVERIFY(reader.progress().phase.empty());
        std::ofstream(path() / "run.db").flush();
        QCOMPARE(reader.version(), 0);
        RunWriter writer(path());
        QVERIFY(reader.version() > 0); // it opens by itself once the file is there
    }

    void everythingComesBackAsItWasReported() {
        RunReader reader(path());
        {
            RunWriter writer(path());
            report_everything(writer);
            writer.flush();
            check_everything(reader);
        }
        check_everything(reader);
        check_everything(RunReader(path()));
        QCOMPARE(sql(path() / "run.db", "PRAGMA integrity_check; PRAGMA foreign_key_check"),
                 std::vector<std::string>{"ok"});
    }

    void versionRisesWithEveryCommitAndOnlyThen() {
        RunWriter writer(path());
        RunReader reader(path());
        auto before = reader.version();
        QCOMPARE(reader.version(), before);
        for (int step = 1; step <= 5; ++step) {
            std::vector<Metric> metrics{{"loss", 1.0 / step}};
            writer.on_metrics(step, metrics);
            writer.flush();
            auto after = reader.version();
            QVERIFY(after > before);
            QCOMPARE(reader.version(), after);
            before = after;
        }
    }

    void whatWasReportedIsCommittedWithinASecondWithoutFurtherReports() {
        RunWriter writer(path());
        RunReader reader(path());
        std::vector<Metric> metrics{{"loss", 1}};
        writer.on_metrics(1, metrics); // the first commits at once
        writer.on_metrics(2, metrics); // this one waits for the flusher
        QTRY_VERIFY_WITH_TIMEOUT(reader.metric("loss").size() == 2, 1500);
    }

    void whatWasReportedIsStoredBeforeACheckpointIsWritten() {
        RunWriter writer(path());
        RunReader reader(path());
        for (int step = 1; step <= 20; ++step) {
            std::vector<Metric> metrics{{"loss", 1}};
            writer.on_metrics(step, metrics);
            writer.on_progress({"saving", step, 20, "steps", 1, 1, 1});
            QCOMPARE(reader.metric("loss").size(), static_cast<std::size_t>(step));
        }
    }

    void metricsOfAStepAreReplacedNotDoubled() {
        RunWriter writer(path());
        std::vector<Metric> first{{"loss", 1}}, second{{"loss", 2}};
        writer.on_metrics(3, first);
        writer.on_metrics(3, second);
        writer.flush();
        auto points = RunReader(path()).metric("loss");
        QCOMPARE(points.size(), 1u);
        QCOMPARE(points[0].value, 2.0);
    }

    void rewindRemovesWhatLiesBehindTheCheckpoint() {
        {
            RunWriter writer(path());
            for (int step = 1; step <= 10; ++step) {
                std::vector<Metric> metrics{{"loss", 1.0 * step}};
                writer.on_metrics(step, metrics);
                writer.on_event({0, 0, step, "log", "step"});
                if (step % 4 == 0) {
                    fs::create_directories(path() / "checkpoints" / std::to_string(step));
                    writer.on_checkpoint({step, "checkpoints/" + std::to_string(step), 0.5, step == 8});
                }
            }
            writer.on_event({0, 0, 10, "failed", "NaN"});
        }
        RunWriter writer(path());
        writer.on_event({0, 0, 4, "resumed", "from checkpoint 4"});
        RunReader reader(path());
        QCOMPARE(reader.metric("loss").size(), 4u);
        QCOMPARE(reader.checkpoints().size(), 1u);
        auto events = reader.events();
        QCOMPARE(events.size(), 6u); // four lines of the log, the failure, the resumption
        QCOMPARE(events[4].kind, std::string("failed"));
        QCOMPARE(events[5].step, 4);
        QVERIFY(events[5].time_ms > 1'600'000'000'000);
    }

    void rolloutsComeBackAndAreReplacedAsAWhole() {
        RunWriter writer(path());
        RunReader reader(path());
        std::vector<RolloutGroup> groups{make_rollout(1, 0, 4), make_rollout(1, 1, 4), make_rollout(9, 0, 1)};
        writer.on_rollouts(groups);
        writer.flush();
        QCOMPARE(reader.rollout_steps(), (std::vector<std::int64_t>{1, 9}));
        auto back = reader.rollouts(1);
        QCOMPARE(back.size(), 2u);
        QCOMPARE(back[1].prompt, std::string("prompt 1"));
        QCOMPARE(back[1].facts, groups[1].facts);
        QCOMPARE(back[1].samples.size(), 4u);
        const RolloutSample &sample = back[1].samples[3], expected = groups[1].samples[3];
        QCOMPARE(sample.sample_index, 3);
        QCOMPARE(sample.text, expected.text);
        QCOMPARE(sample.token_ids, expected.token_ids);
        QCOMPARE(sample.logprobs, expected.logprobs);
        QCOMPARE(sample.ref_logprobs, expected.ref_logprobs);
        QCOMPARE(sample.finish, expected.finish);
        QCOMPARE(sample.masked, true);
        QCOMPARE(sample.rewards.at("verifier"), 3.0);
        QVERIFY(std::isnan(sample.rewards.at("judge"))); // does not apply
        QCOMPARE(sample.reward, 3.0);
        QCOMPARE(sample.kl, expected.kl);
        QCOMPARE(sample.baseline, 1.0 / 3);
        QCOMPARE(sample.advantage, expected.advantage);
        QCOMPARE(sample.note, expected.note);
        groups[0] = make_rollout(1, 0, 2); // drawn again with fewer completions
        writer.on_rollouts(std::span(groups).first(1));
        writer.flush();
        back = reader.rollouts(1);
        QCOMPARE(back.size(), 2u);
        QCOMPARE(back[0].samples.size(), 2u);
        QCOMPARE(back[1].samples.size(), 4u);
        QVERIFY(reader.rollouts(2).empty());
    }

    void aRewindRemovesTheRolloutsBehindIt() {
        {
            RunWriter writer(path());
            for (int step = 1; step <= 7; step += 2) {
                std::vector<RolloutGroup> groups{make_rollout(step, 0), make_rollout(step, 1)};
                writer.on_rollouts(groups);
                writer.on_event({0, 0, step, "health", "The entropy fell."});
            }
        }
        RunWriter writer(path());
        std::vector<RolloutGroup> before{make_rollout(8, 0)};
        writer.on_rollouts(before); // reported before the rewind: subject to it
        writer.on_event({0, 0, 3, "resumed", "from checkpoint 3"});
        RunReader reader(path());
        QCOMPARE(reader.rollout_steps(), (std::vector<std::int64_t>{1, 3}));
        QCOMPARE(reader.rollouts(3).size(), 2u);
        QCOMPARE(sql(path() / "run.db", "SELECT count(*) FROM rollout_sample"),
                 std::vector<std::string>{"8"}); // no sample stays without its group
        auto events = reader.events();
        QCOMPARE(events.size(), 3u); // the warnings of steps 1 and 3, the resumption
        QCOMPARE(events[1].step, 3);
    }

    void comparisonsComeBackByPrompt() {
        RunWriter writer(path());
        RunReader reader(path());
        std::vector<Comparison> comparisons{make_comparison(7, 0.1, NAN), make_comparison(2, -1.0 / 3, 2)};
        writer.on_comparisons(comparisons);
        writer.on_comparisons(std::span(comparisons).first(1)); // again after a resume
        writer.flush();
        QCOMPARE(reader.comparison_count(), 2);
        auto back = reader.comparisons();
        QCOMPARE(back.size(), 2u);
        QCOMPARE(back[0].prompt_index, 2);
        QCOMPARE(back[0].prompt, std::string("prompt 2"));
        QCOMPARE(back[0].facts, comparisons[1].facts);
        QCOMPARE(back[0].base.text, std::string("base reply"));
        QCOMPARE(back[0].base.tokens, 3);
        QCOMPARE(back[0].base.finish, std::string("eos"));
        QCOMPARE(back[0].base.score, -1.0 / 3);
        QCOMPARE(back[0].base.note, std::string("two bullets"));
        QCOMPARE(back[0].base.token_ids, comparisons[1].base.token_ids);
        QCOMPARE(back[0].base.logprobs, comparisons[1].base.logprobs);
        QVERIFY(back[0].tuned.token_ids.empty() && back[0].tuned.logprobs.empty());
        QCOMPARE(back[0].tuned.text, std::string("tuned reply"));
        QCOMPARE(back[0].tuned.tokens, 4);
        QCOMPARE(back[0].tuned.score, 2.0);
        QVERIFY(std::isnan(back[1].tuned.score));
    }

    void aDamagedListOfRewardsHidesNoText() {
        {
            RunWriter writer(path());
            std::vector<RolloutGroup> groups{make_rollout(1, 0, 1)};
            writer.on_rollouts(groups);
        }
        sql(path() / "run.db", "UPDATE rollout_sample SET rewards = '{\"a\":', ref_logprobs = x'0102'");
        auto back = RunReader(path()).rollouts(1);
        QCOMPARE(back.at(0).samples.at(0).text, std::string("try 0"));
        QVERIFY(back[0].samples[0].rewards.empty());
        QVERIFY(back[0].samples[0].ref_logprobs.empty());
    }

    void aCheckpointWhoseFolderIsGoneIsNotListed() {
        RunWriter writer(path());
        fs::create_directories(path() / "checkpoints/2");
        writer.on_checkpoint({1, "checkpoints/1", std::nullopt, true});
        writer.on_checkpoint({2, "checkpoints/2", 0.25, true});
        auto checkpoints = RunReader(path()).checkpoints();
        QCOMPARE(checkpoints.size(), 1u);
        QCOMPARE(checkpoints[0].step, 2);
        QCOMPARE(*checkpoints[0].eval_loss, 0.25);
        QVERIFY(checkpoints[0].best);
        QCOMPARE(sql(path() / "run.db", "SELECT best FROM checkpoint ORDER BY step"),
                 (std::vector<std::string>{"0", "1"}));
    }

    void notANumberSurvives() {
        RunWriter writer(path());
        std::vector<Metric> metrics{{"loss", NAN}, {"grad_norm", INFINITY}};
        writer.on_metrics(1, metrics);
        writer.flush();
        RunReader reader(path());
        QVERIFY(std::isnan(reader.metric("loss").at(0).value));
        QCOMPARE(reader.metric("grad_norm").at(0).value, double(INFINITY));
    }

    void textsSurviveByteForByte() {
        RunWriter writer(path());
        std::string odd("a\0b\xff\xc3(\n\"'", 9);
        std::vector<PromptRecord> prompts{{0, odd, "{}"}};
        Sample sample = make_sample(0.7, 0, 0);
        sample.text = odd;
        sample.token_ids.clear();
        sample.logprobs.clear();
        writer.on_prompts(prompts);
        writer.on_samples(std::span(&sample, 1));
        writer.flush();
        RunReader reader(path());
        QVERIFY(reader.prompts().at(0).text == odd);
        QVERIFY(reader.samples(0.7, 0).at(0).text == odd);
        QVERIFY(reader.samples(0.7, 0).at(0).token_ids.empty());
    }

    void searchFindsPromptsAndCompletionsInAnyCase() {
        RunWriter writer(path());
        std::vector<PromptRecord> prompts{
            {0, "Using the numbers 3", ""}, {1, "Nimm die Straße", ""}, {2, "nothing", ""}};
        std::vector<Sample> samples{make_sample(0.5, 0, 0), make_sample(0.5, 1, 0), make_sample(0.5, 2, 0),
                                    make_sample(0.9, 0, 0)};
        samples[2].text = "Aha, a NUMBER 100%";
        writer.on_prompts(prompts);
        writer.on_samples(samples);
        writer.flush();
        RunReader reader(path());
        using Hits = std::vector<std::int64_t>;
        QCOMPARE(reader.search(0.5, "number"), (Hits{0, 2}));
        QCOMPARE(reader.search(0.5, "STRASSE"), (Hits{1}));
        QCOMPARE(reader.search(0.5, "100%"), (Hits{2}));
        QCOMPARE(reader.search(0.9, "number"), (Hits{0}));
        QCOMPARE(reader.search(0.5, ""), (Hits{0, 1, 2}));
        QVERIFY(reader.search(0.5, "_").empty());
    }

    void twentyThousandSamplesGoInFastWhileAReaderReads() {
        RunWriter writer(path());
        std::atomic<bool> done{false};
        std::atomic<int> reads{0};
        std::atomic<bool> consistent{true};
        std::thread reading([&] {
            RunReader reader(path());
            while (!done) {
                auto scores = reader.prompt_scores(0.5);
                for (const auto& prompt : scores) // a report of ten samples is seen whole or not at all
                    if (prompt.scores.size() != 10) consistent = false;
                ++reads;
                QTest::qSleep(5);
            }
        });
        std::vector<PromptRecord> prompts;
        for (int i = 0; i < 200; ++i)
            prompts.push_back({i, "prompt", "{}"});
        writer.on_prompts(prompts);
        CpuClock timer;
        timer.start();
        for (int t = 1; t <= 10; ++t) {
            for (int prompt = 0; prompt < 200; ++prompt) {
                std::vector<Sample> samples;
                for (int i = 0; i < 10; ++i)
                    samples.push_back(make_sample(t / 10.0, prompt, i, i % 2));
                writer.on_samples(samples);
            }
        }
        writer.flush();
        qint64 milliseconds = timer.elapsed();
        done = true;
        reading.join();
        qInfo("20,000 samples in %lld ms, %d reads meanwhile", static_cast<long long>(milliseconds),
              reads.load());
        QVERIFY(milliseconds < test::allowed_ms(8000));
        QVERIFY(consistent);
        QVERIFY(reads > 1);

        RunReader reader(path());
        QCOMPARE(reader.sample_count(), 20000);
        QCOMPARE(reader.sampled_temperatures().size(), 10u);
        timer.restart();
        auto scores = reader.prompt_scores(0.3);
        qInfo("prompt_scores of 2,000 samples in %lld ms", static_cast<long long>(timer.elapsed()));
        QCOMPARE(scores.size(), 200u);
        QCOMPARE(scores[5].scores, (std::vector<double>{0, 1, 0, 1, 0, 1, 0, 1, 0, 1}));
        auto plan = sql(path() / "run.db",
                        "EXPLAIN QUERY PLAN SELECT prompt_index, score FROM sample WHERE temperature = 1"
                        " ORDER BY prompt_index, sample_index");
        QVERIFY(plan.at(0).find("COVERING INDEX sample_scores") != std::string::npos);
    }

    void aSecondWriterIsRefused() {
        RunWriter writer(path());
        auto error = error_of([&] { RunWriter second(path()); });
        QVERIFY(error && error->kind() == ErrorKind::busy);
    }

    void aMissingFolderIsRefused() {
        auto error = error_of([&] { RunWriter writer(path() / "nowhere"); });
        QVERIFY(error && error->kind() == ErrorKind::not_found);
    }

private:
    fs::path path() const { return folder_->path().toStdString(); }

    void report_everything(RunWriter& writer) {
        writer.on_progress({"training", 3, 10, "steps", 120.5, 60, 0.5});
        std::vector<Metric> metrics{{"loss", 0.1}, {"grad_norm", 1.0 / 3}};
        writer.on_metrics(1, metrics);
        writer.on_metrics(2, metrics);
        writer.on_event({0, 1234, 2, "checkpoint", "saved"});
        std::vector<PromptRecord> prompts{{0, "prompt 0", R"({"nums":[1,2]})"}, {1, "prompt 1", "{}"}};
        writer.on_prompts(prompts);
        std::vector<Sample> samples{make_sample(0.1, 0, 0), make_sample(0.1, 0, 1, 1),
                                    make_sample(1.3, 1, 0)};
        writer.on_samples(samples);
        std::vector<SweepCell> cells{{0.1, 1, 0.4, 0.3, 0.5, 2, 10}, {0.1, 2, 0.6, 0.5, 0.7, 2, 10}};
        std::vector<SweepRow> rows{{0.1, 0.4, 0.3, 0.9, 50, 0.05, 3, 20}};
        writer.on_sweep(cells, rows);
        cells[0].mean = 0.45;
        writer.on_sweep(std::span(cells).first(1), {});
        fs::create_directories(path() / "checkpoints/2");
        writer.on_checkpoint({2, "checkpoints/2", std::nullopt, false});
        writer.on_headline("best", 0.81);
    }

    void check_everything(const RunReader& reader) {
        QCOMPARE(reader.progress().phase, std::string("training"));
        QCOMPARE(reader.progress().rate, 120.5);
        QCOMPARE(reader.metric_names(), (std::vector<std::string>{"loss", "grad_norm"}));
        QCOMPARE(reader.metric("grad_norm").size(), 2u);
        QCOMPARE(reader.metric("grad_norm")[1].value, 1.0 / 3);
        QCOMPARE(reader.metric("loss", 1).size(), 1u);
        QVERIFY(reader.metric("los").empty());
        QCOMPARE(reader.events().size(), 1u);
        QCOMPARE(reader.events()[0].time_ms, 1234);
        QVERIFY(reader.events(reader.events()[0].id).empty());
        QCOMPARE(reader.prompts().size(), 2u);
        QCOMPARE(reader.prompts()[0].facts, std::string(R"({"nums":[1,2]})"));
        QCOMPARE(reader.sampled_temperatures(), (std::vector<double>{0.1, 1.3}));
        auto samples = reader.samples(0.1, 0);
        QCOMPARE(samples.size(), 2u);
        Sample expected = make_sample(0.1, 0, 1, 1);
        QCOMPARE(samples[1].text, expected.text);
        QCOMPARE(samples[1].token_ids, expected.token_ids);
        QCOMPARE(samples[1].logprobs, expected.logprobs);
        QCOMPARE(samples[1].logprob, expected.logprob);
        QCOMPARE(samples[1].score, 1.0);
        QCOMPARE(samples[1].finish, expected.finish);
        QCOMPARE(samples[1].equation, expected.equation);
        QCOMPARE(samples[1].value, expected.value);
        QCOMPARE(samples[1].reason, expected.reason);
        QCOMPARE(reader.sweep_cells().size(), 2u);
        QCOMPARE(reader.sweep_cells()[0].mean, 0.45);
        QCOMPARE(reader.sweep_cells()[1].high, 0.7);
        QCOMPARE(reader.sweep_rows().size(), 1u);
        QCOMPARE(reader.sweep_rows()[0].truncated_share, 0.05);
        QCOMPARE(reader.checkpoints().size(), 1u);
        QVERIFY(!reader.checkpoints()[0].eval_loss);
        QCOMPARE(reader.headline(), (std::map<std::string, double>{{"best", 0.81}}));
        QCOMPARE(reader.sample_count(), 3);
    }

    std::unique_ptr<QTemporaryDir> folder_;
};

QTEST_GUILESS_MAIN(TestRunStore)
#include "tst_run_store.moc"
