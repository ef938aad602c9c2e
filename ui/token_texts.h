#pragma once

#include "core/store/records.h"
#include "core/text/tokenizer.h"

#include <QString>

#include <filesystem>
#include <optional>
#include <vector>

namespace tempera {

class Workspace;

/// The text of every token of completions, by the tokenizer of the run that drew them: that of its recipe's
/// model, or of the model it left. Keeps the last tokenizer. One thread at a time.
class TokenTexts {
public:
    /// Per list of ids, one text per id. A character of several tokens stands at its last one, the others are
    /// empty. Throws Error(not_found) with one sentence where the run's tokenizer is gone, and what reading
    /// it throws.
    std::vector<std::vector<QString>> pieces(const Workspace& workspace, const std::string& run_id,
                                             const std::vector<std::vector<std::int32_t>>& ids);

private:
    std::filesystem::path folder_;
    std::optional<Tokenizer> tokenizer_;
};

} // namespace tempera
