#include "store_fixture.h"

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/store/export.h"
#include "mounted_disk.h"

#include <cmath>
#include <sstream>

using namespace tempera;
using namespace tempera::test;

namespace {

void write_samples(const RunReader& run, std::ostream& out, std::optional<double> temperature = {}) {
    write_table(out, TableFormat::jsonl, sample_columns(),
                [&](const auto& receive) { for_each_sample_row(run, temperature, receive); });
}

} // namespace

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
        auto parsed = this->parsed(text([](auto& run, auto& out) { write_samples(run, out); }));
        QCOMPARE(parsed.size(), 3u);
        QCOMPARE(parsed[0]["sample_index"].get<int>(), 0);
        QCOMPARE(parsed[0]["text"].get<std::string>(), std::string("bad \xef\xbf\xbd utf-8, \n new line"));
        QCOMPARE(parsed[0]["facts"]["target"].get<int>(), 7);
        QCOMPARE(parsed[1]["facts"].get<std::string>(), std::string("not json"));
        Sample expected = make_sample(0.3, 1, 0, 1);
        QCOMPARE(parsed[1]["token_ids"].get<std::vector<std::int32_t>>(), expected.token_ids);
        QCOMPARE(parsed[1]["logprobs"].get<std::vector<float>>(),
                 expected.logprobs); // float to text and back, bit-equal
        QCOMPARE(parsed[2]["temperature"].get<double>(), 1.1);
        auto hot = text([](auto& run, auto& out) { write_samples(run, out, 1.1); });
        QCOMPARE(std::count(hot.begin(), hot.end(), '\n'), 1);
    }

    void rolloutsAndComparisonsAsJsonLines() {
        {
            RunWriter writer(path());
            std::vector<RolloutGroup> groups{make_rollout(4, 0, 3), make_rollout(4, 1, 1)};
            std::vector<Comparison> comparisons{make_comparison(0, 1, 2), make_comparison(1, NAN, 0.5)};
            comparisons[1].facts = "";
            writer.on_rollouts(groups);
            writer.on_comparisons(comparisons);
        }
        auto rows = parsed(text([](auto& run, auto& out) { write_rollouts_jsonl(run, out); }));
        QCOMPARE(rows.size(), 4u);
        QCOMPARE(rows[2]["step"].get<int>(), 4);
        QCOMPARE(rows[2]["group"].get<int>(), 0);
        QCOMPARE(rows[2]["sample_index"].get<int>(), 2);
        QCOMPARE(rows[2]["prompt"].get<std::string>(), std::string("prompt 0"));
        QCOMPARE(rows[2]["facts"]["target"].get<int>(), 7);
        QCOMPARE(rows[2]["rewards"]["verifier"].get<double>(), 2.0);
        QVERIFY(rows[2]["rewards"]["judge"].is_null());
        QCOMPARE(rows[2]["advantage"].get<double>(), 2 - 1.0 / 3);
        QCOMPARE(rows[2]["ref_logprobs"].get<std::vector<float>>(), make_rollout_sample(2, 2).ref_logprobs);
        rows = parsed(text([](auto& run, auto& out) { write_comparisons_jsonl(run, out); }));
        QCOMPARE(rows.size(), 2u);
        QCOMPARE(rows[0]["base"]["score"].get<double>(), 1.0);
        QCOMPARE(rows[0]["tuned"]["finish"].get<std::string>(), std::string("length"));
        QCOMPARE(rows[0]["base"]["token_ids"].get<std::vector<int>>(), (std::vector<int>{5, 70000, 2}));
        QCOMPARE(rows[0]["base"]["logprobs"].size(), std::size_t{3});
        QCOMPARE(rows[0]["facts"]["bullets"].get<int>(), 3);
        QVERIFY(rows[1]["base"]["score"].is_null() && rows[1]["facts"].is_null());
    }

    void anEmptyRunExportsItsHeads() {
        RunReader run(path() / "nowhere");
        std::ostringstream out;
        write_metrics_csv(run, out);
        write_samples(run, out);
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
        StopToken stop;
        error = error_of([&] {
            export_file(
                file,
                [&](std::ostream& out) {
                    out << "half";
                    stop.request(StopRequest::cancel);
                    out << std::string(1 << 20, 'x');
                },
                stop);
        });
        QVERIFY(error && error->kind() == ErrorKind::stopped);
        QCOMPARE(read_file(file, 100), std::string("old"));
        for (const auto& entry : fs::directory_iterator(path()))
            QVERIFY2(entry.path().string().find(".tmp-") == std::string::npos, entry.path().c_str());
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
    static std::vector<Json> parsed(const std::string& lines) {
        std::istringstream stream(lines);
        std::vector<Json> rows;
        for (std::string line; std::getline(stream, line);)
            rows.push_back(parse_json(line, "line"));
        return rows;
    }
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
