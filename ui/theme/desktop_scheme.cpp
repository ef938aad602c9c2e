#include "ui/theme/desktop_scheme.h"

#ifdef TEMPERA_HAS_DBUS
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCallWatcher>
#include <QDBusPendingReply>
#include <QDBusVariant>
#endif

namespace tempera {

namespace {

[[maybe_unused]] const QString portal_service = QStringLiteral("org.freedesktop.portal.Desktop");
[[maybe_unused]] const QString portal_path = QStringLiteral("/org/freedesktop/portal/desktop");
[[maybe_unused]] const QString portal_interface = QStringLiteral("org.freedesktop.portal.Settings");
[[maybe_unused]] const QString appearance = QStringLiteral("org.freedesktop.appearance");

Scheme startScheme(const QPalette& palette) {
    const QString wish = qEnvironmentVariable("TEMPERA_THEME").toLower();
    if (wish == QLatin1String("light")) return Scheme::light;
    if (wish == QLatin1String("dark")) return Scheme::dark;
    if (wish == QLatin1String("contrast")) return Scheme::contrast;
    return palette.color(QPalette::Window).lightnessF() < 0.5f ? Scheme::dark : Scheme::light;
}

} // namespace

DesktopScheme::DesktopScheme(const QPalette& startup_palette, QObject* parent)
    : QObject(parent), fallback_(startScheme(startup_palette)), scheme_(fallback_) {
#ifdef TEMPERA_HAS_DBUS
    if (!qEnvironmentVariableIsEmpty("TEMPERA_THEME")) return;
    QDBusConnection bus = QDBusConnection::sessionBus();
    if (!bus.isConnected()) return;
    bus.connect(portal_service, portal_path, portal_interface, QStringLiteral("SettingChanged"), this,
                SLOT(portalSettingChanged(QString, QString, QDBusVariant)));
    for (const char* key : {"color-scheme", "contrast"}) {
        QDBusMessage call = QDBusMessage::createMethodCall(portal_service, portal_path, portal_interface,
                                                           QStringLiteral("Read"));
        const QString name = QString::fromLatin1(key);
        call << appearance << name;
        // Asked without blocking: a portal that does not answer must not hold up the window.
        auto* watcher = new QDBusPendingCallWatcher(bus.asyncCall(call, 2000), this);
        connect(watcher, &QDBusPendingCallWatcher::finished, this,
                [this, name](QDBusPendingCallWatcher* done) {
                    done->deleteLater();
                    const QDBusPendingReply<QDBusVariant> reply = *done;
                    if (reply.isError()) return;
                    // The portal wraps the value twice.
                    QVariant value = reply.value().variant();
                    if (value.canConvert<QDBusVariant>()) value = value.value<QDBusVariant>().variant();
                    portalSettingChanged(appearance, name, QDBusVariant(value));
                });
    }
#endif
}

Scheme DesktopScheme::schemeFor(int color_scheme, int contrast, Scheme fallback) {
    if (contrast == 1) return Scheme::contrast;
    if (color_scheme == 1) return Scheme::dark;
    if (color_scheme == 2) return Scheme::light;
    return fallback;
}

void DesktopScheme::portalSettingChanged(const QString& group, const QString& key,
                                         const QDBusVariant& value) {
#ifdef TEMPERA_HAS_DBUS
    if (group != appearance) return;
    if (key == QLatin1String("color-scheme"))
        color_scheme_ = value.variant().toInt();
    else if (key == QLatin1String("contrast"))
        contrast_ = value.variant().toInt();
    else
        return;
    update();
#else
    Q_UNUSED(group)
    Q_UNUSED(key)
    Q_UNUSED(value)
#endif
}

void DesktopScheme::update() {
    const Scheme next = schemeFor(color_scheme_, contrast_, fallback_);
    if (next == scheme_) return;
    scheme_ = next;
    Q_EMIT changed(scheme_);
}

} // namespace tempera
