#include "store_fixture.h"

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/store/export.h"
#include "mounted_disk.h"

#include <cmath>
#include <sstream>

using namespace tempera;
using namespace tempera::test;

class TestExport : public QObject {
    Q_OBJECT

private slots:
    void init() {
        folder_ = std::make_unique<QTemporaryDir>(fast_folder());
        RunWriter writer(path());
        std::vector<Metric> first{{"loss", 0.1}, {"odd, \"name\"", 1.0 / 3}},
            second{{"loss", NAN}, {"eval_loss", INFINITY}};
        writer.on_metrics(1, first);
        writer.on_metrics(20, second);
        std::vector<PromptRecord> prompts{{0, "Make 7.\n\"q\"", R"({"nums":[3,4],"target":7})"},
                                          {1, "p", "not json"}};
        writer.on_prompts(prompts);
        std::vector<Sample> samples{make_sample(0.3, 0, 0), make_sample(0.3, 1, 0, 1),
                                    make_sample(1.1, 0, 0)};
        samples[0].text = "bad \xff utf-8, \n new line";
        writer.on_samples(samples);
        std::vector<SweepCell> cells{{0.3, 1, 0.1 + 0.2, 0, 1, 1, 2}};
        std::vector<SweepRow> rows{{0.3, 0.4, 0.25, 0.9, 50.5, 0.05, 3, 20}};
        writer.on_sweep(cells, rows);
    }

    void metricsAsCsv() {
        QCOMPARE(text([](auto& run, auto& out) { write_metrics_csv(run, out); }),
                 std::string(
                     "step,loss,\"odd, \"\"name\"\"\",eval_loss\n1,0.1,0.3333333333333333,\n20,NaN,,inf\n"));
    }

    void sweepAsCsv() {
        QCOMPARE(text([](auto& run, auto& out) { write_sweep_cells_csv(run, out); }),
                 std::string("temperature,n,mean,low,high,problems_done,problems_total\n0.3,1,0."
                             "30000000000000004,0,1,1,2\n"));
        QCOMPARE(text([](auto& run, auto& out) { write_sweep_rows_csv(run, out); }),
                 std::string("temperature,score,pass_at_1,format_rate,mean_length,truncated_share,samples_"
                             "done,samples_total\n"
                             "0.3,0.4,0.25,0.9,50.5,0.05,3,20\n"));
    }

    void samplesAsJsonLines() {
        auto lines = text([](auto& run, auto& out) { write_samples_jsonl(run, out); });
        std::istringstream stream(lines);
        std::vector<Json> parsed;
        for (std::string line; std::getline(stream, line);)
            parsed.push_back(parse_json(line, "line"));
        QCOMPARE(parsed.size(), 3u);
        QCOMPARE(parsed[0]["text"].get<std::string>(), std::string("bad \xef\xbf\xbd utf-8, \n new line"));
        QCOMPARE(parsed[0]["facts"]["target"].get<int>(), 7);
        QCOMPARE(parsed[1]["facts"].get<std::string>(), std::string("not json"));
        Sample expected = make_sample(0.3, 1, 0, 1);
        QCOMPARE(parsed[1]["token_ids"].get<std::vector<std::int32_t>>(), expected.token_ids);
        QCOMPARE(parsed[1]["logprobs"].get<std::vector<float>>(),
                 expected.logprobs); // float to text and back, bit-equal
        QCOMPARE(parsed[2]["temperature"].get<double>(), 1.1);
        auto hot = text([](auto& run, auto& out) { write_samples_jsonl(run, out, 1.1); });
        QCOMPARE(std::count(hot.begin(), hot.end(), '\n'), 1);
    }

    void anEmptyRunExportsItsHeads() {
        RunReader run(path() / "nowhere");
        std::ostringstream out;
        write_metrics_csv(run, out);
        write_samples_jsonl(run, out);
        QCOMPARE(out.str(), std::string("step\n"));
    }

    void aFileIsReplacedAsAWholeOrStays() {
        fs::path file = path() / "metrics.csv";
        export_file(file, [](std::ostream& out) { out << "old"; });
        auto error = error_of([&] {
            export_file(file, [](std::ostream& out) {
                out << "half";
                fail(ErrorKind::bad_input, "damaged");
            });
        });
        QVERIFY(error && error->kind() == ErrorKind::bad_input);
        QCOMPARE(read_file(file, 100), std::string("old"));
        QVERIFY(error_of([&] { export_file(path() / "no/such/folder.csv", [](std::ostream&) {}); }));
        MountedDisk disk("64k");
        REQUIRE_DISK(disk);
        error = error_of([&] {
            export_file(disk.path() / "big", [](std::ostream& out) { out << std::string(1 << 20, 'x'); });
        });
        QVERIFY(error);
        QCOMPARE(error->kind(), ErrorKind::disk_full);
        QVERIFY(fs::is_empty(disk.path()));
    }

private:
    fs::path path() const { return folder_->path().toStdString(); }
    template <typename Write>
    std::string text(Write write) const {
        std::ostringstream out;
        RunReader run(path());
        write(run, out);
        return out.str();
    }
    std::unique_ptr<QTemporaryDir> folder_;
};

QTEST_GUILESS_MAIN(TestExport)
#include "tst_export.moc"
