#include "core/data/preferences.h"
#include "core/data/row_file.h"
#include "core/data/training_set.h"
#include "core/store/answer_sets.h"
#include "core/store/event_file.h"
#include "core/store/export.h"
#include "core/store/run_import.h"
#include "tests/core/store/store_fixture.h"
#include "tests/support/paths.h"

#include <fstream>
#include <sstream>

using namespace tempera;
using namespace tempera::test;

class TestRunImport : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_{fast_folder()};

    fs::path golden(const char* name) const { return fs::path(source_dir()) / "tests/golden/events" / name; }
    fs::path path(const char* name) const { return fs::path(folder_.path().toStdString()) / name; }

private Q_SLOTS:
    void tensorboardBecomesAFinishedRun() {
        Workspace store(path("tensorboard"), Workspace::Access::read_write);
        auto reports = import_tensorboard(store, golden("run"));
        QCOMPARE(reports.size(), std::size_t{1});
        QCOMPARE(reports[0].metrics, std::int64_t{3});
        auto run = store.require_run(reports[0].run.id);
        QCOMPARE(run.status, RunStatus::finished);
        QCOMPARE(run.kind, std::string(imported_kind));
        QCOMPARE(run.name, std::string("run"));
        QCOMPARE(run.started_ms, std::int64_t{1700000001000});
        QCOMPARE(run.ended_ms, std::int64_t{1700000010000});
        RunReader reader(store.run_folder(run.id));
        QCOMPARE(reader.metric_names(), (std::vector<std::string>{"eval_loss", "loss", "reward"}));
        auto loss = reader.metric("loss");
        QCOMPARE(loss.size(), std::size_t{6});
        QCOMPARE(loss[4].value, 0.25);
        QVERIFY(std::isnan(loss[5].value));
        QCOMPARE(reader.metric("reward").at(1).value, 2.25);
    }

    void everyFolderIsARun() {
        Workspace store(path("folders"), Workspace::Access::read_write);
        auto reports = import_tensorboard(store, golden("runs"));
        QCOMPARE(reports.size(), std::size_t{2});
        QCOMPARE(reports[0].run.name, std::string("a"));
        QCOMPARE(reports[1].run.name, std::string("b"));
        for (const auto& report : reports) // b's second file goes on where the first ends
            QCOMPARE(RunReader(store.run_folder(report.run.id)).metric("loss").size(), std::size_t{3});
        QCOMPARE(import_tensorboard(store, golden("runs"), "old")[1].run.name, std::string("old/b"));
    }

    void trlsCompletionsBecomeRollouts() {
        Workspace store(path("trl"), Workspace::Access::read_write);
        auto report = import_completions(store, golden("trl"));
        QCOMPARE(report.completions, std::int64_t{8});
        QCOMPARE(report.run.name, std::string("trl"));
        RunReader reader(store.run_folder(report.run.id));
        QCOMPARE(reader.rollout_steps(), (std::vector<std::int64_t>{1, 10}));
        auto groups = reader.rollouts(10);
        QCOMPARE(groups.size(), std::size_t{2});
        QCOMPARE(groups[1].prompt, std::string("3+3="));
        QCOMPARE(groups[1].samples[0].text, std::string(" 10"));
        QVERIFY(std::isnan(groups[1].samples[0].rewards.at("accuracy")));
        QCOMPARE(groups[0].samples[0].reward, 1.1);
        QCOMPARE(groups[0].samples[1].advantage, -1.0);
        QCOMPARE(groups[0].samples[0].baseline, 0.1);
        auto reward = reader.metric("rewards/accuracy/mean");
        QCOMPARE(reward.size(), std::size_t{2});
        QVERIFY(std::abs(reward[0].value - 2.0 / 3) < 1e-12);
        auto chat =
            import_completions(store, golden("trl-chat/completions/completions_00005.parquet"), "chat");
        RunReader talk(store.run_folder(chat.run.id));
        QCOMPARE(talk.rollouts(5).at(0).prompt, std::string("Hi"));
        QCOMPARE(talk.rollouts(5).at(0).samples.at(0).text, std::string("Hello"));
    }

    /// A completion that no reward applies to has no score: it never wins against a negative one.
    void whatHasNoRewardIsNotScoredAsZero() {
        Workspace store(path("unscored"), Workspace::Access::read_write);
        std::ofstream(path("unscored.jsonl"))
            << "{\"step\":1,\"prompt\":\"p\",\"completion\":\"bad\",\"r\":-4,\"s\":-1}\n"
               "{\"step\":1,\"prompt\":\"p\",\"completion\":\"none\",\"r\":null,\"s\":null}\n"
               "{\"step\":1,\"prompt\":\"p\",\"completion\":\"good\",\"r\":-2,\"s\":null}\n"
               "{\"step\":1,\"prompt\":\"q\",\"completion\":\"none\",\"r\":null,\"s\":null}\n";
        std::ofstream(path("unscored.csv")) << "step,prompt,completion,r,s\n1,p,bad,-4,-1\n1,p,none,nan,\n"
                                               "1,p,good,-2,\n1,q,none,inf,1\n";
        for (const char* name : {"unscored.jsonl", "unscored.csv"}) {
            auto report = import_completions(store, path(name));
            const fs::path folder = store.run_folder(report.run.id);
            RunReader reader(folder);
            const auto groups = reader.rollouts(1);
            QCOMPARE(groups.at(0).samples.at(0).reward, -5.0);
            QVERIFY(std::isnan(groups.at(0).samples.at(1).reward));
            QCOMPARE(groups.at(0).samples.at(0).baseline, -2.0);
            QCOMPARE(groups.at(0).samples.at(1).baseline, -3.5);
            QCOMPARE(reader.metric("reward").at(0).value, -3.5);
            QCOMPARE(report.run.headline.at("reward"), -3.5);
            std::vector<Json> pairs, best;
            for_each_preference(folder, reader, {}, [&](const Json& row) { pairs.push_back(row); });
            for_each_best(folder, reader, {}, [&](const Json& row) { best.push_back(row); });
            QCOMPARE(pairs.size(), std::size_t{1});
            QCOMPARE(pairs[0]["chosen"].get<std::string>(), std::string("good"));
            QCOMPARE(pairs[0]["rejected"].get<std::string>(), std::string("bad"));
            QCOMPARE(best.size(), std::size_t{1});
            QCOMPARE(best[0]["completion"].get<std::string>(), std::string("good"));
        }
    }

    void nothingIsLeftOfAFailedImport() {
        Workspace store(path("failed"), Workspace::Access::read_write);
        std::ofstream(path("events.out.tfevents.9")) << "this is no event file";
        QCOMPARE(error_of([&] { import_tensorboard(store, path("events.out.tfevents.9")); })->kind(),
                 ErrorKind::bad_input);
        std::ofstream(path("other.jsonl")) << "{\"a\":1}\n";
        auto error = error_of([&] { import_completions(store, path("other.jsonl")); });
        QVERIFY2(std::string(error->what()).find("row 1 has no column \"prompt\"") != std::string::npos,
                 error->what());
        QCOMPARE(error_of([&] { import_tensorboard(store, golden("trl")); })->kind(), ErrorKind::not_found);
        const fs::path half = path("half"); // the second folder's file is broken
        fs::create_directories(half / "a");
        fs::create_directories(half / "b");
        fs::copy(golden("runs/a"), half / "a");
        std::ofstream(half / "b/events.out.tfevents.9") << "this is no event file";
        QCOMPARE(error_of([&] { import_tensorboard(store, half); })->kind(), ErrorKind::bad_input);
        StopToken stop;
        stop.request(StopRequest::cancel);
        QCOMPARE(error_of([&] { import_tensorboard(store, golden("runs"), "", stop); })->kind(),
                 ErrorKind::stopped);
        QCOMPARE(error_of([&] { import_completions(store, golden("trl"), "", stop); })->kind(),
                 ErrorKind::stopped);
        fs::create_directories(path("nothing"));
        error = error_of([&] { import_completions(store, path("nothing")); });
        QVERIFY2(std::string(error->what()).find("completions_*.parquet") != std::string::npos,
                 error->what());
        QVERIFY(store.runs().empty());
    }

    /// "loss" and "train/loss" would be one metric, of which the last value would count.
    void tagsThatWouldShareANameKeepTheirs() {
        Workspace store(path("tags"), Workspace::Access::read_write);
        std::ofstream file(path("tags.tfevents.1"), std::ios::binary);
        EventWriter writer(file, 1.7e9);
        for (const auto& [tag, value] : std::map<std::string, double>{
                 {"loss", 1}, {"train/loss", 2}, {"eval_loss", 3}, {"eval/loss", 4}, {"train/lr", 5}})
            for (std::int64_t step : {-1, 7})
                writer.scalar({tag, step, 1.7e9, value});
        file.close();
        auto report = import_tensorboard(store, path("tags.tfevents.1")).at(0);
        QCOMPARE(report.metrics, std::int64_t{5});
        QCOMPARE(report.points, std::int64_t{5});
        RunReader reader(store.run_folder(report.run.id));
        for (const auto& [name, value] : std::map<std::string, double>{
                 {"loss", 1}, {"train/loss", 2}, {"eval_loss", 3}, {"eval/loss", 4}, {"lr", 5}}) {
            QCOMPARE(reader.metric(name).size(), std::size_t{1});
            QCOMPARE(reader.metric(name)[0].value, value);
        }
        QCOMPARE(report.run.headline.at("eval_loss"), 3.0);
        auto says = [&](const char* part) {
            return std::any_of(report.notes.begin(), report.notes.end(),
                               [&](auto& note) { return note.find(part) != std::string::npos; });
        };
        QVERIFY(says("The tag train/loss keeps its name") && says("5 values of steps below 0 are left out."));
    }

    void metricsGoToTensorboardAndBack() {
        Workspace store(path("round"), Workspace::Access::read_write);
        auto first = import_tensorboard(store, golden("runs/a"))[0].run;
        const fs::path file = path("round.tfevents.1");
        export_file(file, [&](std::ostream& out) {
            write_metrics_events(RunReader(store.run_folder(first.id)), out, 1.7e9);
        });
        auto second = import_tensorboard(store, file, "back")[0].run;
        RunReader a(store.run_folder(first.id)), b(store.run_folder(second.id));
        QCOMPARE(a.metric_names(), b.metric_names());
        for (const auto& name : a.metric_names()) {
            auto before = a.metric(name), after = b.metric(name);
            QCOMPARE(before.size(), after.size());
            for (std::size_t i = 0; i < before.size(); ++i)
                QVERIFY(before[i].step == after[i].step && before[i].value == after[i].value);
        }
    }

    void samplesAndDataSetsAreTables() {
        const fs::path run = path("sweep-run");
        fs::create_directories(run);
        {
            RunWriter writer(run);
            std::vector<PromptRecord> prompts = {{0, "p, \"0\"", R"({"nums":[1,2],"target":3})"},
                                                 {1, "p1", ""}};
            writer.on_prompts(prompts);
            std::vector<Sample> samples;
            for (double temperature : {0.5, 1.0})
                for (int prompt = 0; prompt < 2; ++prompt)
                    for (int i = 0; i < 3; ++i)
                        samples.push_back(
                            make_sample(temperature, prompt, i, prompt == 0 && i == 2 ? 1.0 : 0.1));
            writer.on_samples(samples);
            writer.flush();
        }
        RunReader reader(run);
        for (const char* name : {"s.parquet", "s.jsonl", "s.csv"}) {
            export_file(path(name), [&](std::ostream& out) {
                write_table(out, *table_format_of(name), sample_columns(),
                            [&](const auto& receive) { for_each_sample_row(reader, 0.5, receive); });
            });
            RowFile rows(path(name));
            int count = 0;
            for (auto row = rows.next(); row; row = rows.next(), ++count) {
                QVERIFY(row->problem.empty());
                QCOMPARE(row->value["finish"].get<std::string>(), std::string("eos"));
                if (count == 0) QCOMPARE(row->value["prompt"].get<std::string>(), std::string("p, \"0\""));
            }
            QCOMPARE(count, 6);
        }
        auto first = RowFile(path("s.parquet")).next()->value;
        QCOMPARE(first["facts"].get<std::string>(), std::string(R"({"nums":[1,2],"target":3})"));
        QCOMPARE(first["token_ids"].size(), std::size_t{64});
        std::vector<Json> pairs, best;
        QCOMPARE(for_each_preference(run, reader, {}, [&](const Json& row) { pairs.push_back(row); }),
                 std::int64_t{1});
        QCOMPARE(pairs[0]["score_chosen"].get<double>(), 1.0);
        QVERIFY(pairs[0]["chosen"].get<std::string>().find("try 2") != std::string::npos);
        QCOMPARE(for_each_preference(run, reader, {0.5, 2}, [](const Json&) {}),
                 std::int64_t{0}); // the first two are equal
        QCOMPARE(for_each_best(run, reader, {}, [&](const Json& row) { best.push_back(row); }),
                 std::int64_t{2});
        // What is exported is what trainers read.
        for (const char* name : {"pairs.parquet", "pairs.csv"})
            export_file(path(name), [&](std::ostream& out) {
                write_table(out, *table_format_of(name), columns_like(pairs[0]),
                            [&](const auto& receive) { for_each_preference(run, reader, {}, receive); });
            });
        PreferenceOptions options;
        options.examples = 0;
        for (const char* name : {"pairs.parquet", "pairs.csv"}) {
            options.data = path(name);
            auto set = make_preference_set(options);
            QCOMPARE(set.train.size(), std::size_t{1});
            QCOMPARE(set.train[0].prompt[0].content, std::string("p, \"0\""));
            QCOMPARE(*set.train[0].score_rejected, 0.1);
        }
    }

    /// The sets of a run of pairs are those of its recipe; what they leave out is still in the samples.
    void otherSetsThanTheRunsOwnComeFromItsSamples() {
        const fs::path run = path("pairs-run");
        fs::create_directories(run / "artifacts");
        {
            RunWriter writer(run);
            std::vector<PromptRecord> prompts = {{0, "<user>p0", ""}, {1, "<user>p1", ""}};
            writer.on_prompts(prompts);
            std::vector<Sample> samples;
            for (int prompt = 0; prompt < 2; ++prompt)
                for (int i = 0; i < 3; ++i)
                    samples.push_back(make_sample(1.0, prompt, i, i - 9.0 - prompt));
            samples[1].finish = "length"; // equal to the next one, which is whole
            samples[2].score = samples[1].score;
            writer.on_samples(samples);
            writer.flush();
        }
        std::ofstream(run / "artifacts/best.jsonl").flush();
        std::ofstream(run / "artifacts/pairs.jsonl")
            << "{\"prompt\":\"own\",\"chosen\":\"c\",\"rejected\":\"r\"}\n";
        RunReader reader(run);
        auto best = [&](const AnswerSetOptions& options) {
            std::vector<Json> rows;
            for_each_best(run, reader, options, [&](const Json& row) { rows.push_back(row); });
            return rows;
        };
        auto pairs = [&](const AnswerSetOptions& options) {
            std::vector<Json> rows;
            for_each_preference(run, reader, options, [&](const Json& row) { rows.push_back(row); });
            return rows;
        };
        QCOMPARE(best({}).size(), std::size_t{2}); // best.jsonl is empty: no answer reached min_score
        QCOMPARE(best({})[0]["prompt"].get<std::string>(), std::string("<user>p0"));
        QVERIFY(best({})[0]["completion"].get<std::string>().find("try 2") != std::string::npos);
        QCOMPARE(best({})[1]["score"].get<double>(), -8.0);
        QCOMPARE(best({{}, 0, -8.0}).size(), std::size_t{2});
        QCOMPARE(best({{}, 1, -9.5}).size(), std::size_t{1});
        QCOMPARE(pairs({}).size(), std::size_t{1});
        QCOMPARE(pairs({})[0]["prompt"].get<std::string>(), std::string("own"));
        QCOMPARE(pairs({{}, 2}).size(), std::size_t{2});
        QCOMPARE(pairs({{}, 2})[1]["score_chosen"].get<double>(), -9.0);
        std::ofstream(run / "artifacts/_prompts.jsonl")
            << "{\"prompt\":[{\"role\":\"user\",\"content\":\"p0\"}]}\n"
               "{\"prompt\":[{\"role\":\"user\",\"content\":\"p1\"}]}\n";
        QCOMPARE(best({})[1]["prompt"][0]["content"].get<std::string>(), std::string("p1"));
        QCOMPARE(best({})[1]["completion"][0]["role"].get<std::string>(), std::string("assistant"));
    }
};

QTEST_APPLESS_MAIN(TestRunImport)
#include "tst_run_import.moc"
