#pragma once

#include <QColor>

namespace tempera {

/// Perceptually uniform maps: viridis (Smith and van der Walt, 2015) and cividis (Nunez, Anderton and
/// Renslow, 2018).
enum class ColorMap { viridis, cividis };

/// The colour at `position` in [0, 1], clamped; NaN reads as 0.
QColor mapColor(ColorMap map, double position);

} // namespace tempera
