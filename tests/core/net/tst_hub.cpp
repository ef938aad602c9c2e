#include "core/base/json.h"
#include "hub_fixture.h"

using namespace tempera;
using namespace tempera::test;

namespace {

std::vector<std::string> paths_of(const std::vector<HubFile>& files) {
    std::vector<std::string> paths;
    for (const auto& file : files)
        paths.push_back(file.path);
    return paths;
}

} // namespace

class TestHub : public QObject {
    Q_OBJECT

private slots:
    void init() { at_ = std::make_unique<HubFixture>(); }
    void cleanup() { at_.reset(); }

    void namesAreRead() {
        auto name = name_of("Qwen/Qwen2.5-0.5B");
        QCOMPARE(name.owner + "|" + name.name + "|" + name.path + "|" + name.revision,
                 std::string("Qwen|Qwen2.5-0.5B||main"));
        name = name_of("a/b/c/d.gguf@refs/pr/1");
        QCOMPARE(name.owner + "|" + name.name + "|" + name.path + "|" + name.revision,
                 std::string("a|b|c/d.gguf|refs/pr/1"));
        for (const char* text : {"a/b", "a/b@v1", "a/b/c.gguf", "a/b/c@0123"})
            QCOMPARE(to_text(name_of(text)), std::string(text));
        for (const char* bad : {"",
                                "a",
                                "/a/b",
                                "a/",
                                "a//b",
                                "../a",
                                "a/..",
                                "./a",
                                "~/a",
                                "a/b@",
                                "a/b@../x",
                                "a/b@/x",
                                "a/b/../c",
                                "a/b/",
                                "a--b/c",
                                "a/b.git",
                                "a b/c",
                                "data/train.jsonl",
                                "models/a.gguf",
                                "a/b@x@\\y",
                                "run:a/b\n"})
            QVERIFY2(!parse_hub_name(bad, HubKind::model), bad);
    }

    void pathTricksAreRefused() {
        for (const char* good : {"a", "a/b.c", ".gitattributes", "a b/ü", "ab:c", "..a/b..", "a@b"})
            QVERIFY2(is_safe_path(good), good);
        for (const char* bad :
             {"",      "/a",    "a/",  "a//b", ".",           "..",       "a/..", "../a",   "a/./b",   "a\\b",
              "..\\a", "C:\\a", "C:a", "c:/a", "\\\\host\\a", "//host/a", "a\nb", "a/ ./b", "a/.. /b", "..."})
            QVERIFY2(!is_safe_path(bad), bad);
        QVERIFY(!is_safe_path(std::string_view("a\0b", 3)));
        for (const char* bad : {"../../outside", "/tmp/outside", "a\\..\\b", "C:/outside"}) {
            at_->mimic.add("models/o/evil",
                           {{"config.json", "{}"}, {"model.safetensors", "x"}, {"note.txt", "y"}});
            at_->mimic.lie("models/o/evil", "note.txt", "path", bad);
            FAILS(plan_hub(at_->hub, name_of("o/evil")), bad_input, "not to be trusted");
        }
        QVERIFY(!fs::exists(at_->hub.settings.cache));
    }

