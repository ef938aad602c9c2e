#include "ui/pages/token_lens.h"

#include "ui/theme/text.h"

#include <QCoreApplication>
#include <QStringList>

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

QString words(const char* text) {
    return QCoreApplication::translate("TokenLens", text);
}

/// White space that would not be seen.
QString visible(QString piece) {
    piece.replace(u'\n', u'↵');
    piece.replace(u'\t', u'⇥');
    return piece.replace(u' ', u'·');
}

} // namespace

QString lensName(Lens lens) {
    switch (lens) {
    case Lens::none:
        return words("Plain text");
    case Lens::logprob:
        return words("Log-probability");
    case Lens::difference:
        return words("Policy minus reference");
    case Lens::mask:
        return words("Loss mask");
    case Lens::advantage:
        return words("Advantage");
    }
    return {};
}

std::vector<Lens> lensesOf(const Completion& completion) {
    std::vector<Lens> lenses{Lens::none};
    const std::size_t count = completion.token_ids.size();
    if (count == 0) return lenses;
    if (completion.logprobs.size() == count) lenses.push_back(Lens::logprob);
    if (completion.logprobs.size() == count && completion.ref_logprobs.size() == count)
        lenses.push_back(Lens::difference);
    if (completion.advantage) {
        lenses.push_back(Lens::mask);
        lenses.push_back(Lens::advantage);
    }
    return lenses;
}

double lensValue(Lens lens, const Completion& completion, std::size_t i) {
    const bool has_logprob = i < completion.logprobs.size();
    switch (lens) {
    case Lens::none:
        break;
    case Lens::logprob:
        if (has_logprob) return double(completion.logprobs[i]);
        break;
    case Lens::difference:
        if (has_logprob && i < completion.ref_logprobs.size())
            return double(completion.logprobs[i]) - double(completion.ref_logprobs[i]);
        break;
    case Lens::mask:
        return completion.masked ? 0 : 1;
    case Lens::advantage:
        if (completion.advantage) return completion.masked ? 0 : *completion.advantage;
        break;
    }
    return NAN;
}

LensScale lensScale(Lens lens) {
    switch (lens) {
    case Lens::logprob:
        return {-5, 0};
    case Lens::difference:
        return {-2, 2};
    case Lens::advantage:
        return {-1, 1};
    case Lens::mask:
    case Lens::none:
        break;
    }
    return {0, 1};
}

QColor lensTint(Lens lens, double value, const Theme& theme) {
    if (lens == Lens::none || !std::isfinite(value)) return Qt::transparent;
    const LensScale scale = lensScale(lens);
    // Vermilion and blue of the series: told apart with every kind of colour vision. Never so strong that
    // text no longer reads on it.
    const bool unlikely = lens == Lens::logprob;
    const bool low_side = unlikely || value < 0;
    QColor color = lens == Lens::mask ? theme.seriesColor(2) : theme.seriesColor(low_side ? 1 : 0);
    const double most = low_side ? std::abs(scale.low) : std::abs(scale.high);
    const double strength =
        lens == Lens::mask ? std::clamp(value, 0.0, 1.0) * 0.7 : std::min(1.0, std::abs(value) / most);
    if (strength < 0.02) return Qt::transparent;
    // Opaque, so that neighbours whose edges meet within a pixel leave no seam.
    const auto share = static_cast<float>(0.5 * strength);
    const auto mix = [share](float over, float under) { return share * over + (1 - share) * under; };
    return QColor::fromRgbF(mix(color.redF(), theme.surface.redF()),
                            mix(color.greenF(), theme.surface.greenF()),
                            mix(color.blueF(), theme.surface.blueF()));
}

QString tokenLine(const Completion& completion, std::size_t i, const QString& piece) {
    QStringList parts{words("token %1 of %2").arg(i + 1).arg(completion.token_ids.size()),
                      QStringLiteral("“%1”").arg(visible(piece))};
    if (i < completion.token_ids.size()) parts << words("id %1").arg(completion.token_ids[i]);
    if (i < completion.logprobs.size()) {
        const double logprob = double(completion.logprobs[i]);
        parts << words("logprob %1").arg(logprob, 0, 'f', 3)
              << words("probability %1").arg(percentText(std::exp(logprob), 1));
    }
    if (i < completion.ref_logprobs.size() && i < completion.logprobs.size())
        parts << words("reference %1").arg(double(completion.ref_logprobs[i]), 0, 'f', 3)
              << words("difference %1").arg(lensValue(Lens::difference, completion, i), 0, 'f', 3);
    if (completion.advantage)
        parts << (completion.masked ? words("not in the loss")
                                    : words("advantage %1").arg(*completion.advantage, 0, 'f', 3));
    return parts.join(QStringLiteral("   "));
}

} // namespace tempera
