#include "store_fixture.h"

#include "child_process.h"
#include "core/base/files.h"
#include "tests/support/cpu_clock.h"

#include <fstream>

using namespace tempera;
using namespace tempera::test;
using Access = Workspace::Access;
using Names = std::vector<std::string>;

class TestWorkspace : public QObject {
    Q_OBJECT

private slots:
    void init() { folder_ = std::make_unique<QTemporaryDir>(fast_folder()); }

    void aRunComesBackAsItWasStored() {
        RunRecord record = make_record("first");
        record.headline = {{"best", 0.1 + 0.2}, {"eval_loss", 1.0 / 3}};
        record.progress = {"training", 3, 10, "steps", 120.5, 60, 0.5};
        record.notes = "line\n\"quoted\" ünï";
        record.tags = {"a", "b c"};
        record.error = "e";
        record.started_ms = 5;
        record.ended_ms = 6;
        {
            Workspace workspace(path(), Access::read_write);
            record = workspace.add_run(record);
            QVERIFY(!record.id.empty() && record.created_ms > 0);
            QCOMPARE(read_file(workspace.run_folder(record.id) / "recipe.json", 1000), record.recipe + "\n");
        }
        RunRecord read = Workspace(path(), Access::read_only).require_run(record.id);
        QCOMPARE(read.name, record.name);
        QCOMPARE(read.kind, record.kind);
        QCOMPARE(read.recipe, record.recipe);
        QCOMPARE(read.headline, record.headline); // to the last bit
        QCOMPARE(read.progress.eta_seconds, 60.0);
        QCOMPARE(read.progress.unit, std::string("steps"));
        QCOMPARE(read.notes, record.notes);
        QCOMPARE(read.tags, record.tags);
        QCOMPARE(read.error, record.error);
        QCOMPARE(read.created_ms, record.created_ms);
        QCOMPARE(read.started_ms, 5);
        QCOMPARE(read.ended_ms, 6);
    }

    void runsAreFoundByPrefix() {
        Workspace workspace(path(), Access::read_write);
        for (const char* id : {"sft-abc", "sft-abd", "sweep-x"}) {
            RunRecord record = make_record(id);
            record.id = id;
            workspace.add_run(record);
        }
        QCOMPARE(workspace.require_run("sft-abc").id, std::string("sft-abc"));
        QCOMPARE(workspace.require_run("sw").id, std::string("sweep-x"));
        auto error = error_of([&] { (void)workspace.run("sft"); });
        QVERIFY(error && error->kind() == ErrorKind::bad_input);
        QVERIFY(!workspace.run("x%"));
        QVERIFY(!workspace.run(""));
        error = error_of([&] { workspace.require_run("sweep-y"); });
        QVERIFY(error && error->kind() == ErrorKind::not_found);
        QVERIFY(std::string(error->what()).find("sweep-x") != std::string::npos);
        RunRecord twin = make_record("twin");
        twin.id = "sft-abc";
        error = error_of([&] { workspace.add_run(twin); });
        QVERIFY(error && error->kind() == ErrorKind::bad_input);
        QCOMPARE(workspace.require_run("sft-abc").name, std::string("sft-abc"));
    }

    void idsCannotLeaveTheFolder() {
        Workspace workspace(path(), Access::read_write);
        for (const char* id : {"../x", "/etc", "a/b", ".hidden", "", "a b", "x.tmp-1"}) {
            auto error = error_of([&] { (void)workspace.run_folder(id); });
            QVERIFY2(error && error->kind() == ErrorKind::bad_input, id);
        }
    }

    void reorderMovesAmongTheQueued() {
        Workspace workspace(path(), Access::read_write);
        for (const char* id : {"a", "done", "b", "c"}) {
            RunRecord record = make_record(id);
            record.id = id;
            if (record.id == "done") record.status = RunStatus::finished;
            workspace.add_run(record);
        }
        workspace.reorder("c", 0);
        QCOMPARE(ids(workspace), (Names{"c", "done", "a", "b"}));
        workspace.reorder("c", 99);
        QCOMPARE(ids(workspace), (Names{"a", "done", "b", "c"}));
        workspace.reorder("b", -5);
        QCOMPARE(ids(workspace), (Names{"b", "done", "a", "c"}));
        auto error = error_of([&] { workspace.reorder("done", 0); });
        QVERIFY(error && error->kind() == ErrorKind::bad_input);
    }

