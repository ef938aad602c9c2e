#pragma once

#include "core/base/stop_token.h"
#include "core/engine/model/forward.h"
#include "core/engine/model/loss.h"
#include "core/engine/train/batches.h"
#include "core/engine/train/pass_context.h"

#include <functional>
#include <vector>

namespace tempera {

/// What a step or an evaluation measured.
struct PassResult {
    double loss = 0;         ///< mean of -log p over all target tokens
    double entropy = 0;      ///< mean over batches of their token means, as TRL logs it
    double accuracy = 0;     ///< likewise
    std::int64_t tokens = 0; ///< that went through the model
    std::int64_t targets = 0;
    std::vector<std::int64_t>
        bad_rows; ///< examples of the micro-batch whose loss is not finite; the pass ended there
    bool cancelled = false;
};

/// Adds the gradient of the token-weighted loss over all `batches` together to the parameters' gradients: one
/// normaliser for the whole step, however it is cut into batches and micro-batches. `first_stream` is the
/// dropout stream of its first row.
PassResult accumulate_gradients(const PassContext& context, const std::vector<TokenExample>& examples,
                                const std::vector<std::vector<std::int64_t>>& batches,
                                const DropoutSource& dropout, std::int64_t first_stream,
                                const StopToken& stop);

/// Loss over all examples, without dropout and gradients. entropy and accuracy are means over all tokens.
PassResult evaluate(const PassContext& context, const std::vector<TokenExample>& examples,
                    const StopToken& stop);

} // namespace tempera
