#include "ui/settings_store.h"

#include <QSettings>

#include <algorithm>

namespace tempera {

namespace {

const QString threads_key = QStringLiteral("engine/threads");
const QString mirror_key = QStringLiteral("hub/mirror");
const QString offline_key = QStringLiteral("hub/offline");
const QString cache_key = QStringLiteral("hub/cache");
const QString workspace_key = QStringLiteral("folders/workspace");

} // namespace

SettingsStore::SettingsStore(QSettings& settings, QObject* parent) : QObject(parent), settings_(settings) {}

void SettingsStore::set(const QString& key, const QVariant& value) {
    if (settings_.value(key) == value) return;
    settings_.setValue(key, value);
    Q_EMIT changed();
}

int SettingsStore::threads() const {
    return std::max(0, settings_.value(threads_key, 0).toInt());
}

void SettingsStore::setThreads(int threads) {
    set(threads_key, threads);
}

QString SettingsStore::mirror() const {
    return settings_.value(mirror_key).toString();
}

void SettingsStore::setMirror(const QString& url) {
    set(mirror_key, url);
}

bool SettingsStore::offline() const {
    return settings_.value(offline_key, false).toBool();
}

void SettingsStore::setOffline(bool offline) {
    set(offline_key, offline);
}

QString SettingsStore::hubCache() const {
    return settings_.value(cache_key).toString();
}

void SettingsStore::setHubCache(const QString& folder) {
    set(cache_key, folder);
}

QString SettingsStore::workspace() const {
    return settings_.value(workspace_key).toString();
}

void SettingsStore::setWorkspace(const QString& folder) {
    set(workspace_key, folder);
}

} // namespace tempera
