#include "store_fixture.h"

#include "child_process.h"
#include "schema_v1.h"

#include <thread>

using namespace tempera;
using namespace tempera::test;

/// Files of the first schema version, as text of their own: what an older Tempera wrote must open for ever.
class TestStoreMigration : public QObject {
    Q_OBJECT

private slots:
    void init() { folder_ = std::make_unique<QTemporaryDir>(); }

    void anOldRunIsReadAsItIsAndMigratedByItsWriter() {
        make_old_run(path());
        {
            RunReader reader(path());
            check_old_run(reader);
            QVERIFY(reader.rollout_steps().empty() && reader.rollouts(1).empty());
            QVERIFY(reader.comparisons().empty() && reader.comparison_count() == 0);
            QCOMPARE(version_of(path() / "run.db"), std::string("1")); // looking changes nothing
        }
        {
            RunReader before(path());
            check_old_run(before);
            RunWriter writer(path());
            std::vector<Sample> samples{make_sample(0.5, 0, 1)};
            writer.on_samples(samples);
            writer.flush();
            QCOMPARE(before.samples(0.5, 0).size(), 2u); // a reader from before the migration goes on
            check_old_run(before);
            std::vector<RolloutGroup> rollouts{make_rollout(3, 0)};
            std::vector<Comparison> comparisons{make_comparison(0, 1, 2)};
            writer.on_rollouts(rollouts);
            writer.on_comparisons(comparisons);
            writer.flush();
            QCOMPARE(before.rollout_steps(), std::vector<std::int64_t>{3}); // it sees the new tables too
            QCOMPARE(before.comparison_count(), 1);
        }
        QCOMPARE(version_of(path() / "run.db"), std::string("4"));
        QCOMPARE(sql(path() / "run.db", "SELECT count(*) FROM sqlite_master WHERE name = 'sample_scores'"),
                 std::vector<std::string>{"1"});
        QCOMPARE(sql(path() / "run.db", "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
        check_old_run(RunReader(path()));
    }

    /// As the second version was released: the first with the index of the scores.
    void aRunOfTheSecondVersionTakesRollouts() {
        make_old_run(path());
        sql(path() / "run.db",
            "CREATE INDEX sample_scores ON sample(temperature, prompt_index, sample_index, "
            "score); PRAGMA user_version = 2");
        {
            RunWriter writer(path());
            std::vector<RolloutGroup> rollouts{make_rollout(5, 1)};
            writer.on_rollouts(rollouts);
        }
        QCOMPARE(version_of(path() / "run.db"), std::string("4"));
        RunReader reader(path());
        check_old_run(reader);
        QCOMPARE(reader.rollouts(5).at(0).samples.size(), 2u);
        QCOMPARE(sql(path() / "run.db", "PRAGMA integrity_check; PRAGMA foreign_key_check"),
                 std::vector<std::string>{"ok"});
    }

    /// As the third version was released: with comparisons, but without the tokens of their replies.
    void aRunOfTheThirdVersionKeepsItsReplies() {
        make_old_run(path());
        sql(path() / "run.db",
            "CREATE INDEX sample_scores ON sample(temperature, prompt_index, sample_index, score);"
            "CREATE TABLE rollout (step INTEGER NOT NULL, group_index INTEGER NOT NULL, prompt TEXT NOT NULL,"
            " facts TEXT NOT NULL, UNIQUE (step, group_index));"
            "CREATE TABLE rollout_sample (step INTEGER NOT NULL, group_index INTEGER NOT NULL, sample_index"
            " INTEGER NOT NULL, text TEXT NOT NULL, finish TEXT NOT NULL, masked INTEGER NOT NULL, reward"
            " REAL, kl REAL, baseline REAL, advantage REAL, note TEXT NOT NULL, rewards TEXT NOT NULL,"
            " token_ids BLOB NOT NULL, logprobs BLOB NOT NULL, ref_logprobs BLOB NOT NULL);"
            "CREATE TABLE comparison (prompt_index INTEGER PRIMARY KEY, prompt TEXT NOT NULL, facts TEXT NOT"
            " NULL, base_text TEXT NOT NULL, base_tokens INTEGER NOT NULL, base_finish TEXT NOT NULL,"
            " base_score REAL, base_note TEXT NOT NULL, tuned_text TEXT NOT NULL, tuned_tokens INTEGER NOT"
            " NULL, tuned_finish TEXT NOT NULL, tuned_score REAL, tuned_note TEXT NOT NULL);"
            "INSERT INTO comparison VALUES (4, 'prompt', '', 'a', 1, 'eos', 0.5, '', 'b', 2, 'eos', 1, '');"
            "PRAGMA user_version = 3");
        const auto check = [](const RunReader& reader) {
            const auto comparisons = reader.comparisons();
            QCOMPARE(comparisons.at(0).prompt_index, 4);
            QCOMPARE(comparisons.at(0).tuned.text, std::string("b"));
            QVERIFY(comparisons.at(0).base.token_ids.empty());
        };
        RunReader before(path());
        check(before);
        QCOMPARE(version_of(path() / "run.db"), std::string("3")); // looking changes nothing
        {
            RunWriter writer(path());
            std::vector<Comparison> comparisons{make_comparison(9, 1, 2)};
            writer.on_comparisons(comparisons);
        }
        QCOMPARE(version_of(path() / "run.db"), std::string("4"));
        check(before);
        QCOMPARE(before.comparisons().at(1).base.token_ids.size(), 3u);
    }

    void anOldCatalogueIsMigratedWithABackup() {
        make_old_workspace(path());
        {
            Workspace reader(path(), Workspace::Access::read_only);
            QCOMPARE(reader.runs().size(), 2u);
            QVERIFY(reader.fingerprint("sft-old").empty());
            QVERIFY(!reader.finished_run_with("x"));
            QCOMPARE(version_of(path() / "workspace.db"), std::string("1"));
        }
        {
            Workspace workspace(path(), Workspace::Access::read_write);
            check_old_workspace(workspace);
            workspace.set_fingerprint("sft-old", "abc");
            QCOMPARE(workspace.finished_run_with("abc")->id, std::string("sft-old"));
        }
        QCOMPARE(version_of(path() / "workspace.db"), std::string("2"));
        QCOMPARE(version_of(path() / "workspace.db.before-v2"), std::string("1"));
        QCOMPARE(sql(path() / "workspace.db.before-v2", "SELECT count(*) FROM run; PRAGMA integrity_check"),
                 (std::vector<std::string>{"2", "ok"}));
    }

    void aMigrationKilledAtAnyTimeIsDoneOrUndone() {
        int migrated = 0;
        for (int round = 0; round < 20; ++round) {
            QTemporaryDir folder(fast_folder());
            fs::path old = folder.path().toStdString();
            make_old_workspace(old, 400);
            Child child([&](int pipe) {
                if (write(pipe, "x", 1) != 1) return 1;
                Workspace workspace(old, Workspace::Access::read_write);
                pause();
                return 0;
            });
            QVERIFY(child.read_byte());
            std::this_thread::sleep_for(std::chrono::microseconds(round * 100));
            child.kill_and_wait();
            auto version = version_of(old / "workspace.db");
            QVERIFY(version == "1" || version == "2");
            migrated += version == "2";
            QCOMPARE(sql(old / "workspace.db", "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
            Workspace workspace(old, Workspace::Access::read_write);
            check_old_workspace(workspace);
            QVERIFY(workspace.finished_run_with("abc") == std::nullopt);
        }
        qInfo("killed 20 times; %d had migrated by then", migrated);
    }

private:
    fs::path path() const { return folder_->path().toStdString(); }
    static std::string version_of(const fs::path& file) { return sql(file, "PRAGMA user_version").at(0); }

    static void make_old_run(const fs::path& folder) {
        sql(folder / "run.db",
            std::string(run_schema_v1)
                + "INSERT INTO metric_name VALUES (1, 'loss');"
                  "INSERT INTO metric VALUES (1, 1, 0.5), (1, 2, NULL);"
                  "INSERT INTO event VALUES (1, 1000, 2, 'checkpoint', 'saved');"
                  "INSERT INTO progress VALUES (1, 'training', 2, 4, 'steps', 10, 1, 0.5);"
                  "INSERT INTO headline VALUES ('best', 0.75);"
                  "INSERT INTO prompt VALUES (0, 'prompt', '{}');"
                  "INSERT INTO sample VALUES (1, 0.5, 0, 0, 1.0, 'eos', -1.5, '1+1', '2', 'Right.', 'text',"
                  " x'0100000002000000', x'000080bf000000c0');"
                  "INSERT INTO sweep_cell VALUES (0.5, 1, 0.4, 0.3, 0.5, 1, 2);"
                  "INSERT INTO sweep_row VALUES (0.5, 0.4, 0.3, 0.9, 50, 0.05, 1, 2);");
    }

    static void check_old_run(const RunReader& reader) {
        QCOMPARE(reader.metric("loss").size(), 2u);
        QCOMPARE(reader.metric("loss")[0].value, 0.5);
        QCOMPARE(reader.events().size(), 1u);
        QCOMPARE(reader.progress().done, 2);
        QCOMPARE(reader.headline().at("best"), 0.75);
        QCOMPARE(reader.sweep_cells().at(0).mean, 0.4);
        QCOMPARE(reader.sweep_rows().at(0).mean_length, 50.0);
        auto sample = reader.samples(0.5, 0).at(0);
        QCOMPARE(sample.token_ids, (std::vector<std::int32_t>{1, 2}));
        QCOMPARE(sample.logprobs, (std::vector<float>{-1, -2}));
        QCOMPARE(reader.prompt_scores(0.5).at(0).scores.at(0), 1.0);
    }

    static void make_old_workspace(const fs::path& folder, int more_runs = 0) {
        fs::create_directories(folder / "runs/sft-old");
        std::string row = "'', 0, 0, '', 0, -1, 0, '{\"best\":0.5}', '', 'note', '[\"tag\"]'";
        sql(folder / "workspace.db",
            std::string(workspace_schema_v1) + "INSERT INTO study VALUES ('study-old', 'Study', '{}', 1);"
                + "INSERT INTO run VALUES ('sft-old', 'Old', 'study-old', 'sft', 'sft', '{}', 'finished', 1, "
                  "2, 3, 1, "
                + row + ");"
                + "INSERT INTO run VALUES ('sft-dead', 'Dead', NULL, '', 'sft', '{}', 'running', 1, 2, 0, 2, "
                + row + ");" + "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < "
                + std::to_string(more_runs)
                + ") INSERT INTO run SELECT 'more-' || i, name, study, stage, kind, recipe, 'finished', 1, "
                  "1, 1, i + 2, phase, done,"
                  " total, unit, rate, eta_seconds, memory_gib, headline, error, notes, tags FROM run, n "
                  "WHERE id = 'sft-old' AND "
                + std::to_string(more_runs) + " > 0;");
    }

    static void check_old_workspace(const Workspace& workspace) {
        auto old = workspace.require_run("sft-old");
        QCOMPARE(old.study, std::string("study-old"));
        QCOMPARE(old.headline.at("best"), 0.5);
        QCOMPARE(old.tags, std::vector<std::string>{"tag"});
        QCOMPARE(workspace.require_run("sft-dead").status, RunStatus::interrupted);
        QCOMPARE(workspace.studies().size(), 1u);
    }

    std::unique_ptr<QTemporaryDir> folder_;
};

QTEST_GUILESS_MAIN(TestStoreMigration)
#include "tst_store_migration.moc"
