#include "format_fixture.h"

#include "core/base/files.h"
#include "core/format/gguf.h"
#include "tests/support/paths.h"

#include <QTemporaryDir>
#include <QTest>

#include <bit>
#include <cmath>
#include <cstring>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden/gguf";

/// Writes the parts of a GGUF file one after another, right or wrong.
struct Bytes {
    std::string text;
    template <typename T>
    Bytes& number(T value) {
        text.append(reinterpret_cast<const char*>(&value), sizeof value);
        return *this;
    }
    Bytes& string(std::string_view value) {
        number<std::uint64_t>(value.size());
        text += value;
        return *this;
    }
    Bytes& head(std::uint64_t tensors, std::uint64_t entries, std::uint32_t version = 3) {
        text += "GGUF";
        return number(version).number(tensors).number(entries);
    }
    Bytes& entry(std::string_view key, GgufType type) {
        return string(key).number(static_cast<std::uint32_t>(type));
    }
    Bytes& tensor(std::string_view name, const std::vector<std::uint64_t>& dimensions, std::uint32_t type,
                  std::uint64_t offset) {
        string(name).number(static_cast<std::uint32_t>(dimensions.size()));
        for (std::uint64_t dimension : dimensions)
            number(dimension);
        return number(type).number(offset);
    }
    Bytes& data(std::size_t count) {
        text.resize((text.size() + 31) / 32 * 32);
        text.resize(text.size() + count, '\1');
        return *this;
    }
};

} // namespace

class TestGguf : public QObject {
    Q_OBJECT

private slots:
    void dequantisesAsGgufPyDoesBitForBit() {
        GgufReader reader = GgufReader::open(golden / "blocks.gguf");
        std::string expected = read_file(golden / "blocks.bin", 1 << 20);
        QCOMPARE(reader.tensors().size(), std::size_t(11));
        std::size_t at = 0;
        for (const GgufTensor& tensor : reader.tensors()) {
            QCOMPARE(tensor.name, std::string(ggml_type_info(tensor.type).name));
            QCOMPARE(tensor.elements(), std::int64_t(2048));
            std::vector<float> values(2048);
            reader.read_f32(tensor.name, values);
            for (std::size_t i = 0; i < values.size(); ++i, at += 4)
                QVERIFY2(std::memcmp(&values[i], expected.data() + at, 4) == 0,
                         (tensor.name + " " + std::to_string(i)).c_str());
        }
        QCOMPARE(at, expected.size());
    }

    void readsMetadataOfEveryType() {
        GgufReader reader = GgufReader::open(golden / "values.gguf");
        auto value = [&](const char* name) -> const GgufValue& {
            return *reader.value(std::string("test.") + name);
        };
        QCOMPARE(value("uint8").integer(), std::optional<std::int64_t>(200));
        QCOMPARE(value("int8").integer(), std::optional<std::int64_t>(-100));
        QCOMPARE(value("uint16").integer(), std::optional<std::int64_t>(60000));
        QCOMPARE(value("int16").integer(), std::optional<std::int64_t>(-30000));
        QCOMPARE(value("uint32").integer(), std::optional<std::int64_t>(4000000000));
        QCOMPARE(value("int32").integer(), std::optional<std::int64_t>(-2000000000));
        QCOMPARE(value("uint64").integer(),
                 std::optional<std::int64_t>()); // beyond what fits: no wrong number
        QCOMPARE(value("int64").integer(), std::optional<std::int64_t>(-(std::int64_t(1) << 60)));
        QCOMPARE(value("float32").single(), std::optional<float>(1e-5f));
        QCOMPARE(value("float64").number(), std::optional<double>(1e-300));
        QCOMPARE(value("bool").flag(), std::optional<bool>(true));
        QCOMPARE(value("string").text(), std::optional<std::string_view>("caf\xc3\xa9"));
        QVERIFY(!value("string").integer() && !value("bool").integer() && !value("float32").integer()
                && !value("int8").text());
        QCOMPARE(value("strings").count(), std::size_t(3));
        QCOMPARE(value("strings").text(0), std::optional<std::string_view>(""));
        QCOMPARE(value("strings").text(1), std::optional<std::string_view>("one"));
        QCOMPARE(value("strings").text(2), std::optional<std::string_view>("\xe4\xb8\xad"));
        QVERIFY(!value("strings").text(3));
        QCOMPARE(value("integers").integer(1), std::optional<std::int64_t>(-2));
        QCOMPARE(value("floats").number(1), std::optional<double>(-1.5));
        QCOMPARE(value("flags").flag(1), std::optional<bool>(false));
        QVERIFY(reader.value("nothing") == nullptr);
        QCOMPARE(reader.at("b").shape, (std::vector<std::int64_t>{2, 3})); // alignment 64
        std::vector<float> values(6);
        reader.read_f32("b", values);
        QCOMPARE(values, (std::vector<float>{0, 1, 2, 3, 4, 5}));
    }

