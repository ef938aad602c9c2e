#include "core/base/error.h"
#include "core/engine/evaluate/sweep.h"
#include "core/engine/evaluate/sweep_table.h"
#include "core/recipe/sweep_recipe.h"
#include "core/store/run_reader.h"
#include "core/store/run_writer.h"
#include "core/task/countdown_verifier.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

using namespace tempera;

namespace {

using Key = std::tuple<double, std::int64_t, int>;

/// Keeps what a sweep reports; asks for a stop after `stop_after` samples.
class Recorder final : public RunObserver {
public:
    void on_progress(const Progress& p) override { progress = p; }
    void on_metrics(std::int64_t, std::span<const Metric>) override {}
    void on_event(const RunEvent&) override {}
    void on_prompts(std::span<const PromptRecord> p) override { prompts.assign(p.begin(), p.end()); }
    void on_samples(std::span<const Sample> batch) override {
        for (const Sample& s : batch) {
            twice = twice || !samples.emplace(Key{s.temperature, s.prompt_index, s.sample_index}, s).second;
        }
        if (writer) writer->on_samples(batch);
    }
    void on_sweep(std::span<const SweepCell> c, std::span<const SweepRow> r) override {
        cells.assign(c.begin(), c.end());
        rows.assign(r.begin(), r.end());
    }
    void on_checkpoint(const CheckpointRecord&) override {}
    void on_headline(const std::string& name, double value) override { headline[name] = value; }

    Progress progress;
    std::vector<PromptRecord> prompts;
    std::map<Key, Sample> samples;
    std::vector<SweepCell> cells;
    std::vector<SweepRow> rows;
    std::map<std::string, double> headline;
    RunWriter* writer = nullptr;
    bool twice = false;
};

/// Asks for a stop once the sampler has drawn for a while: the observer's progress calls count the time.
class Stopper final : public RunObserver {
public:
    Stopper(RunWriter& writer, StopToken stop, std::int64_t after)
        : writer_(writer), stop_(stop), after_(after) {}
    void on_progress(const Progress& p) override {
        if (p.phase == "sampling" && p.done >= after_) stop_.request(StopRequest::stop);
    }
    void on_metrics(std::int64_t, std::span<const Metric>) override {}
    void on_event(const RunEvent&) override {}
    void on_prompts(std::span<const PromptRecord> p) override { writer_.on_prompts(p); }
    void on_samples(std::span<const Sample> s) override { writer_.on_samples(s); }
    void on_sweep(std::span<const SweepCell> c, std::span<const SweepRow> r) override {
        writer_.on_sweep(c, r);
    }
    void on_checkpoint(const CheckpointRecord&) override {}
    void on_headline(const std::string&, double) override {}

private:
    RunWriter& writer_;
    StopToken stop_;
    std::int64_t after_;
};

RunRequest request(const std::filesystem::path& folder, std::int64_t problems, std::int64_t slots) {
    SweepRecipe recipe;
    recipe.model = source_dir() + "/tests/golden/models/qwen2-tied";
    recipe.problems = problems;
    recipe.prompt_style = "short";
    recipe.temperatures = {0.3, 1.0, 1.7};
    recipe.n = 5;
    recipe.max_tokens = 40;
    recipe.slots = slots;
    recipe.seed = 4;
    recipe.bootstrap_resamples = 100;
    RunRequest result;
    result.kind = "sweep";
    result.recipe = recipe.to_json();
    result.folder = folder;
    result.threads = 2;
    return result;
}

void compare_samples(const Sample& a, const Sample& b) {
    QCOMPARE(a.token_ids, b.token_ids);
    QCOMPARE(a.logprobs, b.logprobs);
    QCOMPARE(a.text, b.text);
    QCOMPARE(a.finish, b.finish);
    QCOMPARE(a.score, b.score);
}

void compare_cells(const std::vector<SweepCell>& a, const std::vector<SweepCell>& b) {
    QCOMPARE(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) {
        QCOMPARE(a[i].temperature, b[i].temperature);
        QCOMPARE(a[i].n, b[i].n);
        QVERIFY(a[i].mean == b[i].mean && a[i].low == b[i].low && a[i].high == b[i].high);
        QCOMPARE(a[i].problems_done, b[i].problems_done);
    }
}

} // namespace

