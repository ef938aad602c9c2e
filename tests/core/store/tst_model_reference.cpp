#include "store_fixture.h"

#include "core/base/files.h"
#include "core/base/resources.h"
#include "core/recipe/catalogue.h"
#include "core/store/model_reference.h"

#include <cstdlib>

using namespace tempera;
using namespace tempera::test;

class TestModelReference : public QObject {
    Q_OBJECT

private slots:
    void init() {
        folder_ = std::make_unique<QTemporaryDir>(fast_folder());
        workspace_ = std::make_unique<Workspace>(path() / "workspace", Workspace::Access::read_write);
        qputenv("TEMPERA_CACHE", QByteArray::fromStdString((path() / "cache").string()));
    }
    void cleanup() { qunsetenv("TEMPERA_CACHE"); }

    void theShippedBaseIsFoundByName() {
        if (!fs::exists(resource_folder() / "models/tiny/config.json"))
            QSKIP("the tiny base is not there yet");
        QCOMPARE(resolve_model("tiny", {}), resource_folder() / "models/tiny");
        check_model_reference("tiny", {});
    }

    void aPackageModelIsCheckedWithoutFetchingIt() {
        for (const char* name : {"smollm2-135m-instruct", "minilm-l6"})
            check_model_reference(name, {});
        QVERIFY(!fs::exists(path() / "cache"));
    }

    void aPathIsAFolderThatHoldsAModel() {
        make_model(path() / "model", "config.json");
        make_model(path() / "adapter", "adapter_config.json");
        QCOMPARE(resolve_model((path() / "x/../model").string(), {}), path() / "model");
        QCOMPARE(resolve_model((path() / "adapter").string(), {}), path() / "adapter");
        auto error = error_of([&] { resolve_model(path().string(), {}); });
        QVERIFY(error && error->kind() == ErrorKind::bad_input);
        auto before = fs::current_path();
        fs::current_path(path());
        QCOMPARE(resolve_model("model", {}), path() / "model"); // absolute, whatever was given
        fs::current_path(before);
    }

    void aSlipIsMetWithTheNearestName() {
        for (auto [given, wanted] : {std::pair("tinny", "\"tiny\""),
                                     std::pair("smollm2-135-instruct", "\"smollm2-135m-instruct\"")}) {
            auto error = error_of([&] { resolve_model(given, {}); });
            QVERIFY(error && error->kind() == ErrorKind::not_found);
            QVERIFY2(std::string(error->what()).find(wanted) != std::string::npos, error->what());
        }
    }

    void anEndpointIsCheckedButHasNoFolder() {
        qputenv("TEMPERA_CONFIG", QByteArray::fromStdString((path() / "config").string()));
        check_model_reference("endpoint:openai", {});
        check_model_reference("endpoint:vllm/org/model", {});
        for (const auto& [given, says] : {std::pair("endpoint:opnai", "Did you mean \"openai\"?"),
                                          std::pair("endpoint:vllm", "names no model")}) {
            auto error = error_of([&] { check_model_reference(given, {}); });
            QVERIFY(error && std::string(error->what()).find(says) != std::string::npos);
        }
        auto error = error_of([&] { resolve_model("endpoint:openai", {}); });
        QVERIFY(error && error->kind() == ErrorKind::bad_input);
        qunsetenv("TEMPERA_CONFIG");
    }

    void runsAndStagesLeadToTheirResults() {
        auto study = workspace_->add_study({"", "s", "{}", 0}),
             other = workspace_->add_study({"", "t", "{}", 0});
        RunRecord record;
        record.id = "sft-abc";
        record.kind = "sft";
        record.study = study.id;
        record.stage = "sft";
        record.recipe = "{}";
        workspace_->add_run(record);
        ModelScope scope{workspace_.get(), study.id};
        auto error = error_of([&] { resolve_model("run:sft-abc", scope); });
        QVERIFY(error && error->kind() == ErrorKind::not_found);
        QVERIFY(std::string(error->what()).find("let it finish") != std::string::npos);
        fs::path result = workspace_->run_folder("sft-abc") / "model";
        make_model(result, "config.json");
        QCOMPARE(resolve_model("run:sft-abc", scope), result);
        QCOMPARE(resolve_model("run:sft", scope), result);
        QCOMPARE(resolve_model("@sft", scope), result);
        QCOMPARE(referred_run("@sft", scope)->id, record.id);
        QVERIFY(!referred_run("tiny", scope));
        for (const auto& [reference, where] :
             std::vector<std::pair<std::string, ModelScope>>{{"@sft", {workspace_.get(), other.id}},
                                                             {"@sft", {}},
                                                             {"@stf", scope},
                                                             {"run:sft-abd", scope},
                                                             {"run:sft-abc", {}}}) {
            error = error_of([&] { resolve_model(reference, where); });
            QVERIFY2(error && error->kind() == ErrorKind::not_found, reference.c_str());
        }
    }

private:
    fs::path path() const { return fs::canonical(folder_->path().toStdString()); }
    static void make_model(const fs::path& folder, const char* file) {
        fs::create_directories(folder);
        write_file_atomic(folder / file, "{}");
    }
    std::unique_ptr<QTemporaryDir> folder_;
    std::unique_ptr<Workspace> workspace_;
};

QTEST_GUILESS_MAIN(TestModelReference)
#include "tst_model_reference.moc"
