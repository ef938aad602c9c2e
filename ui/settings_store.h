#pragma once

#include <QObject>
#include <QString>

class QSettings;

namespace tempera {

/// What the user has set and the window remembers. Every change takes effect at once: who uses a value
/// listens to changed().
class SettingsStore final : public QObject {
    Q_OBJECT

public:
    explicit SettingsStore(QSettings& settings, QObject* parent = nullptr);

    /// Threads of the engine; 0 = all cores. From the next run on.
    int threads() const;
    void setThreads(int threads);
    /// The hub's address; "" = as $HF_ENDPOINT has it, else huggingface.co.
    QString mirror() const;
    void setMirror(const QString& url);
    /// Nothing is asked of the hub; only what lies in the cache is used.
    bool offline() const;
    void setOffline(bool offline);
    /// Where models and data sets of the hub are kept; "" = where huggingface_hub has them.
    QString hubCache() const;
    void setHubCache(const QString& folder);
    /// The workspace that the next start opens; "" = the default one.
    QString workspace() const;
    void setWorkspace(const QString& folder);

Q_SIGNALS:
    void changed();

private:
    void set(const QString& key, const QVariant& value);

    QSettings& settings_;
};

} // namespace tempera