    void notesAndStateDoNotUndoEachOther() {
        Workspace workspace(path(), Access::read_write);
        RunRecord record = workspace.add_run(make_record("a"));
        workspace.annotate(record.id, "new name", "a note", {"tag"});
        RunRecord stale = record;
        stale.status = RunStatus::running;
        workspace.update_state(stale);
        workspace.update_progress(record.id, {"training", 7, 9, "steps", 1, 2, 3}, {{"x", 1}});
        RunRecord read = workspace.require_run(record.id);
        QCOMPARE(read.name, std::string("new name"));
        QCOMPARE(read.notes, std::string("a note"));
        QCOMPARE(read.status, RunStatus::running);
        QCOMPARE(read.progress.done, 7);
        QCOMPARE(read.headline.at("x"), 1.0);
        workspace.annotate(record.id, "third", "", {});
        QCOMPARE(workspace.require_run(record.id).status, RunStatus::running);
        read.name = "all of it";
        read.recipe = "{}";
        workspace.update_run(read);
        QCOMPARE(workspace.require_run(record.id).name, std::string("all of it"));
        QCOMPARE(workspace.require_run(record.id).recipe, std::string("{}"));
    }

    void versionRisesForTheHolderAndForWatchers() {
        Workspace workspace(path(), Access::read_write);
        Workspace watcher(path(), Access::read_only);
        auto own = workspace.version(), seen = watcher.version();
        QCOMPARE(watcher.version(), seen);
        workspace.add_run(make_record("a"));
        QVERIFY(workspace.version() > own);
        QVERIFY(watcher.version() > seen);
        QCOMPARE(watcher.runs().size(), 1u);
        own = workspace.version();
        (void)workspace.runs();
        QCOMPARE(workspace.version(), own);
        auto error = error_of([&] { watcher.add_run(make_record("b")); });
        QVERIFY(error && error->kind() == ErrorKind::busy);
    }

    void aSecondInstanceIsToldWhoHoldsTheWorkspace() {
        Child holder([&](int pipe) {
            Workspace workspace(path(), Access::read_write);
            workspace.add_run(make_record("a"));
            if (write(pipe, "x", 1) != 1) return 1;
            pause();
            return 0;
        });
        QVERIFY(holder.read_byte());
        auto error = error_of([&] { Workspace second(path(), Access::read_write); });
        QVERIFY(error);
        QCOMPARE(error->kind(), ErrorKind::busy);
        QVERIFY2(std::string(error->what()).find("process " + std::to_string(holder.pid()))
                     != std::string::npos,
                 error->what());
        Workspace third(path(), Access::read_only);
        QCOMPARE(third.runs().size(), 1u);
        holder.kill_and_wait();
        Workspace now(path(),
                      Access::read_write); // the kernel has freed the lock, whatever the lock file says
        QCOMPARE(now.runs().size(), 1u);
        QCOMPARE(third.runs().size(), 1u);
    }

    void twoInOneProcessAreRefusedToo() {
        Workspace workspace(path(), Access::read_write);
        auto error = error_of([&] { Workspace second(path(), Access::read_write); });
        QVERIFY(error && error->kind() == ErrorKind::busy);
    }

