#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/base/random.h"
#include "core/format/gguf_import.h"
#include "core/format/safetensors.h"
#include "tests/support/paths.h"

#include <QTest>

#include <cstring>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

/// A file in memory that is opened by path like any other.
class MemoryFile {
public:
    MemoryFile() : fd_(memfd_create("fuzz", 0)), path_("/proc/self/fd/" + std::to_string(fd_)) {}
    ~MemoryFile() { close(fd_); }
    const fs::path& holding(const std::string& content) {
        if (ftruncate(fd_, 0) != 0
            || pwrite(fd_, content.data(), content.size(), 0) != static_cast<ssize_t>(content.size()))
            qFatal("cannot write to memory");
        return path_;
    }

private:
    int fd_;
    fs::path path_;
};

/// Whether the action ends without an Error. Any other exception, or a signal, fails the test.
template <typename Action>
bool accepted(Action action, std::string& reason) {
    try {
        action();
        return true;
    } catch (const Error& error) {
        reason = error.what();
        return false;
    }
}

std::size_t peak_memory() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return static_cast<std::size_t>(usage.ru_maxrss) * 1024;
}

/// Random choices of one case, so that each can be run again by its number.
struct Choice {
    RandomStream random;
    explicit Choice(std::uint64_t number) : random(11, number) {}
    std::size_t below(std::size_t bound) { return random.below(static_cast<std::uint32_t>(bound)); }
    bool chance(int percent) { return below(100) < static_cast<std::size_t>(percent); }
    template <typename T>
    const T& of(const std::vector<T>& list) {
        return list[below(list.size())];
    }
};

// ---- the safetensors rules once more, as plainly as they can be said, on a parsed document ----

std::optional<std::uint64_t> natural(const Json& value) {
    if (!value.is_number_unsigned()) return std::nullopt;
    return value.get<std::uint64_t>();
}

bool follows_the_rules(const std::string& blob) {
    if (blob.size() < 8) return false;
    std::uint64_t size;
    std::memcpy(&size, blob.data(), 8);
    if (size > 100'000'000 || size > blob.size() - 8) return false;
    std::string text = blob.substr(8, size);
    if (text.empty() || text[0] != '{') return false;
    Json header;
    try {
        header = parse_json(text, "fuzz"); // refuses keys given twice
    } catch (const Error&) {
        return false;
    }
    std::vector<std::array<std::uint64_t, 2>> places;
    for (const auto& [name, entry] : header.items()) {
        if (!entry.is_object()) return false;
        if (name == "__metadata__") {
            for (const auto& [key, value] : entry.items())
                if (!value.is_string()) return false;
            continue;
        }
        if (entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape")
            || !entry.contains("data_offsets"))
            return false;
        const Json &shape = entry["shape"], &offsets = entry["data_offsets"];
        if (!entry["dtype"].is_string() || !shape.is_array() || !offsets.is_array() || offsets.size() != 2)
            return false;
        auto type = tensor_type_from_name(entry["dtype"].get<std::string>());
        auto begin = natural(offsets[0]), end = natural(offsets[1]);
        if (!type || !begin || !end || *end < *begin || shape.size() > 64) return false;
        __extension__ unsigned __int128 bits = 1;
        for (const Json& dimension : shape) {
            auto number = natural(dimension);
            if (!number || *number > INT64_MAX) return false;
            bits *= *number;
            if (bits > UINT64_MAX) return false;
        }
        bits *= bits_of(*type);
        if (bits > UINT64_MAX || bits % 8 != 0 || bits / 8 != *end - *begin) return false;
        places.push_back({*begin, *end});
    }
    std::sort(places.begin(), places.end());
    std::uint64_t position = 0;
    for (auto [begin, end] : places) {
        if (begin != position) return false;
        position = end;
    }
    return position == blob.size() - 8 - size;
}

const std::vector<std::string> numbers = {"0",
                                          "1",
                                          "2",
                                          "3",
                                          "4",
                                          "6",
                                          "7",
                                          "8",
                                          "16",
                                          "22",
                                          "23",
                                          "24",
                                          "255",
                                          "2147483648",
                                          "4294967295",
                                          "4294967296",
                                          "9223372036854775807",
                                          "9223372036854775808",
                                          "18446744073709551615",
                                          "18446744073709551616",
                                          "-1",
                                          "-0",
                                          "1.0",
                                          "1e3",
                                          "1e999",
                                          "null",
                                          "true",
                                          "\"1\"",
                                          "[]",
                                          "{}"};
const std::vector<std::string> type_names = {"F32",     "F16",     "BF16", "I64", "U8", "BOOL", "F4",
                                             "F6_E2M3", "F8_E4M3", "C64",  "f32", "",   "F33"};
const std::vector<std::string> scraps = {"\"",      "{",
                                         "}",       "[",
                                         "]",       ":",
                                         ",",       "0",
                                         "-",       ".",
                                         "e",       " ",
                                         "\\",      "\\u0000",
                                         "\\ud800", "\xff",
                                         "\x01",    "\xc3\xa9",
                                         "null",    "\"dtype\":",
                                         "\"a\":",  "\"__metadata__\":"};

