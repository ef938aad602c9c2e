#include "core/base/error.h"
#include "core/base/file_lock.h"
#include "core/base/files.h"
#include "core/base/joined.h"
#include "core/base/json.h"
#include "core/base/random.h"
#include "core/base/suggest.h"

#include <QTemporaryDir>
#include <QTest>
#include <optional>
#include <thread>

using namespace tempera;
namespace fs = std::filesystem;

class TestBase : public QObject {
    Q_OBJECT

private slots:
    void philoxMatchesTheReferenceVectors() {
        // Random123 kat_vectors, philox4x32 10.
        QCOMPARE(philox({0, 0, 0, 0}, {0, 0}),
                 (std::array<std::uint32_t, 4>{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
        QCOMPARE(philox({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
                 (std::array<std::uint32_t, 4>{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
        QCOMPARE(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
                 (std::array<std::uint32_t, 4>{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
    }

    void streamsAreReproducibleAndDistinct() {
        RandomStream a(7, 3, 2), b(7, 3, 2), c(7, 3, 3);
        QCOMPARE(a(), b());
        QVERIFY(a.at(5) != c.at(5));
        RandomStream d(7, 3, 2);
        std::uint32_t fourth = d.at(3);
        d(), d(), d();
        QCOMPARE(d(), fourth);
        double sum = 0;
        for (int i = 0; i < 10000; ++i)
            sum += a.uniform();
        QVERIFY(std::abs(sum / 10000 - 0.5) < 0.02);
    }

    void belowIsInRange() {
        RandomStream random(1);
        std::array<int, 7> counts{};
        for (int i = 0; i < 7000; ++i)
            ++counts[random.below(7)];
        for (int count : counts)
            QVERIFY(count > 800 && count < 1200);
    }

    void shuffleIsAPermutation() {
        RandomStream random(5);
        auto order = shuffled_indices(100, random);
        std::sort(order.begin(), order.end());
        for (std::int64_t i = 0; i < 100; ++i)
            QCOMPARE(order[i], i);
    }

    void listsAreJoinedAsSentencesLeaveThem() {
        const std::vector<std::string> names{"", "b", "c"};
        QCOMPARE(joined(names), std::string(", b, c")); // an empty item is an item
        QCOMPARE(joined(std::vector<const char*>{"a", "b"}, "; "), std::string("a; b"));
        QCOMPARE(joined(std::vector<std::string>{}), std::string());
        QCOMPARE(joined(std::vector<std::int64_t>{-1, 20}, " "), std::string("-1 20"));
        const std::map<std::string, int> counts{{"x", 3}, {"y", 4}};
        QCOMPARE(joined(counts, ", ", &std::pair<const std::string, int>::second), std::string("3, 4"));
        QCOMPARE(joined_choice(names), std::string(", b or c"));
        QCOMPARE(joined_choice(names, [](const std::string& name) { return "<" + name + ">"; }),
                 std::string("<>, <b> or <c>"));
        QCOMPARE(joined_choice(std::vector<int>{7}), std::string("7"));
        QCOMPARE(joined_choice(std::vector<int>{}), std::string());
        QCOMPARE(joined_first(names, 3), std::string(", b, c"));
        QCOMPARE(joined_first(names, 1, &std::string::size), std::string("0 and 2 more"));
    }

    void foldersAreMadeOrTheErrorNamesThem() {
        QTemporaryDir folder;
        const fs::path place = folder.path().toStdString();
        make_folders(place / "a/b");
        make_folders(place / "a/b");
        make_folders("");
        QVERIFY(fs::is_directory(place / "a/b"));
        write_file_atomic(place / "file", "x");
        try {
            make_folders(place / "file/below");
            QFAIL("a folder in a file");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::io);
            QVERIFY2(std::string(error.what()).find("file/below") != std::string::npos, error.what());
        }
        fs::path gone;
        {
            const TemporaryFolder one(place / "t-"), other(place / "t-");
            QVERIFY(one.path() != other.path() && fs::is_directory(one.path()));
            write_file_atomic(one.path() / "file", "x");
            gone = one.path();
        }
        QVERIFY(!fs::exists(gone));
    }

    void whoWaitsForALockCanBeStopped() {
        QTemporaryDir folder;
        const fs::path file = fs::path(folder.path().toStdString()) / "lock";
        StopToken stop;
        std::optional<FileLock> held(file);
        std::thread stopper([&] {
            QTest::qSleep(60);
            stop.request(StopRequest::cancel);
        });
        ErrorKind kind = ErrorKind::internal;
        try {
            FileLock(file, stop);
        } catch (const Error& error) {
            kind = error.kind();
        }
        stopper.join();
        QCOMPARE(kind, ErrorKind::stopped);
        std::thread freer([&] {
            QTest::qSleep(60);
            held.reset();
        });
        FileLock(file, {}); // waits for it
        freer.join();
        QVERIFY(!held);
        FileLock(file, stop); // nobody holds it: no wait that a stop would end
    }

    void jsonRefusesDuplicateKeysAndDepth() {
        QVERIFY_THROWS_EXCEPTION(Error, parse_json(R"({"a":1,"a":2})", "test"));
        QVERIFY_THROWS_EXCEPTION(Error, parse_json(std::string(1000, '[') + std::string(1000, ']'), "test"));
        QVERIFY_THROWS_EXCEPTION(Error, parse_json("{", "test"));
        QVERIFY_THROWS_EXCEPTION(Error, parse_json(std::string("{}\0{", 4), "test"));
        QCOMPARE(parse_json(R"({"a":{"a":2}})", "test")["a"]["a"].get<int>(), 2);
    }

    void jsonErrorsSayWhereAndWhatInPlainWords_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("sentence");
        auto row = [](const char* text, const char* sentence) {
            QTest::newRow(text) << QString::fromUtf8(text) << QString::fromUtf8(sentence);
        };
        row("", "column 1: the text ends before the JSON does.");
        row("[1", "column 3: the text ends before the JSON does.");
        row("{\"a\":1,}", "column 8: a name in double quotes is expected, but there is \"}\".");
        row("{'a':1}", "column 2: a name in double quotes is expected, but there is \"'\".");
        row("{\"a\" 1}", "column 6: a colon is expected, but there is \"1\".");
        row("[1 2]", "column 4: a comma or ] is expected, but there is \"2\".");
        row("{\n \"a\": 1\n \"b\": 2}", "line 3, column 2: a comma or } is expected, but there is a quote.");
        row("[1,\n  tru]", "line 2, column 3: a value is expected, but there is \"tru\".");
        row("{\"é\":NaN}", "column 6: a value is expected, but there is \"NaN\".");
        row("{}x", "column 3: there is \"x\" behind the end of the JSON.");
        row("[1.]", "column 4: a number is not written as JSON has it.");
        row("\"abc", "column 5: a text has no closing quote.");
        row("\"\\q\"", "column 3: a backslash stands before a character that needs none.");
    }

    void jsonErrorsSayWhereAndWhatInPlainWords() {
        QFETCH(QString, text);
        QFETCH(QString, sentence);
        try {
            parse_json(text.toStdString(), "x.json");
            QFAIL("it was taken");
        } catch (const Error& error) {
            QCOMPARE(QString::fromUtf8(error.what()), "x.json is not valid JSON: " + sentence);
        }
    }

    void writeFileAtomicReplacesAndLeavesNoTemporary() {
        QTemporaryDir dir;
        fs::path path = fs::path(dir.path().toStdString()) / "x.json";
        write_file_atomic(path, "one");
        write_file_atomic(path, "two");
        QCOMPARE(read_file(path, 10), std::string("two"));
        QCOMPARE(std::distance(fs::directory_iterator(path.parent_path()), fs::directory_iterator()), 1);
    }

    void writingNeverReplacesWhatIsNotAFile() {
        QTemporaryDir dir;
        fs::path folder = fs::path(dir.path().toStdString()) / "folder";
        fs::create_directory(folder);
        QVERIFY_THROWS_EXCEPTION(Error, write_file_atomic(folder, "x"));
        QVERIFY_THROWS_EXCEPTION(Error, write_file_atomic("/dev/null", "x"));
        QVERIFY(fs::is_directory(folder) && fs::is_character_file("/dev/null"));
    }

    void readFileChecksSizeAndKind() {
        QTemporaryDir dir;
        fs::path path = fs::path(dir.path().toStdString()) / "x";
        write_file_atomic(path, "12345");
        QVERIFY_THROWS_EXCEPTION(Error, read_file(path, 4));
        QVERIFY_THROWS_EXCEPTION(Error, read_file(path.parent_path(), 4));
        QVERIFY_THROWS_EXCEPTION(Error, read_file(path.parent_path() / "missing", 4));
    }

    void stagedFolderAppearsWholeOrNotAtAll() {
        QTemporaryDir dir;
        fs::path root = dir.path().toStdString(), target = root / "step-10";
        {
            StagedFolder staged(target);
            write_file_atomic(staged.path() / "weights", "abandoned");
        }
        QVERIFY(!fs::exists(target));
        for (const char* content : {"first", "second"}) {
            StagedFolder staged(target);
            write_file_atomic(staged.path() / "weights", content);
            staged.commit();
            QCOMPARE(read_file(target / "weights", 100), std::string(content));
        }
        QCOMPARE(std::distance(fs::directory_iterator(root), fs::directory_iterator()), 1);
        fs::create_directories(root / "step-20.tmp-123");
        sweep_staged(root);
        QVERIFY(!fs::exists(root / "step-20.tmp-123"));
    }

    void suggestsOnlyNearNames() {
        QCOMPARE(did_you_mean("leaning_rate", {"learning_rate", "epochs"}),
                 std::string(" Did you mean \"learning_rate\"?"));
        QCOMPARE(did_you_mean("zzzzzzz", {"learning_rate", "epochs"}), std::string());
    }
};

QTEST_APPLESS_MAIN(TestBase)
#include "tst_base.moc"
