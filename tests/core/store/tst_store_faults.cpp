#include "store_fixture.h" // before Qt: its keyword "slots" is a name in core/queue/engine.h

#include "child_process.h"
#include "core/base/files.h"
#include "core/base/random.h"
#include "core/store/run_copy.h"
#include "mounted_disk.h"

#include <fcntl.h>

using namespace tempera;
using namespace tempera::test;

/// Full disks, read-only disks, damaged and foreign files.
class TestStoreFaults : public QObject {
    Q_OBJECT

private slots:
    void aFullDiskLosesNothingAndTheRunGoesOnWhenThereIsRoom() {
        MountedDisk disk("3m");
        REQUIRE_DISK(disk);
        fs::path run = disk.path() / "run";
        fs::create_directory(run);
        {
            RunWriter writer(run);
            std::int64_t acknowledged = 0;
            std::optional<Error> error;
            disk_almost_full(disk);
            for (std::int64_t step = 1; step < 100000 && !error; ++step) {
                error = error_of([&] {
                    report_step(writer, step);
                    writer.flush();
                });
                if (!error) acknowledged = step;
            }
            QVERIFY(error);
            QCOMPARE(error->kind(), ErrorKind::disk_full);
            QVERIFY(std::string(error->what()).find("Free some space") != std::string::npos);
            QVERIFY(acknowledged > 0);
            QCOMPARE(RunReader(run).metric("loss").size(), static_cast<std::size_t>(acknowledged));
            QVERIFY(error_of([&] { writer.flush(); })); // still full, still an error, still no crash
            disk.drain();
            writer.flush(); // what could not be stored was kept
            QCOMPARE(RunReader(run).metric("loss").size(), static_cast<std::size_t>(acknowledged) + 1);
            report_step(writer, acknowledged + 2);
        }
        QCOMPARE(sql(run / "run.db", "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
    }

    void noRoomForANewRunOrWorkspaceIsOneSentence() {
        MountedDisk disk("256k");
        REQUIRE_DISK(disk);
        fs::create_directory(disk.path() / "run");
        disk.fill();
        auto error = error_of([&] { RunWriter writer(disk.path() / "run"); });
        QVERIFY(error);
        QCOMPARE(error->kind(), ErrorKind::disk_full);
        QVERIFY(fs::is_empty(disk.path() / "run"));
        error =
            error_of([&] { Workspace workspace(disk.path() / "workspace", Workspace::Access::read_write); });
        QVERIFY(error);
        QCOMPARE(error->kind(), ErrorKind::disk_full);
    }

    void aRunThatDoesNotFitInTheCatalogueLeavesNoFolder() {
        MountedDisk disk("1m");
        REQUIRE_DISK(disk);
        Workspace workspace(disk.path(), Workspace::Access::read_write);
        RunRecord first;
        first.kind = "sft";
        first.recipe = "{\"kind\":\"sft\"}";
        first = workspace.add_run(first);
        write_file_atomic(workspace.run_folder(first.id) / "weights", std::string(200000, 'x'));
        disk.fill();
        RunRecord second;
        second.kind = "sft";
        second.recipe = "{\"kind\":\"sft\",\"notes\":\"" + std::string(100000, 'x') + "\"}";
        auto error = error_of([&] { workspace.add_run(second); });
        QVERIFY(error);
        QCOMPARE(error->kind(), ErrorKind::disk_full);
        QCOMPARE(workspace.runs().size(), 1u);
        QCOMPARE(std::distance(fs::directory_iterator(disk.path() / "runs"), fs::directory_iterator()), 1);
        workspace.remove_run(first.id); // what a full disk needs most
        QVERIFY(workspace.runs().empty());
        QVERIFY(fs::is_empty(disk.path() / "runs"));
    }

    void aReadOnlyDiskReadsWithAndWithoutALeftOverWal() {
        MountedDisk disk("8m");
        REQUIRE_DISK(disk);
        make_run(disk.path() / "closed");
        Child child([&](int pipe) { // dies with its WAL
            fs::create_directory(disk.path() / "killed");
            RunWriter writer(disk.path() / "killed");
            report_step(writer, 1);
            writer.flush();
            if (write(pipe, "x", 1) != 1) return 1;
            pause();
            return 0;
        });
        QVERIFY(child.read_byte());
        child.kill_and_wait();
        fs::create_directory(disk.path() / "copied"); // as cp of a live folder would leave it: no -shm
        for (const char* name : {"run.db", "run.db-wal"})
            fs::copy(disk.path() / "killed" / name, disk.path() / "copied" / name);
        QVERIFY(fs::file_size(disk.path() / "copied/run.db-wal") > 0);
        { Workspace workspace(disk.path() / "workspace", Workspace::Access::read_write); }
        QVERIFY(disk.make_read_only());

        for (const char* name : {"closed", "killed", "copied"}) {
            RunReader reader(disk.path() / name);
            QVERIFY2(reader.metric("loss").size() == 1, name);
            QCOMPARE(reader.version(), reader.version());
            auto error = error_of([&] { RunWriter writer(disk.path() / name); });
            QVERIFY2(error && error->kind() == ErrorKind::io, name);
            QVERIFY2(std::string(error->what()).find("ead-only") != std::string::npos, error->what());
        }
        auto error =
            error_of([&] { Workspace workspace(disk.path() / "workspace", Workspace::Access::read_write); });
        QVERIFY(error && error->kind() == ErrorKind::io);
        QVERIFY(std::string(error->what()).find("Read-only file system") != std::string::npos);
        error = error_of([&] { Workspace workspace(disk.path() / "new", Workspace::Access::read_write); });
        QVERIFY(error && error->kind() == ErrorKind::io);
        Workspace workspace(disk.path() / "workspace", Workspace::Access::read_only);
        QVERIFY(workspace.runs().empty());
    }

    void aFolderCopiedWhileItsRunIsWrittenOpens() {
        QTemporaryDir folder;
        fs::path live = folder.path().toStdString() + "/live", copy = folder.path().toStdString() + "/copy";
        fs::create_directory(live);
        RunWriter writer(live);
        report_step(writer, 1);
        writer.flush();
        fs::copy(live, copy, fs::copy_options::recursive);
        QCOMPARE(RunReader(copy).metric("loss").size(), 1u);
        QCOMPARE(sql(copy / "run.db", "PRAGMA integrity_check"), std::vector<std::string>{"ok"});
        fs::path taken = folder.path().toStdString() + "/taken";
        fs::create_directory(taken);
        copy_run_results(live, taken); // with the WAL still holding the rows
        QCOMPARE(RunReader(taken).metric("loss").size(), 1u);
        RunWriter on_copy(taken);
        report_step(on_copy, 2);
        on_copy.flush();
        QCOMPARE(RunReader(taken).metric("loss").size(), 2u);
    }

    void readersNeverCheckpointNorLeaveFilesBehind() {
        QTemporaryDir folder;
        fs::path run = folder.path().toStdString();
        auto writer = std::make_unique<RunWriter>(run);
        for (int step = 1; step <= 50; ++step)
            report_step(*writer, step);
        writer->flush();
        auto wal = fs::file_size(run / "run.db-wal");
        auto written = read_file(run / "run.db", 1 << 24);
        {
            RunReader first(run), second(run);
            QCOMPARE(first.metric("loss").size(), 50u);
            QCOMPARE(second.sample_count(), 100);
        }
        QCOMPARE(fs::file_size(run / "run.db-wal"), wal);
        QVERIFY(read_file(run / "run.db", 1 << 24) == written);
        writer.reset();
        QVERIFY(!fs::exists(run / "run.db-wal")); // the writer alone tidies up
    }

    void foreignAndNewerFilesAreRefusedByName() {
        QTemporaryDir folder;
        fs::path run = folder.path().toStdString();
        write_file_atomic(run / "run.db", "this is no database, it only has the name of one............");
        expect_refusal(run, "not a database");
        fs::remove(run / "run.db");
        sql(run / "run.db", "CREATE TABLE t(x); INSERT INTO t VALUES (1)");
        expect_refusal(run, "belongs to another program");
        fs::remove(run / "run.db");
        make_run(run);
        sql(run / "run.db", "PRAGMA user_version = 99");
        auto before = read_file(run / "run.db", 1 << 24);
        expect_refusal(run, "newer Tempera");
        QVERIFY(read_file(run / "run.db", 1 << 24) == before);
        sql(run / "run.db", "PRAGMA user_version = 2; DROP TABLE metric");
        expect_refusal(run, "no such table", true);
    }

    void damagedFilesNeverCrash() {
        QTemporaryDir folder(fast_folder());
        fs::path good = folder.path().toStdString() + "/good", bad = folder.path().toStdString() + "/bad";
        make_run(good, 30);
        auto bytes = read_file(good / "run.db", 1 << 24);
        RandomStream random(11);
        int refused = 0, mutations = 400;
        for (int i = 0; i < mutations; ++i) {
            std::string damaged = bytes;
            if (i % 10 == 0) damaged.resize(random.below(static_cast<std::uint32_t>(bytes.size())));
            for (std::uint32_t flips = 1 + random.below(20); flips > 0 && !damaged.empty(); --flips) {
                bool header = random.below(3) == 0; // a third of the damage where it matters most
                auto place =
                    random.below(header ? 4096 : static_cast<std::uint32_t>(damaged.size())) % damaged.size();
                damaged[place] = static_cast<char>(damaged[place] ^ (1 << random.below(8)));
            }
            fs::remove_all(bad);
            fs::create_directory(bad);
            write_file_atomic(bad / "run.db", damaged);
            refused += error_of([&] { read_everything(bad); }).has_value();
            auto writing = error_of([&] {
                RunWriter writer(bad);
                report_step(writer, 1000);
                writer.flush();
            });
            if (writing) QVERIFY(std::string(writing->what()).find("run.db") != std::string::npos);
        }
        qInfo("%d of %d damaged files were refused, none crashed", refused, mutations);
        QVERIFY(refused > mutations / 10);
    }

private:
    static void report_step(RunWriter& writer, std::int64_t step) {
        std::vector<Metric> metrics{{"loss", 1.0 / static_cast<double>(step)}};
        writer.on_metrics(step, metrics);
        std::vector<PromptRecord> prompts{{0, "prompt", "{}"}};
        writer.on_prompts(prompts);
        std::vector<Sample> samples{make_sample(0.5, 0, static_cast<int>(step)),
                                    make_sample(0.9, 0, static_cast<int>(step))};
        writer.on_samples(samples);
    }

    static void make_run(const fs::path& folder, int steps = 1) {
        fs::create_directories(folder);
        RunWriter writer(folder);
        for (int step = 1; step <= steps; ++step)
            report_step(writer, step);
        writer.on_event({0, 0, 1, "log", "line"});
        writer.on_headline("best", 1);
    }

    static void disk_almost_full(MountedDisk& disk) {
        disk.fill();
        fs::resize_file(disk.path() / "filling", fs::file_size(disk.path() / "filling") - 600000);
    }

    static void read_everything(const fs::path& folder) {
        RunReader reader(folder);
        (void)reader.version();
        for (const auto& name : reader.metric_names())
            (void)reader.metric(name);
        (void)reader.events();
        (void)reader.progress();
        (void)reader.headline();
        (void)reader.checkpoints();
        (void)reader.sweep_cells();
        (void)reader.sweep_rows();
        (void)reader.prompts();
        for (double temperature : reader.sampled_temperatures()) {
            (void)reader.prompt_scores(temperature);
            (void)reader.samples(temperature, 0);
            (void)reader.search(temperature, "x");
        }
        (void)reader.sample_count();
    }

    void expect_refusal(const fs::path& run, const std::string& words, bool only_reading = false) {
        for (bool writing : {false, true}) {
            if (writing && only_reading) continue;
            auto error = error_of([&] {
                if (writing)
                    RunWriter writer(run);
                else
                    read_everything(run);
            });
            QVERIFY(error);
            QCOMPARE(error->kind(), ErrorKind::bad_input);
            QVERIFY2(std::string(error->what()).find(words) != std::string::npos, error->what());
            QVERIFY2(std::string(error->what()).find("run.db") != std::string::npos, error->what());
        }
    }
};

QTEST_GUILESS_MAIN(TestStoreFaults)
#include "tst_store_faults.moc"
