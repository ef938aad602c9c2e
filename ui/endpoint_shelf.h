#pragma once

#include "core/net/openai.h"
#include "ui/background.h"

#include <QObject>
#include <QString>

#include <memory>
#include <set>
#include <vector>

namespace tempera {

/// An endpoint as it is listed.
struct ShelvedEndpoint {
    Endpoint endpoint;
    bool built_in = false; ///< there is one of that name in the program
    bool own = false;      ///< the user's file holds it
};

/// The endpoints of the user's configuration, read, written and tried in the background.
class EndpointShelf final : public QObject {
    Q_OBJECT

public:
    explicit EndpointShelf(KeyLookup keys, QObject* parent = nullptr);
    /// Stops a test that goes on.
    ~EndpointShelf() override;

    const std::vector<ShelvedEndpoint>& endpoints() const { return endpoints_; }
    /// Null where there is none of that name.
    const ShelvedEndpoint* find(const std::string& name) const;

    void refresh();
    void save(const Endpoint& endpoint);
    /// Under another name; the old one goes.
    void rename(const std::string& from, const Endpoint& endpoint);
    /// A built-in one is as shipped again.
    void remove(const std::string& name);
    /// Asks the server; the answer is tested(). One at a time: a second call ends the first.
    void test(const Endpoint& endpoint);
    void stopTest();

Q_SIGNALS:
    void changed();
    void failed(const QString& sentence);
    void tested(const QString& name, const tempera::EndpointTest& result);

private:
    void change(std::function<void()> task);

    KeyLookup keys_;
    std::vector<ShelvedEndpoint> endpoints_;
    StopToken stop_;
    std::shared_ptr<HttpClient> http_;
    Background files_, tests_; ///< the last members: their threads end first
};

} // namespace tempera
