#include "format_fixture.h"

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/format/float_convert.h"
#include "core/format/safetensors.h"
#include "tests/core/store/mounted_disk.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>

#include <bit>
#include <cmath>
#include <cstring>
#include <sys/stat.h>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden/format";

std::string bytes_of(const fs::path& path) {
    return read_file(path, 1 << 26);
}

std::string file_with(std::string header, std::string_view data) {
    std::uint64_t size = header.size();
    return std::string(reinterpret_cast<const char*>(&size), 8) + header + std::string(data);
}

/// Writes every tensor of `from` as it is.
void copy_all(const SafetensorsReader& from, SafetensorsWriter& to) {
    for (const StoredTensor& tensor : from.tensors()) {
        std::vector<std::byte> raw(tensor.bytes());
        from.read_bytes(tensor.name, raw);
        to.write_bytes(tensor.name, raw);
    }
}

std::vector<TensorSpec> specs_of(const SafetensorsReader& reader) {
    std::vector<TensorSpec> specs;
    for (const StoredTensor& tensor : reader.tensors())
        specs.push_back({tensor.name, tensor.type, tensor.shape});
    return specs;
}

} // namespace

class TestSafetensors : public QObject {
    Q_OBJECT

private slots:
    void init() { dir_ = std::make_unique<QTemporaryDir>(); }

    void readsWhatPythonWrote() {
        SafetensorsReader reader = SafetensorsReader::open(golden / "single.safetensors");
        Json expected = read_json_file(golden / "single.json");
        QCOMPARE(reader.tensors().size(), std::size_t(11));
        for (const auto& [name, entry] : expected.items()) {
            QCOMPARE(reader.at(name).shape, entry["shape"].get<std::vector<std::int64_t>>());
            std::vector<float> values = floats(reader, name);
            QCOMPARE(values.size(), entry["bits"].size());
            for (std::size_t i = 0; i < values.size(); ++i)
                QCOMPARE(std::bit_cast<std::int32_t>(values[i]), entry["bits"][i].get<std::int32_t>());
        }
        QCOMPARE(reader.metadata().at("format"), std::string("pt"));
        QCOMPARE(reader.at("scalar").elements(), std::int64_t(1));
        QCOMPARE(reader.at("empty").elements(), std::int64_t(0));
    }

    void otherTypesAreListedAndReadRawButNotAsWeights() {
        SafetensorsReader reader = SafetensorsReader::open(golden / "single.safetensors");
        QCOMPARE(reader.at("ids.i64").type, TensorType::i64);
        std::array<std::int64_t, 3> ids{};
        reader.read_bytes("ids.i64", std::as_writable_bytes(std::span(ids)));
        QCOMPARE(ids[2], std::int64_t(1) << 40);
        std::array<float, 3> into{};
        QVERIFY(refusal([&] { reader.read_f32("ids.i64", into); }).find("I64") != std::string::npos);
        QVERIFY(refusal([&] { reader.read_f32("nothing", into); }).find("\"nothing\"") != std::string::npos);
    }

    void writesTheBytesPythonWrites() {
        SafetensorsReader reader = SafetensorsReader::open(golden / "single.safetensors");
        SafetensorsWriter writer(root(), specs_of(reader));
        copy_all(reader, writer);
        QVERIFY(!fs::exists(root() / "model.safetensors")); // not before finish
        QCOMPARE(writer.finish(), fs::file_size(golden / "single.safetensors"));
        QCOMPARE(bytes_of(root() / "model.safetensors"), bytes_of(golden / "single.safetensors"));
        QCOMPARE(std::distance(fs::directory_iterator(root()), fs::directory_iterator()), 1);
    }

