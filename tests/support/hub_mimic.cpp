#include "tests/support/hub_mimic.h"

#include "core/base/content_hash.h"
#include "core/base/json.h"
#include "core/net/http_url.h"

namespace tempera::test {

namespace {

std::string decoded(const std::string& text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '%' && i + 2 < text.size())
            plain += static_cast<char>(std::stoi(text.substr(i + 1, 2), nullptr, 16)), i += 2;
        else
            plain += text[i];
    }
    return plain;
}

ServedAnswer json_answer(const Json& json) {
    return {200, {{"Content-Type", "application/json"}}, json.dump()};
}

ServedAnswer error_answer(int status, const std::string& code) {
    return {status, {{"X-Error-Code", code}, {"X-Error-Message", code}}, "{\"error\":\"" + code + "\"}"};
}

/// The first three parts of a path ("models/o/n"), and what is behind them.
std::pair<std::string, std::string> split_folder(const std::string& path) {
    std::size_t slash = 0;
    for (int i = 0; i < 3 && slash != std::string::npos; ++i)
        slash = path.find('/', slash + 1);
    return {path.substr(0, slash), slash == std::string::npos ? "" : path.substr(slash + 1)};
}

} // namespace

std::string hub_hash(const std::string& content, bool large) {
    ContentHash hash = large ? ContentHash::sha256() : ContentHash::git_blob(content.size());
    hash.update(content);
    return hash.hex_digest();
}

HubMimic::HubMimic() {
    contents_ = std::make_unique<ScriptedServer>([this](const ReceivedRequest& request) {
        const auto found = contents_by_hash_.find(request.target.substr(1, 64));
        ServedAnswer answer = found == contents_by_hash_.end()
                                  ? error_answer(404, "EntryNotFound")
                                  : content(request, found->second, "\"cdn-" + found->first + "\"");
        apply_spoil(request, true, answer);
        return answer;
    });
    hub_ = std::make_unique<ScriptedServer>([this](const ReceivedRequest& request) {
        ServedAnswer answered = answer(request);
        apply_spoil(request, false, answered);
        return answered;
    });
}

void HubMimic::spoil(Spoil spoil) {
    std::lock_guard lock(mutex_);
    spoil_ = std::move(spoil);
}

void HubMimic::apply_spoil(const ReceivedRequest& request, bool large, ServedAnswer& answer) {
    std::unique_lock lock(mutex_);
    const Spoil spoil = spoil_;
    lock.unlock();
    if (spoil) spoil(request, large, answer);
}

std::string HubMimic::add(const std::string& folder, const Files& files, const std::string& revision) {
    std::string all;
    for (const auto& [path, content] : files) {
        all += path + hub_hash(content, true);
        contents_by_hash_[hub_hash(content, true)] = content;
    }
    const std::string commit = hub_hash(folder + all, false);
    commits_[commit].files = files;
    revisions_[folder][revision] = revisions_[folder][commit] = commit;
    return commit;
}

void HubMimic::lie(const std::string& folder, const std::string& path, const std::string& key,
                   const std::string& value) {
    commits_[revisions_[folder]["main"]].lies[path][key] = value;
}

ServedAnswer HubMimic::answer(const ReceivedRequest& request) {
    if (!token.empty() && find_header(request.headers, "Authorization") != "Bearer " + token)
        return error_answer(401, "RepoNotFound");
    const auto mark = request.target.find('?');
    const std::string path = request.target.substr(1, mark == std::string::npos ? mark : mark - 1),
                      query = mark == std::string::npos ? "" : request.target.substr(mark + 1);
    return path.starts_with("api/") ? answer_api(path.substr(4), query) : answer_file(request, path);
}

ServedAnswer HubMimic::answer_api(const std::string& path, const std::string& query) {
    const auto [folder, rest] = split_folder(path);
    const auto known = revisions_.find(folder);
    if (known == revisions_.end()) return error_answer(401, "RepoNotFound");
    const bool about = rest.starts_with("revision/") || rest.empty();
    const std::string asked = rest.empty() ? "main" : decoded(rest.substr(rest.find('/') + 1));
    const auto revision = known->second.find(asked);
    if (revision == known->second.end()) return error_answer(404, "RevisionNotFound");
    const std::string name = folder.substr(folder.find('/') + 1);
    if (about)
        return json_answer({{"id", name},
                            {"sha", revision->second},
                            {"private", false},
                            {"siblings", Json::array()},
                            {"tags", Json::array()}});
    return tree(commits_.at(revision->second), path, query);
}

