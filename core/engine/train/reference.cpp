#include "core/engine/train/reference.h"

#include "core/base/content_hash.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/base/kept_files.h"
#include "core/base/resources.h"
#include "core/engine/model/model_sums.h"
#include "core/engine/train/dpo_step.h"

#include <c10/core/GradMode.h>
#include <cmath>

namespace fs = std::filesystem;

namespace tempera {

namespace {

constexpr std::size_t largest_cache_file = 256u << 20;

fs::path cache_file(const std::string& key) {
    return cache_folder() / "reference" / (key + ".json");
}

/// A list of numbers, null where one is not known.
std::vector<double> numbers_in(const Json& list, std::size_t count, std::vector<bool>& known) {
    std::vector<double> values(count);
    if (!list.is_array() || list.size() != count) fail(ErrorKind::bad_input, "another length");
    for (std::size_t k = 0; k < count; ++k) {
        known[k] = known[k] && list[k].is_number();
        if (list[k].is_number()) values[k] = list[k].get<double>();
    }
    return values;
}

} // namespace

bool fill_reference(ReferenceLogprobs& reference, const PassContext& model,
                    const std::vector<PairExample>& examples, const std::vector<std::int64_t>& rows,
                    const StopToken& stop, const std::function<void(std::int64_t, std::int64_t)>& report) {
    c10::NoGradGuard no_grad;
    std::vector<std::int64_t> missing;
    for (std::int64_t row : rows)
        if (!reference.known[static_cast<std::size_t>(row)]) missing.push_back(row);
    std::int64_t done = 0;
    for (const PairBatch& micro :
         make_pair_batches(examples, missing, model.micro_batch_tokens, 0, model.device)) {
        if (stop.requested() == StopRequest::cancel) return false;
        std::vector<PairLogprobs> sums =
            logprob_sums(micro, branch_logprobs(model, micro.branched, {}, nullptr));
        for (std::size_t k = 0; k < micro.rows.size(); ++k) {
            auto row = static_cast<std::size_t>(micro.rows[k]);
            if (!std::isfinite(sums[k].chosen + sums[k].rejected))
                fail(ErrorKind::numeric, "The reference model's log-probability of training row "
                                             + std::to_string(examples[row].row)
                                             + " is not finite; look at the row and at the model.");
            reference.values[row] = sums[k];
            reference.known[row] = true;
        }
        done += static_cast<std::int64_t>(micro.rows.size());
        if (report) report(done, static_cast<std::int64_t>(missing.size()));
    }
    return true;
}

std::string reference_key(const fs::path& folder, const std::vector<PairExample>& examples,
                          const std::string& dtype) {
    const std::string text = dtype + ";" + model_sums(folder);
    ContentHash hash = ContentHash::sha256();
    hash.update(text);
    add_to(hash, examples);
    return hash.hex_digest();
}

ReferenceLogprobs load_reference(const std::string& key, std::size_t examples) {
    ReferenceLogprobs reference(examples);
    if (!fs::exists(cache_file(key))) return reference;
    mark_used(cache_file(key));
    try {
        Json json = read_json_file(cache_file(key), largest_cache_file);
        std::vector<bool> known(examples, true);
        auto chosen = numbers_in(json.at("chosen"), examples, known);
        auto rejected = numbers_in(json.at("rejected"), examples, known);
        for (std::size_t k = 0; k < examples; ++k)
            reference.values[k] = {chosen[k], rejected[k]};
        reference.known = std::move(known);
    } catch (const Error&) { // damaged: computed again
    } catch (const Json::exception&) {
    }
    return reference;
}

void store_reference(const std::string& key, const ReferenceLogprobs& reference, std::uintmax_t most_bytes) {
    Json chosen = Json::array(), rejected = Json::array();
    for (std::size_t k = 0; k < reference.values.size(); ++k) {
        chosen.push_back(reference.known[k] ? Json(reference.values[k].chosen) : Json());
        rejected.push_back(reference.known[k] ? Json(reference.values[k].rejected) : Json());
    }
    keep_file(cache_file(key), Json{{"chosen", std::move(chosen)}, {"rejected", std::move(rejected)}}.dump(),
              most_bytes);
}

} // namespace tempera
