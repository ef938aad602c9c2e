#include "child_process.h"
#include "core/base/random.h"
#include "store_fixture.h"

#include <cstring>
#include <thread>

using namespace tempera;
using namespace tempera::test;

/// kill -9 of a process that writes a run, at random points (seeded; the same seed draws the same points in
/// time), also while the file is made and while an earlier crash is recovered from. Afterwards, by a reader
/// beside the WAL and by SQLite's own checks: every acknowledged step is there exactly once with its very
/// bits, and no step is there by half.
class TestStoreKill : public QObject {
    Q_OBJECT

private slots:
    void everyAcknowledgedStepSurvivesKill9() {
        constexpr int points = 120, rounds_per_run = 12;
        RandomStream random(20261123);
        int killed = 0, with_wal = 0;
        std::int64_t steps = 0;
        std::unique_ptr<QTemporaryDir> folder;
        std::int64_t acknowledged = 0;
        for (int round = 0; round < points; ++round) {
            if (round % rounds_per_run == 0) {
                folder = std::make_unique<QTemporaryDir>();
                acknowledged = 0;
            }
            fs::path run = folder->path().toStdString();
            Child child([&](int pipe) { return write_steps(run, acknowledged, pipe); });
            bool during_opening = round % 3 == 0;
            if (!during_opening) QVERIFY(child.read_byte()); // it is open
            std::this_thread::sleep_for(
                std::chrono::microseconds(random.below(during_opening ? 30000 : 15000)));
            child.kill_and_wait();
            ++killed;
            acknowledged = std::max(acknowledged, last_acknowledged(child.read_all()));
            std::error_code ignored;
            with_wal +=
                fs::exists(run / "run.db-wal", ignored) && fs::file_size(run / "run.db-wal", ignored) > 0;
            std::int64_t stored = check(run, acknowledged, round);
            if (QTest::currentTestFailed()) return;
            steps += stored - acknowledged;
            acknowledged = stored; // what is stored is durable, so the next child goes on behind it
        }
        qInfo("%d kills, %d of them left a WAL; %lld stored steps had not been acknowledged yet", killed,
              with_wal, static_cast<long long>(steps));
        QVERIFY(with_wal > points / 4);
    }

private:
    static std::vector<Metric> metrics_of(std::int64_t step) {
        RandomStream values(7, static_cast<std::uint64_t>(step));
        return {{"loss", values.uniform() / 3},
                {"grad_norm", values.uniform() * 1e-7},
                {"entropy", -values.uniform() * 1e9}};
    }

    /// Writes steps after `from` until it is killed; each is acknowledged once flush() has returned.
    static int write_steps(const fs::path& run, std::int64_t from, int pipe) {
        RunWriter writer(run);
        if (write(pipe, "o", 1) != 1) return 1;
        std::vector<PromptRecord> prompts{{0, "prompt", "{}"}};
        writer.on_prompts(prompts);
        for (std::int64_t step = from + 1;; ++step) {
            auto metrics = metrics_of(step);
            writer.on_metrics(step, metrics);
            std::vector<Sample> samples{make_sample(0.5, 0, static_cast<int>(step)),
                                        make_sample(0.7, 0, static_cast<int>(step))};
            writer.on_samples(samples);
            std::vector<RolloutGroup> rollouts{make_rollout(step, 0, 4)};
            writer.on_rollouts(rollouts);
            std::vector<Comparison> comparisons{make_comparison(step, 1, 2)};
            writer.on_comparisons(comparisons);
            writer.flush();
            if (write(pipe, &step, sizeof step) != sizeof step) return 1;
        }
    }

    static std::int64_t last_acknowledged(const std::string& text) {
        std::int64_t last = 0;
        std::size_t opened = text.size() % sizeof last; // the byte that says "open" may not have been read
        std::size_t count = (text.size() - opened) / sizeof last;
        if (count > 0) std::memcpy(&last, text.data() + opened + (count - 1) * sizeof last, sizeof last);
        return last;
    }

    /// Returns the last stored step.
    std::int64_t check(const fs::path& run, std::int64_t acknowledged, int round) {
        std::int64_t last = 0;
        auto verify = [&](bool truth, const char* what) {
            if (!truth)
                QTest::qFail(qPrintable(QString("round %1: %2").arg(round).arg(what)), __FILE__, __LINE__);
        };
        {
            RunReader reader(run); // beside the WAL the dead writer left
            auto loss = reader.metric("loss"), norm = reader.metric("grad_norm"),
                 entropy = reader.metric("entropy");
            last = static_cast<std::int64_t>(loss.size());
            verify(last >= acknowledged, "an acknowledged step is missing");
            verify(norm.size() == loss.size() && entropy.size() == loss.size(), "half a step was stored");
            for (std::size_t i = 0; i < loss.size() && i < norm.size() && i < entropy.size(); ++i) {
                auto expected = metrics_of(static_cast<std::int64_t>(i) + 1);
                verify(loss[i].step == static_cast<std::int64_t>(i) + 1 && norm[i].step == loss[i].step,
                       "a step is there twice");
                verify(loss[i].value == expected[0].value && norm[i].value == expected[1].value
                           && entropy[i].value == expected[2].value,
                       "a value changed");
            }
            // Metrics and samples of a step are two reports: the samples may lack the last step, never be
            // torn.
            verify(reader.sample_count() >= 2 * acknowledged && reader.sample_count() <= 2 * last,
                   "samples are missing");
            verify(reader.sample_count() % 2 == 0, "half a report of samples was stored");
            auto rollouts = static_cast<std::int64_t>(reader.rollout_steps().size());
            verify(rollouts >= acknowledged && rollouts <= last, "rollouts are missing");
            if (rollouts > 0) {
                auto group = reader.rollouts(rollouts).at(0);
                verify(group.samples.size() == 4 && group.samples[3].ref_logprobs.size() == 3,
                       "half a rollout was stored");
            }
            verify(reader.comparison_count() >= acknowledged && reader.comparison_count() <= last,
                   "comparisons are missing");
        }
        if (fs::exists(run / "run.db")) {
            auto result = sql(run / "run.db", "PRAGMA integrity_check; PRAGMA foreign_key_check");
            verify(result == std::vector<std::string>{"ok"}, "integrity_check failed");
        }
        return last;
    }
};

QTEST_GUILESS_MAIN(TestStoreKill)
#include "tst_store_kill.moc"
