#pragma once

#include "core/net/endpoint.h"

#include <QObject>
#include <QString>

#include <functional>
#include <map>
#include <memory>
#include <string>

namespace tempera {

/// Where secrets lie. Each call returns at once and answers later on the GUI thread.
struct SecretStore {
    /// The secret, "" where there is none; `problem` where the store does not answer.
    std::function<void(const QString& name,
                       std::function<void(const QString& secret, const QString& problem)>)>
        read;
    /// Stores, or with "" deletes. `problem` = "" where that was done.
    std::function<void(const QString& name, const QString& secret,
                       std::function<void(const QString& problem)>)>
        write;
};

/// The desktop's keychain (Secret Service or KWallet, through QtKeychain), service "tempera".
SecretStore desktopSecretStore();

/// Holds nothing and says so: keys then last as long as the program.
SecretStore sessionSecretStore();

/// The keys of endpoints and the hub's token. They are in the keychain and in memory, never in a file of
/// Tempera's; where there is no keychain they last as long as the program. Used on the GUI thread, but for
/// lookup().
class KeyRing final : public QObject {
    Q_OBJECT

public:
    enum class Place {
        none,
        loading,
        environment, ///< a variable holds it, and goes first
        keychain,
        session ///< in memory only: no keychain answered
    };
    static constexpr const char* hub_name = "huggingface.co";

    explicit KeyRing(SecretStore store, QObject* parent = nullptr);
    ~KeyRing() override;

    /// Reads what the keychain holds under these names.
    void load(const QStringList& names);
    /// "" forgets it.
    void set(const QString& name, const QString& secret);
    /// The key of what goes by another name now.
    void rename(const QString& from, const QString& to);
    /// `variable` = the environment variable that would hold it, "" = none.
    Place place(const QString& name, const QString& variable) const;
    /// Why the keychain did not answer the last time; "" where it did.
    QString problem() const { return problem_; }

    /// For engine and clients: from any thread; waits up to three seconds for a keychain that still answers.
    /// Outlives the ring, and knows nothing once that is gone.
    KeyLookup lookup() const;

Q_SIGNALS:
    void changed(const QString& name);

private:
    struct Held;
    void read(const QString& name);
    void keep(const QString& name, const QString& secret, Place place);

    SecretStore store_;
    std::shared_ptr<Held> held_;
    QString problem_;
};

} // namespace tempera
