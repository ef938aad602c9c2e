#include "core/base/error.h"
#include "core/data/data_set.h"
#include "core/data/preferences.h"
#include "core/data/prompt_set.h"
#include "core/data/token_preview.h"
#include "core/data/training_set.h"
#include "core/data/validation.h"
#include "core/task/countdown.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <filesystem>
#include <fstream>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

std::string hub(const std::string& name) {
    return source_dir() + "/tests/golden/parquet/" + name;
}

const IssueReport* issue(const ValidationReport& report, RowIssue wanted) {
    for (const auto& found : report.issues)
        if (found.issue == wanted) return &found;
    return nullptr;
}

std::vector<std::int64_t> numbers(const ValidationReport& report, RowIssue wanted) {
    std::vector<std::int64_t> list;
    if (const auto* found = issue(report, wanted))
        for (const auto& row : found->rows)
            list.push_back(row.number);
    return list;
}

using Numbers = std::vector<std::int64_t>;

} // namespace

class TestDataSet : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;

    std::string write(const std::string& name, const std::string& content) {
        fs::path path = fs::path(folder_.path().toStdString()) / name;
        fs::create_directories(path.parent_path());
        fs::remove(path);
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    ValidationReport checked(const std::string& path, ValidationOptions options) {
        DataSet data(path);
        return validate(data, 0, options, {}, StopToken());
    }

private Q_SLOTS:
    void theHubsFourDataSetsAreKnown_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("task");
        QTest::addColumn<QString>("mapping");
        QTest::newRow("smol-smoltalk") << "smol-smoltalk"
                                       << "sft"
                                       << "messages=messages";
        QTest::newRow("ultrafeedback") << "ultrafeedback_binarized"
                                       << "preferences"
                                       << "chosen=chosen, prompt=prompt, rejected=rejected, "
                                          "score_chosen=score_chosen, score_rejected=score_rejected";
        QTest::newRow("cog_behav") << "cog_behav_all_strategies"
                                   << "sft"
                                   << "completion=completion, prompt=query";
        QTest::newRow("countdown") << "Countdown-Tasks-3to4"
                                   << "sft"
                                   << "nums=nums, target=target";
    }

    void theHubsFourDataSetsAreKnown() {
        QFETCH(QString, name);
        QFETCH(QString, task);
        QFETCH(QString, mapping);
        DataSet data(hub(name.toStdString()));
        QCOMPARE(data.format(), std::string("Parquet"));
        auto found = DataSet::detected(data.columns(0));
        QVERIFY(!found.empty());
        QCOMPARE(QString(name_of(found[0].task)), task);
        QCOMPARE(QString::fromStdString(found[0].mapping.text()), mapping);
    }

    void everyDataFieldTakesThem() {
        TrainingSetOptions sft;
        sft.data = hub("smol-smoltalk");
        sft.examples = 0;
        sft.model = source_dir() + "/resources/models/tiny";
        QCOMPARE(make_training_set(sft).train.size(), std::size_t{3}); // both shards of train
        sft.data += "#test";
        QCOMPARE(make_training_set(sft).train.size(), std::size_t{1});
        sft.data = hub("cog_behav_all_strategies");
        QVERIFY(make_training_set(sft).train[0].completion.starts_with("<think>"));
        sft.data = hub("Countdown-Tasks-3to4");
        QVERIFY(make_training_set(sft).train[0].completion.find("<answer>") != std::string::npos);
        PreferenceOptions pairs;
        pairs.data = hub("ultrafeedback_binarized");
        pairs.examples = 0;
        auto set = make_preference_set(pairs);
        QCOMPARE(set.train.size(), std::size_t{2});
        QVERIFY(set.train[0].conversational && set.train[0].prompt.size() == 1
                && *set.train[0].score_chosen > 8);
        PromptSetOptions prompts;
        prompts.data = pairs.data;
        QCOMPARE(make_prompt_set(prompts)[0].text, std::string("What is 2+2?"));
        ProblemOptions problems;
        problems.data = hub("Countdown-Tasks-3to4");
        QCOMPARE(countdown_problems(problems)[1], (CountdownProblem{{63, 95, 96}, 64}));
    }

    void shareGptAndGivenColumns() {
        TrainingSetOptions options;
        options.examples = 0;
        options.model = source_dir() + "/resources/models/tiny";
        options.data =
            write("sharegpt.json", R"([{"id":"1","conversations":[{"from":"system","value":"S"},)"
                                   R"({"from":"human","value":"Q"},{"from":"gpt","value":"A"}]}])");
        auto set = make_training_set(options);
        QVERIFY(set.train[0].prompt.find("S") != std::string::npos
                && set.train[0].completion.find("A") != std::string::npos);
        options.data = write("own.csv", "frage,antwort,prompt\nwarum?,darum,x\n");
        options.columns = "prompt=frage, completion=antwort";
        QCOMPARE(make_training_set(options).train[0].prompt, std::string("warum?"));
        QCOMPARE(make_training_set(options).train[0].completion, std::string("darum"));
        options.columns = "prompt=frag,completion=antwort";
        QVERIFY_THROWS_EXCEPTION(Error, make_training_set(options));
        options.columns = "promt=frage";
        QVERIFY_THROWS_EXCEPTION(Error, make_training_set(options));
        ProblemOptions problems;
        problems.data = write("pandas.csv", "target,nums\n98,\"[44, 19, 35]\"\n64,[63 95  96]\n");
        auto read = countdown_problems(problems);
        QCOMPARE(read[0], (CountdownProblem{{44, 19, 35}, 98}));
        QCOMPARE(read[1], (CountdownProblem{{63, 95, 96}, 64}));
        PreferenceOptions pairs;
        pairs.data = write("pairs.csv", "prompt,chosen,rejected,score_chosen,score_rejected\np,a,b,1.5,\n");
        pairs.examples = 0;
        auto row = make_preference_set(pairs).train[0];
        QVERIFY(row.score_chosen == 1.5 && !row.score_rejected);
    }

    void columnsOfAnyNameAreWrittenAndReadAgain() {
        const ColumnMapping odd{{{"prompt", "question, in short"},
                                 {"completion", "the \"best\", =answer"},
                                 {"input", " blank "},
                                 {"text", "a=b"}}};
        QCOMPARE(parse_columns(odd.text()), odd);
        QCOMPARE(parse_columns("prompt=\"a, b\",completion=c").column_of.at("prompt"), std::string("a, b"));
        QCOMPARE(parse_columns("prompt=\"a,completion=c").column_of.at("completion"), std::string("c"));
    }

    void alpacasInputStandsInThePrompt() {
        TrainingSetOptions options;
        options.examples = 0;
        options.data = write("alpaca.json", R"([{"instruction":"Sum up.","input":"1 2","output":"3"},)"
                                            R"({"instruction":"Greet.","input":"","output":"Hi"}])");
        auto train = make_training_set(options).train;
        auto with_completion = [&](const std::string& text) {
            return std::find_if(train.begin(), train.end(),
                                [&](const TextExample& example) { return example.completion == text; })
                ->prompt;
        };
        QCOMPARE(with_completion("3"), std::string("Sum up.\n\n1 2"));
        QCOMPARE(with_completion("Hi"), std::string("Greet."));
        PromptSetOptions prompts;
        prompts.data = options.data;
        QCOMPARE(make_prompt_set(prompts)[0].text, std::string("Sum up.\n\n1 2"));
        QCOMPARE(detect_columns(DataTask::sft, {"instruction", "input", "output"}).text(),
                 std::string("completion=output, input=input, prompt=instruction"));
        // Only beside an instruction, and only where nobody says otherwise.
        QVERIFY(!detect_columns(DataTask::sft, {"prompt", "input", "output"}).column_of.contains("input"));
        options.columns = "prompt=instruction";
        train = make_training_set(options).train;
        QCOMPARE(with_completion("3"), std::string("Sum up."));
        options.columns = "prompt=output,completion=instruction,input=input";
        train = make_training_set(options).train;
        QCOMPARE(with_completion("Sum up."), std::string("3\n\n1 2"));
        options.columns = "";
        options.data = write("list.json", R"([{"instruction":"a","input":[1],"output":"b"}])");
        QVERIFY_THROWS_EXCEPTION(Error, make_training_set(options));
    }

    void unusableRowsAreSkippedAndCounted() {
        TrainingSetOptions options;
        options.examples = 0;
        std::string rows;
        for (int i = 0; i < 10; ++i)
            rows += i % 5 ? "{\"prompt\":\"p" + std::to_string(i) + "\",\"completion\":\"c\"}\n"
                          : "{\"prompt\":\"p\"}\n";
        options.data = write("some.jsonl", rows + "not json\n");
        auto set = make_training_set(options);
        QCOMPARE(set.train.size(), std::size_t{8});
        QCOMPARE(set.skipped.count, std::int64_t{3});
        QVERIFY2(sentence_of(set.skipped)
                     .starts_with("3 of 11 rows were skipped: some.jsonl row 1 has no column \"completion\""),
                 sentence_of(set.skipped).c_str());
        write("half/train-0000-of-0002.jsonl", rows);
        options.data = fs::path(options.data).parent_path() / "half";
        QCOMPARE(make_training_set(options).skipped.notes.size(), std::size_t{1});
        options.data = fs::path(options.data).parent_path() / "some.jsonl";
        options.bad_rows = "refuse";
        QVERIFY_THROWS_EXCEPTION(Error, make_training_set(options));
        options.bad_rows = "skip";
        options.data = write("none.jsonl", "{\"a\":1}\n{\"a\":2}\n");
        try {
            make_training_set(options);
            QFAIL("accepted");
        } catch (const Error& error) {
            QVERIFY2(std::string(error.what()).starts_with("none.jsonl row 1 has no column"), error.what());
            QVERIFY2(std::string(error.what()).find("None of the 2 rows") != std::string::npos, error.what());
        }
    }

    void anyRowsOfAnyFormat() {
        std::string lines, table = "n,text\n", list = "[";
        for (int i = 0; i < 5000; ++i) {
            std::string n = std::to_string(i);
            lines += "{\"n\":" + n + "}\n" + (i % 7 ? "" : "\n");
            table += n + ",\"a\nb\"\n";
            list += (i ? ",{\"n\":" : "{\"n\":") + n + "}";
        }
        for (const auto& path :
             {write("n.jsonl", lines), write("n.csv", table), write("n.json", list + "]")}) {
            DataSet data(path);
            QVERIFY(!data.row_count(0));
            auto value = [](const JsonRow& row) {
                return row.value["n"].is_string() ? std::stoi(row.value["n"].get<std::string>())
                                                  : row.value["n"].get<int>();
            };
            QCOMPARE(value(data.rows(0, 4321, 5).at(4)), 4325);
            int reports = 0;
            auto count = data.count(
                0, [&](const DataProgress& progress) { reports += progress.done <= progress.total; },
                StopToken());
            QCOMPARE(count, std::optional<std::int64_t>(5000));
            QVERIFY(reports >= 2);
            QCOMPARE(data.row_count(0), std::optional<std::int64_t>(5000));
            for (std::int64_t row : {0, 1023, 1024, 4999})
                QCOMPARE(value(data.rows(0, row, 1).at(0)), static_cast<int>(row));
            QVERIFY(data.rows(0, 5000, 10).empty());
        }
        DataSet shards(hub("smol-smoltalk"));
        QCOMPARE(shards.row_count(0), std::optional<std::int64_t>(3));
        QCOMPARE(shards.rows(0, 1, 5).size(), std::size_t{2});
        QCOMPARE(shards.rows(0, 2, 5).at(0).source, std::string("train-00001-of-00002.parquet"));
        StopToken stopped;
        stopped.request(StopRequest::stop);
        DataSet data(write("again.jsonl", lines));
        QVERIFY(!data.count(0, {}, stopped));
    }

    void columnsHaveTypes() {
        DataSet data(
            write("types.jsonl",
                  R"({"a":"x","b":1,"c":1,"d":[],"e":null,"f":true,"g":[{"role":"user","content":"é"}],"h":1}
{"a":"y","b":2,"c":1.5,"d":[1],"e":null,"f":false,"g":[],"h":"1"}
)"));
        std::string text;
        for (const auto& column : data.columns(0))
            text += column.name + ":" + column.type + " ";
        QCOMPARE(text,
                 std::string("a:text b:whole number c:number d:numbers e:empty f:yes/no g:turns h:mixed "));
    }

    void validationFindsWhatIsWrong() {
        ValidationOptions options;
        options.train = write("train.jsonl", "{\"prompt\":\"seen\",\"completion\":\"other\"}\n");
        auto report = checked(write("rows.jsonl", R"({"prompt":"a","completion":"b"}
{"prompt":"a","completion":"b"}
{"prompt":"a","completion":"c"}
{"prompt":"seen","completion":"b"}
{"prompt":"x","completion":""}
{"prompt":3,"completion":"b"}
{"prompt":"only"}
{"messages":[{"role":"owl","content":"hu"}]}
not json
)"),
                              options);
        QCOMPARE(report.rows, std::int64_t{9});
        QCOMPARE(report.usable, std::int64_t{4});
        QVERIFY(report.whole);
        QCOMPARE(report.mapping.text(), std::string("completion=completion, prompt=prompt"));
        QCOMPARE(numbers(report, RowIssue::duplicate), Numbers{2});
        QCOMPARE(issue(report, RowIssue::duplicate)->rows[0].note, std::string("as row 1 of the split"));
        QCOMPARE(numbers(report, RowIssue::in_train), Numbers{4});
        QCOMPARE(numbers(report, RowIssue::empty), Numbers{5});
        QCOMPARE(numbers(report, RowIssue::wrong_type), Numbers{6});
        QCOMPARE(numbers(report, RowIssue::missing), Numbers{7});
        QCOMPARE(numbers(report, RowIssue::unknown_role), Numbers{8});
        QCOMPARE(numbers(report, RowIssue::unreadable), Numbers{9});
        QCOMPARE(report.lengths.unit, std::string("characters"));
        QCOMPARE(report.lengths.longest, std::int64_t{5});
        std::int64_t counted = 0;
        for (auto count : report.lengths.counts)
            counted += count;
        QCOMPARE(counted, report.usable);
        QCOMPARE(report.lengths.edges.size(), report.lengths.counts.size() + 1);
    }

    void pairsOfOneAnswerAndEmptyTurnsAreTold() {
        ValidationOptions options;
        options.task = DataTask::preferences;
        auto report = checked(write("same.jsonl", R"({"prompt":"p","chosen":"a","rejected":"a"}
{"prompt":"p","chosen":"a","rejected":"b"}
{"prompt":"p","chosen":[{"role":"assistant","content":"a"}],"rejected":[{"role":"assistant","content":""}]}
)"),
                              options);
        QCOMPARE(numbers(report, RowIssue::same_answers), Numbers{1});
        QCOMPARE(numbers(report, RowIssue::empty), Numbers{3});
        QCOMPARE(report.usable, std::int64_t{2});
        options.task = DataTask::sft;
        report =
            checked(write("turns.jsonl",
                          R"({"messages":[{"role":"user","content":"u"},{"role":"assistant","content":""}]}
{"prompt":[{"role":"user","content":"u"}],"completion":[{"role":"assistant","content":""}]}
{"messages":[{"role":"user","content":""},{"role":"assistant","content":"a"}]}
)"),
                    options);
        QCOMPARE(numbers(report, RowIssue::empty), (Numbers{1, 2}));
        QCOMPARE(report.usable, std::int64_t{1});
    }

    void lengthsAreTheTrainersTokens() {
        ValidationOptions options;
        options.model = source_dir() + "/resources/models/tiny";
        options.max_length = 6;
        const std::string path = write(
            "len.jsonl",
            "{\"prompt\":\"ab\",\"completion\":\"cd\"}\n{\"prompt\":\"abcd\",\"completion\":\"efg\"}\n");
        auto report = checked(path, options);
        QCOMPARE(report.lengths.unit, std::string("tokens"));
        QCOMPARE(report.lengths.shortest, std::int64_t{5}); // with the end-of-text token
        QCOMPARE(report.lengths.longest, std::int64_t{8});
        QCOMPARE(numbers(report, RowIssue::too_long), Numbers{2});
        TokenPreviewer previewer(options.model);
        auto shown = previewer.preview(DataSet(path).rows(0, 1, 1).at(0), DataTask::sft, "", 6);
        QCOMPARE(shown.size(), std::size_t{1});
        QCOMPARE(shown[0].tokens.size(), std::size_t{8});
        QVERIFY(!shown[0].tokens[3].learnt && shown[0].tokens[4].learnt && shown[0].tokens[4].text == "e");
        QVERIFY(!shown[0].tokens[5].cut && shown[0].tokens[6].cut);
    }

    void everyTaskIsValidated() {
        for (const auto& [name, task] :
             std::vector<std::pair<std::string, DataTask>>{{"smol-smoltalk", DataTask::sft},
                                                           {"ultrafeedback_binarized", DataTask::preferences},
                                                           {"ultrafeedback_binarized", DataTask::prompts},
                                                           {"Countdown-Tasks-3to4", DataTask::countdown},
                                                           {"Countdown-Tasks-3to4", DataTask::prompts},
                                                           {"cog_behav_all_strategies", DataTask::sft}}) {
            ValidationOptions options;
            options.task = task;
            auto report = checked(hub(name), options);
            QVERIFY2(report.rows > 0 && report.usable == report.rows, name.c_str());
        }
        ValidationOptions options;
        options.task = DataTask::countdown;
        options.train = hub("Countdown-Tasks-3to4");
        auto report = checked(
            write("cd.jsonl", "{\"nums\":[35,44,19],\"target\":98}\n{\"nums\":[1],\"target\":1}\n"), options);
        QCOMPARE(numbers(report, RowIssue::in_train), Numbers{1}); // in another order
        StopToken stopped;
        stopped.request(StopRequest::cancel);
        DataSet data(hub("Countdown-Tasks-3to4"));
        QVERIFY(!validate(data, 0, options, {}, stopped).whole);
    }
};

QTEST_APPLESS_MAIN(TestDataSet)
#include "tst_data_set.moc"
