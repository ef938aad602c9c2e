#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/random.h"
#include "core/data/parquet.h"
#include "core/data/row_file.h"
#include "tests/support/paths.h"
#include "tests/support/peak_memory.h"
#include "tests/support/sentence.h"

#include <QTemporaryDir>
#include <QTest>
#include <filesystem>
#include <fstream>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

namespace {

fs::path golden() {
    return fs::path(source_dir()) / "tests/golden/parquet";
}

std::vector<JsonRow> all_rows(const fs::path& path, const std::vector<std::string>& columns = {}) {
    RowFile file(path, columns);
    std::vector<JsonRow> rows;
    while (auto row = file.next())
        rows.push_back(std::move(*row));
    return rows;
}

} // namespace

class TestParquet : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;
    std::string write(const std::string& content) {
        std::string path = folder_.filePath("rows.parquet").toStdString();
        std::filesystem::remove(path);
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }

private Q_SLOTS:
    void rowsEqualPyarrows_data() {
        QTest::addColumn<QString>("name");
        for (const auto& entry : fs::directory_iterator(golden()))
            if (entry.path().string().ends_with(".expected.jsonl")) {
                std::string name = entry.path().stem().stem().string();
                QTest::newRow(name.c_str()) << QString::fromStdString(name);
            }
    }

    void rowsEqualPyarrows() {
        QFETCH(QString, name);
        const fs::path path = golden() / (name.toStdString() + ".parquet");
        auto rows = all_rows(path);
        std::ifstream expected(golden() / (name.toStdString() + ".expected.jsonl"));
        std::size_t count = 0;
        for (std::string line; std::getline(expected, line); ++count) {
            QVERIFY(count < rows.size());
            QCOMPARE(to_json_line(rows[count].value), to_json_line(Json::parse(line)));
            QCOMPARE(rows[count].number, static_cast<std::int64_t>(count) + 1);
        }
        QCOMPARE(rows.size(), count);
        QCOMPARE(RowFile(path).stated_rows(), std::optional(static_cast<std::int64_t>(count)));
    }

    /// Only who needs it as text cannot use the row.
    void whatIsNoTextIsBytes() {
        auto rows = all_rows(golden() / "not-utf8.parquet");
        QCOMPARE(to_json_line(rows[1].value), std::string("{\"text\":{\"bytes\":2}}"));
        QCOMPARE(
            sentence_of([&] { rows[1].text({"text"}, true); }),
            std::string("not-utf8.parquet row 2, column \"text\": it holds bytes that are not UTF-8 text."));
        QVERIFY(rows[1].problem.empty() && rows[0].value["text"] == "good");
    }

    void onlyTheNamedColumnsAreRead() {
        auto rows = all_rows(golden() / "codec-zstd.parquet", {"source", "absent"});
        QCOMPARE(to_json_line(rows[0].value), std::string(R"({"source":"a"})"));
        QCOMPARE(rows.size(), std::size_t{5});
    }

    void seekGoesToAnyRow() {
        RowFile file(golden() / "delta.parquet");
        for (std::int64_t row : {299, 0, 150, 127, 128, 129, 1}) {
            file.seek({0, row});
            auto read = file.next();
            QCOMPARE(read->value["n"].get<std::int64_t>(), row * 3);
            QCOMPARE(read->number, row + 1);
        }
        file.seek({0, 300});
        QVERIFY(!file.next());
        RowFile groups(golden() / "codec-gzip.parquet"); // two rows a group
        groups.seek({0, 3});
        QCOMPARE(groups.next()->number, std::int64_t{4});
        QCOMPARE(groups.next()->number, std::int64_t{5});
        QVERIFY(!groups.next());
    }

    void whatIsWrittenIsReadBack() {
        ParquetType turn{ParquetType::Kind::record,
                         {{"role", {ParquetType::Kind::text}}, {"content", {ParquetType::Kind::text}}}};
        ParquetType columns{ParquetType::Kind::record,
                            {{"turns", {ParquetType::Kind::list, {{"item", turn}}}},
                             {"score", {ParquetType::Kind::number}},
                             {"count", {ParquetType::Kind::integer}},
                             {"right", {ParquetType::Kind::boolean}},
                             {"text", {ParquetType::Kind::text}}}};
        std::string bytes;
        auto sink = load_parquet().create([&](std::string_view part) { bytes += part; }, columns);
        std::vector<Json> written;
        for (int i = 0; i < 2500; ++i) {
            written.push_back(
                {{"turns", Json::array({{{"role", "user"}, {"content", "é" + std::to_string(i)}}})},
                 {"score", i / 7.0},
                 {"count", i},
                 {"right", i % 2 == 0},
                 {"text", nullptr}});
            sink->write(written.back());
        }
        sink->write({{"count", "three"}, {"other", 1}, {"text", {{"a", 1}}}}); // of another kind
        written.push_back({{"turns", nullptr},
                           {"score", nullptr},
                           {"count", nullptr},
                           {"right", nullptr},
                           {"text", "{\"a\":1}"}});
        sink->close();
        auto rows = all_rows(write(bytes));
        QCOMPARE(rows.size(), written.size());
        for (std::size_t i = 0; i < rows.size(); ++i)
            QCOMPARE(to_json_line(rows[i].value), to_json_line(written[i]));
    }

    void aNameThatStandsTwiceIsRefused() {
        using Kind = ParquetType::Kind;
        const ParquetType text{Kind::text}, inner{Kind::record, {{"x", text}, {"x", text}}};
        for (const auto& members : std::vector<std::vector<std::pair<std::string, ParquetType>>>{
                 {{"a", text}, {"a", text}},
                 {{"a", text}, {"b", text}, {"a", text}},
                 {{"b", text}, {"a", inner}}}) {
            std::string bytes;
            auto sink =
                load_parquet().create([&](std::string_view part) { bytes += part; }, {Kind::record, members});
            sink->write({{"b", "b"}});
            sink->close();
            const std::string sentence = sentence_of([&] { all_rows(write(bytes)); });
            QVERIFY2(sentence.find("has the column \"") != std::string::npos
                         && sentence.ends_with("\" twice: rename one."),
                     sentence.c_str());
        }
    }

    void whatTheSinkThrowsComesThrough() {
        ParquetType columns{ParquetType::Kind::record, {{"text", {ParquetType::Kind::text}}}};
        auto full = [](std::string_view) { fail(ErrorKind::disk_full, "No space left."); };
        QCOMPARE(sentence_of([&] {
                     auto sink = load_parquet().create(full, columns);
                     sink->write({{"text", "a"}});
                     sink->close();
                 }),
                 std::string("No space left."));
    }

    void whatIsNoParquetIsRefusedInOneSentence_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("part");
        const std::string good = read_file(golden() / "codec-snappy.parquet", 1 << 20);
        auto row = [](const char* name, const std::string& content, const char* part) {
            QTest::newRow(name) << QByteArray::fromStdString(content) << part;
        };
        row("empty", "", "is no Parquet file");
        row("other", "{\"a\":1}\n{\"a\":2}\n", "is no Parquet file");
        row("cut off", good.substr(0, good.size() - 20), "its end is missing");
        row("encrypted", "PARE" + good.substr(4), "encrypted");
        std::string footer = good;
        footer.replace(footer.size() - 8, 4, "\xff\xff\xff\x7f");
        row("footer", footer, "its footer claims 2147483647 bytes");
        std::string page = good;
        for (std::size_t i = 4; i < 400; ++i)
            page[i] = '\x55';
        row("pages", page, "is a broken Parquet file");
    }

    void whatIsNoParquetIsRefusedInOneSentence() {
        QFETCH(QByteArray, content);
        QFETCH(QString, part);
        std::string sentence = sentence_of([&] { all_rows(write(content.toStdString())); });
        QVERIFY2(QString::fromStdString(sentence).contains(part), sentence.c_str());
        QVERIFY2(sentence.starts_with("rows.parquet") && sentence.find('\n') == sentence.npos,
                 sentence.c_str());
    }

    /// A thousand rows of a megabyte are a few bytes of a dictionary; a row of three million nulls too.
    void bombsTakeNoMemory() {
        const long before = peak_memory_mib();
        RowFile dictionary(golden() / "bomb-dictionary.parquet");
        for (int i = 0; i < 300; ++i)
            QCOMPARE(dictionary.next()->value["text"].get_ref<const std::string&>().size(),
                     std::size_t{1} << 20);
        auto rows = all_rows(golden() / "bomb-list.parquet");
        QCOMPARE(rows.size(), std::size_t{1});
        QVERIFY2(rows[0].problem.find("is longer than 16 MiB") != std::string::npos, rows[0].problem.c_str());
        const long grown = peak_memory_mib() - before;
        QVERIFY2(grown < 700, std::to_string(grown).c_str());
    }

    /// Cut and garbled files end in rows or in one sentence, never in anything else.
    void fuzz() {
        RandomStream random(7);
        int refused = 0, read = 0;
        for (const char* name : {"codec-snappy", "page-v2", "types", "delta"}) {
            const std::string good = read_file(golden() / (std::string(name) + ".parquet"), 1 << 20);
            for (int i = 0; i < 500; ++i) {
                std::string content = good;
                const auto size = static_cast<std::uint32_t>(good.size());
                if (i % 10 == 0) content.resize(random.below(size));
                // Most of a file's meaning is in its footer.
                const std::uint32_t from = i % 2 ? size / 2 : 0;
                for (int k = random.between(1, 6); k > 0 && content.size() > from; --k)
                    content[from + random.below(static_cast<std::uint32_t>(content.size()) - from)] =
                        static_cast<char>(random.below(256));
                std::int64_t rows = 0;
                std::string sentence = sentence_of([&] {
                    RowFile file(write(content));
                    while (rows < 10000 && file.next())
                        ++rows;
                });
                refused += !sentence.empty();
                read += sentence.empty();
                QVERIFY2(sentence.find('\n') == std::string::npos, sentence.c_str());
            }
        }
        QVERIFY2(refused > 500 && read > 50, (std::to_string(refused) + " " + std::to_string(read)).c_str());
        QVERIFY(peak_memory_mib() < 2500);
    }
};

QTEST_APPLESS_MAIN(TestParquet)
#include "tst_parquet.moc"
