#pragma once

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/net/hub.h"
#include "tests/support/hub_mimic.h"

#include <QTemporaryDir>
#include <QTest>
#include <random>

namespace tempera::test {

namespace fs = std::filesystem;

inline std::string noise(std::size_t size, std::uint64_t seed) {
    std::mt19937_64 generator(seed);
    std::string text(size, '\0');
    for (char& c : text)
        c = static_cast<char>(generator());
    return text;
}

inline HubMimic::Files model_files() {
    return {{"config.json", "{}"},
            {"model.safetensors", noise(300000, 1)},
            {"model.fp16.safetensors", noise(2000, 2)},
            {"tokenizer.json", noise(5000, 3)},
            {"tokenizer_config.json", "{\"a\": 1}"},
            {"pytorch_model.bin", noise(9000, 4)},
            {"onnx/model.onnx", noise(9000, 5)},
            {"README.md", "---\nlicense: mit\n---\n"},
            {".gitattributes", "*.bin"}};
}

inline HubName name_of(const char* text, HubKind kind = HubKind::model) {
    return parse_hub_name(text, kind).value();
}

/// A mimic of the hub, and settings that lead to it with a cache of their own.
struct HubFixture {
    HubMimic mimic;
    QTemporaryDir folder;
    Hub hub;

    HubFixture() {
        hub.settings = HubSettings();
        hub.settings.endpoint = mimic.endpoint();
        hub.settings.cache = fs::path(folder.path().toStdString()) / "hub";
        hub.settings.pause = std::chrono::milliseconds(2);
    }
};

} // namespace tempera::test

/// The statement throws an Error of that kind, whose sentence has these words.
#define FAILS(statement, wanted, part)                                                                       \
    try {                                                                                                    \
        statement;                                                                                           \
        QFAIL("no error");                                                                                   \
    } catch (const Error& error) {                                                                           \
        QVERIFY2(std::string(error.what()).find(part) != std::string::npos, error.what());                   \
        QCOMPARE(name_of(error.kind()), name_of(ErrorKind::wanted));                                         \
    }