    void readsAFileWithoutTensors() {
        QCOMPARE(GgufReader::open(put(Bytes().head(0, 0))).tensors().size(), std::size_t(0));
        QCOMPARE(GgufReader::open(put(Bytes().head(0, 0, 2))).version(), 2u);
    }

    void namesTheQuantisationItCannotRead() {
        GgufReader reader = GgufReader::open(put(Bytes().head(1, 0).tensor("w", {256}, 16, 0).data(66)));
        std::vector<float> into(256);
        QVERIFY(refusal([&] { reader.read_f32("w", into); }).find("IQ2_XXS") != std::string::npos);
        QVERIFY(refusal([&] { reader.read_f32("v", into); }).find("no tensor \"v\"") != std::string::npos);
    }

    void refusesHostileFiles_data() {
        QTest::addColumn<QByteArray>("content");
        QTest::addColumn<QString>("reason");
        auto row = [](const char* name, const Bytes& content, const char* reason) {
            QTest::newRow(name) << QByteArray::fromStdString(content.text) << QString(reason);
        };
        auto with_size = [](std::uint64_t size) { return Bytes().head(0, 1).number(size); };
        const std::uint64_t huge = 0xffffffffffffffffull;
        row("empty", Bytes(), "it ends at byte 0");
        row("other magic", Bytes{"GGML"}.number(3), "not a GGUF file");
        row("version 1", Bytes().head(0, 0, 1), "version 1");
        row("version 4", Bytes().head(0, 0, 4), "version 4");
        row("big-endian", Bytes().head(0, 0, 0x03000000), "big-endian");
        row("cut in the preamble", Bytes{"GGUF"}.number(3), "first 24 bytes");
        row("2^64-1 tensors", Bytes().head(huge, 0), "announces 18446744073709551615 tensors");
        row("65537 entries", Bytes().head(0, 65537), "65537 metadata");
        row("entries that are not there", Bytes().head(0, 65536), "inside of a metadata key");
        row("tensors that are not there", Bytes().head(65536, 0), "inside of the entry of tensor 0");
        row("key of 2^64-1 bytes", with_size(huge), "at most 65535");
        row("key longer than the file", with_size(1000), "inside of a metadata key");
        row("string of 2^63 bytes",
            Bytes().head(0, 1).entry("k", GgufType::string).number(std::uint64_t(1) << 63), "at most");
        row("string longer than the file",
            Bytes().head(0, 1).entry("k", GgufType::string).number(std::uint64_t(1) << 20), "metadata \"k\"");
        row("unknown type", Bytes().head(0, 1).entry("k", static_cast<GgufType>(13)), "unknown type 13");
        row("unknown element type",
            Bytes().head(0, 1).entry("k", GgufType::array).number(99u).number(std::uint64_t(1)),
            "unknown type 99");
        row("array of arrays",
            Bytes().head(0, 1).entry("k", GgufType::array).number(9u).number(std::uint64_t(1)),
            "array of arrays");
        row("array of 2^61 doubles",
            Bytes().head(0, 1).entry("k", GgufType::array).number(12u).number(std::uint64_t(1) << 61),
            "elements, at most");
        row("array longer than the file",
            Bytes().head(0, 1).entry("k", GgufType::array).number(12u).number(std::uint64_t(1) << 20),
            "inside of metadata");
        row("strings that are not there",
            Bytes().head(0, 1).entry("k", GgufType::array).number(8u).number(std::uint64_t(1) << 20),
            "inside of metadata");
        row("key twice",
            Bytes().head(0, 2).entry("k", GgufType::u8).number('\1').entry("k", GgufType::u8).number('\1'),
            "twice");
        row("neither true nor false", Bytes().head(0, 1).entry("k", GgufType::boolean).number('\2'),
            "neither true nor false");
        for (std::uint32_t alignment : {0u, 3u, 1u << 21, 0xffffffffu})
            row(("alignment " + std::to_string(alignment)).c_str(),
                Bytes().head(0, 1).entry("general.alignment", GgufType::u32).number(alignment),
                "power of two");
        row("alignment of another type",
            Bytes().head(0, 1).entry("general.alignment", GgufType::string).string("32"), "power of two");
        row("0 dimensions", Bytes().head(1, 0).tensor("w", {}, 0, 0), "has 0 dimensions");
        row("100 dimensions", Bytes().head(1, 0).tensor("w", std::vector<std::uint64_t>(100, 1), 0, 0),
            "has 100 dimensions");
        row("dimension 0", Bytes().head(1, 0).tensor("w", {0}, 0, 0), "dimension of 0");
        row("2^32 x 2^32", Bytes().head(1, 0).tensor("w", {1ull << 32, 1ull << 32}, 0, 0), "can be counted");
        row("2^63 elements", Bytes().head(1, 0).tensor("w", {1ull << 63}, 24, 0), "can be counted");
        row("2^62 floats", Bytes().head(1, 0).tensor("w", {1ull << 62}, 0, 0), "can be counted");
        row("removed type", Bytes().head(1, 0).tensor("w", {32}, 4, 0), "unknown type 4");
        row("type 2^32-1", Bytes().head(1, 0).tensor("w", {32}, 0xffffffff, 0), "unknown type 4294967295");
        row("half a block", Bytes().head(1, 0).tensor("w", {48}, 2, 0), "whole blocks of Q4_0");
        row("beyond the file", Bytes().head(1, 0).tensor("w", {64}, 0, 0).data(255),
            "beyond the end of the file");
        row("no data", Bytes().head(1, 0).tensor("w", {64}, 0, 0), "beyond the end of the file");
        row("1 TB of data", Bytes().head(1, 0).tensor("w", {1ull << 38}, 0, 0).data(64),
            "beyond the end of the file");
        row("offset 2^64-32", Bytes().head(1, 0).tensor("w", {8}, 0, huge - 31).data(32), "has the offset");
        row("overlap", Bytes().head(2, 0).tensor("v", {8}, 0, 0).tensor("w", {8}, 0, 0).data(64),
            "has the offset 0 instead of 32");
        row("hole", Bytes().head(2, 0).tensor("v", {8}, 0, 0).tensor("w", {8}, 0, 64).data(128),
            "has the offset 64 instead of 32");
        row("offset not aligned", Bytes().head(2, 0).tensor("v", {7}, 0, 0).tensor("w", {8}, 0, 28).data(64),
            "instead of 32");
        row("tensor twice", Bytes().head(2, 0).tensor("w", {8}, 0, 0).tensor("w", {8}, 0, 32).data(64),
            "twice");
    }

