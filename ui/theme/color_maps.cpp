#include "ui/theme/color_maps.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace tempera {

namespace {

// Ten equidistant samples of each map; linear interpolation between them stays within 2/255 of the full
// tables.
constexpr std::array<QRgb, 10> viridis_stops{0xff440154, 0xff482878, 0xff3e4a89, 0xff31688e, 0xff26828e,
                                             0xff1f9e89, 0xff35b779, 0xff6dcd59, 0xffb4de2c, 0xfffde725};
constexpr std::array<QRgb, 10> cividis_stops{0xff00204d, 0xff00336f, 0xff39486b, 0xff575c6d, 0xff707173,
                                             0xff8a8779, 0xffa69d75, 0xffc4b56c, 0xffe4cf5b, 0xffffea46};

} // namespace

QColor mapColor(ColorMap map, double position) {
    const auto& stops = map == ColorMap::viridis ? viridis_stops : cividis_stops;
    const double at = (std::isfinite(position) ? std::clamp(position, 0.0, 1.0) : 0.0) * (stops.size() - 1);
    const auto index = std::min(static_cast<std::size_t>(at), stops.size() - 2);
    const double part = at - static_cast<double>(index);
    const QColor a = QColor::fromRgb(stops[index]);
    const QColor b = QColor::fromRgb(stops[index + 1]);
    const auto mix = [part](int x, int y) { return static_cast<int>(std::lround(x + part * (y - x))); };
    return QColor(mix(a.red(), b.red()), mix(a.green(), b.green()), mix(a.blue(), b.blue()));
}

} // namespace tempera
