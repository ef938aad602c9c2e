#include "app/cli.h"
#include "app/cli_jsonl.h"
#include "app/cli_models.h"
#include "core/base/error.h"
#include "core/task/countdown_verifier.h"
#include "core/text/tokenizer.h"

#include <limits>
#include <memory>

namespace tempera::cli {

namespace {

struct TokenizeOptions {
    std::string model;
    bool decode = false;
    bool special = false;
    bool skip_special = false;
    std::filesystem::path workspace;
};

/// A folder with a tokenizer needs no model in it.
Tokenizer tokenizer_of(const TokenizeOptions& options) {
    if (Tokenizer::is_in(options.model)) return Tokenizer::load(options.model);
    return Tokenizer::load(model_folder(options.model, options.workspace));
}

int tokenize(const TokenizeOptions& options) {
    Tokenizer tokenizer = tokenizer_of(options);
    for_each_row([&](const JsonRow& row) {
        if (options.decode) {
            auto numbers = row.integers("ids", 0, std::numeric_limits<std::size_t>::max(), 0,
                                        std::numeric_limits<std::int32_t>::max());
            std::vector<std::int32_t> ids(numbers.begin(), numbers.end());
            for (std::int32_t id : ids)
                if (!tokenizer.contains(id))
                    fail(ErrorKind::bad_input, row.place() + ": the tokenizer of " + options.model
                                                   + " has no token with the id " + std::to_string(id)
                                                   + "; its ids end before "
                                                   + std::to_string(tokenizer.id_limit()) + ".");
            write_row({{"text", tokenizer.decode(ids, options.skip_special)}});
            return;
        }
        auto ids = tokenizer.encode(row.text({"text"}, true), {.add_special_tokens = options.special});
        write_row({{"ids", ids}, {"pieces", tokenizer.pieces(ids)}});
    });
    return exit_done;
}

int verify_rows() {
    constexpr std::int64_t largest = 1'000'000'000'000'000;
    for_each_row([](const JsonRow& row) {
        auto nums = row.integers("nums", 0, 1000, -largest, largest);
        auto target = row.integer("target", -largest, largest);
        Verdict verdict = verify(nums, target, row.text({"completion"}, true));
        write_row({{"score", verdict.score},
                   {"equation", verdict.equation},
                   {"value", verdict.value},
                   {"reason", verdict.reason}});
    });
    return exit_done;
}

} // namespace

void add_text_verbs(CLI::App& app, Action& action) {
    auto options = std::make_shared<TokenizeOptions>();
    auto* tokens = app.add_subcommand(
        "tokenize", "JSON lines: {\"text\"} -> {\"ids\",\"pieces\"}; with --decode {\"ids\"} -> {\"text\"}");
    tokens->add_option("--model", options->model, "Model name, run:ID or folder")
        ->required()
        ->type_name("MODEL");
    tokens->add_flag("--decode", options->decode, "From ids to text");
    tokens->add_flag("--special", options->special,
                     "Add the tokens the model's tokenizer puts around a text");
    tokens->add_flag("--skip-special", options->skip_special, "With --decode: leave special tokens out");
    add_workspace_option(*tokens, options->workspace);
    tokens->callback([options, &action] { action = [options] { return tokenize(*options); }; });

    auto* check = app.add_subcommand(
        "verify",
        "JSON lines: {\"nums\",\"target\",\"completion\"} -> {\"score\",\"equation\",\"value\",\"reason\"}");
    check->callback([&action] { action = verify_rows; });
}

} // namespace tempera::cli
