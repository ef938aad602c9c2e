#include "core/base/error.h"
#include "core/base/files.h"
#include "core/store/reply_store.h"
#include "tests/core/store/child_process.h"

#include <QTemporaryDir>
#include <QTest>
#include <thread>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

EndpointReply whole(const std::string& text) {
    EndpointReply reply;
    reply.whole = true;
    reply.text = text;
    reply.prompt_tokens = 10;
    reply.completion_tokens = 3;
    reply.cost = 0.25;
    return reply;
}

EndpointReply broken(const std::string& text) {
    EndpointReply reply;
    reply.text = text;
    reply.problem = "The server failed.";
    return reply;
}

} // namespace

class TestReplyStore : public QObject {
    Q_OBJECT

private slots:
    void aWholeReplyIsFoundAgain() {
        QTemporaryDir folder;
        const fs::path file = fs::path(folder.path().toStdString()) / "cache/judge.db";
        {
            ReplyStore store(file);
            QVERIFY(!store.find("a"));
            store.keep("a", "m at e", whole("reward:1"));
        }
        ReplyStore store(file);
        const auto reply = store.find("a");
        QVERIFY(reply && reply->whole);
        QCOMPARE(reply->text, std::string("reward:1"));
        QCOMPARE(reply->prompt_tokens, std::int64_t{10});
        QCOMPARE(reply->completion_tokens, std::int64_t{3});
        QCOMPARE(reply->cost, 0.25);
    }

    void aBrokenOneIsKeptUntilAWholeOneComes() {
        QTemporaryDir folder;
        ReplyStore store(fs::path(folder.path().toStdString()) / "judge.db");
        store.keep("a", "m at e", broken("<html>"));
        QVERIFY(!store.find("a"));
        QCOMPARE(store.counts().broken, std::int64_t{1});
        store.keep("a", "m at e", whole("reward:1"));
        store.keep("a", "m at e", whole("reward:2")); // the first stays: it was what was scored
        store.keep("a", "m at e", broken("late"));
        QCOMPARE(store.find("a")->text, std::string("reward:1"));
        QCOMPARE(store.counts().whole, std::int64_t{1});
        QCOMPARE(store.counts().broken, std::int64_t{0});
    }

    void longAndForeignBytesAreKept() {
        QTemporaryDir folder;
        ReplyStore store(fs::path(folder.path().toStdString()) / "judge.db");
        store.keep("long", "m", whole(std::string(1 << 20, 'x')));
        QCOMPARE(store.find("long")->text.size(), ReplyStore::longest_text);
        const std::string odd("a\0b\xff", 4);
        store.keep("odd", "m", whole(odd));
        QCOMPARE(store.find("odd")->text, odd);
    }

    /// A process that is killed loses nothing that keep() returned for.
    void nothingIsLostToAKill() {
        QTemporaryDir folder;
        const fs::path file = fs::path(folder.path().toStdString()) / "judge.db";
        int expected = 0;
        for (int round = 0; round < 5; ++round) {
            test::Child child([&](int pipe) {
                ReplyStore store(file);
                for (int i = expected;; ++i) {
                    store.keep(std::to_string(i), "m", whole("reward:" + std::to_string(i)));
                    if (write(pipe, "x", 1) != 1) return 1;
                }
            });
            for (int i = 0; i < 20 + 7 * round; ++i)
                QVERIFY(child.read_byte());
            child.kill_and_wait();
            const auto said = 20 + 7 * round + static_cast<int>(child.read_all().size());
            expected += said;
            ReplyStore store(file);
            for (int i = 0; i < expected; ++i)
                QVERIFY2(store.find(std::to_string(i)), qPrintable(QString::number(i)));
            while (store.find(std::to_string(expected)))
                ++expected; // kept, but killed before it could say so
        }
    }

    /// Several writers at once, which SQLite's WAL of Debian 12 does not bear by itself.
    void processesAndThreadsShareAFile() {
        QTemporaryDir folder;
        const fs::path file = fs::path(folder.path().toStdString()) / "judge.db";
        auto write_all = [&](int from, int count) {
            ReplyStore store(file);
            std::thread other([&] {
                for (int i = 0; i < count; ++i)
                    store.keep(std::to_string(from + 2 * i), "m", whole("x"));
            });
            for (int i = 0; i < count; ++i)
                store.keep(std::to_string(from + 2 * i + 1), "m", whole("x"));
            other.join();
            return 0;
        };
        {
            test::Child one([&](int) { return write_all(0, 100); });
            test::Child two([&](int) { return write_all(1000, 100); });
            write_all(2000, 100);
            QCOMPARE(one.wait(), 0);
            QCOMPARE(two.wait(), 0);
        }
        ReplyStore store(file);
        QCOMPARE(store.counts().whole, std::int64_t{600});
    }

    void aStrangersFileIsRefused() {
        QTemporaryDir folder;
        const fs::path file = fs::path(folder.path().toStdString()) / "judge.db";
        write_file_atomic(file, "not a database, but long enough to have a header of one hundred bytes "
                                "......................................................");
        QVERIFY_THROWS_EXCEPTION(Error, ReplyStore{file});
    }
};

QTEST_APPLESS_MAIN(TestReplyStore)
#include "tst_reply_store.moc"
