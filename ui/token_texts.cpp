#include "ui/token_texts.h"

#include "core/base/error.h"
#include "core/base/resources.h"
#include "core/format/package_model.h"
#include "core/store/model_reference.h"
#include "core/store/record_json.h"
#include "core/store/workspace.h"
#include "ui/theme/text.h"

#include <algorithm>

namespace fs = std::filesystem;

namespace tempera {

namespace {

bool holdsTokenizer(const fs::path& folder) {
    std::error_code ignored;
    return fs::is_regular_file(folder / "tokenizer.json", ignored);
}

/// Where the model of a recipe lies, without fetching one; empty where it is not there.
fs::path modelFolder(const std::string& reference, const RunRecord& run, const Workspace& workspace) {
    for (const PackageModel& model : package_models())
        if (model.name == reference) return cache_folder() / "models" / reference;
    try {
        return resolve_model(reference, {&workspace, run.study});
    } catch (const Error&) {
        return {};
    }
}

fs::path tokenizerFolder(const Workspace& workspace, const RunRecord& run, const std::string& model_field) {
    const std::string reference = recipe_text(run, model_field);
    if (!reference.empty())
        if (fs::path folder = modelFolder(reference, run, workspace); holdsTokenizer(folder)) return folder;
    if (fs::path left = workspace.run_folder(run.id) / "model"; holdsTokenizer(left)) return left;
    fail(ErrorKind::not_found,
         reference.empty()
             ? "The tokens cannot be shown: this run's recipe names no model to take a tokenizer from."
             : "The tokens cannot be shown: the model \"" + reference
                   + "\" of this run, which has its tokenizer, is no longer there; put it back.");
}

} // namespace

const Tokenizer& TokenTexts::tokenizer(const fs::path& folder) {
    const auto found =
        std::find_if(known_.begin(), known_.end(), [&](const auto& known) { return known.first == folder; });
    if (found != known_.end()) return found->second;
    known_.emplace_front(folder, Tokenizer::load(folder));
    if (known_.size() > 2) known_.pop_back();
    return known_.front().second;
}

std::vector<std::vector<QString>> TokenTexts::pieces(const Workspace& workspace, const std::string& run_id,
                                                     const std::vector<TokenList>& lists) {
    const RunRecord run = workspace.require_run(run_id);
    std::vector<std::vector<QString>> texts;
    for (const TokenList& list : lists) {
        std::vector<QString> pieces;
        if (!list.ids.empty()) {
            StreamingDecoder decoder(tokenizer(tokenizerFolder(workspace, run, list.model_field)), false);
            for (const std::int32_t id : list.ids)
                pieces.push_back(toQt(decoder.push(id)));
            pieces.back() += toQt(decoder.finish());
        }
        texts.push_back(std::move(pieces));
    }
    return texts;
}

} // namespace tempera
