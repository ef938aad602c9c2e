#pragma once

#include "core/data/columns.h"
#include "core/data/conversation.h"
#include "core/data/token_example.h"

#include <filesystem>
#include <string>
#include <vector>

namespace tempera {

struct PreviewToken {
    std::string text; ///< what it adds to the text; may be a part of a character
    std::int32_t id = 0;
    bool learnt = false; ///< it counts in the loss
    bool cut = false;    ///< it lies behind max_length
};

/// One text that a model would be given of a row.
struct TokenPreview {
    std::string title; ///< "completion", "chosen", "rejected" or "prompt"
    std::vector<PreviewToken> tokens;
};

/// Shows rows as a trainer tokenises them with the model in a folder.
class TokenPreviewer {
public:
    /// Throws Error(not_found, bad_input, unsupported, io).
    explicit TokenPreviewer(const std::filesystem::path& model, std::string system = "");

    /// `row` as DataSet::rows() gives it; of preferences both answers. Throws Error(bad_input, unsupported)
    /// where the row cannot be used.
    std::vector<TokenPreview> preview(const JsonRow& row, DataTask task, const std::string& columns,
                                      std::int64_t max_length);

private:
    TokenPreview shown(const std::string& title, const TextExample& text, std::int64_t max_length) const;

    std::string system_;
    Tokenizer tokenizer_;
    ConversationRenderer renderer_;
    ChatTemplate style_;
};

} // namespace tempera
