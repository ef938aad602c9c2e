#pragma once

#include "core/judge/ask.h"
#include "core/recipe/synthetic_recipe.h"
#include "core/task/synthetic.h"

#include <filesystem>
#include <string>

namespace tempera {

/// What a synthetic run leaves: examples, what was rejected, and where both came from.
struct SyntheticResult {
    SyntheticFunnel funnel;
    AskTally tally; ///< of this session
    AskTally usage; ///< tokens and cost of every reply that was taken, of earlier sessions too
    std::int64_t requests = 0;
    std::string examples; ///< rows of synthetic.jsonl
    std::string rejected; ///< rows of rejected.jsonl

    void add_example(const std::string& prompt, const SyntheticVerdict& verdict,
                     const CountdownProblem& problem, std::int64_t request);
    void add_rejected(const SyntheticVerdict& verdict, const std::string& raw, std::int64_t request);

    /// Writes the four files into `folder`; `teacher` is null for the solver. Throws Error(io, disk_full).
    void write(const std::filesystem::path& folder, const SyntheticRecipe& recipe,
               const Asker* teacher) const;
};

} // namespace tempera