    void whatAKilledProgramRanIsInterrupted() {
        std::string running, stopping, queued;
        Child child([&](int pipe) {
            Workspace workspace(path(), Access::read_write);
            for (auto [id, status] :
                 {std::pair("running", RunStatus::running), std::pair("stopping", RunStatus::stopping),
                  std::pair("queued", RunStatus::queued), std::pair("finished", RunStatus::finished)}) {
                RunRecord record = make_record(id);
                record.id = id;
                record.status = status;
                record.started_ms = 1000;
                workspace.add_run(record);
            }
            RunWriter writer(workspace.run_folder("running"));
            writer.on_event({0, 0, 1, "started", ""});
            writer.flush();
            fs::create_directories(workspace.run_folder("running") / "checkpoints/30.tmp-1234");
            std::ofstream(workspace.run_folder("running") / "checkpoints/30.tmp-1234/weights") << "half";
            fs::create_directories(workspace.run_folder("running") / "checkpoints/20");
            fs::create_directories(workspace.folder() / "runs/gone.tmp-removed/checkpoints");
            if (write(pipe, "x", 1) != 1) return 1;
            pause();
            return 0;
        });
        QVERIFY(child.read_byte());
        Workspace reader(path(), Access::read_only);
        QCOMPARE(reader.require_run("running").status, RunStatus::running);
        QCOMPARE(reader.require_run("stopping").status, RunStatus::stopping);
        child.kill_and_wait();
        for (const char* id : {"running", "stopping"}) { // one that may only look sees it too
            QCOMPARE(reader.require_run(id).status, RunStatus::interrupted);
            QCOMPARE(Workspace(path(), Access::read_only).require_run(id).status, RunStatus::interrupted);
        }
        QVERIFY(reader.require_run("running").ended_ms > 1'600'000'000'000);
        QCOMPARE(reader.require_run("finished").status, RunStatus::finished);
        for (const auto& record : reader.runs())
            QVERIFY(record.status != RunStatus::running && record.status != RunStatus::stopping);
        Workspace workspace(path(), Access::read_write);
        QCOMPARE(workspace.require_run("running").status, RunStatus::interrupted);
        QCOMPARE(workspace.require_run("stopping").status, RunStatus::interrupted);
        QCOMPARE(workspace.require_run("queued").status, RunStatus::queued);
        QCOMPARE(workspace.require_run("finished").status, RunStatus::finished);
        auto ended = workspace.require_run("running").ended_ms;
        QVERIFY(ended > 1'600'000'000'000); // when its database was last written
        QVERIFY(!fs::exists(workspace.run_folder("running") / "checkpoints/30.tmp-1234"));
        QVERIFY(fs::exists(workspace.run_folder("running") / "checkpoints/20"));
        QVERIFY(!fs::exists(workspace.folder() / "runs/gone.tmp-removed"));
        RunWriter writer(workspace.run_folder("running")); // its lock is free too
    }

    void aRunFolderCopiedFromElsewhereIsTakenIn() {
        QTemporaryDir other(fast_folder());
        std::string id;
        {
            Workspace workspace(other.path().toStdString(), Access::read_write);
            RunRecord record = workspace.add_run(make_record("travelled"));
            id = record.id;
            RunWriter writer(workspace.run_folder(id));
            writer.on_event({0, 1000, -1, "started", "Started."});
            writer.on_headline("best", 0.5);
            writer.on_progress({"sampling", 4, 4, "samples", 1, 0, 0});
            writer.on_event({0, 2000, -1, "finished", "Finished."});
        }
        { Workspace workspace(path(), Access::read_write); }
        for (const char* name : {"copied", "broken", "empty"})
            fs::create_directories(path() / "runs" / name);
        fs::copy(fs::path(other.path().toStdString()) / "runs" / id, path() / "runs/copied",
                 fs::copy_options::recursive);
        std::ofstream(path() / "runs/broken/recipe.json") << "{nonsense";
        Workspace workspace(path(), Access::read_write);
        QCOMPARE(ids(workspace), (Names{"copied"}));
        RunRecord record = workspace.require_run("copied");
        QCOMPARE(record.status, RunStatus::finished);
        QCOMPARE(record.kind, std::string("sft"));
        QCOMPARE(record.name, std::string("travelled"));
        QCOMPARE(record.headline.at("best"), 0.5);
        QCOMPARE(record.progress.done, 4);
        QCOMPARE(record.ended_ms, 2000);
    }

