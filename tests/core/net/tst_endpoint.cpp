#include "core/base/error.h"
#include "core/base/files.h"
#include "core/net/endpoint.h"

#include <QTemporaryDir>
#include <QTest>

#include <functional>
#include <thread>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

std::string error_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

Endpoint lab() {
    Endpoint endpoint;
    endpoint.name = "lab";
    endpoint.base_url = "https://lab.example.org/v1";
    endpoint.model = "org/model";
    endpoint.key_variable = "LAB_KEY";
    endpoint.concurrency = 7;
    endpoint.requests_per_minute = 90.5;
    endpoint.price_out = 2.5;
    return endpoint;
}

} // namespace

class TestEndpoint : public QObject {
    Q_OBJECT

    QTemporaryDir dir;
    fs::path file() const { return fs::path(dir.path().toStdString()) / "config" / "endpoints.json"; }

private slots:
    void cleanup() { fs::remove_all(file().parent_path()); }

    void builtInOnesAreSound() {
        for (const Endpoint& endpoint : built_in_endpoints())
            QVERIFY2(problems_of(endpoint).empty(), endpoint.name.c_str());
        QCOMPARE(load_endpoints(file()).size(), built_in_endpoints().size());
        QCOMPARE(find_endpoint("nvidia", file()).key_variable, std::string("NVIDIA_API_KEY"));
    }

    void savedOnesComeBack() {
        save_endpoint(lab(), file());
        QVERIFY(to_json(find_endpoint("lab", file())) == to_json(lab()));
        Endpoint own = lab();
        own.name = "openai"; // replaces the built-in one
        save_endpoint(own, file());
        QCOMPARE(load_endpoints(file()).size(), built_in_endpoints().size() + 1);
        QCOMPARE(find_endpoint("openai", file()).base_url, own.base_url);
        own.model = "other";
        save_endpoint(own, file());
        QCOMPARE(own_endpoints(file()).size(), std::size_t{2});
        QCOMPARE(find_endpoint("openai", file()).model, std::string("other"));
        remove_endpoint("openai", file());
        QCOMPARE(find_endpoint("openai", file()).base_url, std::string("https://api.openai.com/v1"));
        QVERIFY(error_of([&] { remove_endpoint("openai", file()); }).find("no endpoint \"openai\"")
                != std::string::npos);
        QVERIFY(error_of([&] { find_endpoint("labb", file()); }).find("Did you mean \"lab\"?")
                != std::string::npos);
    }

    /// Every program reads the file, changes it and writes it: none may undo another one's change.
    void simultaneousChangesAllCount() {
        save_endpoint(lab(), file());
        std::vector<std::thread> writers;
        for (int k = 0; k < 12; ++k)
            writers.emplace_back([this, k] {
                Endpoint own = lab();
                own.name = "lab" + std::to_string(k);
                save_endpoint(own, file());
                if (k % 3 == 0) remove_endpoint(own.name, file());
            });
        for (std::thread& writer : writers)
            writer.join();
        QCOMPARE(own_endpoints(file()).size(), std::size_t{9}); // with the first
    }

    void problemsNameTheField_data() {
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("says");
        QTest::addRow("name") << "name"
                              << "\"a b\""
                              << "name must";
        QTest::addRow("name with a slash") << "name"
                                           << "\"a/b\""
                                           << "name must";
        QTest::addRow("no address") << "base_url"
                                    << "\"api.example.org\""
                                    << "base_url must be an address";
        QTest::addRow("ftp") << "base_url"
                             << "\"ftp://x/y\""
                             << "base_url must be an address";
        QTest::addRow("line break") << "base_url"
                                    << "\"https://x/v1\\n\""
                                    << "base_url must be an address";
        QTest::addRow("password") << "base_url"
                                  << "\"https://me:secret@x.org/v1\""
                                  << "no user, password";
        QTest::addRow("query") << "base_url"
                               << "\"https://x.org/v1?key=1\""
                               << "no user, password";
        QTest::addRow("plain") << "base_url"
                               << "\"http://x.org/v1\""
                               << "allow_plain_http";
        QTest::addRow("a key") << "key_variable"
                               << "\"sk-abc\""
                               << "not a key";
        QTest::addRow("another key") << "key_variable"
                                     << "\"hf_abcdef\""
                                     << "not a key";
        QTest::addRow("dialect") << "dialect"
                                 << "\"vlm\""
                                 << "Did you mean \"vllm\"?";
        QTest::addRow("concurrency") << "concurrency"
                                     << "0"
                                     << "concurrency must";
        QTest::addRow("rate") << "requests_per_minute"
                              << "-1"
                              << "requests_per_minute must";
        QTest::addRow("price") << "price_in"
                               << "1e300"
                               << "price_in must";
    }
    void problemsNameTheField() {
        QFETCH(QString, field);
        QFETCH(QString, value);
        QFETCH(QString, says);
        Json row = to_json(lab());
        row[field.toStdString()] = Json::parse(value.toStdString());
        write_file(Json{{"endpoints", {row}}}.dump());
        const std::string error = error_of([&] { find_endpoint(row["name"].get<std::string>(), file()); });
        QVERIFY2(error.find(says.toStdString()) != std::string::npos, error.c_str());
        QVERIFY2(error.find("secret") == std::string::npos, error.c_str());
        QVERIFY2(error.find("abc") == std::string::npos, error.c_str());
    }