std::string safetensors_case(Choice& choice) {
    struct Entry {
        std::string name, type;
        std::vector<std::string> shape, offsets;
    };
    std::vector<Entry> entries = {{"a", "F32", {"2", "2"}, {"0", "16"}},
                                  {"b", "BF16", {"3"}, {"16", "22"}},
                                  {"c", "U8", {}, {"22", "23"}},
                                  {"d", "F16", {"0", "7"}, {"23", "23"}}};
    std::size_t data = 23;
    std::string metadata = choice.chance(50) ? R"("__metadata__":{"format":"pt"},)" : "";
    for (std::size_t changes = choice.below(3); changes > 0; --changes) {
        Entry& entry = entries[choice.below(entries.size())];
        switch (choice.below(8)) {
        case 0:
            entry.offsets[choice.below(entry.offsets.size())] = choice.of(numbers);
            break;
        case 1:
            entry.shape.push_back(choice.of(numbers));
            break;
        case 2:
            if (!entry.shape.empty()) entry.shape[choice.below(entry.shape.size())] = choice.of(numbers);
            break;
        case 3:
            entry.type = choice.of(type_names);
            break;
        case 4:
            entry.name = choice.of(std::vector<std::string>{"a", "b", "", "__metadata__", "\\u0061", "x"});
            break;
        case 5:
            std::swap(entries[0].offsets, entry.offsets);
            break;
        case 6:
            metadata = R"("__metadata__":{"k":)" + choice.of(numbers) + "},";
            break;
        default:
            std::swap(entries[choice.below(entries.size())], entry);
            break; // another order: still right
        }
    }
    if (choice.chance(20)) { // a further tensor, often a right one
        std::string end = std::to_string(23 + choice.below(9));
        entries.push_back({"e", choice.of(type_names), {std::to_string(choice.below(4)), "2"}, {"23", end}});
        data = 23 + choice.below(9);
    }
    std::string text = "{" + metadata;
    for (const Entry& entry : entries) {
        text += (text.back() == '}' ? ",\"" : "\"") + entry.name + R"(":{"dtype":")" + entry.type
                + R"(","shape":[)";
        for (const std::string& number : entry.shape)
            text += (text.back() == '[' ? "" : ",") + number;
        text += "],\"data_offsets\":[" + entry.offsets[0] + "," + entry.offsets[1] + "]}";
    }
    text += "}";
    if (choice.chance(25)) text.replace(choice.below(text.size()), choice.below(3), choice.of(scraps));
    if (choice.chance(5)) text[choice.below(text.size())] = static_cast<char>(choice.below(256));
    text.append(choice.below(3), ' ');
    std::uint64_t size = text.size();
    if (choice.chance(3)) size += choice.below(2) ? 1 : ~0ull;
    if (choice.chance(1)) size = choice.random() | static_cast<std::uint64_t>(choice.random()) << 32;
    if (choice.chance(4)) data += choice.below(2) ? 1 : ~0ull;
    std::string blob(reinterpret_cast<const char*>(&size), 8);
    blob += text + std::string(data, '\7');
    if (choice.chance(2)) blob.resize(choice.below(blob.size()));
    return blob;
}

// ---- GGUF: a right file and the places of its numbers ----

struct GgufBytes {
    std::string text;
    std::vector<std::pair<std::size_t, std::size_t>> fields; ///< place and width

    template <typename T>
    void number(T value) {
        fields.emplace_back(text.size(), sizeof value);
        text.append(reinterpret_cast<const char*>(&value), sizeof value);
    }
    void string(std::string_view value) {
        number<std::uint64_t>(value.size());
        text += value;
    }
    void entry(std::string_view key, std::uint32_t type) {
        string(key);
        number(type);
    }
};

GgufBytes gguf_file() {
    GgufBytes file;
    file.text = "GGUF";
    file.number(3u);
    file.number(std::uint64_t(3));
    file.number(std::uint64_t(6));
    file.entry("general.architecture", 8);
    file.string("llama");
    file.entry("general.alignment", 4);
    file.number(32u);
    file.entry("test.strings", 9);
    file.number(8u);
    file.number(std::uint64_t(3));
    for (const char* text : {"one", "", "three"})
        file.string(text);
    file.entry("test.floats", 9);
    file.number(6u);
    file.number(std::uint64_t(2));
    file.number(1.5f);
    file.number(2.5f);
    file.entry("test.flag", 7);
    file.text += '\1';
    file.entry("test.long", 10);
    file.number(std::uint64_t(7));
    struct Tensor {
        const char* name;
        std::vector<std::uint64_t> shape;
        std::uint32_t type;
        std::uint64_t offset;
    };
    for (const Tensor& tensor :
         std::vector<Tensor>{{"a", {8, 2}, 0, 0}, {"b", {64}, 3, 64}, {"c", {256, 2}, 14, 128}}) {
        file.string(tensor.name);
        file.number(static_cast<std::uint32_t>(tensor.shape.size()));
        for (std::uint64_t dimension : tensor.shape)
            file.number(dimension);
        file.number(tensor.type);
        file.number(tensor.offset);
    }
    file.text.resize((file.text.size() + 31) / 32 * 32);
    file.text.append(128 + 420, '\3');
    return file;
}

std::string mutated(const GgufBytes& file, Choice& choice) {
    static const std::vector<std::uint64_t> values = {0,
                                                      1,
                                                      2,
                                                      3,
                                                      4,
                                                      5,
                                                      7,
                                                      8,
                                                      9,
                                                      12,
                                                      13,
                                                      14,
                                                      16,
                                                      31,
                                                      32,
                                                      33,
                                                      63,
                                                      64,
                                                      96,
                                                      100,
                                                      128,
                                                      255,
                                                      256,
                                                      512,
                                                      65535,
                                                      65536,
                                                      65537,
                                                      1u << 24,
                                                      0x7fffffff,
                                                      0x80000000,
                                                      0xffffffff,
                                                      1ull << 32,
                                                      1ull << 40,
                                                      1ull << 61,
                                                      INT64_MAX,
                                                      1ull << 63,
                                                      UINT64_MAX - 31,
                                                      UINT64_MAX};
    std::string text = file.text;
    for (std::size_t changes = choice.below(3); changes > 0; --changes) {
        auto [place, width] = file.fields[choice.below(file.fields.size())];
        std::uint64_t value = choice.of(values);
        std::memcpy(text.data() + place, &value, width);
    }
    if (choice.chance(20)) text[choice.below(text.size())] = static_cast<char>(choice.below(256));
    if (choice.chance(5)) text.erase(choice.below(text.size()), 1 + choice.below(40));
    if (choice.chance(5))
        text.insert(choice.below(text.size()), 1 + choice.below(40), static_cast<char>(choice.below(256)));
    if (choice.chance(5)) text.resize(choice.below(text.size()));
    return text;
}

} // namespace

