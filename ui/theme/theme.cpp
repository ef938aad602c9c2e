#include "ui/theme/theme.h"

#include "ui/theme/icons.h"
#include "ui/theme/resources.h"

#include <QApplication>
#include <QFile>
#include <QProxyStyle>
#include <QToolTip>

#include <array>
#include <cmath>

namespace tempera {

namespace {

Theme lightTheme() {
    Theme t;
    t.scheme = Scheme::light;
    t.window = QColor(0xf3, 0xf4, 0xf6);
    t.surface = QColor(0xff, 0xff, 0xff);
    t.raised = QColor(0xf8, 0xf9, 0xfa);
    t.line = QColor(0xd5, 0xda, 0xe0);
    t.text = QColor(0x1b, 0x1f, 0x24);
    t.muted = QColor(0x57, 0x60, 0x6a);
    t.accent = QColor(0x5b, 0x4b, 0xd6);
    t.accent_ink = QColor(0xff, 0xff, 0xff);
    t.running = QColor(0x09, 0x69, 0xda);
    t.done = QColor(0x1a, 0x7f, 0x37);
    t.failed = QColor(0xc9, 0x22, 0x2c);
    t.paused = QColor(0x9a, 0x67, 0x00);
    t.queued = QColor(0x6b, 0x74, 0x7e);
    t.grid = QColor(0xe6, 0xe9, 0xed);
    t.axis = QColor(0x9a, 0xa3, 0xad);
    t.off = t.axis;
    t.track = t.line;
    return t;
}

Theme darkTheme() {
    Theme t;
    t.scheme = Scheme::dark;
    t.window = QColor(0x15, 0x18, 0x1c);
    t.surface = QColor(0x1b, 0x1f, 0x24);
    t.raised = QColor(0x22, 0x27, 0x2d);
    t.line = QColor(0x36, 0x3d, 0x46);
    t.text = QColor(0xe4, 0xe8, 0xec);
    t.muted = QColor(0x9d, 0xa7, 0xb1);
    t.accent = QColor(0xa3, 0x97, 0xff);
    t.accent_ink = QColor(0x14, 0x11, 0x2b);
    t.running = QColor(0x5c, 0xa8, 0xff);
    t.done = QColor(0x46, 0xbf, 0x5c);
    t.failed = QColor(0xff, 0x7b, 0x72);
    t.paused = QColor(0xe0, 0xab, 0x2b);
    t.queued = QColor(0x94, 0x9d, 0xa7);
    t.grid = QColor(0x2b, 0x31, 0x38);
    t.axis = QColor(0x6a, 0x74, 0x7f);
    t.off = t.axis;
    t.track = t.line;
    return t;
}

Theme contrastTheme() {
    Theme t;
    t.scheme = Scheme::contrast;
    t.window = QColor(0, 0, 0);
    t.surface = QColor(0, 0, 0);
    t.raised = QColor(0x10, 0x10, 0x10);
    t.line = QColor(0xd0, 0xd0, 0xd0);
    t.text = QColor(0xff, 0xff, 0xff);
    t.muted = QColor(0xe0, 0xe0, 0xe0);
    t.accent = QColor(0xff, 0xd8, 0x00);
    t.accent_ink = QColor(0, 0, 0);
    t.running = QColor(0x7c, 0xc4, 0xff);
    t.done = QColor(0x5d, 0xf0, 0x7d);
    t.failed = QColor(0xff, 0x9a, 0x92);
    t.paused = QColor(0xff, 0xc9, 0x4d);
    t.queued = QColor(0xd0, 0xd0, 0xd0);
    t.grid = QColor(0x4a, 0x4a, 0x4a);
    t.axis = QColor(0xff, 0xff, 0xff);
    t.off = QColor(0x8c, 0x8c, 0x8c);
    t.track = QColor(0x55, 0x55, 0x55);
    return t;
}

/// Fusion with icons that grow with the text.
class InstrumentStyle final : public QProxyStyle {
public:
    InstrumentStyle() : QProxyStyle(QStringLiteral("Fusion")) {}

