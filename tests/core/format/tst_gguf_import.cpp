#include "format_fixture.h"

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/format/gguf_import.h"
#include "core/format/model_config.h"
#include "core/format/safetensors.h"
#include "core/text/tokenizer.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>

#include <cstring>

using namespace tempera;
using namespace tempera::test;
using namespace std::string_literals;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden/gguf";

/// Replaces `from` by `to`, which is as long, everywhere; keeps every length and offset of the file right.
std::string patched(std::string text, const std::string& from, const std::string& to) {
    std::size_t count = 0;
    for (std::size_t at = text.find(from); at != std::string::npos;
         at = text.find(from, at + to.size()), ++count)
        text.replace(at, from.size(), to);
    if (count == 0 || from.size() != to.size()) qFatal("bad patch");
    return text;
}

/// The value of a 32-bit entry, found by its key.
std::string with_number(std::string text, const std::string& key, std::uint32_t value) {
    std::size_t at = text.find(key);
    if (at == std::string::npos) qFatal("bad patch");
    std::memcpy(text.data() + at + key.size() + 4, &value, 4);
    return text;
}

} // namespace

class TestGgufImport : public QObject {
    Q_OBJECT

private slots:
    void init() { dir_ = std::make_unique<QTemporaryDir>(); }

    void givesBackTheFolderTheFileCameFrom_data() {
        QTest::addColumn<QString>("name");
        QTest::newRow("llama") << "llama";
        QTest::newRow("qwen2") << "qwen2";
    }

    void givesBackTheFolderTheFileCameFrom() {
        QFETCH(QString, name);
        fs::path original = golden / name.toStdString();
        GgufImportReport report = import_gguf(golden / (name.toStdString() + ".gguf"), target());
        SafetensorsReader expected = SafetensorsReader::open(original),
                          reader = SafetensorsReader::open(target());
        QCOMPARE(reader.tensors().size(), expected.tensors().size());
        for (const StoredTensor& tensor : expected.tensors()) {
            QCOMPARE(reader.at(tensor.name).shape, tensor.shape);
            QVERIFY2(floats(reader, tensor.name) == floats(expected, tensor.name), tensor.name.c_str());
        }
        ModelConfig config = read_model_config(target()), original_config = read_model_config(original);
        QCOMPARE(report.parameters, original_config.parameter_count());
        QCOMPARE(config.family, original_config.family);
        QCOMPARE(config.tied_embeddings, original_config.tied_embeddings);
        QCOMPARE(config.rms_norm_eps, original_config.rms_norm_eps);
        QCOMPARE(config.rope_theta, original_config.rope_theta);
        QCOMPARE(config.max_positions, original_config.max_positions);
        QCOMPARE(config.llama3_rope.has_value(), original_config.llama3_rope.has_value());
        if (config.llama3_rope) {
            QCOMPARE(config.llama3_rope->factor, original_config.llama3_rope->factor);
            QCOMPARE(config.llama3_rope->original_max_positions,
                     original_config.llama3_rope->original_max_positions);
        }
        QCOMPARE(config.eos_ids, (std::vector<std::int64_t>{2, 0})); // end of text and end of turn
        QCOMPARE(config.bos_id, std::int64_t(1));
        QCOMPARE(std::distance(fs::directory_iterator(root()), fs::directory_iterator()), 1);
    }

    void tokenizerSaysWhatTheOriginalSays_data() { givesBackTheFolderTheFileCameFrom_data(); }

    void tokenizerSaysWhatTheOriginalSays() {
        QFETCH(QString, name);
        import_gguf(golden / (name.toStdString() + ".gguf"), target());
        Json expected = read_json_file(golden / name.toStdString() / "tokenizer.json");
        Json json = read_json_file(target() / "tokenizer.json");
        for (const auto& [key, value] : expected.items())
            QVERIFY2(json[key] == value, (key + ": " + json[key].dump().substr(0, 2000)).c_str());
        QCOMPARE(json.size(), expected.size());
        Json config = read_json_file(target() / "tokenizer_config.json");
        QCOMPARE(config["bos_token"].get<std::string>(), std::string("<|im_start|>"));
        QCOMPARE(config["eos_token"].get<std::string>(), std::string("<|im_end|>"));
        QCOMPARE(config["model_max_length"].get<int>(), 256);
        QVERIFY(config["chat_template"].get<std::string>().find("message['content']") != std::string::npos);
        Tokenizer ours = Tokenizer::load(target()), theirs = Tokenizer::load(golden / name.toStdString());
        for (const char* text : {"the 123 thin<|im_end|>", "", "  12 e\xcc\x81 \n\n x"})
            QCOMPARE(ours.encode(text), theirs.encode(text));
    }

