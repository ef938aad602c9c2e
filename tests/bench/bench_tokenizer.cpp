// Times Tokenizer::encode on the texts of a file; tests/bench/bench_tokenizer.py runs it beside its peer.
// usage: bench_tokenizer TOKENIZER_JSON TEXTS ROUNDS     TEXTS: per text its length (8 bytes, this machine's
// order) and its bytes Prints one JSON line: seconds to load, of the first round and of the best, ids, and a
// checksum of them.

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/text/tokenizer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

using namespace tempera;

namespace {

double seconds_since(std::chrono::steady_clock::time_point start) {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

std::vector<std::string> read_texts(const char* path) {
    std::string bytes = read_file(path, 1u << 30);
    std::vector<std::string> texts;
    for (std::size_t at = 0; at + 8 <= bytes.size();) {
        std::uint64_t length;
        std::memcpy(&length, bytes.data() + at, 8);
        texts.push_back(bytes.substr(at + 8, length));
        at += 8 + length;
    }
    return texts;
}

} // namespace

int main(int argc, char** argv) {
    if (argc != 4) return std::fputs("usage: bench_tokenizer TOKENIZER_JSON TEXTS ROUNDS\n", stderr), 2;
    try {
        auto start = std::chrono::steady_clock::now();
        Tokenizer tokenizer = Tokenizer::load(argv[1]);
        double load = seconds_since(start), first = 0, best = 1e30;
        std::vector<std::string> texts = read_texts(argv[2]);
        std::size_t count = 0;
        std::uint64_t checksum = 0;
        for (int round = 0; round < std::max(1, std::atoi(argv[3])); ++round) {
            count = 0;
            checksum = 0;
            start = std::chrono::steady_clock::now();
            for (const std::string& text : texts) {
                std::vector<std::int32_t> ids = tokenizer.encode(text);
                count += ids.size();
                for (std::int32_t id : ids)
                    checksum = (checksum * 31 + static_cast<std::uint64_t>(id)) & 0xffffffffu;
            }
            double seconds = seconds_since(start);
            if (round == 0) first = seconds;
            best = std::min(best, seconds);
        }
        std::printf("{\"load\": %.4f, \"first\": %.6f, \"best\": %.6f, \"ids\": %zu, \"checksum\": %llu}\n",
                    load, first, best, count, static_cast<unsigned long long>(checksum));
    } catch (const Error& error) {
        return std::fprintf(stderr, "%s\n", error.what()), 1;
    }
}