    void aKeyNeverGoesOverPlainHttpToAnotherMachine() {
        Endpoint endpoint = lab();
        endpoint.base_url = "http://lab.example.org/v1";
        endpoint.allow_plain_http = true;
        QVERIFY(problems_of(endpoint).front().find("key_variable must be empty") == 0);
        endpoint.key_variable.clear();
        QVERIFY(problems_of(endpoint).empty());
        endpoint.base_url = "http://localhost:8000/v1";
        endpoint.key_variable = "LAB_KEY";
        endpoint.allow_plain_http = false;
        QVERIFY(problems_of(endpoint).empty());
    }

    void filesThatDoNotFitAreRefused() {
        const std::pair<const char*, const char*> cases[] = {
            {"[", "not valid JSON"},
            {"[]", "must hold {\"endpoints\""},
            {R"({"endpoints": 3})", "must hold {\"endpoints\""},
            {R"({"endpoints": [3]})", "endpoint 1 must be an object"},
            {R"({"endpoints": [{"name": 3}]})", "field name, must be a text"},
            {R"({"endpoints": [{"name": "a", "api_key": "sk-CANARY"}]})", "Keys are never kept here"},
            {R"({"endpoints": [{"name": "a", "modell": "x"}]})", "Did you mean \"model\"?"},
            {R"({"endpoints": [{"name": "a", "concurrency": 1.5}]})", "must be a whole number"},
            {R"({"endpoints": [{"name": "a"}, {"name": "a"}]})", "endpoint 2 has the name \"a\""},
        };
        for (const auto& [content, says] : cases) {
            write_file(content);
            const std::string error = error_of([&] { load_endpoints(file()); });
            QVERIFY2(error.find(says) != std::string::npos, error.c_str());
            QVERIFY2(error.find(file().string()) == 0, error.c_str());
            QVERIFY2(error.find("CANARY") == std::string::npos, error.c_str());
        }
    }

    void referencesNameEndpointAndModel() {
        save_endpoint(lab(), file());
        QVERIFY(names_an_endpoint("endpoint:lab") && !names_an_endpoint("lab"));
        QCOMPARE(referred_endpoint("endpoint:lab", file()).model, std::string("org/model"));
        QCOMPARE(referred_endpoint("endpoint:lab/meta/llama:8b", file()).model, std::string("meta/llama:8b"));
        QVERIFY(error_of([&] { referred_endpoint("endpoint:ollama", file()); }).find("names no model")
                != std::string::npos);
        QVERIFY(error_of([&] { referred_endpoint("endpoint:", file()); }).find("no endpoint \"\"")
                != std::string::npos);
        QVERIFY(error_of([&] { referred_endpoint("endpoint:lab/a b", file()); }).find("spaces")
                != std::string::npos);
    }

    void keysComeFromTheEnvironmentFirst() {
        qunsetenv("LAB_KEY");
        const KeyLookup keychain = [](const std::string& name) { return name + "-from-the-keychain\n"; };
        QCOMPARE(find_key(lab(), {}), std::string());
        QCOMPARE(find_key(lab(), keychain), std::string("lab-from-the-keychain"));
        qputenv("LAB_KEY", " from-the-environment ");
        QCOMPARE(find_key(lab(), keychain), std::string("from-the-environment"));
        Endpoint open = lab();
        open.key_variable.clear();
        QCOMPARE(find_key(open, keychain), std::string());
        qunsetenv("LAB_KEY");
    }

private:
    void write_file(const std::string& content) {
        fs::create_directories(file().parent_path());
        write_file_atomic(file(), content);
    }
};

QTEST_GUILESS_MAIN(TestEndpoint)
#include "tst_endpoint.moc"