    void digitsStandAloneInSmollmOnly() {
        import_gguf(golden / "llama.gguf", target());
        Tokenizer tokenizer = Tokenizer::load(target());
        std::vector<std::int32_t> ids = tokenizer.encode("12");
        QCOMPARE(tokenizer.pieces(ids),
                 (std::vector<std::string>{"1", "2"})); // though a merge of them exists
        std::string gpt2 = with_pre("gpt-2");
        import_gguf(put(gpt2), root() / "gpt2");
        Tokenizer other = Tokenizer::load(root() / "gpt2");
        QCOMPARE(other.pieces(other.encode("12")), (std::vector<std::string>{"12"}));
    }

    void halfPrecisionAndShardsOnRequest() {
        GgufImportOptions options;
        options.type = TensorType::f16;
        options.max_shard_bytes = 20'000;
        import_gguf(golden / "llama.gguf", target(), options);
        SafetensorsReader reader = SafetensorsReader::open(target()),
                          whole = SafetensorsReader::open(golden / "llama");
        QVERIFY(reader.files().size() > 1);
        QCOMPARE(reader.tensors().front().type, TensorType::f16);
        auto values = floats(reader, "model.norm.weight"), exact = floats(whole, "model.norm.weight");
        for (std::size_t i = 0; i < values.size(); ++i)
            QVERIFY(std::abs(values[i] - exact[i]) <= std::abs(exact[i]) * 0x1p-11f);
        QCOMPARE(read_model_config(target()).raw["dtype"].get<std::string>(), std::string("float16"));
        options.type = TensorType::i64;
        QVERIFY(refusal([&] { import_gguf(golden / "llama.gguf", root() / "x", options); }).find("I64")
                != std::string::npos);
    }

    void aSpecialIdBeyondTheVocabularyCountsAsNone() {
        import_gguf(
            put(with_number(read_file(golden / "llama.gguf", 1 << 20), "tokenizer.ggml.eos_token_id", 288)),
            target());
        QCOMPARE(read_model_config(target()).eos_ids, std::vector<std::int64_t>{0});
        QVERIFY(!read_json_file(target() / "tokenizer_config.json").contains("eos_token"));
    }

    void neverReplacesAFolderUnasked() {
        fs::create_directories(target());
        import_gguf(golden / "llama.gguf", target()); // empty: fine
        QVERIFY(refusal([&] { import_gguf(golden / "llama.gguf", target()); }).find("exists already")
                != std::string::npos);
        write_file_atomic(root() / "file", "x");
        QVERIFY(refusal([&] { import_gguf(golden / "llama.gguf", root() / "file"); }).find("exists already")
                != std::string::npos);
        GgufImportOptions options;
        options.replace = true;
        import_gguf(golden / "qwen2.gguf", target(), options);
        QCOMPARE(read_model_config(target()).family, ModelConfig::Family::qwen2);
    }