ServedAnswer HubMimic::tree(const Commit& commit, const std::string& path, const std::string& query) {
    Json entries = Json::array();
    std::set<std::string> folders;
    for (const auto& [name, content] : commit.files) {
        const bool large = content.size() >= large_from;
        Json entry = {
            {"type", "file"}, {"path", name}, {"size", content.size()}, {"oid", hub_hash(content, false)}};
        if (large)
            entry["lfs"] = {{"oid", hub_hash(content, true)}, {"size", content.size()}, {"pointerSize", 130}};
        if (auto lies = commit.lies.find(name); lies != commit.lies.end())
            for (const auto& [key, value] : lies->second) {
                Json& target = large && key != "path" ? entry["lfs"] : entry;
                target[key] = key == "size" ? Json(std::stoll(value)) : Json(value);
            }
        entries.push_back(entry);
        if (name.find('/') != std::string::npos) folders.insert(name.substr(0, name.find('/')));
    }
    for (const auto& folder : folders)
        entries.push_back(
            {{"type", "directory"}, {"path", folder}, {"size", 0}, {"oid", std::string(40, '0')}});
    const auto at = query.find("cursor=");
    const std::size_t begin = at == std::string::npos ? 0 : std::stoul(query.substr(at + 7)),
                      end = std::min(begin + page, entries.size());
    ServedAnswer answer = json_answer(Json(entries.begin() + static_cast<std::ptrdiff_t>(begin),
                                           entries.begin() + static_cast<std::ptrdiff_t>(end)));
    if (end < entries.size())
        answer.headers.emplace_back("Link", "<" + endpoint() + "/api/" + path + "?recursive=true&cursor="
                                                + std::to_string(end) + ">; rel=\"next\"");
    return answer;
}

ServedAnswer HubMimic::answer_file(const ReceivedRequest& request, const std::string& path) {
    const auto [folder, rest] = split_folder(path.starts_with("datasets/") ? path : "models/" + path);
    const auto slash = rest.find('/', 8);
    const auto known = revisions_.find(folder);
    if (known == revisions_.end() || !rest.starts_with("resolve/") || slash == std::string::npos)
        return error_answer(404, "RepoNotFound");
    const auto revision = known->second.find(decoded(rest.substr(8, slash - 8)));
    if (revision == known->second.end()) return error_answer(404, "RevisionNotFound");
    const Files& files = commits_.at(revision->second).files;
    const auto file = files.find(decoded(rest.substr(slash + 1)));
    if (file == files.end()) return error_answer(404, "EntryNotFound");
    const std::string& body = file->second;
    ServedAnswer answer;
    if (body.size() >= large_from) {
        const std::string hash = hub_hash(body, true);
        answer = {302,
                  {{"Location", contents_->url("/" + hash + "?signature=abc")},
                   {"X-Linked-Size", std::to_string(body.size())},
                   {"X-Linked-ETag", "\"" + hash + "\""}},
                  "Found. Redirecting"};
    } else {
        answer = content(request, body, "\"" + hub_hash(body, false) + "\"");
    }
    answer.headers.emplace_back("X-Repo-Commit", revision->second);
    return answer;
}

ServedAnswer HubMimic::content(const ReceivedRequest& request, const std::string& body,
                               const std::string& etag) {
    const std::string range = find_header(request.headers, "Range").value_or("");
    const auto version = find_header(request.headers, "If-Range");
    if (!ranges || !range.starts_with("bytes=") || (version && *version != etag))
        return {200, {{"ETag", etag}}, body};
    const std::size_t first = std::stoul(range.substr(6));
    if (first >= body.size()) return {416, {{"Content-Range", "bytes */" + std::to_string(body.size())}}, ""};
    return {206,
            {{"ETag", etag},
             {"Content-Range", "bytes " + std::to_string(first) + "-" + std::to_string(body.size() - 1) + "/"
                                   + std::to_string(body.size())}},
            body.substr(first)};
}

} // namespace tempera::test
