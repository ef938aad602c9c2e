#include "ui/endpoint_shelf.h"

#include "ui/theme/text.h"

#include <algorithm>

namespace tempera {

namespace {

std::vector<ShelvedEndpoint> shelved_endpoints() {
    const auto named = [](const std::vector<Endpoint>& list, const std::string& name) {
        return std::any_of(list.begin(), list.end(), [&](const Endpoint& each) { return each.name == name; });
    };
    const std::vector<Endpoint> own = own_endpoints();
    std::vector<ShelvedEndpoint> shelf;
    for (Endpoint& endpoint : load_endpoints()) {
        const bool built_in = named(built_in_endpoints(), endpoint.name), mine = named(own, endpoint.name);
        shelf.push_back({std::move(endpoint), built_in, mine});
    }
    std::stable_sort(shelf.begin(), shelf.end(), [](const ShelvedEndpoint& a, const ShelvedEndpoint& b) {
        return a.built_in < b.built_in;
    });
    return shelf;
}

} // namespace

EndpointShelf::EndpointShelf(KeyLookup keys, QObject* parent)
    : QObject(parent), keys_(std::move(keys)), http_(std::make_shared<HttpClient>()) {}

EndpointShelf::~EndpointShelf() {
    stopTest();
}

const ShelvedEndpoint* EndpointShelf::find(const std::string& name) const {
    for (const ShelvedEndpoint& each : endpoints_)
        if (each.endpoint.name == name) return &each;
    return nullptr;
}

void EndpointShelf::refresh() {
    change([] {});
}

/// What the file then holds is read again, also where the change was refused.
void EndpointShelf::change(std::function<void()> task) {
    files_.perform(this, std::move(task), [this](const QString& error) {
        if (!error.isEmpty()) Q_EMIT failed(error);
    });
    files_.compute(
        this, [] { return shelved_endpoints(); },
        [this](std::vector<ShelvedEndpoint> endpoints, const QString& error) {
            if (error.isEmpty())
                endpoints_ = std::move(endpoints);
            else
                Q_EMIT failed(error);
            Q_EMIT changed();
        });
}

void EndpointShelf::save(const Endpoint& endpoint) {
    change([endpoint] { save_endpoint(endpoint); });
}

void EndpointShelf::rename(const std::string& from, const Endpoint& endpoint) {
    change([from, endpoint] {
        save_endpoint(endpoint);
        remove_endpoint(from);
    });
}

void EndpointShelf::remove(const std::string& name) {
    change([name] { remove_endpoint(name); });
}

void EndpointShelf::test(const Endpoint& endpoint) {
    stopTest();
    stop_ = StopToken();
    tests_.compute(
        this,
        [http = http_, endpoint, keys = keys_, stop = stop_] {
            return test_endpoint(*http, endpoint, keys, stop);
        },
        [this, name = toQt(endpoint.name)](const EndpointTest& result, const QString& error) {
            EndpointTest told = result;
            if (!error.isEmpty()) told.sentence = fromQt(error);
            Q_EMIT tested(name, told);
        });
}

void EndpointShelf::stopTest() {
    stop_.request(StopRequest::cancel);
}

} // namespace tempera