class TestSweep : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void tableEstimatesEveryN() {
        SweepTable table({0.5, 1.0}, 3, 4);
        const double scores[3][4] = {{0, 0, 1, 0}, {0.1, 0.1, 0, 0.1}, {1, 1, 0, 0.1}};
        for (int problem = 0; problem < 3; ++problem)
            for (int sample = 0; sample < 4; ++sample) {
                Sample s;
                s.prompt_index = problem;
                s.sample_index = sample;
                s.score = scores[problem][sample];
                s.finish = sample == 3 ? "length" : "eos";
                s.token_ids.assign(static_cast<std::size_t>(sample + 1), 7);
                QVERIFY(!table.has(1, problem, sample));
                table.add(1, s);
                table.add(1, s); // counted once
                QVERIFY(table.has(1, problem, sample) && !table.has(0, problem, sample));
            }
        QCOMPARE(table.samples_done(), 12);
        QCOMPARE(table.samples_total(), 24);
        auto cells = table.cells(50, 1);
        QCOMPARE(cells.size(), std::size_t{4});
        for (int n = 1; n <= 4; ++n) { // the mean over all subsets of n of four
            double total = 0;
            int subsets = 0;
            for (unsigned mask = 0; mask < 16; ++mask) {
                if (__builtin_popcount(mask) != n) continue;
                ++subsets;
                for (const auto& row : scores) {
                    double best = 0;
                    for (int i = 0; i < 4; ++i)
                        if (mask >> i & 1) best = std::max(best, row[i]);
                    total += best;
                }
            }
            const SweepCell& cell = cells[static_cast<std::size_t>(n - 1)];
            QCOMPARE(cell.n, n);
            QVERIFY(std::abs(cell.mean - total / subsets / 3) < 1e-12);
            QVERIFY(cell.low <= cell.mean && cell.mean <= cell.high);
        }
        auto rows = table.rows();
        QCOMPARE(rows.size(), std::size_t{1});
        QVERIFY(std::abs(rows[0].score - 3.4 / 12) < 1e-12);
        QVERIFY(std::abs(rows[0].pass_at_1 - 3.0 / 12) < 1e-12);
        QVERIFY(std::abs(rows[0].format_rate - 7.0 / 12) < 1e-12);
        QCOMPARE(rows[0].mean_length, 2.5);
        QCOMPARE(rows[0].truncated_share, 0.25);
        Sample outside;
        outside.prompt_index = 3;
        QVERIFY_THROWS_EXCEPTION(Error, table.add(0, outside));
    }

    void drawsVerifiesAndReportsEverySample() {
        QTemporaryDir folder;
        Recorder first, second;
        QCOMPARE(run_sweep(request(folder.path().toStdString(), 7, 0), first, {}), RunOutcome::finished);
        QCOMPARE(first.samples.size(), std::size_t{7 * 3 * 5});
        QVERIFY(!first.twice);
        QCOMPARE(first.prompts.size(), std::size_t{7});
        QCOMPARE(first.cells.size(), std::size_t{15});
        QCOMPARE(first.rows.size(), std::size_t{3});
        QCOMPARE(first.progress.done, 105);
        QCOMPARE(first.progress.total, 105);
        std::set<std::string> texts;
        for (const auto& [key, s] : first.samples) {
            Json facts = parse_json(first.prompts[static_cast<std::size_t>(s.prompt_index)].facts, "facts");
            Verdict verdict = verify(facts["nums"].get<std::vector<std::int64_t>>(), facts["target"], s.text);
            QCOMPARE(s.score, verdict.score);
            QCOMPARE(s.reason, verdict.reason);
            QVERIFY(!s.token_ids.empty() && s.token_ids.size() == s.logprobs.size());
            double sum = 0;
            for (float l : s.logprobs)
                sum += static_cast<double>(l);
            QVERIFY(std::abs(sum - s.logprob) < 1e-9);
            if (s.temperature == 1.7) texts.insert(s.text);
        }
        QVERIFY(texts.size() > 30); // no stream is used twice
        double best = 0;
        for (const SweepCell& cell : first.cells)
            best = std::max(best, cell.mean);
        QCOMPARE(first.headline["best"], best);

        QCOMPARE(run_sweep(request(folder.path().toStdString(), 7, 3), second, {}), RunOutcome::finished);
        for (const auto& [key, s] : first.samples)
            compare_samples(s, second.samples.at(key));
        compare_cells(first.cells, second.cells);
    }

    /// Stopped twice, resumed twice: nothing is drawn again, and the table is that of an uninterrupted run.
    void resumesWhatWasStopped() {
        QTemporaryDir whole_folder, folder;
        const std::int64_t problems = 60;
        Recorder whole;
        QCOMPARE(run_sweep(request(whole_folder.path().toStdString(), problems, 4), whole, {}),
                 RunOutcome::finished);
        RunRequest part = request(folder.path().toStdString(), problems, 4);
        std::int64_t before = 0;
        for (std::int64_t after : {1, 300}) {
            RunWriter writer(part.folder);
            StopToken stop;
            Stopper stopper(writer, stop, after);
            RunOutcome outcome = run_sweep(part, stopper, stop);
            writer.flush();
            std::int64_t stored = RunReader(part.folder).sample_count();
            QVERIFY(stored > before);
            if (outcome == RunOutcome::stopped) QVERIFY(stored < problems * 15);
            before = stored;
            part.resume = true;
        }
        Recorder rest;
        QCOMPARE(run_sweep(part, rest, {}), RunOutcome::finished);
        QCOMPARE(static_cast<std::int64_t>(rest.samples.size()), problems * 15 - before);
        for (const auto& [key, s] : rest.samples)
            compare_samples(s, whole.samples.at(key));
        compare_cells(rest.cells, whole.cells);
        for (std::size_t i = 0; i < rest.rows.size(); ++i) {
            QCOMPARE(rest.rows[i].score, whole.rows[i].score);
            QCOMPARE(rest.rows[i].mean_length, whole.rows[i].mean_length);
        }
    }

    void cancelLeavesWithoutATable() {
        QTemporaryDir folder;
        StopToken stop;
        stop.request(StopRequest::cancel);
        Recorder recorder;
        QCOMPARE(run_sweep(request(folder.path().toStdString(), 5, 0), recorder, stop),
                 RunOutcome::cancelled);
        QVERIFY(recorder.samples.empty() && recorder.cells.empty());
    }

    void refusesOtherProblemsOnResume() {
        QTemporaryDir folder;
        RunRequest first = request(folder.path().toStdString(), 3, 0);
        {
            RunWriter writer(first.folder);
            Stopper stopper(writer, {}, 1000);
            QCOMPARE(run_sweep(first, stopper, {}), RunOutcome::finished);
        }
        first.resume = true;
        first.recipe["data_seed"] = 99;
        Recorder recorder;
        try {
            run_sweep(first, recorder, {});
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::bad_input);
        }
    }

    void temperaturesHaveTheirOwnStreams() {
        std::set<std::uint32_t> numbers;
        for (double temperature : {0.1, 0.3, 0.7})
            for (int problem = 0; problem < 10; ++problem)
                for (int sample = 0; sample < 10; ++sample)
                    numbers.insert(sweep_stream(3, temperature, problem, sample).at(0));
        QCOMPARE(numbers.size(), std::size_t{300});
        QCOMPARE(sweep_stream(3, 0.7, 4, 5).at(6), sweep_stream(3, 0.7, 4, 5).at(6));
    }
};

QTEST_APPLESS_MAIN(TestSweep)
#include "tst_sweep.moc"
