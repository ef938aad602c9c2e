#pragma once

#include "ui/theme/theme.h"

#include <QObject>

class QDBusVariant;

namespace tempera {

/// What the desktop asks for: the portal's org.freedesktop.appearance settings (Qt 6.4 has no colorScheme()),
/// followed while the program runs. TEMPERA_THEME=light|dark|contrast overrules it; where there is no portal
/// the start-up palette decides.
class DesktopScheme final : public QObject {
    Q_OBJECT

public:
    explicit DesktopScheme(const QPalette& startup_palette, QObject* parent = nullptr);
    Scheme scheme() const { return scheme_; }

    /// The scheme for a portal answer: color-scheme 1 = dark, 2 = light, 0 = no preference; contrast 1 =
    /// high.
    static Scheme schemeFor(int color_scheme, int contrast, Scheme fallback);

Q_SIGNALS:
    void changed(tempera::Scheme scheme);

private Q_SLOTS:
    void portalSettingChanged(const QString& group, const QString& key, const QDBusVariant& value);

private:
    void update();

    Scheme fallback_;
    Scheme scheme_;
    int color_scheme_ = 0;
    int contrast_ = 0;
};

} // namespace tempera
