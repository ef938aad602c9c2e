#include "core/base/error.h"
#include "core/base/random.h"
#include "core/data/data_files.h"
#include "core/data/row_file.h"
#include "tests/support/sentence.h"

#include <QTemporaryDir>
#include <QTest>
#include <filesystem>
#include <fstream>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

class TestRowFiles : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;

    fs::path write(const std::string& name, const std::string& content) {
        fs::path path = fs::path(folder_.path().toStdString()) / name;
        fs::create_directories(path.parent_path());
        fs::remove(path);
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    /// All rows as JSON, or as their problem.
    std::vector<std::string> rows_of(const std::string& name, const std::string& content) {
        RowFile file(write(name, content));
        std::vector<std::string> rows;
        while (auto row = file.next())
            rows.push_back(row->problem.empty() ? std::to_string(row->number) + to_json_line(row->value)
                                                : row->problem);
        return rows;
    }
    std::string refusal(const std::string& name, const std::string& content) {
        return sentence_of([&] { rows_of(name, content); });
    }
    using Rows = std::vector<std::string>;

private Q_SLOTS:
    void csvAsRfc4180HasIt() {
        QCOMPARE(
            rows_of(
                "a.csv",
                "\xEF\xBB\xBFprompt,completion\r\n\"a, \"\"b\"\"\",\"line 1\r\nline 2\"\r\n\r\nplain,\r\n"),
            (Rows{"2{\"completion\":\"line 1\\r\\nline 2\",\"prompt\":\"a, \\\"b\\\"\"}",
                  R"(4{"completion":"","prompt":"plain"})"}));
        QCOMPARE(rows_of("a.csv", "a;b\n1,5;x"), (Rows{R"(2{"a":"1,5","b":"x"})"}));
        QCOMPARE(rows_of("a.tsv", "a\tb\n1\t\"x\ty\""), (Rows{"2{\"a\":\"1\",\"b\":\"x\\ty\"}"}));
        QCOMPARE(rows_of("a.csv", "\"a,b\"|c\n1|2\n"), (Rows{R"(2{"a,b":"1","c":"2"})"}));
        QCOMPARE(rows_of("a.csv", ",x\n0,1"),
                 (Rows{R"(2{"column 1":"0","x":"1"})"})); // as pandas writes its index
        QCOMPARE(rows_of("a.csv", "one\nv\n\n\"\"\nw"), (Rows{R"(2{"one":"v"})", R"(5{"one":"w"})"}));
        QCOMPARE(rows_of("a.csv", "a,b\n").size(), std::size_t{0});
        QCOMPARE(rows_of("a.csv", "a;b\r1;\"x\ny\"\r\r2;z\r"), // as old Macs write it
                 (Rows{"2{\"a\":\"1\",\"b\":\"x\\ny\"}", R"(4{"a":"2","b":"z"})"}));
    }

    void csvRowsThatCannotBeUsed() {
        QCOMPARE(
            rows_of("a.csv", "a,b\n1\n1,2,3\n\"x\"y,2\nq\xff,2\n1,2"),
            (Rows{"a.csv row 2 has 1 field, the head line 2.", "a.csv row 3 has 3 fields, the head line 2.",
                  "a.csv row 4 has text behind a closing quote: double a quote that belongs to the text.",
                  "a.csv row 5 is not UTF-8 text: save the file as CSV UTF-8.", R"(6{"a":"1","b":"2"})"}));
        QVERIFY(refusal("a.csv", "a,b\n1,2\n\"open,2\n3,4\n")
                    .starts_with("a.csv row 3 has a quote that is never closed"));
        QVERIFY(refusal("a.csv", "").starts_with("a.csv is empty"));
        QVERIFY(refusal("a.csv", "a,a\n1,2").starts_with("a.csv has the column \"a\" twice"));
        auto rows = rows_of("a.csv", "a,b\n" + std::string(longest_row + 5, 'x') + ",1\n1,2\n");
        QCOMPARE(rows, (Rows{"a.csv row 2 is longer than 16 MiB.", R"(3{"a":"1","b":"2"})"}));
        QVERIFY(refusal("a.csv", std::string(20001, ',') + "\n").find("columns, more than 10000")
                != std::string::npos);
    }

    void utf16IsRefused() {
        for (const char* name : {"a.csv", "a.json", "a.jsonl"}) {
            QCOMPARE(refusal(name, std::string("\xFF\xFE{\0", 4)),
                     std::string(name) + " is UTF-16 text: save it as UTF-8.");
            QVERIFY(refusal(name, std::string("\xFE\xFF\0{", 4)).find("UTF-16") != std::string::npos);
        }
    }

    void jsonLists() {
        Rows two = {"1{\"a\":1}", "2{\"b\":[{\"c\":\"]}\"}]}"};
        QCOMPARE(rows_of("a.json", " [ {\"a\":1} , {\"b\":[{\"c\":\"]}\"}]} ] "), two);
        QCOMPARE(rows_of("a.json",
                         "\xEF\xBB\xBF"
                         "{\"version\":\"1\",\"data\":[{\"a\":1},{\"b\":[{\"c\":\"]}\"}]}],\"more\":{}}"),
                 two);
        QCOMPARE(rows_of("a.json", "{\"list\":[1],\"rows\":[{\"a\":1},{\"b\":[{\"c\":\"]}\"}]}]}"), two);
        QCOMPARE(rows_of("a.json", "{\"a\":1}\n{\"b\":[{\"c\":\"]}\"}]}\n"),
                 two); // JSON lines by another name
        QCOMPARE(rows_of("a.json", "{\"a\":1}"), (Rows{R"(1{"a":1})"}));
        QCOMPARE(rows_of("a.json", "[]").size(), std::size_t{0});
        QCOMPARE(rows_of("a.json", "[{\"a\":\"\\\"\\\\\"},7,{\"a\":tru},{\"a\":1,\"a\":2}]")[0],
                 std::string("1{\"a\":\"\\\"\\\\\"}"));
        QCOMPARE(rows_of("a.json", "[7]")[0].substr(0, 35),
                 std::string("a.json row 1 is not a JSON object s"));
        QVERIFY(rows_of("a.json", "[{\"a\":tru}]")[0].starts_with("a.json row 1 is not valid JSON"));
    }

    void jsonListsThatAreBroken() {
        QVERIFY(refusal("a.json", "").find("a list of objects is expected") != std::string::npos);
        QVERIFY(refusal("a.json", "7").find("a list of objects is expected") != std::string::npos);
        QVERIFY(refusal("a.json", "{\"a\":[1,2]}").find("a list of objects is expected")
                != std::string::npos);
        QVERIFY(
            refusal("a.json", "[{\"a\":1},{\"a\"").starts_with("a.json, behind row 2: the file ends within"));
        QVERIFY(refusal("a.json", "[{\"a\":1} {\"a\":1}]")
                    .starts_with("a.json, behind row 1: a comma is missing"));
        // Rows behind the list would be missed by nobody.
        QVERIFY(
            refusal("a.json", "[{\"a\":1}]\n[{\"a\":2}]")
                .starts_with("a.json, behind row 1: there is text behind the end of the list, at byte 11:"));
        QVERIFY(refusal("a.json", "[{\"a\":1}] garbage").find("text behind the end") != std::string::npos);
        QVERIFY(refusal("a.json", "{\"data\":[{\"a\":1}]}]").find("text behind the end")
                != std::string::npos);
        QVERIFY(refusal("a.json", "{\"train\":[{\"a\":1}],\"n\":1,\"test\":[{\"a\":1}]}")
                    .find("two lists of objects, \"train\" and \"test\": put each")
                != std::string::npos);
        QVERIFY(refusal("a.json", "{\"data\":[{\"a\":1}]").find("is not closed") != std::string::npos);
        QCOMPARE(rows_of("a.json", "{\"data\":[{\"a\":1}],\"columns\":[{\"name\":\"a\"}]}\n").size(),
                 std::size_t{1});
        QVERIFY(refusal("a.json", "[{\"a\":1}").find("the list is not closed") != std::string::npos);
        QVERIFY(refusal("a.json", "[{\"a\":\"x").find("ends within a text") != std::string::npos);
        QVERIFY(
            rows_of("a.json", "[{\"a\":" + std::string(5000, '[') + std::string(5000, ']') + "}]")[0].find(
                "row 1")
            != std::string::npos); // too deep
        auto rows = rows_of("a.json", "[{\"a\":\"" + std::string(longest_row + 5, 'x') + "\"},{\"a\":1}]");
        QCOMPARE(rows, (Rows{"a.json row 1 is longer than 16 MiB.", R"(2{"a":1})"}));
    }

    void everyPositionIsFoundAgain() {
        const std::string quoted = "a,b\n1,\"x\ny\"\n\n2,z\nbad\n3,w\n";
        const std::string lines = "{\"a\":1}\n\n{\"a\":2}\nbad\n{\"a\":3}";
        const std::string list = "[{\"a\":1}, {\"a\":2},\n7,{\"a\":3}]";
        for (const auto& [name, content] : std::vector<std::pair<std::string, std::string>>{
                 {"p.csv", quoted}, {"p.jsonl", lines}, {"p.json", list}}) {
            fs::path path = write(name, content);
            RowFile file(path);
            std::vector<RowPosition> places = {file.position()};
            std::vector<std::string> rows;
            while (auto row = file.next()) {
                rows.push_back(std::to_string(row->number) + to_json_line(row->value) + row->problem);
                places.push_back(file.position());
            }
            QCOMPARE(rows.size(), std::size_t{4});
            RowFile other(path);
            for (std::size_t i : {3u, 0u, 2u, 1u}) {
                other.seek(i == 0 ? RowPosition{} : places[i]);
                auto row = other.next();
                QCOMPARE(std::to_string(row->number) + to_json_line(row->value) + row->problem, rows[i]);
            }
        }
    }

    void splitsOfFolders() {
        for (const char* name : {"hub/data/train-00000-of-00002.jsonl", "hub/data/train-00001-of-00002.jsonl",
                                 "hub/data/test_prefs-00000-of-00001.jsonl", "hub/validation.csv",
                                 "hub/dataset_infos.json", "hub/README.md", "hub/.cache/x.jsonl"})
            write(name, "{}\n");
        auto splits = find_data_splits(fs::path(folder_.path().toStdString()) / "hub");
        std::vector<std::string> names;
        for (const auto& split : splits)
            names.push_back(split.name);
        QCOMPARE(names, (Rows{"train", "test_prefs", "validation"}));
        QCOMPARE(splits[0].files.size(), std::size_t{2});
        QVERIFY(splits[0].files[0].string().ends_with("train-00000-of-00002.jsonl"));
        QCOMPARE(splits[0].bytes, std::uint64_t{6});
        QCOMPARE(choose_split(splits, "", {"test_prefs", "train"}, "hub").name, std::string("test_prefs"));
        QCOMPARE(choose_split(splits, "", {"test"}, "hub").name, std::string("train"));
        QCOMPARE(
            sentence_of([&] { choose_split(splits, "validatio", {}, "hub"); }),
            std::string("hub has no split \"validatio\" (it has: train, test_prefs, validation). Did you "
                        "mean \"validation\"?"));
        write("by-folder/train/part-0.csv", "a\n1\n");
        write("by-folder/train/part-1.csv", "a\n2\n");
        write("by-folder/test/part-0.csv", "a\n3\n");
        auto folders = find_data_splits(fs::path(folder_.path().toStdString()) / "by-folder/");
        QCOMPARE(folders.size(), std::size_t{2});
        QCOMPARE(folders[0].files.size(), std::size_t{2});
        auto one = find_data_splits(write("single/rows.jsonl", "{}"));
        QCOMPARE(one.size(), std::size_t{1});
        QCOMPARE(one[0].name, std::string());
        QVERIFY(sentence_of([&] { find_data_splits(write("x.txt", "")); }).find("is no data file")
                != std::string::npos);
        fs::create_directories(fs::path(folder_.path().toStdString()) / "void");
        QVERIFY(sentence_of([&] {
                    find_data_splits(fs::path(folder_.path().toStdString()) / "void");
                }).find("holds no data file")
                != std::string::npos);
    }

    /// What of a folder is not read is said.
    void filesThatAreLeftOutAreNamed() {
        for (const char* name : {"left/a.jsonl", "left/b.csv", "left/c.jsonl.gz", "left/test.csv.gz",
                                 "left/train-00000-of-00003.jsonl", "left/train-00002-of-00003.jsonl"})
            write(name, "{}\n");
        const fs::path folder = fs::path(folder_.path().toStdString()) / "left";
        auto splits = find_data_splits(folder);
        QCOMPARE(splits.size(), std::size_t{2});
        QCOMPARE(splits[0].notes,
                 (Rows{"Only 2 of 3 shards are there; missing: train-00001-of-00003.",
                       "1 packed file is left out: test.csv.gz; unpack to have the rows read."}));
        QCOMPARE(
            splits[1].notes,
            (Rows{"Of several formats only JSON lines is read; 1 file is left out: b.csv.",
                  "2 packed files are left out: c.jsonl.gz, test.csv.gz; unpack to have the rows read."}));
        QVERIFY(sentence_of([&] { find_data_splits(folder / "c.jsonl.gz"); }).ends_with("unpack it first."));
        fs::create_directories(folder / "packed");
        fs::rename(folder / "c.jsonl.gz", folder / "packed/c.jsonl.gz");
        QVERIFY(sentence_of([&] { find_data_splits(folder / "packed"); }).find("c.jsonl.gz; unpack")
                != std::string::npos);
    }

    void manyMissingShardsAreCounted() {
        write("shards/train-00001-of-00009.jsonl", "{}\n");
        const auto splits = find_data_splits(fs::path(folder_.path().toStdString()) / "shards");
        QCOMPARE(splits.front().notes,
                 (Rows{"Only 1 of 9 shards are there; missing: train-00000-of-00009, train-00002-of-00009, "
                       "train-00003-of-00009 and 5 more."}));
    }

    void foldersAreSearchedHoweverDeepTheyLie() {
        write("nested/a/b/c/d/e/f/g/train/rows.jsonl", "{}\n");
        write("nested/rows.jsonl", "{}\n");
        const auto splits = find_data_splits(fs::path(folder_.path().toStdString()) / "nested");
        QCOMPARE(splits.size(), std::size_t(2));
        QCOMPARE(splits[0].name, std::string("train"));
        QCOMPARE(splits[1].name, std::string());
    }

    void linksLeadToAFolderOnce() {
        write("linked/data/rows.jsonl", "{}\n");
        const fs::path folder = fs::path(folder_.path().toStdString()) / "linked";
        fs::create_directory_symlink("..", folder / "data/again");
        fs::create_directory_symlink("data", folder / "another");
        fs::create_symlink("nowhere", folder / "data/nothing.jsonl");
        auto splits = find_data_splits(folder);
        QCOMPARE(splits.size(), std::size_t{1});
        QCOMPARE(splits[0].files, (std::vector<fs::path>{folder / "data/rows.jsonl"}));
        QVERIFY(splits[0].notes.empty());
    }

    void splitsInDataFields() {
        QCOMPARE(data_path_of("a/b#test").path, fs::path("a/b"));
        QCOMPARE(data_path_of("a/b#test").split, std::string("test"));
        QCOMPARE(data_path_of("a#b/c.jsonl").split, std::string());
        std::string odd = write("odd#name.jsonl", "{}").string();
        QCOMPARE(data_path_of(odd).path, fs::path(odd));
        QVERIFY(names_data("x.parquet") && names_data("x.PARQUET") && names_data("./dir")
                && names_data("d.json#train"));
        QVERIFY(!names_data("countdown") && !names_data("instructions") && !names_data("countdown#x"));
    }

    /// Cut and garbled files end in rows or in one sentence, never in anything else.
    void fuzz() {
        RandomStream random(3);
        const std::string lists =
            "[{\"a\":\"x\\\"y\",\"b\":[1,{\"c\":null}]},{\"a\":\"é\"},{\"d\":{\"e\":[]}}]";
        const std::string table = "a,\"b\"\n\"x\"\"y\",2\r\n\"line\nbreak\",3\n";
        for (int i = 0; i < 1000; ++i) {
            const std::string& good = i % 2 ? lists : table;
            std::string content = good.substr(0, random.below(static_cast<std::uint32_t>(good.size() + 1)));
            for (int k = random.between(0, 3); k > 0 && !content.empty(); --k)
                content[random.below(static_cast<std::uint32_t>(content.size()))] =
                    i % 3 ? "[]{}\",:\n\\"[random.below(9)] : static_cast<char>(random.below(256));
            std::string sentence = refusal(i % 2 ? "f.json" : "f.csv", content);
            QVERIFY2(sentence.empty() || sentence.starts_with("f."), sentence.c_str());
        }
    }
};

QTEST_APPLESS_MAIN(TestRowFiles)
#include "tst_row_files.moc"