    void removingTakesRowAndFolder() {
        Workspace workspace(path(), Access::read_write);
        StudyRecord study = workspace.add_study({"", "study", "{}", 0});
        RunRecord a = make_record("a"), b = make_record("b");
        a.study = b.study = study.id;
        a = workspace.add_run(a);
        b.status = RunStatus::running;
        b = workspace.add_run(b);
        auto error = error_of([&] { workspace.remove_run(b.id); });
        QVERIFY(error && error->kind() == ErrorKind::busy);
        error = error_of([&] { workspace.remove_study(study.id); });
        QVERIFY(error && error->kind() == ErrorKind::busy);
        QCOMPARE(workspace.runs().size(), 2u);
        b.status = RunStatus::stopped;
        workspace.update_state(b);
        workspace.remove_run(a.id);
        QVERIFY(!fs::exists(path() / "runs" / a.id));
        workspace.remove_study(study.id);
        QVERIFY(workspace.runs().empty() && workspace.studies().empty());
        QVERIFY(fs::is_empty(path() / "runs"));
        RunRecord orphan = make_record("c");
        orphan.study = "no such study";
        QVERIFY(error_of([&] { workspace.add_run(orphan); })); // foreign keys are on
        QVERIFY(fs::is_empty(path() / "runs"));
    }

    void aFolderWithoutAWorkspaceIsRefusedReadOnly() {
        auto error = error_of([&] { Workspace workspace(path(), Access::read_only); });
        QVERIFY(error && error->kind() == ErrorKind::not_found);
        QVERIFY(fs::is_empty(path()));
    }

    void aNewerOrDamagedCatalogueIsRefusedAndLeftAsItIs() {
        {
            Workspace workspace(path(), Access::read_write);
            workspace.add_run(make_record("a"));
        }
        sql(path() / "workspace.db", "PRAGMA user_version = 99");
        auto bytes = read_file(path() / "workspace.db", 1 << 20);
        for (Access access : {Access::read_write, Access::read_only}) {
            auto error = error_of([&] { Workspace workspace(path(), access); });
            QVERIFY(error && error->kind() == ErrorKind::bad_input);
            QVERIFY2(std::string(error->what()).find("newer Tempera") != std::string::npos, error->what());
        }
        QVERIFY(read_file(path() / "workspace.db", 1 << 20) == bytes);
        std::string damaged = bytes;
        for (std::size_t i = 100; i < damaged.size(); ++i)
            damaged[i] = static_cast<char>(i * 31);
        write_file_atomic(path() / "workspace.db", damaged);
        for (Access access : {Access::read_write, Access::read_only}) {
            auto error = error_of([&] { Workspace workspace(path(), access); });
            QVERIFY(error && error->kind() == ErrorKind::bad_input);
        }
    }

    void tenThousandRunsListFast() {
        {
            Workspace workspace(path(), Access::read_write);
            workspace.add_run(make_record("a"));
        }
        sql(path() / "workspace.db",
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)"
            " INSERT INTO run SELECT id || i, name, study, stage, kind, recipe, 'finished', i, i, i, "
            "position + i, phase, done,"
            " total, unit, rate, eta_seconds, memory_gib, '{\"best\":0.5}', error, notes, tags, '' FROM run, "
            "n");
        CpuClock timer;
        timer.start();
        Workspace workspace(path(), Access::read_write);
        auto opened = timer.restart();
        QCOMPARE(workspace.runs().size(), 10001u);
        qInfo("10,001 runs: opened in %lld ms, listed in %lld ms", static_cast<long long>(opened),
              static_cast<long long>(timer.elapsed()));
        QVERIFY(opened < allowed_ms(3000));
    }

private:
    fs::path path() const { return folder_->path().toStdString(); }
    static RunRecord make_record(const std::string& name) {
        RunRecord record;
        record.name = name;
        record.kind = "sft";
        record.recipe = "{\"kind\":\"sft\",\"name\":\"" + name + "\"}";
        return record;
    }
    static Names ids(const Workspace& workspace) {
        Names names;
        for (const auto& record : workspace.runs())
            names.push_back(record.id);
        return names;
    }

    std::unique_ptr<QTemporaryDir> folder_;
};

QTEST_GUILESS_MAIN(TestWorkspace)
#include "tst_workspace.moc"