    void refusesHostileFiles() {
        QFETCH(QByteArray, content);
        QFETCH(QString, reason);
        fs::path path = put(Bytes{content.toStdString()});
        std::string sentence = refusal([&] { GgufReader::open(path); });
        QVERIFY2(sentence.find(reason.toStdString()) != std::string::npos, sentence.c_str());
        QVERIFY2(sentence.starts_with(path.string()), sentence.c_str());
    }

    void everyTruncationIsRefused() {
        std::string whole = read_file(golden / "values.gguf", 1 << 20);
        GgufReader::open(golden / "values.gguf");
        for (std::size_t size = 0; size < whole.size(); size += size < 64 ? 1 : 7) {
            // The last tensor's padding may be missing, its data may not.
            bool padding_only = whole.size() - size <= 64 - 12;
            fs::path path = put(Bytes{whole.substr(0, size)});
            if (!padding_only)
                QVERIFY2(!refusal([&] { GgufReader::open(path); }).empty(), std::to_string(size).c_str());
        }
    }

    void aFileCutWhileOpenIsAnError() {
        fs::path path = put(Bytes{read_file(golden / "blocks.gguf", 1 << 20)});
        GgufReader reader = GgufReader::open(path);
        fs::resize_file(path, 4096);
        std::vector<float> into(2048);
        QVERIFY(refusal([&] { reader.read_f32("Q6_K", into); }).find("while it was read")
                != std::string::npos);
    }

private:
    fs::path put(const Bytes& content) {
        fs::path path = fs::path(dir_.path().toStdString()) / "model.gguf";
        put_file(path, content.text);
        return path;
    }
    QTemporaryDir dir_;
};

QTEST_APPLESS_MAIN(TestGguf)
#include "tst_gguf.moc"
