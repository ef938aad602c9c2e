#include "ui/key_ring.h"

#include "ui/theme/text.h"

#include <qt6keychain/keychain.h>

#include <QPointer>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace tempera {

namespace {

const QString service = QStringLiteral("tempera");

} // namespace

struct KeyRing::Held {
    struct Key {
        std::string secret;
        Place place = Place::none;
    };
    std::mutex mutex;
    std::condition_variable answered;
    std::map<std::string, Key> keys;

    /// Asks the ring to read a name that nobody has asked for; none where the ring is gone.
    std::function<void(const std::string& name)> request;
    std::thread::id ring_thread = std::this_thread::get_id();

    std::string find(const std::string& name) {
        std::unique_lock lock(mutex);
        if (std::this_thread::get_id() != ring_thread) { // there the answer could not come in
            if (!keys.contains(name) && request) {
                keys[name] = {{}, Place::loading};
                request(name);
            }
            answered.wait_for(lock, std::chrono::seconds(3), [&] {
                const auto key = keys.find(name);
                return key == keys.end() || key->second.place != Place::loading;
            });
        }
        const auto key = keys.find(name);
        return key == keys.end() ? std::string() : key->second.secret;
    }
};

SecretStore desktopSecretStore() {
    SecretStore store;
    store.read = [](const QString& name, std::function<void(const QString&, const QString&)> done) {
        auto* job = new QKeychain::ReadPasswordJob(service);
        job->setKey(name);
        QObject::connect(job, &QKeychain::Job::finished, job, [job, done = std::move(done)] {
            const bool answered =
                job->error() == QKeychain::NoError || job->error() == QKeychain::EntryNotFound;
            done(answered ? job->textData() : QString(), answered ? QString() : job->errorString());
        });
        job->start();
    };
    store.write = [](const QString& name, const QString& secret, std::function<void(const QString&)> done) {
        QKeychain::Job* job = nullptr;
        if (secret.isEmpty()) {
            job = new QKeychain::DeletePasswordJob(service);
        } else {
            auto* write = new QKeychain::WritePasswordJob(service);
            write->setTextData(secret);
            job = write;
        }
        job->setKey(name);
        QObject::connect(job, &QKeychain::Job::finished, job, [job, done = std::move(done)] {
            const bool fine = job->error() == QKeychain::NoError || job->error() == QKeychain::EntryNotFound;
            done(fine ? QString() : job->errorString());
        });
        job->start();
    };
    return store;
}

SecretStore sessionSecretStore() {
    const QString problem = QStringLiteral("there is none.");
    return {[problem](const QString&, std::function<void(const QString&, const QString&)> done) {
                done({}, problem);
            },
            [problem](const QString&, const QString&, std::function<void(const QString&)> done) {
                done(problem);
            }};
}

KeyRing::KeyRing(SecretStore store, QObject* parent)
    : QObject(parent), store_(std::move(store)), held_(std::make_shared<Held>()) {
    held_->request = [this](const std::string& name) { // under the mutex, which the destructor takes too
        QMetaObject::invokeMethod(
            this, [this, name] { read(toQt(name)); }, Qt::QueuedConnection);
    };
}

KeyRing::~KeyRing() {
    const std::lock_guard lock(held_->mutex);
    held_->keys.clear();
    held_->request = nullptr;
    held_->answered.notify_all();
}

void KeyRing::keep(const QString& name, const QString& secret, Place place) {
    {
        const std::lock_guard lock(held_->mutex);
        held_->keys[fromQt(name)] = {fromQt(secret), place};
        held_->answered.notify_all();
    }
    Q_EMIT changed(name);
}

void KeyRing::load(const QStringList& names) {
    for (const QString& name : names) {
        {
            const std::lock_guard lock(held_->mutex);
            if (held_->keys.contains(fromQt(name))) continue;
            held_->keys[fromQt(name)] = {{}, Place::loading};
        }
        read(name);
    }
}

void KeyRing::read(const QString& name) {
    store_.read(name, [guard = QPointer(this), name](const QString& secret, const QString& problem) {
        if (!guard || guard->place(name, {}) != Place::loading) return; // typed in the meantime
        guard->problem_ = problem;
        guard->keep(name, secret, secret.isEmpty() ? Place::none : Place::keychain);
    });
}

void KeyRing::set(const QString& name, const QString& secret) {
    keep(name, secret, secret.isEmpty() ? Place::none : Place::session);
    store_.write(name, secret, [guard = QPointer(this), name, secret](const QString& problem) {
        if (!guard) return;
        guard->problem_ = problem;
        if (problem.isEmpty() && !secret.isEmpty()) {
            guard->keep(name, secret, Place::keychain);
        } else {
            Q_EMIT guard->changed(name);
        }
    });
}

void KeyRing::rename(const QString& from, const QString& to) {
    QString secret;
    {
        const std::lock_guard lock(held_->mutex);
        if (const auto key = held_->keys.find(fromQt(from)); key != held_->keys.end())
            secret = toQt(key->second.secret);
    }
    if (secret.isEmpty()) return;
    set(to, secret);
    set(from, {});
}

KeyRing::Place KeyRing::place(const QString& name, const QString& variable) const {
    if (!variable.isEmpty() && !qEnvironmentVariableIsEmpty(qPrintable(variable))) return Place::environment;
    const std::lock_guard lock(held_->mutex);
    const auto key = held_->keys.find(fromQt(name));
    return key == held_->keys.end() ? Place::none : key->second.place;
}

KeyLookup KeyRing::lookup() const {
    return [held = held_](const std::string& name) { return held->find(name); };
}

} // namespace tempera