    int pixelMetric(PixelMetric metric, const QStyleOption* option, const QWidget* widget) const override {
        if (metric == PM_SmallIconSize || metric == PM_ButtonIconSize || metric == PM_TabBarIconSize
            || metric == PM_ListViewIconSize || metric == PM_ToolBarIconSize)
            return iconSide(QApplication::font());
        return QProxyStyle::pixelMetric(metric, option, widget);
    }
};

double luminance(const QColor& color) {
    const auto linear = [](double c) {
        return c <= 0.03928 ? c / 12.92 : std::pow((c + 0.055) / 1.055, 2.4);
    };
    return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

} // namespace

const Theme& Theme::of(Scheme scheme) {
    static const Theme light = lightTheme();
    static const Theme dark = darkTheme();
    static const Theme contrast = contrastTheme();
    switch (scheme) {
    case Scheme::dark:
        return dark;
    case Scheme::contrast:
        return contrast;
    case Scheme::light:
        break;
    }
    return light;
}

const Theme& Theme::of(const QPalette& palette) {
    const QColor window = palette.color(QPalette::Window);
    if (window == of(Scheme::contrast).window) return of(Scheme::contrast);
    return of(luminance(window) < 0.2 ? Scheme::dark : Scheme::light);
}

const Theme& Theme::current() {
    return of(QApplication::palette());
}

QColor Theme::tint() const {
    QColor color = accent;
    color.setAlphaF(scheme == Scheme::contrast ? 0.35f : 0.15f);
    return color;
}

QPalette Theme::palette() const {
    QPalette p;
    p.setColor(QPalette::Window, window);
    p.setColor(QPalette::WindowText, text);
    p.setColor(QPalette::Base, surface);
    p.setColor(QPalette::AlternateBase, raised);
    p.setColor(QPalette::Text, text);
    p.setColor(QPalette::PlaceholderText, muted);
    p.setColor(QPalette::Button, raised);
    p.setColor(QPalette::ButtonText, text);
    p.setColor(QPalette::BrightText, failed);
    p.setColor(QPalette::Highlight, accent);
    p.setColor(QPalette::HighlightedText, accent_ink);
    p.setColor(QPalette::Link, accent);
    p.setColor(QPalette::LinkVisited, accent);
    p.setColor(QPalette::ToolTipBase, raised);
    p.setColor(QPalette::ToolTipText, text);
    p.setColor(QPalette::Mid, line);
    p.setColor(QPalette::Dark, line);
    p.setColor(QPalette::Shadow, line);
    p.setColor(QPalette::Light, surface);
    p.setColor(QPalette::Midlight, raised);
    for (const auto role : {QPalette::WindowText, QPalette::Text, QPalette::ButtonText})
        p.setColor(QPalette::Disabled, role, off);
    p.setColor(QPalette::Disabled, QPalette::Highlight, line);
    p.setColor(QPalette::Disabled, QPalette::HighlightedText, text);
    return p;
}

QString Theme::styleSheet() const {
    initResources();
    QFile file(QStringLiteral(":/tempera/themes/tempera.qss"));
    if (!file.open(QIODevice::ReadOnly)) return {};
    QString sheet = QString::fromUtf8(file.readAll());
    const QColor hover = scheme == Scheme::dark    ? raised.lighter(115)
                         : scheme == Scheme::light ? raised.darker(104)
                                                   : line.darker(250);
    const std::array<std::pair<const char*, QColor>, 15> names{{{"window", window},
                                                                {"surface", surface},
                                                                {"raised", raised},
                                                                {"hover", hover},
                                                                {"line", line},
                                                                {"text", text},
                                                                {"muted", muted},
                                                                {"accent-ink", accent_ink},
                                                                {"accent", accent},
                                                                {"failed", failed},
                                                                {"paused", paused},
                                                                {"tint", tint()},
                                                                {"chosen", seenOn(tint(), surface)},
                                                                {"track", track},
                                                                {"off", off}}};
    for (const auto& [name, color] : names) {
        const QString value = QStringLiteral("rgba(%1,%2,%3,%4)")
                                  .arg(color.red())
                                  .arg(color.green())
                                  .arg(color.blue())
                                  .arg(color.alpha());
        sheet.replace(QChar(u'@') + QString::fromLatin1(name), value);
    }
    static const std::array<const char*, 3> arrows{"light", "dark", "contrast"};
    return sheet.replace(QStringLiteral("%scheme%"),
                         QString::fromLatin1(arrows[static_cast<std::size_t>(scheme)]));
}

QColor Theme::stateColor(RunStatus status) const {
    switch (status) {
    case RunStatus::running:
    case RunStatus::stopping:
        return running;
    case RunStatus::finished:
        return done;
    case RunStatus::failed:
        return failed;
    case RunStatus::stopped:
    case RunStatus::interrupted:
        return paused;
    case RunStatus::queued:
    case RunStatus::cancelled:
        break;
    }
    return queued;
}

QColor Theme::seriesColor(int index) const {
    static const std::array<QRgb, 8> on_light{0xff0072b2, 0xffd55e00, 0xff009e73, 0xffcc79a7,
                                              0xffe69f00, 0xff56b4e9, 0xffc2b300, 0xff1b1f24};
    static const std::array<QRgb, 8> on_dark{0xff3b9fe0, 0xfff07a2b, 0xff22bf93, 0xffdb92bb,
                                             0xffecb033, 0xff7cc8f2, 0xfff0e442, 0xffe4e8ec};
    const auto& table = scheme == Scheme::light ? on_light : on_dark;
    return QColor::fromRgb(table[static_cast<std::size_t>(index) % table.size()]);
}

void applyTheme(QApplication& application, Scheme scheme) {
    const Theme& theme = Theme::of(scheme);
    constexpr const char* styled = "instrument";
    if (!application.property(styled).toBool()) QApplication::setStyle(new InstrumentStyle);
    application.setProperty(styled, true);
    QApplication::setPalette(theme.palette());
    QToolTip::setPalette(theme.palette());
    application.setStyleSheet(theme.styleSheet());
}

double contrastRatio(const QColor& a, const QColor& b) {
    const double x = luminance(a);
    const double y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

QColor seenOn(const QColor& color, const QColor& ground) {
    const auto mix = [share = color.alphaF()](float above, float below) {
        return above * share + below * (1 - share);
    };
    return QColor::fromRgbF(mix(color.redF(), ground.redF()), mix(color.greenF(), ground.greenF()),
                            mix(color.blueF(), ground.blueF()));
}

QColor inkOn(const QColor& background) {
    const QColor dark(0, 0, 0);
    return contrastRatio(background, dark) >= contrastRatio(background, Qt::white) ? dark : QColor(Qt::white);
}

} // namespace tempera