    void settingsComeFromTheEnvironment() {
        struct Variables {
            ~Variables() {
                for (const char* name : {"HF_ENDPOINT", "HF_HOME", "HF_HUB_CACHE", "HF_HUB_OFFLINE",
                                         "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "XDG_CACHE_HOME"})
                    qunsetenv(name);
            }
        } restored;
        const std::string folder = at_->folder.path().toStdString();
        qputenv("XDG_CACHE_HOME", at_->folder.path().toUtf8());
        QCOMPARE(hub_settings().cache, fs::path(folder) / "huggingface/hub");
        qputenv("HF_HOME", (at_->folder.path() + "/home").toUtf8());
        QCOMPARE(hub_settings().cache, fs::path(folder) / "home/hub");
        QCOMPARE(hub_settings().token, std::string());
        fs::create_directories(folder + "/home");
        write_file_atomic(folder + "/home/token", " hf_file\n");
        QCOMPARE(hub_settings().token, std::string("hf_file"));
        qputenv("HUGGING_FACE_HUB_TOKEN", "hf_old");
        QCOMPARE(hub_settings().token, std::string("hf_old"));
        qputenv("HF_TOKEN", "hf_new\r\n");
        QCOMPARE(hub_settings().token, std::string("hf_new"));
        qputenv("HF_HUB_CACHE", "~/somewhere");
        QCOMPARE(hub_settings().cache, fs::path(qgetenv("HOME").toStdString()) / "somewhere");
        QCOMPARE(hub_settings().endpoint, std::string("https://huggingface.co"));
        qputenv("HF_ENDPOINT", "https://mirror.example/");
        QCOMPARE(hub_settings().endpoint, std::string("https://mirror.example"));
        QVERIFY(!hub_settings().offline);
        qputenv("HF_HUB_OFFLINE", "yes");
        QVERIFY(hub_settings().offline);
    }

    void listingsComeInPages() {
        const std::string commit = at_->mimic.add("models/o/m", model_files(), "v1.0");
        at_->mimic.page = 2;
        const auto listing = list_hub(at_->hub, name_of("o/m@v1.0"));
        QCOMPARE(listing.commit, commit);
        QCOMPARE(listing.files.size(), std::size_t{9});
        const auto& weights = listing.files[4];
        QCOMPARE(weights.path, std::string("model.safetensors"));
        QCOMPARE(weights.size, std::uint64_t{300000});
        QCOMPARE(weights.blob.size(), std::size_t{64});
        QVERIFY(!weights.cached);
        QCOMPARE(at_->mimic.requests().size(), std::size_t{6});
    }

    void onlyWhatIsNeededIsChosen() {
        at_->mimic.add("models/o/m", model_files());
        const std::vector<std::string> needed{"README.md", "config.json", "model.safetensors",
                                              "tokenizer.json", "tokenizer_config.json"};
        QVERIFY(paths_of(plan_hub(at_->hub, name_of("o/m")).files) == needed);
        QCOMPARE(plan_hub(at_->hub, name_of("o/m"), {true, {}}).files.size(), std::size_t{9});
        QVERIFY(paths_of(plan_hub(at_->hub, name_of("o/m"), {false, {"onnx/*", "*.bin"}}).files)
                == std::vector<std::string>({"onnx/model.onnx", "pytorch_model.bin"}));
        FAILS(plan_hub(at_->hub, name_of("o/m"), {false, {"*.gguf"}}), not_found, "no file like that");
        at_->mimic.add("models/o/ggufs",
                       {{"README.md", ""}, {"a, q4.gguf", noise(2000, 1)}, {"b-q8.gguf", noise(3000, 2)}});
        FAILS(plan_hub(at_->hub, name_of("o/ggufs")), not_found, "name one, as o/ggufs/a, q4.gguf.");
        const auto plan = plan_hub(at_->hub, name_of("o/ggufs/b-q8.gguf"));
        QCOMPARE(plan.missing_bytes, std::uint64_t{3000});
        QCOMPARE(plan.target,
                 at_->hub.settings.cache / "models--o--ggufs/snapshots" / plan.listing.commit / "b-q8.gguf");
        FAILS(plan_hub(at_->hub, name_of("o/ggufs/b-q9.gguf")), not_found, "Did you mean \"b-q8.gguf\"?");
        at_->mimic.add("models/o/pickles", {{"config.json", "{}"}, {"pytorch_model.bin", "x"}});
        FAILS(plan_hub(at_->hub, name_of("o/pickles")), unsupported, "pickle");
        at_->mimic.add("datasets/o/d", {{"README.md", ""},
                                        {"data/train-00000-of-00001.parquet", "PAR1"},
                                        {"x.csv", "a"},
                                        {"dataset_infos.json", "{}"},
                                        {"script.py", "x"}});
        QVERIFY(paths_of(plan_hub(at_->hub, name_of("o/d", HubKind::data_set)).files)
                == std::vector<std::string>({"README.md", "data/train-00000-of-00001.parquet", "x.csv"}));
        QVERIFY(
            plan_hub(at_->hub, name_of("o/d/data", HubKind::data_set)).target.string().ends_with("/data"));
        at_->mimic.add("datasets/o/script", {{"script.py", "x"}});
        FAILS(plan_hub(at_->hub, name_of("o/script", HubKind::data_set)), not_found,
              "o/script@refs/convert/parquet");
    }

    void theCacheIsLaidOutAsPythonDoes() {
        const auto files = model_files();
        const std::string commit = at_->mimic.add("models/o/m", files);
        std::vector<HubProgress> seen;
        const fs::path folder = download_hub(at_->hub, plan_hub(at_->hub, name_of("o/m")),
                                             [&](const HubProgress& p) { seen.push_back(p); });
        const fs::path place = at_->hub.settings.cache / "models--o--m";
        QCOMPARE(folder, place / "snapshots" / commit);
        QCOMPARE(read_file(place / "refs/main", 100), commit);
        for (const char* path : {"config.json", "model.safetensors", "tokenizer.json", "README.md"}) {
            const bool large = files.at(path).size() >= at_->mimic.large_from;
            QCOMPARE(fs::read_symlink(folder / path),
                     fs::path("../../blobs") / hub_hash(files.at(path), large));
            QVERIFY(read_file(folder / path, 1u << 20) == files.at(path));
        }
        for (const auto& entry : fs::directory_iterator(place / "blobs"))
            QVERIFY2(entry.path().extension() != ".incomplete", entry.path().c_str());
        QVERIFY(!fs::exists(folder / "pytorch_model.bin"));
        QCOMPARE(seen.back().done, seen.back().total);
        QCOMPARE(seen.back().files_done, 5);
        // a second time nothing is fetched, and offline nothing is asked
        const auto asked = at_->mimic.large_requests().size();
        const auto again = plan_hub(at_->hub, name_of("o/m"));
        QVERIFY(again.complete());
        QCOMPARE(download_hub(at_->hub, again), folder);
        QCOMPARE(at_->mimic.large_requests().size(), asked);
        at_->hub.settings.offline = true;
        const auto requests = at_->mimic.requests().size();
        QCOMPARE(cached_hub(at_->hub.settings, name_of("o/m")), folder);
        QCOMPARE(obtain_hub(at_->hub, name_of("o/m")), folder);
        QCOMPARE(obtain_hub(at_->hub, name_of(("o/m@" + commit).c_str())), folder);
        QCOMPARE(list_hub(at_->hub, name_of("o/m")).files.size(), std::size_t{5});
        QCOMPARE(at_->mimic.requests().size(), requests);
    }

    void aListingThatLeadsBackToItselfHasNoEnd() {
        at_->mimic.add("models/o/m", model_files());
        at_->mimic.spoil([&](const ReceivedRequest& request, bool, ServedAnswer& answer) {
            if (request.target.find("/tree/") != std::string::npos)
                answer.headers.emplace_back("Link",
                                            "<" + at_->mimic.endpoint() + request.target + ">; rel=\"next\"");
        });
        FAILS(plan_hub(at_->hub, name_of("o/m")), bad_input, "has no end");
        QVERIFY(at_->mimic.requests().size() < 5);
    }

    void whatIsNotInTheCacheIsSaidOffline() {
        at_->hub.settings.offline = true;
        FAILS(obtain_hub(at_->hub, name_of("o/m")), not_found, "not asked while offline");
        QVERIFY(cached_hub(at_->hub.settings, name_of("o/m")).empty());
        QVERIFY(at_->mimic.requests().empty());
    }

    void anIncompleteSnapshotIsNotTaken() {
        const Json index{
            {"weight_map",
             {{"a", "model-00001-of-00002.safetensors"}, {"b", "model-00002-of-00002.safetensors"}}}};
        at_->mimic.add("models/o/m", {{"config.json", "{}"},
                                      {"model.safetensors.index.json", index.dump()},
                                      {"model-00001-of-00002.safetensors", noise(2000, 1)},
                                      {"model-00002-of-00002.safetensors", noise(2000, 2)}});
        const fs::path folder = obtain_hub(at_->hub, name_of("o/m"));
        QCOMPARE(cached_hub(at_->hub.settings, name_of("o/m")), folder);
        fs::remove(folder / "model-00002-of-00002.safetensors");
        QVERIFY(cached_hub(at_->hub.settings, name_of("o/m")).empty());
        at_->hub.settings.offline = true;
        QVERIFY(cached_hub(at_->hub.settings, name_of("o/m")).empty());
        at_->hub.settings.offline = false;
        QCOMPARE(obtain_hub(at_->hub, name_of("o/m")), folder); // linked again, the blob is there
        QVERIFY(fs::exists(folder / "model-00002-of-00002.safetensors"));
        fs::remove(fs::canonical(folder / "model-00001-of-00002.safetensors"));
        QVERIFY(cached_hub(at_->hub.settings, name_of("o/m")).empty());
    }

    void whatPythonLeftIsUsed() {
        // huggingface_hub's layout with its listing, which names a file that was not asked for
        const std::string commit(40, 'a'), weights = noise(3000, 1);
        const fs::path place = at_->hub.settings.cache / "models--o--m",
                       folder = place / "snapshots" / commit;
        for (const fs::path& part : {place / "blobs", place / "refs", place / "trees", folder})
            fs::create_directories(part);
        const std::string hash = hub_hash(weights, true);
        write_file_atomic(place / "blobs" / hash, weights);
        write_file_atomic(place / "blobs" / hub_hash("{}", false), "{}");
        write_file_atomic(place / "refs/main", commit);
        fs::create_symlink("../../blobs/" + hash, folder / "model.safetensors");
        fs::create_symlink("../../blobs/" + hub_hash("{}", false), folder / "config.json");
        QCOMPARE(cached_hub(at_->hub.settings, name_of("o/m")), folder);
        Json tree{{"format_version", 1}};
        tree["files"]["config.json"] = {{"size", 2}, {"blob_id", hub_hash("{}", false)}};
        tree["files"]["model.safetensors"] = {
            {"size", 130}, {"blob_id", std::string(40, 'b')}, {"lfs_sha256", hash}, {"lfs_size", 3000}};
        tree["files"]["README.md"] = {{"size", 5}, {"blob_id", std::string(40, 'c')}};
        write_file_atomic(place / "trees" / (commit + ".json"), tree.dump());
        QCOMPARE(cached_hub(at_->hub.settings, name_of("o/m")), folder); // it can do without README.md
        tree["files"]["tokenizer.json"] = {{"size", 5}, {"blob_id", std::string(40, 'd')}};
        write_file_atomic(place / "trees" / (commit + ".json"), tree.dump());
        QVERIFY(cached_hub(at_->hub.settings, name_of("o/m")).empty());
        write_file_atomic(place / "trees" / (commit + ".json"), "broken");
        QCOMPARE(cached_hub(at_->hub.settings, name_of("o/m")), folder);
        QVERIFY(at_->mimic.requests().empty());
    }

    void partsOfADataSetAreNotTheWhole() {
        const std::string commit(40, 'a');
        const fs::path place = at_->hub.settings.cache / "datasets--o--d",
                       data = place / "snapshots" / commit / "data";
        fs::create_directories(data);
        fs::create_directories(place / "refs");
        write_file_atomic(place / "refs/main", commit);
        write_file_atomic(data / "train-00000-of-00002.parquet", "PAR1");
        QVERIFY(cached_hub(at_->hub.settings, name_of("o/d", HubKind::data_set)).empty());
        write_file_atomic(data / "train-00001-of-00002.parquet", "PAR1");
        QCOMPARE(cached_hub(at_->hub.settings, name_of("o/d", HubKind::data_set)),
                 place / "snapshots" / commit);
    }

    void theTokenStaysWithTheHub() {
        at_->mimic.token = "hf_secret";
        at_->mimic.add("models/o/m", model_files());
        FAILS(plan_hub(at_->hub, name_of("o/m")), not_found, "set a token");
        at_->hub.settings.token = "hf_secret";
        obtain_hub(at_->hub, name_of("o/m"));
        QVERIFY(!at_->mimic.large_requests().empty());
        for (const auto& request : at_->mimic.large_requests())
            QVERIFY(!find_header(request.headers, "Authorization"));
        for (const auto& request : at_->mimic.requests())
            QCOMPARE(request.headers.empty(), false);
        at_->hub.settings.endpoint = "http://192.0.2.1";
        FAILS(plan_hub(at_->hub, name_of("o/m")), io, "not encrypted");
    }

    void linksAreNotFollowedOutOfTheCache() {
        const std::string commit = at_->mimic.add(
            "models/o/m", {{"config.json", "{}"}, {"model.safetensors", "x"}, {"sub/a.txt", "y"}});
        const fs::path outside = fs::path(at_->folder.path().toStdString()) / "outside",
                       snapshot = at_->hub.settings.cache / "models--o--m/snapshots" / commit;
        fs::create_directories(outside);
        fs::create_directories(snapshot);
        fs::create_directory_symlink(outside, snapshot / "sub");
        FAILS(download_hub(at_->hub, plan_hub(at_->hub, name_of("o/m"), {true, {}})), bad_input,
              "not a folder of the hub's cache");
        QVERIFY(fs::is_empty(outside));
    }

    void badListingsAreRefused() {
        const struct {
            const char *key, *value, *part;
        } cases[] = {{"oid", "../../x", "makes no sense"},
                     {"oid", "abc", "makes no sense"},
                     {"size", "-1", "makes no sense"},
                     {"path", "config.json", "twice"},
                     {"path", "config.json/x", "a file and a folder"}};
        for (const auto& lie : cases) {
            at_->mimic.add("models/o/m", {{"config.json", "{}"}, {"model.safetensors", noise(2000, 1)}});
            HubMimic other;
            other.add("models/o/m", {{"config.json", "{}"}, {"model.safetensors", noise(2000, 1)}});
            other.lie("models/o/m", "model.safetensors", lie.key, lie.value);
            at_->hub.settings.endpoint = other.endpoint();
            FAILS(plan_hub(at_->hub, name_of("o/m")), bad_input, lie.part);
        }
        at_->hub.settings.endpoint = "ftp://x";
        FAILS(plan_hub(at_->hub, name_of("o/m")), bad_input, "HF_ENDPOINT");
    }

private:
    std::unique_ptr<HubFixture> at_;
};

QTEST_GUILESS_MAIN(TestHub)
#include "tst_hub.moc"