    void refusesWhatItDoesNotKnow_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("reason");
        std::string llama = read_file(golden / "llama.gguf", 1 << 20),
                    qwen = read_file(golden / "qwen2.gguf", 1 << 20);
        auto row = [](const char* name, const std::string& content, const char* reason) {
            QTest::newRow(name) << QByteArray::fromStdString(content) << QString(reason);
        };
        row("architecture", patched(llama, "\5\0\0\0\0\0\0\0llama"s, "\5\0\0\0\0\0\0\0gemma"s),
            "architecture \"gemma\"");
        row("pre-tokenizer", with_pre("tekken"), "pre-tokenizer \"tekken\"");
        row("tokenizer model", patched(llama, "\4\0\0\0\0\0\0\0gpt2"s, "\4\0\0\0\0\0\0\0bert"s),
            "tokenizer model \"bert\"");
        row("sizes and tensors differ", with_number(llama, "llama.feed_forward_length", 64), "has the shape");
        row("more layers than tensors", with_number(llama, "llama.block_count", 3), "no tensor \"blk.2.");
        row("fewer layers than tensors", with_number(llama, "llama.block_count", 1), "does not belong");
        row("2^32-1 layers", with_number(llama, "llama.block_count", 0xffffffff),
            "block_count is 4294967295");
        row("0 heads", with_number(llama, "llama.attention.head_count", 0), "head_count is 0");
        row("7 heads", with_number(qwen, "qwen2.attention.head_count", 7), "hidden_size");
        row("3 key heads", with_number(llama, "llama.attention.head_count_kv", 3), "num_key_value_heads");
        row("infinite rope base", with_number(llama, "llama.rope.freq_base", 0x7f800000),
            "freq_base is not a finite number");
        row("another rope base", with_number(llama, "llama.rope.freq_base", 0x461c4000), "rope_freqs.weight");
        row("missing size", patched(llama, "llama.block_count", "llama.black_count"),
            "lacks the metadata llama.block_count");
        row("unknown tensor", patched(qwen, "blk.1.attn_q.bias", "blk.1.attn_x.bias"),
            "no tensor \"blk.1.attn_q.bias\"");
        row("merge of unknown tokens", patched(llama, "\3\0\0\0\0\0\0\0i n"s, "\3\0\0\0\0\0\0\0i q"s),
            "merge 3 (\"i q\")");
        row("merge without a space", patched(llama, "\3\0\0\0\0\0\0\0i n"s, "\3\0\0\0\0\0\0\0ion"s),
            "merge 3");
        row("merge of two spaces", patched(llama, "\3\0\0\0\0\0\0\0i n"s, "\3\0\0\0\0\0\0\0   "s), "merge 3");
        row("token twice", patched(llama, "\2\0\0\0\0\0\0\0in"s, "\2\0\0\0\0\0\0\0th"s),
            "twice in tokenizer.ggml.tokens");
        row("token that is no UTF-8", patched(qwen, "\2\0\0\0\0\0\0\0in"s, "\2\0\0\0\0\0\0\0i\xff"s),
            "not valid UTF-8");
        row("chat template that is no UTF-8", patched(llama, "endfor", "endf\xfe\xff"), "not valid UTF-8");
    }

    void refusesWhatItDoesNotKnow() {
        QFETCH(QByteArray, content);
        QFETCH(QString, reason);
        fs::path file = put(content.toStdString());
        std::string sentence = refusal([&] { import_gguf(file, target()); });
        QVERIFY2(sentence.find(reason.toStdString()) != std::string::npos, sentence.c_str());
        QVERIFY2(sentence.starts_with(file.string()), sentence.c_str());
        QVERIFY(!fs::exists(target())); // nothing is written before everything is checked
        QCOMPARE(std::distance(fs::directory_iterator(root()), fs::directory_iterator()), 1);
    }

private:
    static std::string with_pre(const std::string& name) {
        std::string text = read_file(golden / "llama.gguf", 1 << 20);
        auto replace = [&](const std::string& from, const std::string& to) {
            std::size_t at = text.find(from);
            std::uint64_t size = to.size();
            text.replace(at - 8, 8 + from.size(), std::string(reinterpret_cast<const char*>(&size), 8) + to);
        };
        const std::string chat = "{% for message in messages %}{{ message['content'] }}{% endfor %}";
        replace("smollm", name);
        replace(chat, chat
                          + std::string(6 - name.size(),
                                        ' ')); // the head keeps its length, so the tensors their place
        return text;
    }
    fs::path root() const { return dir_->path().toStdString(); }
    fs::path target() const { return root() / "model"; }
    fs::path put(const std::string& content) {
        fs::path path = root() / "model.gguf";
        put_file(path, content);
        return path;
    }
    std::unique_ptr<QTemporaryDir> dir_;
};

QTEST_APPLESS_MAIN(TestGgufImport)
#include "tst_gguf_import.moc"