    void splitsIntoShardsAsTransformersDoes() {
        SafetensorsReader reader = SafetensorsReader::open(golden / "llama-sharded");
        Json sums = read_json_file(golden / "llama-sharded.json");
        std::vector<TensorSpec> specs; // in the order of the state dict, which decides what goes where
        for (const std::string& name : state_dict_order()) {
            QVERIFY(reader.contains(name));
            specs.push_back({name, reader.at(name).type, reader.at(name).shape});
        }
        QCOMPARE(specs.size(), sums["tensors"].size());
        SafetensorsWriter writer(root(), specs, {.max_shard_bytes = 4000});
        copy_all(reader, writer);
        writer.finish();
        for (const auto& entry : fs::directory_iterator(golden / "llama-sharded"))
            if (entry.path().filename().string().starts_with("model"))
                QCOMPARE(bytes_of(root() / entry.path().filename()), bytes_of(entry.path()));
        for (const auto& [name, entry] : sums["tensors"].items()) {
            double sum = 0;
            for (float value : floats(reader, name))
                sum += value;
            QVERIFY(std::abs(sum - entry[1].get<double>()) < 1e-6);
        }
    }

    void convertsToSixteenBitsOnTheWay() {
        std::vector<float> values(300'000);
        for (std::size_t i = 0; i < values.size(); ++i)
            values[i] = static_cast<float>(std::sin(static_cast<double>(i))) * 0.25f;
        SafetensorsWriter writer(root(),
                                 {{"h", TensorType::f16, {300, 1000}}, {"b", TensorType::bf16, {300'000}}});
        writer.write_f32("h", values);
        writer.write_f32("b", values);
        writer.finish();
        SafetensorsReader reader = SafetensorsReader::open(root());
        std::vector<float> half = floats(reader, "h"), brain = floats(reader, "b");
        for (std::size_t i = 0; i < values.size(); ++i) {
            QVERIFY(std::abs(half[i] - values[i]) <= std::abs(values[i]) * 0x1p-11f + 0x1p-25f);
            QVERIFY(std::abs(brain[i] - values[i]) <= std::abs(values[i]) * 0x1p-8f);
        }
    }

    void unfinishedWriterLeavesWhatWasThere() {
        fs::copy(golden / "single.safetensors", root() / "model.safetensors");
        {
            SafetensorsWriter writer(root(), {{"w", TensorType::f32, {1000}}});
            writer.write_f32("w", std::vector<float>(1000));
        }
        QCOMPARE(bytes_of(root() / "model.safetensors"), bytes_of(golden / "single.safetensors"));
        QCOMPARE(std::distance(fs::directory_iterator(root()), fs::directory_iterator()), 1);
        SafetensorsWriter writer(root(), {{"w", TensorType::f32, {1}}});
        QVERIFY(refusal([&] { writer.finish(); }).find("never written") != std::string::npos);
        QVERIFY(refusal([&] {
                    SafetensorsWriter(root(), {{"w", {}, {1}}, {"w", {}, {1}}});
                }).find("twice")
                != std::string::npos);
    }

    void aFullDiskIsToldAtOnceAndLosesNothing() {
        test::MountedDisk disk("2m");
        REQUIRE_DISK(disk);
        fs::path folder = disk.path() / "model";
        {
            SafetensorsWriter writer(folder, {{"w", TensorType::f32, {1000}}});
            writer.write_f32("w", std::vector<float>(1000, 5));
            writer.finish();
        }
        std::optional<ErrorKind> kind;
        try { // refused before a single tensor is computed and written
            SafetensorsWriter writer(folder,
                                     {{"w", TensorType::f32, {400'000}}, {"v", TensorType::f32, {400'000}}});
        } catch (const Error& error) {
            kind = error.kind();
        }
        QCOMPARE(kind, std::optional(ErrorKind::disk_full));
        QCOMPARE(floats(SafetensorsReader::open(folder), "w"), std::vector<float>(1000, 5));
        QCOMPARE(std::distance(fs::directory_iterator(folder), fs::directory_iterator()), 1);
        QVERIFY(disk.make_read_only());
        QVERIFY(refusal([&] {
                    SafetensorsWriter(folder, {{"w", TensorType::f32, {1}}});
                }).find("Read-only")
                != std::string::npos);
    }

    void newSetReplacesTheOldOneWhateverItsShards() {
        auto write = [&](std::uint64_t shard_bytes, float value) {
            SafetensorsWriter writer(root(), {{"a", TensorType::f32, {2}}, {"b", TensorType::f32, {2}}},
                                     {.max_shard_bytes = shard_bytes});
            writer.write_f32("b", std::vector<float>{value, value});
            writer.write_f32("a", std::vector<float>{value, value});
            writer.finish();
            QCOMPARE(floats(SafetensorsReader::open(root()), "b")[1], value);
        };
        write(1000, 1);
        write(8, 2);
        QVERIFY(!fs::exists(root() / "model.safetensors"));
        write(1000, 3);
        QCOMPARE(std::distance(fs::directory_iterator(root()), fs::directory_iterator()), 1);
    }

    void agreesWithTheReferenceLibraryOnMutatedHeaders() {
        std::string all = bytes_of(golden / "mutated.bin");
        int accepted = 0, count = 0;
        for (std::size_t at = 0; at < all.size(); ++count) {
            std::uint32_t size;
            std::memcpy(&size, all.data() + at, 4);
            bool verdict = all[at + 4] != 0;
            put("case.safetensors", all.substr(at + 5, size));
            std::string reason = refusal([&] { SafetensorsReader::open(root() / "case.safetensors"); });
            // The places where we refuse more, as parse_safetensors_header's contract lists them.
            bool stricter = false;
            for (const char* rule : {"twice", "unknown field", "has a dimension of"})
                stricter = stricter || reason.find(rule) != std::string::npos;
            QVERIFY2(
                reason.empty() == verdict || (verdict && stricter),
                (std::to_string(count) + ": " + all.substr(at + 13, size - 8) + " -> " + reason).c_str());
            accepted += verdict;
            at += 5 + size;
        }
        QVERIFY(count == 2000 && accepted > 100);
    }

    void refusesHostileFiles_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("reason");
        auto row = [](const char* name, const std::string& content, const char* reason) {
            QTest::newRow(name) << QByteArray::fromStdString(content) << QString(reason);
        };
        auto one = [](const std::string& entry, std::size_t bytes) {
            return file_with("{\"w\":" + entry + "}", std::string(bytes, '\1'));
        };
        std::uint64_t huge = 0xffffffffffffffffull, above = 100'000'001;
        row("empty", "", "too short");
        row("seven bytes", "1234567", "too short");
        row("header size 2^64-1", std::string(reinterpret_cast<char*>(&huge), 8) + "{}", "100000000");
        row("header size above the limit", std::string(reinterpret_cast<char*>(&above), 8) + "{}",
            "100000000");
        row("header longer than the file", file_with("{}", "").substr(0, 9), "cut short");
        row("no JSON", file_with("hello", ""), "not JSON");
        row("JSON after white space", file_with(" {}", ""), "not JSON");
        row("byte order mark", file_with("\xef\xbb\xbf{}", ""), "not JSON");
        row("text after NUL", file_with(std::string("{}\0{}", 5), ""), "not JSON");
        row("array", file_with("[]", ""), "not JSON");
        row("cut JSON", file_with("{\"w\":{\"dtype\":\"F32\"", ""), "JSON");
        row("two documents", file_with("{}{}", ""), "JSON");
        row("bad UTF-8", file_with("{\"\xff\":1}", ""), "JSON");
        row("deep", file_with("{\"w\":" + std::string(100'000, '['), ""), "where something else belongs");
        row("wrap 2^32 x 2^32",
            one(R"({"dtype":"U8","shape":[4294967296,4294967296],"data_offsets":[0,0]})", 0),
            "too large to count");
        row("wrap by element size",
            one(R"({"dtype":"F64","shape":[2305843009213693952],"data_offsets":[0,0]})", 0),
            "too large to count");
        row("dimension 2^64-1",
            one(R"({"dtype":"U8","shape":[0,18446744073709551615],"data_offsets":[0,0]})", 0), "dimension");
        row("negative dimension", one(R"({"dtype":"U8","shape":[-1],"data_offsets":[0,0]})", 0), "negative");
        row("fraction", one(R"({"dtype":"U8","shape":[1.0],"data_offsets":[0,1]})", 1), "not whole");
        row("offset 2^64", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,18446744073709551616]})", 1),
            "not whole");
        row("size does not fit the shape", one(R"({"dtype":"F32","shape":[2],"data_offsets":[0,4]})", 4),
            "needs 8 bytes");
        row("half a byte", one(R"({"dtype":"F4","shape":[3],"data_offsets":[0,1]})", 1),
            "whole number of bytes");
        row("offsets reversed", one(R"({"dtype":"U8","shape":[1],"data_offsets":[1,0]})", 1), "do not begin");
        row("beyond the file", one(R"({"dtype":"U8","shape":[9],"data_offsets":[0,9]})", 8), "cut short");
        row("trailing bytes", one(R"({"dtype":"U8","shape":[8],"data_offsets":[0,8]})", 9),
            "something was added");
        row("hole at the start", one(R"({"dtype":"U8","shape":[1],"data_offsets":[1,2]})", 2),
            "do not begin");
        row("unknown dtype", one(R"({"dtype":"F33","shape":[1],"data_offsets":[0,4]})", 4), "unknown dtype");
        row("no shape", one(R"({"dtype":"U8","data_offsets":[0,1]})", 1), "lacks");
        row("three offsets", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0,1,1]})", 1), "a number");
        row("one offset", one(R"({"dtype":"U8","shape":[1],"data_offsets":[0]})", 1), "not two numbers");
        row("field twice", one(R"({"dtype":"U8","dtype":"U8","shape":[1],"data_offsets":[0,1]})", 1),
            "twice");
        row("65 dimensions",
            one(
                "{\"dtype\":\"U8\",\"shape\":[1" +
                    [] {
                        std::string s;
                        for (int i = 0; i < 64; ++i)
                            s += ",1";
                        return s;
                    }()
                    + "],\"data_offsets\":[0,1]}",
                1),
            "64 dimensions");
        const std::string entry = R"({"dtype":"U8","shape":[1],"data_offsets":[0,1]})";
        const std::string second = R"({"dtype":"U8","shape":[1],"data_offsets":[1,2]})";
        row("tensor twice", file_with("{\"w\":" + entry + ",\"w\":" + second + "}", "12"), "twice");
        row("overlap", file_with("{\"v\":" + entry + ",\"w\":" + entry + "}", "1"), "do not begin");
        row("hole",
            file_with("{\"v\":" + entry + R"(,"w":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})", "123"),
            "do not begin");
        row("metadata not strings", file_with(R"({"__metadata__":{"a":1}})", ""), "a number");
        row("metadata key twice", file_with(R"({"__metadata__":{"a":"1","a":"2"}})", ""), "twice");
        const std::string nothing = R"({"dtype":"U8","shape":[0],"data_offsets":[1,1]})";
        std::string many = "{\"t0\":" + entry;
        for (int i = 1; i <= 100'001; ++i)
            many += ",\"t" + std::to_string(i) + "\":" + nothing;
        row("too many tensors", file_with(many + "}", "1"), "100,000");
    }

    void refusesHostileFiles() {
        QFETCH(QByteArray, content);
        QFETCH(QString, reason);
        put("model.safetensors", content.toStdString());
        std::string sentence = refusal([&] { SafetensorsReader::open(root()); });
        QVERIFY2(sentence.find(reason.toStdString()) != std::string::npos, sentence.c_str());
        QVERIFY2(sentence.find("model.safetensors") != std::string::npos, sentence.c_str());
    }

    void acceptsWhatTheFormatAllows() {
        put("a.safetensors", file_with("{}  ", ""));
        QCOMPARE(SafetensorsReader::open(root() / "a.safetensors").tensors().size(), std::size_t(0));
        put("b.safetensors",
            file_with(
                R"({"s":{"shape":[],"data_offsets":[0,4],"dtype":"F32"},"e":{"dtype":"F32","shape":[0,9223372036854775807],"data_offsets":[0,0]}})",
                std::string("\x01\x00\xc0\x7f", 4)));
        QVERIFY(std::isnan(floats(SafetensorsReader::open(root() / "b.safetensors"), "s")[0]));
    }

    void refusesHostileFolders() {
        auto shard = [&](const std::string& file, const std::string& tensor) {
            put(file,
                file_with("{\"" + tensor + R"(":{"dtype":"U8","shape":[1],"data_offsets":[0,1]}})", "1"));
        };
        auto index = [&](const std::string& map) {
            put("model.safetensors.index.json", "{\"weight_map\":" + map + "}");
        };
        auto says = [&](const std::string& reason) {
            std::string sentence = refusal([&] { SafetensorsReader::open(root()); });
            bool found = sentence.find(reason) != std::string::npos;
            if (!found) qWarning("got: %s", sentence.c_str());
            return found;
        };
        QVERIFY(says("has no model.safetensors"));
        put("pytorch_model.bin", "x");
        QVERIFY(says("pickle"));
        shard("1.safetensors", "a");
        shard("2.safetensors", "b");
        index(R"({"a":"1.safetensors","b":"2.safetensors"})");
        QVERIFY(says("") && SafetensorsReader::open(root()).tensors().size() == 2);
        index(R"({"a":"1.safetensors","b":"1.safetensors"})");
        QVERIFY(says("does not hold it"));
        index(R"({"a":"1.safetensors","b":"3.safetensors"})");
        QVERIFY(says("3.safetensors"));
        shard("2.safetensors", "a");
        index(R"({"a":"1.safetensors","b":"2.safetensors"})");
        QVERIFY(says("is also in 1.safetensors"));
        for (const char* name :
             {"../1.safetensors", "/tmp/1.safetensors", "x/1.safetensors", "C:1.safetensors",
              "..\\\\1.safetensors", "1.safetensors\\u0000.safetensors"}) {
            index("{\"a\":\"" + std::string(name) + "\"}");
            QVERIFY(says("not a plain file name"));
        }
        index(R"({"a":"config.json"})");
        QVERIFY(says("not a .safetensors file"));
        index(R"({"a":1})");
        QVERIFY(says("not a string"));
        index("[]");
        QVERIFY(says("no weight_map"));
        index(R"({"a":"1.safetensors","a":"1.safetensors"})");
        QVERIFY(says("twice"));
    }

    void linksMayNotLeaveTheFolder() {
        fs::path inner = root() / "models/snapshots/0123", blobs = root() / "models/blobs";
        fs::create_directories(inner);
        fs::create_directories(blobs);
        fs::copy(golden / "single.safetensors", blobs / "cafe");
        fs::copy(golden / "single.safetensors", root() / "outside");
        fs::create_symlink("../../blobs/cafe", inner / "model.safetensors"); // as the Hugging Face cache does
        QCOMPARE(SafetensorsReader::open(inner).tensors().size(), std::size_t(11));
        fs::remove(inner / "model.safetensors");
        fs::create_symlink("../../../outside", inner / "model.safetensors");
        QVERIFY(refusal([&] { SafetensorsReader::open(inner); }).find("outside of its folder")
                != std::string::npos);
        fs::remove(inner / "model.safetensors");
        fs::create_symlink("model.safetensors", inner / "model.safetensors");
        QVERIFY(!refusal([&] { SafetensorsReader::open(inner); }).empty());
        fs::remove(inner / "model.safetensors");
        QCOMPARE(mkfifo((inner / "model.safetensors").c_str(), 0600), 0);
        QVERIFY(refusal([&] { SafetensorsReader::open(inner); }).find("not a regular file")
                != std::string::npos);
    }

    void noticesAFileThatChangesWhileItIsOpen() {
        fs::copy(golden / "single.safetensors", root() / "model.safetensors");
        SafetensorsReader reader = SafetensorsReader::open(root());
        std::array<float, 15> into{};
        reader.read_f32("z.f32", into);
        fs::resize_file(root() / "model.safetensors", fs::file_size(root() / "model.safetensors") - 200);
        QVERIFY(refusal([&] { reader.read_f32("z.f32", into); }).find("while it was read")
                != std::string::npos);
        // Replaced by rename: the reader goes on with the file it opened.
        fs::copy_file(golden / "single.safetensors", root() / "model.safetensors",
                      fs::copy_options::overwrite_existing);
        SafetensorsReader second = SafetensorsReader::open(root());
        write_file_atomic(root() / "model.safetensors", "other");
        QVERIFY(refusal([&] { second.read_f32("z.f32", into); }).empty());
    }

    void conversionsAgreeWithTheHardwareOnEveryHalf() {
        std::vector<std::uint16_t> halves(65536), back(65536), back_portable(65536);
        std::vector<float> wide(65536), portable(65536);
        for (std::size_t i = 0; i < halves.size(); ++i)
            halves[i] = static_cast<std::uint16_t>(i);
        f16_to_f32(halves, wide);
        f16_to_f32_portable(halves, portable);
        f32_to_f16(wide, back);
        f32_to_f16_portable(portable, back_portable);
        for (std::size_t i = 0; i < halves.size(); ++i) {
            QCOMPARE(std::bit_cast<std::uint32_t>(wide[i]), std::bit_cast<std::uint32_t>(portable[i]));
            QCOMPARE(back[i], back_portable[i]);
            bool signalling = (i & 0x7c00) == 0x7c00 && (i & 0x3ff) && !(i & 0x200);
            QCOMPARE(back[i], static_cast<std::uint16_t>(signalling ? i | 0x200 : i));
            double exponent = (i >> 10) & 31, mantissa = static_cast<double>(i & 0x3ff);
            double value = exponent == 0 ? mantissa * 0x1p-24 : (1024 + mantissa) * std::exp2(exponent - 25);
            if (exponent != 31) QCOMPARE(static_cast<double>(wide[i]), i & 0x8000 ? -value : value);
        }
    }

    void roundingAgreesWithTheHardware() {
        // Every place where a rounding decision or a range begins: around each half, in both directions.
        std::vector<float> values;
        for (std::uint32_t half = 0; half < 0x7c01; ++half) {
            auto bits = std::bit_cast<std::uint32_t>(f16_to_f32(static_cast<std::uint16_t>(half)));
            for (std::int64_t delta : {-4097, -4096, -4095, -1, 0, 1, 4095, 4096, 4097})
                values.push_back(std::bit_cast<float>(
                    static_cast<std::uint32_t>(std::max<std::int64_t>(0, bits + delta))));
        }
        for (std::uint32_t bits = 0; bits < 0xff800000u; bits += 65521)
            values.push_back(std::bit_cast<float>(bits));
        std::vector<std::uint16_t> hardware(values.size()), portable(values.size()), brain(values.size());
        f32_to_f16(values, hardware);
        f32_to_f16_portable(values, portable);
        for (std::size_t i = 0; i < values.size(); ++i)
            QVERIFY2(hardware[i] == portable[i],
                     std::to_string(std::bit_cast<std::uint32_t>(values[i])).c_str());
        f32_to_bf16(values, brain);
        for (std::size_t i = 0; i < values.size(); ++i) {
            float back = std::bit_cast<float>(static_cast<std::uint32_t>(brain[i]) << 16);
            if (std::isnan(values[i]))
                QVERIFY(std::isnan(back));
            else if (std::isfinite(back) && std::abs(values[i]) >= 0x1p-126f)
                QVERIFY(std::abs(back - values[i]) <= std::abs(values[i]) * 0x1p-8f);
        }
    }

private:
    fs::path root() const { return dir_->path().toStdString(); }
    void put(const std::string& name, const std::string& content) { put_file(root() / name, content); }
    static std::vector<std::string> state_dict_order() {
        std::vector<std::string> names{"model.embed_tokens.weight"};
        for (std::string layer : {"model.layers.0.", "model.layers.1."})
            for (const char* part : {"self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj",
                                     "self_attn.o_proj", "mlp.gate_proj", "mlp.up_proj", "mlp.down_proj",
                                     "input_layernorm", "post_attention_layernorm"})
                names.push_back(layer + part + ".weight");
        names.insert(names.end(), {"model.norm.weight", "lm_head.weight"});
        return names;
    }
    std::unique_ptr<QTemporaryDir> dir_;
};

QTEST_APPLESS_MAIN(TestSafetensors)
#include "tst_safetensors.moc"
