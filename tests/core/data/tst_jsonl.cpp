#include "core/base/error.h"
#include "core/base/random.h"
#include "core/data/jsonl.h"
#include "tests/support/sentence.h"

#include <QTemporaryDir>
#include <QTest>
#include <filesystem>
#include <fstream>
#include <functional>

using namespace tempera;
using namespace tempera::test;

class TestJsonl : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;
    std::string write(const std::string& content) {
        std::string path = folder_.filePath("rows.jsonl").toStdString();
        std::filesystem::remove(path); // truncating a file in place makes some file systems flush it
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    std::string first_error(const std::string& content) {
        return sentence_of([&] {
            JsonlReader reader(write(content));
            while (reader.next()) {
            }
        });
    }

private Q_SLOTS:
    void rowsAndNumbers() {
        JsonlReader reader(write("\xEF\xBB\xBF{\"a\":1}\r\n\n  \t\r\n{\"a\":2}\n{\"a\":3}"));
        std::vector<std::int64_t> numbers, values;
        while (auto row = reader.next()) {
            numbers.push_back(row->number);
            values.push_back(row->integer("a", 0, 9));
        }
        QCOMPARE(numbers, (std::vector<std::int64_t>{1, 4, 5}));
        QCOMPARE(values, (std::vector<std::int64_t>{1, 2, 3}));
        QVERIFY(!reader.next());
        QVERIFY(!JsonlReader(write("")).next());
        QVERIFY(!JsonlReader(write("\n\n")).next());
    }

    void badRowsAreNamed() {
        QVERIFY(first_error("{}\n{\"a\":").starts_with("rows.jsonl row 2 is not valid JSON"));
        QVERIFY(first_error("{}\n{\"a\":1,\"a\":2}").starts_with("rows.jsonl row 2 has the key \"a\" twice"));
        QVERIFY(first_error("{}\n\n7").starts_with("rows.jsonl row 3 is not a JSON object"));
        QVERIFY(first_error("{\"a\":\"\xff\"}").starts_with("rows.jsonl row 1 is not valid JSON"));
        QVERIFY(
            first_error(std::string("{\"a\":\"\0\"}", 9)).starts_with("rows.jsonl row 1 is not valid JSON"));
        QVERIFY(first_error("{\"a\":" + std::string(100000, '[')).starts_with("rows.jsonl row 1 is "));
        QVERIFY(first_error("{}\n" + std::string(longest_row + 1, ' '))
                    .starts_with("rows.jsonl row 2 is longer"));
        QVERIFY(sentence_of([] { JsonlReader("/nowhere/x.jsonl"); }).starts_with("There is no file"));
        QVERIFY(sentence_of([&] { JsonlReader(folder_.path().toStdString()); }).find("is a folder")
                != std::string::npos);
    }

    void columns() {
        JsonlReader reader(write("{\"query\":\"q\",\"completion\":\"\",\"n\":7,\"x\":null,\"list\":[1,2]}"));
        auto row = reader.next();
        QCOMPARE(row->text({"prompt", "query"}, false), std::string("q"));
        QCOMPARE(row->text({"completion"}, true), std::string());
        QVERIFY(sentence_of([&] {
                    (void)row->text({"completion"}, false);
                }).find("column \"completion\": it is empty")
                != std::string::npos);
        QVERIFY(sentence_of([&] { (void)row->text({"n"}, false); }).find("text is expected, found number")
                != std::string::npos);
        QVERIFY(sentence_of([&] {
                    (void)row->text({"a", "b"}, false);
                }).find("row 1 has no column \"a\" or \"b\" (its columns: completion, list, n, query, x)")
                != std::string::npos);
        QCOMPARE(row->integer("n", 0, 7), std::int64_t{7});
        for (auto action : std::vector<std::function<void()>>{
                 [&] { (void)row->integer("n", 8, 9); }, [&] { (void)row->integer("x", 0, 9); },
                 [&] { (void)row->integer("query", 0, 9); }, [&] { (void)row->integer("none", 0, 9); },
                 [&] { (void)row->integers("list", 3, 4, 0, 9); },
                 [&] { (void)row->integers("list", 1, 4, 2, 9); },
                 [&] { (void)row->integers("n", 1, 4, 0, 9); }})
            QVERIFY(sentence_of(action).starts_with("rows.jsonl row 1"));
        QCOMPARE(row->integers("list", 1, 2, 1, 2).size(), std::size_t{2});
    }

    /// Cut and garbled files end in rows or in one sentence, never in anything else.
    void fuzz() {
        RandomStream random(1);
        const std::string good = "{\"nums\":[3,17,42],\"target\":28,\"t\":\"\\u00e9 "
                                 "\\ud83e\\udd89\"}\n{\"a\":{\"b\":[1e5,-0.1,true,null]}}\n";
        int refused = 0;
        for (int i = 0; i < 500; ++i) {
            std::string content = good.substr(0, random.below(static_cast<std::uint32_t>(good.size() + 1)));
            for (int k = random.between(0, 3); k > 0 && !content.empty(); --k)
                content[random.below(static_cast<std::uint32_t>(content.size()))] =
                    static_cast<char>(random.below(256));
            refused += !first_error(content).empty();
        }
        QVERIFY(refused > 150 && refused < 500);
    }
};

QTEST_APPLESS_MAIN(TestJsonl)
#include "tst_jsonl.moc"
