// Draws n samples of every prompt and prints what it took, as one JSON line. usage:
// bench_sampling MODEL PROMPTS.jsonl N MAX_TOKENS TEMPERATURE TOP_P [THREADS] [SLOTS] [REPEATS]
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/sample/sampler.h"
#include "core/engine/train/machine.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>

using namespace tempera;

namespace {

struct Figures {
    double seconds = 0;
    std::int64_t tokens = 0, useful = 0, prompt_tokens = 0;
};

Figures draw_all(Sampler& sampler, const std::vector<std::vector<std::int32_t>>& prompts, int n,
                 DrawSettings settings) {
    Figures figures;
    std::size_t next = 0;
    const auto begin = std::chrono::steady_clock::now();
    sampler.run(
        [&](PromptRequest& request) {
            if (next == prompts.size()) return false;
            request.ids = prompts[next];
            figures.prompt_tokens += static_cast<std::int64_t>(request.ids.size());
            for (int s = 0; s < n; ++s)
                request.sequences.push_back(
                    {s, settings, RandomStream(0, next, static_cast<std::uint32_t>(s))});
            ++next;
            return true;
        },
        [&](DrawnSequence&& drawn) {
            figures.tokens += static_cast<std::int64_t>(drawn.token_ids.size());
            figures.useful += static_cast<std::int64_t>(drawn.token_ids.size()) - (drawn.finish == "eos");
        });
    figures.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    return figures;
}

int bench(int argc, char** argv) {
    if (argc < 7) {
        std::cerr << "usage: bench_sampling MODEL PROMPTS.jsonl N MAX_TOKENS TEMPERATURE TOP_P [THREADS] "
                     "[SLOTS] [REPEATS]\n";
        return 2;
    }
    auto number = [&](int i, int otherwise) { return argc > i ? std::stoi(argv[i]) : otherwise; };
    const int threads = prepare_threads(number(7, 0));
    Decoder decoder = load_decoder(argv[1]);
    Tokenizer tokenizer = Tokenizer::load(base_folder_of(argv[1]));
    std::vector<std::vector<std::int32_t>> prompts;
    std::ifstream file(argv[2]);
    for (std::string line; std::getline(file, line);)
        prompts.push_back(tokenizer.encode(parse_json(line, argv[2])["prompt"].get<std::string>()));
    SamplerOptions options;
    options.threads = threads;
    options.max_tokens = std::stoi(argv[4]);
    options.slots = number(8, 0);
    Sampler sampler(decoder, tokenizer, options);
    DrawSettings settings;
    settings.temperature = std::stod(argv[5]);
    settings.top_p = std::stod(argv[6]);
    Figures best;
    for (int i = 0; i < number(9, 2); ++i) {
        Figures figures = draw_all(sampler, prompts, std::stoi(argv[3]), settings);
        if (i == 0 || figures.seconds < best.seconds) best = figures;
    }
    std::cout << to_json_line({{"seconds", best.seconds},
                               {"tokens", best.tokens},
                               {"useful_tokens", best.useful},
                               {"prompt_tokens", best.prompt_tokens},
                               {"useful_tokens_per_second", static_cast<double>(best.useful) / best.seconds},
                               {"slots", sampler.slots()},
                               {"threads", threads},
                               {"peak_gib", peak_memory_gib()}})
              << "\n";
    return 0;
}

} // namespace

int main(int argc, char** argv) {
    try {
        return bench(argc, argv);
    } catch (const Error& error) {
        std::cerr << error.what() << "\n";
        return 1;
    }
}
