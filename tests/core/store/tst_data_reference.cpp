#include "store_fixture.h"

#include "core/base/files.h"
#include "core/store/data_reference.h"

using namespace tempera;
using namespace tempera::test;

class TestDataReference : public QObject {
    Q_OBJECT

private slots:
    void init() {
        folder_ = std::make_unique<QTemporaryDir>(fast_folder());
        workspace_ = std::make_unique<Workspace>(fs::path(folder_->path().toStdString()),
                                                 Workspace::Access::read_write);
        auto study = workspace_->add_study({"", "s", "{}", 0});
        RunRecord record;
        record.id = "pairs-abc";
        record.kind = record.stage = "pairs";
        record.study = study.id;
        record.recipe = "{}";
        workspace_->add_run(record);
        scope_ = {workspace_.get(), study.id};
        artifacts_ = workspace_->run_folder("pairs-abc") / "artifacts";
    }

    void pathsAndGeneratorsStayAsTheyAre() {
        for (const char* text : {"countdown", "/a/b.jsonl", ""}) {
            QCOMPARE(resolve_data(text, {}), fs::path(text));
            QVERIFY(!referred_data_run(text, {}));
        }
    }

    void runsAndStagesLeadToTheirFiles() {
        leave("other.jsonl");
        QCOMPARE(resolve_data("@pairs", scope_), artifacts_ / "other.jsonl"); // the only one
        leave("best.jsonl");
        leave("pairs.jsonl");
        leave("base.json");
        for (const char* reference : {"@pairs", "run:pairs-abc", "run:pairs", "@pairs/pairs.jsonl"})
            QCOMPARE(resolve_data(reference, scope_), artifacts_ / "pairs.jsonl");
        QCOMPARE(resolve_data("@pairs/best.jsonl", scope_), artifacts_ / "best.jsonl");
        QCOMPARE(resolve_data("run:pairs-abc/best.jsonl", scope_), artifacts_ / "best.jsonl");
        QCOMPARE(referred_data_run("@pairs/best.jsonl", scope_)->id, std::string("pairs-abc"));
        leave("synthetic.jsonl"); // beside the rejected ones
        leave("rejected.jsonl");
        QCOMPARE(resolve_data("@pairs", scope_), artifacts_ / "synthetic.jsonl");
        leave("_prompts.jsonl"); // the run's own
        QCOMPARE(left_data(workspace_->run_folder("pairs-abc")),
                 (std::vector<fs::path>{artifacts_ / "synthetic.jsonl", artifacts_ / "best.jsonl",
                                        artifacts_ / "other.jsonl", artifacts_ / "pairs.jsonl",
                                        artifacts_ / "rejected.jsonl"}));
        QVERIFY(left_data(workspace_->run_folder("nobody")).empty());
    }

    void whatIsNotThereIsNamed_data() {
        QTest::addColumn<QString>("reference");
        QTest::addColumn<QString>("part");
        QTest::newRow("file") << "@pairs/bets.jsonl"
                              << "Did you mean \"best.jsonl\"?";
        QTest::newRow("no data") << "@pairs/base.json"
                                 << "there are: best.jsonl, pairs.jsonl";
        QTest::newRow("outside") << "@pairs/../run.jsonl"
                                 << "no data reference";
        QTest::newRow("no name") << "@pairs/"
                                 << "no data reference";
        QTest::newRow("stage") << "@pars"
                               << "Did you mean \"pairs\"?";
        QTest::newRow("run") << "run:nope/best.jsonl"
                             << "\"nope\"";
    }

    void whatIsNotThereIsNamed() {
        QFETCH(QString, reference);
        QFETCH(QString, part);
        leave("best.jsonl");
        leave("pairs.jsonl");
        auto error = error_of([&] { resolve_data(reference.toStdString(), scope_); });
        QVERIFY(error);
        QVERIFY2(QString(error->what()).contains(part), error->what());
    }

    void aRunThatLeftNothingIsNamed() {
        auto error = error_of([&] { resolve_data("@pairs", scope_); });
        QVERIFY(error && error->kind() == ErrorKind::not_found);
        QVERIFY(std::string(error->what()).find("left no data") != std::string::npos);
    }

private:
    void leave(const char* name) {
        fs::create_directories(artifacts_);
        write_file_atomic(artifacts_ / name, "{}\n");
    }
    std::unique_ptr<QTemporaryDir> folder_;
    std::unique_ptr<Workspace> workspace_;
    ModelScope scope_;
    fs::path artifacts_;
};

QTEST_GUILESS_MAIN(TestDataReference)
#include "tst_data_reference.moc"
