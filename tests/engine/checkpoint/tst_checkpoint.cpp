#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/engine/checkpoint/checkpoint.h"
#include "core/base/checksum.h"

#include <QtTest>

#include <sys/mount.h>
#include <sys/resource.h>

using namespace tempera;
namespace fs = std::filesystem;

class TestCheckpoint : public QObject {
    Q_OBJECT

    static fs::path make(const fs::path& folder, std::int64_t step) {
        return write_checkpoint(folder, step, [&](const fs::path& target) {
            fs::create_directory(target / "model");
            write_file_atomic(target / "model" / "weights",
                              std::string(5000, static_cast<char>('a' + step % 20)));
            write_file_atomic(target / "state.json", "{}");
        });
    }

private Q_SLOTS:
    void checksumIsCrc32c() {
        QCOMPARE(crc32c("123456789", 9), 0xE3069283u); // the check value of the CRC catalogue
        QCOMPARE(crc32c(std::string(32, '\0').data(), 32), 0x8A9136AAu); // RFC 3720, B.4
        std::string text(1000, 'x');
        for (std::size_t cut : {0u, 1u, 7u, 8u, 500u})
            QCOMPARE(crc32c(text.data() + cut, text.size() - cut, crc32c(text.data(), cut)),
                     crc32c(text.data(), text.size()));
    }

    void completeOnesVerify() {
        QTemporaryDir folder;
        fs::path root = folder.path().toStdString();
        QCOMPARE(checkpoint_damage(make(root, 12)), std::string());
        QCOMPARE(checkpoint_steps(root), (std::vector<std::int64_t>{12}));
    }

    void everyKindOfDamageIsSeen_data() {
        QTest::addColumn<QString>("kind");
        for (const char* kind :
             {"bit", "cut", "missing", "no manifest", "cut manifest", "empty manifest", "lying manifest"})
            QTest::newRow(kind) << kind;
    }
    void everyKindOfDamageIsSeen() {
        QFETCH(QString, kind);
        QTemporaryDir folder;
        fs::path root = folder.path().toStdString();
        make(root, 3);
        fs::path last = make(root, 20), weights = last / "model/weights", manifest = last / "manifest.json";
        std::string bytes = read_file(weights, 1 << 20), listing = read_file(manifest, 1 << 20);
        if (kind == "bit") bytes[1234] ^= 4;
        if (kind == "cut") bytes.resize(4000);
        if (kind == "bit" || kind == "cut") write_file_atomic(weights, bytes);
        if (kind == "missing") fs::remove(weights);
        if (kind == "no manifest") fs::remove(manifest);
        if (kind == "cut manifest") write_file_atomic(manifest, listing.substr(0, listing.size() / 2));
        if (kind == "empty manifest") write_file_atomic(manifest, R"({"step":20,"files":{}})");
        if (kind == "lying manifest")
            write_file_atomic(manifest,
                              R"({"step":20,"files":{"../3/state.json":{"bytes":2,"crc32c":"x"}}})");
        QVERIFY(!checkpoint_damage(last).empty());
        std::vector<std::string> complaints;
        auto newest =
            newest_checkpoint(root, [&](const std::string& sentence) { complaints.push_back(sentence); });
        QCOMPARE(newest.value_or(-1), std::int64_t{3});
        QCOMPARE(complaints.size(), std::size_t{1});
        QVERIFY(complaints[0].find("Checkpoint 20") != std::string::npos);
    }

    void newestIsByNumber() {
        QTemporaryDir folder;
        fs::path root = folder.path().toStdString();
        for (std::int64_t step : {9, 100, 20})
            make(root, step);
        fs::create_directory(root / "1000.tmp-5"); // what a killed writer leaves
        fs::create_directory(root / "notes");
        QCOMPARE(newest_checkpoint(root, [](const std::string&) {}).value_or(-1), std::int64_t{100});
        QVERIFY(!newest_checkpoint(root / "nothing", [](const std::string&) {}));
    }

    void pruningKeepsTheNewestAndThePrecious() {
        QTemporaryDir folder;
        fs::path root = folder.path().toStdString();
        for (std::int64_t step = 1; step <= 6; ++step)
            make(root, step);
        prune_checkpoints(root, 2, {3});
        QCOMPARE(checkpoint_steps(root), (std::vector<std::int64_t>{3, 5, 6}));
        prune_checkpoints(root, 0, {});
        QCOMPARE(checkpoint_steps(root), (std::vector<std::int64_t>{6}));
    }

    void aFailedWriteLeavesTheOldOnes() {
        QTemporaryDir folder;
        fs::path root = folder.path().toStdString();
        make(root, 1);
        QVERIFY_THROWS_EXCEPTION(Error, write_checkpoint(root, 2, [](const fs::path& target) {
                                     write_file_atomic(target / "half", "x");
                                     fail(ErrorKind::disk_full, "no space");
                                 }));
        QCOMPARE(checkpoint_steps(root), (std::vector<std::int64_t>{1}));
        QCOMPARE(std::distance(fs::directory_iterator(root), fs::directory_iterator()), std::ptrdiff_t{1});
    }

    void aFullDiskKeepsTheOldOnes() {
        QTemporaryDir folder;
        if (mount("tmpfs", folder.path().toUtf8(), "tmpfs", 0, "size=64k") != 0)
            QSKIP("needs the right to mount a tmpfs");
        fs::path root = fs::path(folder.path().toStdString()) / "checkpoints";
        std::int64_t written = 0;
        ErrorKind kind = ErrorKind::internal;
        try {
            for (; written < 50; ++written)
                make(root, written + 1);
        } catch (const Error& error) {
            kind = error.kind();
        }
        auto steps = checkpoint_steps(root);
        std::string damage;
        for (std::int64_t step : steps)
            damage += checkpoint_damage(root / std::to_string(step));
        umount(folder.path().toUtf8());
        QVERIFY(written > 0 && written < 50);
        QVERIFY(kind == ErrorKind::disk_full);
        QCOMPARE(static_cast<std::int64_t>(steps.size()), written);
        QCOMPARE(damage, std::string());
    }
};

QTEST_APPLESS_MAIN(TestCheckpoint)
#include "tst_checkpoint.moc"