/// Seeded mutations: a case that fails is run again by its number.
class TestFormatFuzz : public QObject {
    Q_OBJECT

private slots:
    void safetensorsAreAcceptedExactlyWhenTheRulesSaySo() {
        MemoryFile file;
        int taken = 0;
        std::size_t before = peak_memory();
        for (std::uint64_t number = 0; number < 100'000; ++number) {
            Choice choice(number);
            std::string blob = safetensors_case(choice), reason;
            bool takes = accepted([&] { read_all(SafetensorsReader::open(file.holding(blob))); }, reason);
            if (takes != follows_the_rules(blob))
                QFAIL((std::to_string(number) + ": " + blob.substr(8) + " -> " + (takes ? "taken" : reason))
                          .c_str());
            taken += takes;
        }
        QVERIFY2(taken > 10'000 && taken < 90'000, std::to_string(taken).c_str());
        QVERIFY(peak_memory() - before < 64u << 20);
    }

    void ggufNeverCrashes() {
        GgufBytes original = gguf_file();
        MemoryFile file;
        int taken = 0;
        std::size_t before = peak_memory();
        for (std::uint64_t number = 0; number < 100'000; ++number) {
            Choice choice(number);
            std::string blob = mutated(original, choice), reason;
            taken += accepted([&] { read_all(GgufReader::open(file.holding(blob))); }, reason);
        }
        QVERIFY2(taken > 10'000 && taken < 90'000, std::to_string(taken).c_str());
        QVERIFY(peak_memory() - before < 64u << 20);
    }

    void importOfMutatedModelsNeverCrashes() {
        std::string whole = read_file(fs::path(source_dir()) / "tests/golden/gguf/llama.gguf", 1 << 20);
        std::size_t head = whole.find("blk.0.attn_norm.weight");
        QVERIFY(head != std::string::npos);
        MemoryFile file;
        int taken = 0;
        for (std::uint64_t number = 0; number < 1'000; ++number) {
            Choice choice(number);
            std::string blob = whole, reason;
            for (std::size_t changes = 1 + choice.below(3); changes > 0; --changes)
                blob[choice.below(head)] =
                    static_cast<char>(choice.chance(50) ? choice.below(256) : choice.below(4));
            taken += accepted(
                [&] {
                    GgufReader gguf = GgufReader::open(file.holding(blob));
                    config_from_gguf(gguf, TensorType::f32);
                    parse_json(tokenizer_from_gguf(gguf).tokenizer_json,
                               "written"); // what is written is valid JSON
                },
                reason);
        }
        QVERIFY2(taken > 25 && taken < 975, std::to_string(taken).c_str());
    }

private:
    static void read_all(const SafetensorsReader& reader) {
        std::vector<std::byte> bytes;
        for (const StoredTensor& tensor : reader.tensors()) {
            bytes.resize(tensor.bytes());
            reader.read_bytes(tensor.name, bytes);
        }
    }
    static void read_all(const GgufReader& reader) {
        std::vector<float> values;
        for (const GgufTensor& tensor : reader.tensors()) {
            if (!ggml_type_info(tensor.type).readable) continue;
            values.resize(static_cast<std::size_t>(tensor.elements()));
            reader.read_f32(tensor.name, values);
        }
    }
};

QTEST_APPLESS_MAIN(TestFormatFuzz)
#include "tst_format_fuzz.moc"
