#include "core/base/random.h"
#include "core/data/data_set.h"
#include "core/data/parquet.h"
#include "tests/support/peak_memory.h"

#include <QElapsedTimer>
#include <QTemporaryDir>
#include <QTest>
#include <filesystem>
#include <fstream>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

namespace {

std::string random_text(RandomStream& random, std::size_t length) {
    std::string text;
    for (std::size_t i = 0; i < length; ++i)
        text += static_cast<char>('!' + random.below(90));
    return text;
}

} // namespace

/// A data set of 2 GB opens in under a second, and looking at it takes no memory.
class TestLargeData : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;

    void look_at(const fs::path& path, const char* what) {
        const long before = peak_memory_mib();
        QElapsedTimer clock;
        clock.start();
        DataSet data(path);
        auto columns = data.columns(0);
        auto rows = data.rows(0, 0, 100);
        const auto taken = clock.elapsed();
        QCOMPARE(rows.size(), std::size_t{100});
        QVERIFY(!columns.empty());
        qInfo("%s of %.2f GB: opened with types and 100 rows in %lld ms, %ld MiB more memory", what,
              static_cast<double>(fs::file_size(path)) / 1e9, static_cast<long long>(taken),
              peak_memory_mib() - before);
        QVERIFY2(taken < 1000, std::to_string(taken).c_str());
        QVERIFY2(peak_memory_mib() - before < 200, std::to_string(peak_memory_mib() - before).c_str());
    }

private Q_SLOTS:
    void jsonLines() {
        const fs::path path = folder_.filePath("large.jsonl").toStdString();
        std::string block;
        while (block.size() < 1u << 20)
            block += R"({"messages":[{"role":"user","content":"What is two and two, and why?"},)"
                     R"({"role":"assistant","content":"Four: counting on from two by two gives four."}]})"
                     "\n";
        {
            std::ofstream out(path, std::ios::binary);
            for (int i = 0; i < 2000; ++i)
                out << block;
            if (!out.flush()) QSKIP("There is no room for 2 GB.");
        }
        look_at(path, "JSON lines");
        // Reading through holds one row and a mark every 1024.
        const long before = peak_memory_mib();
        DataSet data(path);
        StopToken stop;
        QElapsedTimer clock;
        clock.start();
        auto count = data.count(
            0,
            [&](const DataProgress& progress) {
                if (progress.done > 400000000) stop.request(StopRequest::stop);
            },
            stop);
        QVERIFY(!count);
        qInfo("400 MB counted in %lld ms", static_cast<long long>(clock.elapsed()));
        QVERIFY(peak_memory_mib() - before < 100);
    }

    void parquet() {
        const fs::path path = folder_.filePath("large.parquet").toStdString();
        {
            std::ofstream out(path, std::ios::binary);
            auto sink = load_parquet().create(
                [&](std::string_view bytes) {
                    out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
                },
                {ParquetType::Kind::record,
                 {{"prompt", {ParquetType::Kind::text}}, {"completion", {ParquetType::Kind::text}}}});
            RandomStream random(1);
            const std::string pool = random_text(random, 1 << 20); // zstd's window does not reach back so far
            for (int i = 0; i < 350000; ++i) {
                const auto at = random.below((1 << 20) - 2000);
                sink->write({{"prompt", pool.substr(at, 200)}, {"completion", random_text(random, 500)}});
            }
            sink->close();
        }
        look_at(path, "Parquet");
        DataSet data(path);
        QCOMPARE(data.row_count(0), std::optional<std::int64_t>(350000));
        QElapsedTimer clock;
        clock.start();
        QCOMPARE(data.rows(0, 349990, 20).size(), std::size_t{10});
        qInfo("its last rows in %lld ms", static_cast<long long>(clock.elapsed()));
        QVERIFY(clock.elapsed() < 1000);
    }
};

QTEST_APPLESS_MAIN(TestLargeData)
#include "tst_large_data_slow.moc"
