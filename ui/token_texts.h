#pragma once

#include "core/store/records.h"
#include "core/text/tokenizer.h"

#include <QString>

#include <deque>
#include <filesystem>
#include <utility>
#include <vector>

namespace tempera {

class Workspace;

/// The tokens of one completion.
struct TokenList {
    std::string model_field; ///< the recipe's field that names the model whose tokens they are: "model"
    std::vector<std::int32_t> ids;
};

/// The text of every token of completions, by the tokenizer of the run that drew them: that of a model its
/// recipe names, or of the model it left. Keeps the last two tokenizers. One thread at a time.
class TokenTexts {
public:
    /// Per list, one text per id. A character of several tokens stands at its last one, the others are empty.
    /// Throws Error(not_found) with one sentence where the run's tokenizer is gone, and what reading it
    /// throws.
    std::vector<std::vector<QString>> pieces(const Workspace& workspace, const std::string& run_id,
                                             const std::vector<TokenList>& lists);

private:
    const Tokenizer& tokenizer(const std::filesystem::path& folder);

    std::deque<std::pair<std::filesystem::path, Tokenizer>> known_; ///< the newest first
};

} // namespace tempera
