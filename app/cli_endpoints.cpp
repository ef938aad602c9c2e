#include "app/cli.h"
#include "app/cli_output.h"
#include "app/cli_table.h"
#include "core/net/openai.h"

#include <algorithm>
#include <memory>
#include <optional>

namespace tempera::cli {

namespace {

struct EndpointOptions {
    std::string name;
    std::optional<std::string> base_url, model, key_variable, dialect;
    std::optional<int> concurrency;
    std::optional<double> requests_per_minute, tokens_per_minute, price_in, price_out;
    bool allow_plain_http = false;
    bool json = false;
};

bool is_own(const std::string& name) {
    const auto own = own_endpoints();
    return std::ranges::find(own, name, &Endpoint::name) != own.end();
}

std::string key_words(const Endpoint& endpoint) {
    if (endpoint.key_variable.empty()) return "none";
    return endpoint.key_variable + (find_key(endpoint, {}).empty() ? " (not set)" : " (set)");
}

int list(const EndpointOptions& options) {
    const auto endpoints = load_endpoints();
    if (options.json) {
        Json rows = Json::array();
        for (const Endpoint& endpoint : endpoints) {
            rows.push_back(to_json(endpoint));
            rows.back()["built_in"] = !is_own(endpoint.name);
        }
        write_output(rows.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
        return exit_done;
    }
    std::vector<std::vector<std::string>> rows = {{"name", "address", "model", "key", ""}};
    for (const Endpoint& endpoint : endpoints) {
        const auto problems = problems_of(endpoint);
        rows.push_back({endpoint.name, endpoint.base_url, endpoint.model, key_words(endpoint),
                        !problems.empty()       ? "cannot be used: " + problems.front()
                        : is_own(endpoint.name) ? ""
                                                : "built in"});
    }
    write_output(text_table(rows, rows.front().size()));
    return exit_done;
}

/// What is not given stays as it was.
Endpoint changed(const EndpointOptions& options) {
    Endpoint endpoint;
    for (Endpoint& known : load_endpoints())
        if (known.name == options.name) endpoint = std::move(known);
    endpoint.name = options.name;
    auto set = [](auto& member, const auto& given) {
        if (given) member = *given;
    };
    set(endpoint.base_url, options.base_url);
    set(endpoint.model, options.model);
    set(endpoint.key_variable, options.key_variable);
    set(endpoint.dialect, options.dialect);
    set(endpoint.concurrency, options.concurrency);
    set(endpoint.requests_per_minute, options.requests_per_minute);
    set(endpoint.tokens_per_minute, options.tokens_per_minute);
    set(endpoint.price_in, options.price_in);
    set(endpoint.price_out, options.price_out);
    if (options.allow_plain_http) endpoint.allow_plain_http = true;
    return endpoint;
}

int add(const EndpointOptions& options) {
    as_usage([&] { save_endpoint(changed(options)); });
    write_output("Saved endpoint " + options.name + " in " + endpoints_file().string() + "\n");
    return exit_done;
}

int remove(const EndpointOptions& options) {
    as_usage([&] { remove_endpoint(options.name); });
    write_output("Removed endpoint " + options.name + "\n");
    return exit_done;
}

int test(const EndpointOptions& options) {
    const Endpoint endpoint = as_usage([&] { return find_endpoint(options.name); });
    const EndpointTest result = test_endpoint(HttpClient(), endpoint);
    if (options.json) {
        write_output(Json{{"ok", result.ok},
                          {"sentence", result.sentence},
                          {"models", result.models},
                          {"seconds", result.seconds}}
                         .dump(2, ' ', false, Json::error_handler_t::replace)
                     + "\n");
    } else {
        write_output(one_line(result.sentence) + "\n");
        for (const std::string& model : result.models)
            write_output("  " + one_line(model) + "\n");
    }
    return result.ok ? exit_done : exit_failed;
}

void add_fields(CLI::App& verb, EndpointOptions& options) {
    verb.add_option("--url", options.base_url, "Its address with the version, e.g. https://host/v1");
    verb.add_option("--model", options.model, "What is asked where no model is named");
    verb.add_option("--key-variable", options.key_variable,
                    "The environment variable that holds the key; a key itself is never stored")
        ->type_name("NAME");
    verb.add_option("--dialect", options.dialect, "What it takes beside OpenAI's fields (openai)")
        ->check(CLI::IsMember({"openai", "vllm", "llama.cpp"}));
    verb.add_option("--concurrency", options.concurrency, "Requests at once (4)");
    verb.add_option("--requests-per-minute", options.requests_per_minute, "0 = no limit");
    verb.add_option("--tokens-per-minute", options.tokens_per_minute, "0 = no limit");
    verb.add_option("--price-in", options.price_in, "Per million tokens of prompts");
    verb.add_option("--price-out", options.price_out, "Per million tokens of completions");
    verb.add_flag("--allow-plain-http", options.allow_plain_http,
                  "Consent to http to another machine; keys are not sent there");
}

} // namespace

void add_endpoint_verbs(CLI::App& app, Action& action) {
    auto* group = app.add_subcommand("endpoints", "Servers with OpenAI's API that draw or judge");
    group->require_subcommand(0, 1);
    auto options = std::make_shared<EndpointOptions>();
    auto add_verb = [&](const char* name, const char* help, int (*function)(const EndpointOptions&)) {
        auto* verb = group->add_subcommand(name, help);
        verb->callback(
            [options, function, &action] { action = [options, function] { return function(*options); }; });
        return verb;
    };
    add_verb("list", "Lists them; keys are never shown", list)->add_flag("--json", options->json, "As JSON");
    auto* adding = add_verb("add", "Adds one, or changes what is given of the one with that name", add);
    adding->add_option("NAME", options->name, "What recipes call it: endpoint:NAME")->required();
    add_fields(*adding, *options);
    add_verb("remove", "Removes one; a built-in one is as shipped again", remove)
        ->add_option("NAME", options->name, "Its name")
        ->required();
    auto* testing = add_verb("test", "Asks it for its models and for one token", test);
    testing->add_option("NAME", options->name, "Its name")->required();
    testing->add_flag("--json", options->json, "As JSON");
}

} // namespace tempera::cli
