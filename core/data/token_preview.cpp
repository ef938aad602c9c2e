#include "core/data/token_preview.h"

#include "core/data/preferences.h"
#include "core/data/prompt_set.h"
#include "core/data/sft_row.h"

namespace tempera {

namespace {

TextExample rendered(const SftRow& row, ConversationRenderer& renderer) {
    if (row.problem) return {format_prompt(*row.problem, PromptStyle::paper), "", false};
    if (row.conversational) {
        PromptAndAnswer text = renderer.render(row.prompt, row.answer);
        return {std::move(text.prompt), std::move(text.answer), text.templated};
    }
    return {row.prompt.empty() ? "" : row.prompt.front().content, row.answer.front().content, false};
}

} // namespace

TokenPreviewer::TokenPreviewer(const std::filesystem::path& model, std::string system)
    : system_(std::move(system)), tokenizer_(Tokenizer::load(model)), renderer_(model, system_),
      style_(ChatTemplate::load(model)) {}

TokenPreview TokenPreviewer::shown(const std::string& title, const TextExample& text,
                                   std::int64_t max_length) const {
    TokeniseOptions options;
    options.eos_id = title == "prompt" ? -1 : tokenizer_.eos_id().value_or(-1);
    TokenExample example = tokenise_example(text, tokenizer_, options);
    TokenPreview preview{title, {}};
    for (std::int64_t i = 0; i < example.length(); ++i) {
        std::int32_t id = example.ids[static_cast<std::size_t>(i)];
        std::string_view bytes = tokenizer_.bytes(id);
        preview.tokens.push_back({std::string(bytes.empty() ? tokenizer_.piece(id) : bytes), id,
                                  title != "prompt" && i >= example.first_target(), i >= max_length});
    }
    return preview;
}

std::vector<TokenPreview> TokenPreviewer::preview(const JsonRow& row, DataTask task,
                                                  const std::string& columns, std::int64_t max_length) {
    if (!row.problem.empty()) throw RowError(RowFault::unreadable, row.problem);
    bool text_cells = data_format_of(row.source) == DataFormat::csv;
    JsonRow mapped = ColumnMapper(task, parse_columns(columns)).map(row, text_cells);
    if (task == DataTask::preferences) {
        PreferencePair pair = render_preference(read_preference(mapped), renderer_);
        return {shown("chosen", {pair.prompt, pair.chosen, pair.templated}, max_length),
                shown("rejected", {pair.prompt, pair.rejected, pair.templated}, max_length)};
    }
    if (task == DataTask::sft && !is_problem_row(mapped))
        return {shown("completion", rendered(read_sft_row(mapped, false), renderer_), max_length)};
    PromptSetOptions options;
    options.system = system_;
    TaskPrompt prompt = read_prompt(mapped, options);
    return {shown("prompt", {prompt_text(prompt, style_), "", !prompt.messages.empty()}, max_length)};
}

} // namespace tempera
