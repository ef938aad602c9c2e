#pragma once

#include "ui/pages/completion.h"
#include "ui/theme/theme.h"

#include <QString>

#include <vector>

namespace tempera {

/// What tints the tokens of a completion.
enum class Lens { none, logprob, difference, mask, advantage };

QString lensName(Lens lens);
/// The lenses that have something to show of `completion`, "none" first.
std::vector<Lens> lensesOf(const Completion& completion);
/// The value behind token `i`: its log-probability, the policy's minus the reference's, 1 where it counts in
/// the loss, the advantage it is trained with. NaN where it is not known.
double lensValue(Lens lens, const Completion& completion, std::size_t i);
/// Values from `low` to `high` span the colours.
struct LensScale {
    double low = 0, high = 0;
};
LensScale lensScale(Lens lens);
/// The colour behind a token of this value: invisible where there is nothing to say. Text in the theme's
/// colour reads on it.
QColor lensTint(Lens lens, double value, const Theme& theme);
/// All that is known of token `i`, one line: place, piece, log-probability, probability ...
QString tokenLine(const Completion& completion, std::size_t i, const QString& piece);

} // namespace tempera
