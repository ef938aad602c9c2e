#pragma once

#include "core/base/random.h"
#include "core/queue/engine.h"

namespace tempera {

/// Best-of-N over a temperature sweep (kind "sweep", fields of SweepRecipe; model and adapter are folders).
/// Draws `n` samples of every problem at every temperature, once, verifies each, and estimates every N <= n
/// from the same pool without bias (core/stats/best_of_n.h), with bootstrap 95 % intervals over problems.
///
/// Problems are worked through one after the other with all their temperatures, so the whole map fills in
/// from the start; cells cover the problems whose n samples are all there. Reports samples in batches several
/// times a second, cells and rows at most twice a second, and at the end the headlines best,
/// best_temperature, best_n, mean_score (of single samples, at the temperature where it is highest) and
/// mean_score_temperature.
///
/// The model may be an endpoint: a server then draws all samples of a problem at a temperature together, with
/// a seed made of the stream's name. A sample that it fails to give is stored without a score, with the
/// reason and what came instead; the cells leave its problem out. Where the server cannot go on at all the
/// run fails and goes on, when it is resumed, with what is missing.
///
/// A stop keeps what was drawn; a resumed run draws what is missing. Sample s of problem p at temperature T
/// always draws from sweep_stream(seed, T, p, s), so with fp32 on the CPU the final table is bit-equal to
/// that of an uninterrupted run. Throws Error.
RunOutcome run_sweep(const RunRequest& request, RunObserver& observer, const StopToken& stop);

/// The random stream of one sample. Temperatures have independent streams, whichever others are in the sweep.
RandomStream sweep_stream(std::uint64_t seed, double temperature, std::int64_t problem, int sample);

} // namespace tempera
