#pragma once

#include "core/net/endpoint.h"
#include "tests/support/scripted_server.h"

#include <QByteArray>
#include <QtGlobal>

namespace tempera::test {

/// An answer of JSON text.
inline ServedAnswer json_answer(int status, const std::string& body, HttpHeaders headers = {}) {
    ServedAnswer made;
    made.status = status;
    made.body = body;
    made.headers = std::move(headers);
    made.headers.emplace_back("Content-Type", "application/json");
    return made;
}

/// An endpoint without a key, whose completions cost 10 a million tokens.
inline Endpoint served_endpoint(const std::string& name, const std::string& url) {
    Endpoint made;
    made.name = name;
    made.base_url = url;
    made.model = "m";
    made.price_out = 10;
    return made;
}

/// Makes `folder` the configuration, and saves an endpoint there.
inline void configure(const std::filesystem::path& folder, const Endpoint& endpoint) {
    qputenv("TEMPERA_CONFIG", folder.string().c_str());
    save_endpoint(endpoint);
}

} // namespace tempera::test
