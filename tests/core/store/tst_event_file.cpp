#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/random.h"
#include "core/store/event_file.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <fstream>
#include <sstream>

using namespace tempera;

class TestEventFile : public QObject {
    Q_OBJECT
private:
    QTemporaryDir folder_;

    std::string golden() const {
        return source_dir() + "/tests/golden/events/run/events.out.tfevents.1700000000.host.1.0";
    }
    std::string write(const std::string& content) {
        std::string path = folder_.filePath("events.out.tfevents.1").toStdString();
        std::filesystem::remove(path);
        std::ofstream(path, std::ios::binary) << content;
        return path;
    }
    struct Outcome {
        std::vector<EventScalar> scalars;
        bool cut = false;
        std::string error;
    };
    static Outcome read(const std::string& path) {
        Outcome outcome;
        try {
            outcome.cut =
                read_event_file(path, [&](const EventScalar& scalar) { outcome.scalars.push_back(scalar); });
        } catch (const Error& error) {
            outcome.error = error.what();
        }
        return outcome;
    }

private Q_SLOTS:
    void scalarsOfBothForms() {
        auto outcome = read(golden());
        QCOMPARE(outcome.error, std::string());
        QVERIFY(!outcome.cut);
        std::string text;
        for (const auto& scalar : outcome.scalars) {
            QCOMPARE(scalar.wall_time, 1700000000.0 + static_cast<double>(scalar.step));
            std::ostringstream line;
            line << scalar.tag << ' ' << scalar.step << ' ' << scalar.value << '\n';
            text += line.str();
        }
        QCOMPARE(text, std::string("train/loss 1 2\neval/loss 1 1\ntrain/loss 2 1\neval/loss 2 0.5\n"
                                   "train/loss 3 0.666667\neval/loss 3 0.333333\ntrain/loss 4 0.5\n"
                                   "train/loss 5 0.25\ntrain/reward 6 -1.5\ntrain/reward 7 2.25\n"
                                   "train/loss 10 nan\n"));
    }

    void whatIsWrittenIsReadBack() {
        std::ostringstream out;
        EventWriter writer(out, 1.7e9);
        std::vector<EventScalar> scalars = {{"train/loss", 0, 1.7e9, 0.5},
                                            {"eval/loss", 300, 1.7e9 + 1, -1e30},
                                            {"train/é", std::int64_t{1} << 40, 1.7e9 + 2, INFINITY}};
        for (const auto& scalar : scalars)
            writer.scalar(scalar);
        auto outcome = read(write(out.str()));
        QCOMPARE(outcome.scalars.size(), scalars.size());
        for (std::size_t i = 0; i < scalars.size(); ++i) {
            QCOMPARE(outcome.scalars[i].tag, scalars[i].tag);
            QCOMPARE(outcome.scalars[i].step, scalars[i].step);
            QCOMPARE(outcome.scalars[i].wall_time, scalars[i].wall_time);
            QCOMPARE(static_cast<float>(outcome.scalars[i].value), static_cast<float>(scalars[i].value));
        }
    }

    void namesGoBothWays() {
        for (const char* metric : {"loss", "eval_loss", "rewards/chosen", "eval_rewards/margins"})
            QCOMPARE(metric_of_tag(tag_of_metric(metric)), std::string(metric));
        QCOMPARE(metric_of_tag("other/thing"), std::string("other/thing"));
        QCOMPARE(tag_of_metric("eval_loss"), std::string("eval/loss"));
    }

    void aRecordThatWasCutOffEndsTheFile() {
        const std::string whole = read_file(golden(), 1 << 20);
        auto outcome = read(write(whole.substr(0, whole.size() - 3)));
        QVERIFY(outcome.cut && outcome.error.empty());
        QCOMPARE(outcome.scalars.size(), std::size_t{10});
        QVERIFY(read(write("")).error.empty());
    }

    void brokenRecordsAreNamed() {
        std::string content = read_file(golden(), 1 << 20);
        QVERIFY(read(write("{\"a\": 1, \"b\": 2}\n"))
                    .error.find("record 1 has a wrong checksum: this is no TensorBoard")
                != std::string::npos);
        content[60] ^= 1; // in the second record's data
        QVERIFY2(read(write(content)).error.find("record 2 has a wrong checksum") != std::string::npos,
                 read(write(content)).error.c_str());
        QVERIFY(read("/nowhere/tfevents").error.starts_with("There is no file"));
    }

    /// Any bytes behind right checksums: scalars or one sentence.
    void fuzz() {
        RandomStream random(5);
        const std::string good = read_file(golden(), 1 << 20);
        int refused = 0;
        for (int i = 0; i < 1000; ++i) {
            std::string content = good;
            for (int k = random.between(1, 4); k > 0; --k)
                content[random.below(static_cast<std::uint32_t>(content.size()))] =
                    static_cast<char>(random.below(256));
            refused += !read(write(content)).error.empty();
        }
        QVERIFY(refused > 800);
    }
};

QTEST_APPLESS_MAIN(TestEventFile)
#include "tst_event_file.moc"
