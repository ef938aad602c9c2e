#include "core/base/files.h"
#include "core/engine/evaluate/remote_model.h"
#include "core/engine/evaluate/sweep.h"
#include "core/engine/evaluate/win_rate.h"
#include "core/store/run_reader.h"
#include "core/task/countdown_verifier.h"
#include "remote_test_run.h"

#include <QTemporaryDir>
#include <QTest>
#include <cmath>
#include <mutex>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

namespace {

const std::string canary = "sk-CANARY-77b1";

/// A server of completions. What it writes depends on prompt and seed alone.
struct Mimic {
    bool gives_all = true; ///< or one, whatever n is
    bool refuses_logprobs = false;
    std::function<std::optional<ServedAnswer>(const Json& body, int number)> instead; ///< of an answer

    ServedAnswer operator()(const ReceivedRequest& request) {
        const std::lock_guard lock(mutex);
        const Json body = Json::parse(request.body);
        bodies.push_back(body);
        if (instead)
            if (auto other = instead(body, static_cast<int>(bodies.size()))) return *other;
        if (refuses_logprobs && body.contains("logprobs"))
            return json_answer(400, R"({"error":{"message":"logprobs are not enabled"}})");
        return json_answer(200, reply_to(body, gives_all ? body.value("n", 1) : 1).dump());
    }

    static Json reply_to(const Json& body, int n) {
        Json choices = Json::array();
        const auto seed = body["seed"].get<std::int64_t>();
        for (int i = 0; i < n; ++i) {
            const std::string text = (seed + i) % 2 == 0 ? "<answer>1+1</answer>" : "I do not know";
            Json choice = {{"index", i}, {"finish_reason", "stop"}};
            if (body.contains("messages"))
                choice["message"] = {{"role", "assistant"}, {"content", text}};
            else
                choice["text"] = text;
            if (body.contains("logprobs") && body.contains("prompt"))
                choice["logprobs"] = {{"tokens", {"a", "b", "c"}}, {"token_logprobs", {-0.5, -0.25, -1}}};
            choices.push_back(choice);
        }
        return {{"choices", choices}, {"usage", {{"prompt_tokens", 9}, {"completion_tokens", 3 * n}}}};
    }

    std::mutex mutex;
    std::vector<Json> bodies;
};

std::set<std::int64_t> seeds_of(const Mimic& mimic) {
    std::set<std::int64_t> seeds;
    for (const Json& body : mimic.bodies)
        seeds.insert(body["seed"].get<std::int64_t>());
    return seeds;
}

/// Files below `folder` that hold `text`.
std::vector<std::string> files_with(const fs::path& folder, const std::string& text) {
    std::vector<std::string> found;
    for (const auto& entry : fs::recursive_directory_iterator(folder))
        if (entry.is_regular_file() && read_file(entry.path(), 1 << 28).find(text) != std::string::npos)
            found.push_back(entry.path().string());
    return found;
}

} // namespace

class TestRemote : public QObject {
    Q_OBJECT

    QTemporaryDir dir;
    int runs = 0;
    fs::path folder() { return fs::path(dir.path().toStdString()) / ("run" + std::to_string(++runs)); }
    fs::path config() const { return fs::path(dir.path().toStdString()) / "config"; }

private Q_SLOTS:
    void aSweepDrawsFromAServer() {
        Mimic mimic;
        ScriptedServer server([&](const ReceivedRequest& request) { return mimic(request); });
        save_mimic(config(), server.url("/v1"));
        const RunRequest request = sweep_request(folder(), 3, 4, 30);
        RemoteObserver seen(request.folder);
        QCOMPARE(run_sweep(request, seen, {}), RunOutcome::finished);
        QCOMPARE(seen.samples.size(), std::size_t{24});
        for (const auto& [key, sample] : seen.samples) {
            const Json facts = Json::parse(seen.prompts[static_cast<std::size_t>(sample.prompt_index)].facts);
            const Verdict verdict = verify(facts["nums"].get<std::vector<std::int64_t>>(),
                                           facts["target"].get<std::int64_t>(), sample.text);
            QCOMPARE(sample.score, verdict.score);
            QCOMPARE(sample.finish, std::string("stop"));
            QCOMPARE(sample.logprobs, (std::vector<float>{-0.5f, -0.25f, -1}));
            QCOMPARE(sample.logprob, -1.75);
        }
        QCOMPARE(mimic.bodies.size(), std::size_t{6}); // one for every problem and temperature
        QCOMPARE(seeds_of(mimic).size(), std::size_t{6});
        std::set<std::string> prompts;
        for (const Json& body : mimic.bodies) {
            QVERIFY(body["n"] == 4 && body["max_tokens"] == 30 && body["model"] == "small");
            QVERIFY(body["top_k"] == 0 && body["min_p"] == 0.0 && body["repeat_penalty"] == 1.0);
            QVERIFY(body["temperature"] == 0.3 || body["temperature"] == 1.0);
            prompts.insert(body["prompt"].get<std::string>());
        }
        QCOMPARE(prompts.size(), std::size_t{3});
        QVERIFY(prompts.contains(seen.prompts[0].text));
        QCOMPARE(seen.cells.size(), std::size_t{8});
        for (const SweepCell& cell : seen.cells)
            QCOMPARE(cell.problems_done, 3);
        QCOMPARE(seen.rows.at(0).mean_length, 3.0);
        QCOMPARE(seen.headline["cost"], 24 * 3 * 1000 / 1e6);
        QVERIFY(seen.said("was sent 6 requests"));
        QCOMPARE(seen.progress.done, 24);
    }

    void aServerThatIgnoresNIsAskedUntilAllAreThere() {
        std::map<std::tuple<double, std::int64_t, int>, std::string> texts;
        for (int round = 0; round < 2; ++round) {
            Mimic mimic;
            mimic.gives_all = false;
            ScriptedServer server([&](const ReceivedRequest& request) { return mimic(request); });
            save_mimic(config(), server.url("/v1"));
            const RunRequest request = sweep_request(folder(), 2, 3, 30);
            RemoteObserver seen(request.folder);
            QCOMPARE(run_sweep(request, seen, {}), RunOutcome::finished);
            QCOMPARE(seen.samples.size(), std::size_t{12});
            QVERIFY(!seen.twice && seen.said("asked again until they are there"));
            QCOMPARE(mimic.bodies.size(), std::size_t{12});
            QCOMPARE(seeds_of(mimic).size(), std::size_t{12}); // every sample has its own
            for (const auto& [key, sample] : seen.samples) {
                if (round == 0) texts[key] = sample.text;
                QCOMPARE(sample.text, texts[key]); // the same seeds draw the same
            }
        }
    }

    void whatCannotBeDrawnIsMarkedAndNotScored() {
        Mimic mimic;
        std::string broken;
        mimic.instead = [&](const Json& body, int) -> std::optional<ServedAnswer> {
            if (broken.empty() && body["temperature"] == 1.0) broken = body["prompt"].get<std::string>();
            if (body["prompt"] != broken || body["temperature"] != 1.0) return std::nullopt;
            return json_answer(200, "<html>Bad gateway</html>");
        };
        ScriptedServer server([&](const ReceivedRequest& request) { return mimic(request); });
        save_mimic(config(), server.url("/v1"));
        const RunRequest request = sweep_request(folder(), 3, 2, 30);
        {
            RemoteObserver seen(request.folder);
            QCOMPARE(run_sweep(request, seen, {}), RunOutcome::finished);
            QVERIFY(seen.said("2 samples could not be drawn and are not scored"));
            for (const SweepCell& cell : seen.cells)
                QCOMPARE(cell.problems_done, cell.temperature == 1.0 ? 2 : 3);
            QCOMPARE(seen.progress.done, 12);
        }
        int failed = 0;
        const RunReader reader(request.folder);
        for (const PromptRecord& prompt : reader.prompts())
            for (const Sample& sample : reader.samples(1.0, prompt.index)) {
                if (prompt.text != broken) continue;
                ++failed;
                QVERIFY(std::isnan(sample.score));
                QCOMPARE(sample.text, std::string("<html>Bad gateway</html>")); // what came is kept
                QCOMPARE(sample.finish, std::string("failed"));
                QVERIFY(sample.reason.find("a web page") != std::string::npos);
            }
        QCOMPARE(failed, 2);
    }

    void aServerThatFailsEndsTheRunWhichGoesOn() {
        Mimic mimic;
        bool down = true;
        mimic.instead = [&](const Json&, int number) -> std::optional<ServedAnswer> {
            if (!down || number <= 3) return std::nullopt;
            return json_answer(401, R"({"error":"expired"})");
        };
        ScriptedServer server([&](const ReceivedRequest& request) { return mimic(request); });
        save_mimic(config(), server.url("/v1"));
        RunRequest request = sweep_request(folder(), 4, 2, 30);
        std::size_t drawn = 0;
        {
            RemoteObserver seen(request.folder);
            std::string error;
            try {
                run_sweep(request, seen, {});
            } catch (const Error& thrown) {
                error = thrown.what();
            }
            QVERIFY2(error.find("wants a key (401: expired)") != std::string::npos, error.c_str());
            drawn = seen.samples.size();
            QVERIFY(drawn >= 4 && drawn <= 6); // of three requests, one may have been under way
            QVERIFY(!seen.cells.empty());
        }
        down = false;
        request.resume = true;
        RemoteObserver rest(request.folder);
        QCOMPARE(run_sweep(request, rest, {}), RunOutcome::finished);
        QCOMPARE(rest.samples.size(), 16 - drawn);
        for (const SweepCell& cell : rest.cells)
            QCOMPARE(cell.problems_done, 4);
    }

    void aStopKeepsWhatWasDrawn() {
        Mimic mimic;
        mimic.gives_all = false;
        ScriptedServer server([&](const ReceivedRequest& request) {
            ServedAnswer made = mimic(request);
            made.delay = std::chrono::milliseconds(25);
            return made;
        });
        save_mimic(config(), server.url("/v1"));
        RunRequest request = sweep_request(folder(), 8, 4, 30);
        std::size_t drawn = 0;
        {
            RemoteObserver seen(request.folder);
            seen.stop_after = 5;
            QCOMPARE(run_sweep(request, seen, seen.stop), RunOutcome::stopped);
            QVERIFY(seen.tables > 0); // cells appear while it runs
            drawn = seen.samples.size();
            QVERIFY(drawn >= 5 && drawn < 64);
        }
        request.resume = true;
        RemoteObserver rest(request.folder);
        QCOMPARE(run_sweep(request, rest, {}), RunOutcome::finished);
        QCOMPARE(rest.samples.size(), 64 - drawn);
        QVERIFY(mimic.bodies.size() <= 64 + 4); // asked twice is at most what was under way
    }

    void logprobsThatAreRefusedAreGivenUp() {
        Mimic mimic;
        mimic.refuses_logprobs = true;
        ScriptedServer server([&](const ReceivedRequest& request) { return mimic(request); });
        save_mimic(config(), server.url("/v1"));
        const RunRequest request = sweep_request(folder(), 2, 2, 30);
        RemoteObserver seen(request.folder);
        QCOMPARE(run_sweep(request, seen, {}), RunOutcome::finished);
        QVERIFY(seen.said("gives no log-probabilities"));
        for (const auto& [key, sample] : seen.samples)
            QVERIFY(sample.logprobs.empty() && !std::isnan(sample.score));
    }

    void modelsBehindAnEndpointAreCompared() {
        Mimic mimic;
        std::string unanswered;
        mimic.instead = [&](const Json& body, int) -> std::optional<ServedAnswer> {
            const std::string prompt = body["messages"].back()["content"].get<std::string>();
            if (unanswered.empty()) unanswered = prompt;
            if (prompt != unanswered || body["model"] != "small") return std::nullopt;
            return json_answer(200, R"({"choices":[{"message":{"content":null}}]})");
        };
        ScriptedServer server([&](const ReceivedRequest& request) { return mimic(request); });
        save_mimic(config(), server.url("/v1"));
        WinRateRecipe recipe;
        recipe.base = "endpoint:mimic";
        recipe.tuned = "endpoint:mimic/large";
        recipe.prompts = 6;
        RunRequest request = run_request(folder(), recipe.to_json());
        {
            RemoteObserver seen(request.folder);
            QCOMPARE(run_win_rate(request, seen, {}), RunOutcome::finished);
            QCOMPARE(seen.comparisons.size(), std::size_t{6});
            int failed = 0;
            for (const auto& [index, comparison] : seen.comparisons) {
                QVERIFY(!std::isnan(comparison.tuned.score));
                if (comparison.prompt != unanswered) continue;
                ++failed;
                QVERIFY(std::isnan(comparison.base.score));
                QCOMPARE(comparison.base.finish, std::string("failed"));
                QVERIFY(comparison.base.note.find("holds no text") != std::string::npos);
            }
            QCOMPARE(failed, 1);
            QVERIFY(seen.said("1 answer could not be drawn and is not scored"));
        }
        QCOMPARE(mimic.bodies.size(), std::size_t{12});
        for (const Json& body : mimic.bodies) {
            QVERIFY(body["messages"][0]["role"] == "system" && body["messages"][1]["role"] == "user");
            QVERIFY(body["top_p"] == 0.9 && body["repeat_penalty"] == 1.1 && body["temperature"] == 0.2);
        }
        mimic.instead = {}; // what failed is asked again, and only that
        request.resume = true;
        RemoteObserver rest(request.folder);
        QCOMPARE(run_win_rate(request, rest, {}), RunOutcome::finished);
        QCOMPARE(mimic.bodies.size(), std::size_t{14});
        rest.writer.flush();
        for (const Comparison& comparison : RunReader(request.folder).comparisons())
            QVERIFY(comparison.base.finish != "failed" && !std::isnan(comparison.base.score));
    }

    void conversationsGoAsRawTextWhereATemplateSaysHow() {
        SamplingFields sampling;
        sampling.endpoint_api = "completions";
        save_mimic(config(), "http://127.0.0.1:9/v1");
        TaskPrompt prompt;
        prompt.messages = {{"user", "Hi"}};
        prompt.text = "Hi";
        RemoteModel raw("endpoint:mimic", sampling, "chatml", {});
        QCOMPARE(raw.request(prompt, 1).prompt,
                 std::string("<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\n"));
        RemoteModel unknown("endpoint:mimic", sampling, "model", {});
        QVERIFY_THROWS_EXCEPTION(Error, unknown.request(prompt, 1));
        sampling.endpoint_api = "chat";
        prompt.messages.clear();
        RemoteModel chat("endpoint:mimic", sampling, "model", {});
        QCOMPARE(chat.request(prompt, 1).messages.at(0).content, std::string("Hi"));
        Endpoint plain = find_endpoint("mimic");
        plain.dialect = "openai";
        save_endpoint(plain);
        sampling.top_k = 5;
        RemoteModel openai("endpoint:mimic", sampling, "model", {});
        QVERIFY(openai.request(prompt, 1).extra.empty());
        QVERIFY(openai.left_out().find("cannot be told top_k") != std::string::npos);
    }

    /// F18: a key that the server sends back everywhere is in no file and no event of the run.
    void noKeyIsEverWritten() {
        qputenv("TEMPERA_TEST_KEY", canary.c_str());
        Mimic mimic;
        mimic.instead = [&](const Json& body, int number) -> std::optional<ServedAnswer> {
            Json reply = Mimic::reply_to(body, body.value("n", 1));
            if (number == 2) return json_answer(500, "your key " + canary + " is fine");
            if (number == 4) return json_answer(200, "<html>" + canary + "</html>");
            for (Json& choice : reply["choices"])
                choice["text"] = "The key: " + canary;
            return json_answer(number > 8 ? 403 : 200, number > 8 ? "no " + canary : reply.dump());
        };
        ScriptedServer server([&](const ReceivedRequest& request) { return mimic(request); });
        save_mimic(config(), server.url("/v1"), "TEMPERA_TEST_KEY");
        const RunRequest request = sweep_request(folder(), 8, 2, 30);
        std::string said;
        {
            RemoteObserver seen(request.folder);
            try {
                run_sweep(request, seen, {});
            } catch (const Error& error) {
                said = error.what();
            }
            for (const std::string& event : seen.events)
                said += event;
            seen.writer.flush();
            QCOMPARE(files_with(dir.path().toStdString(), canary), std::vector<std::string>());
        }
        QVERIFY(said.find("does not accept the key in TEMPERA_TEST_KEY") != std::string::npos);
        QVERIFY(said.find(canary) == std::string::npos);
        QCOMPARE(*find_header(server.requests().at(0).headers, "Authorization"), "Bearer " + canary);
        QCOMPARE(files_with(dir.path().toStdString(), canary), std::vector<std::string>());
        QVERIFY(!files_with(dir.path().toStdString(), "The key: [key]").empty());
        QVERIFY(read_file("/proc/self/cmdline", 1 << 16).find(canary) == std::string::npos);
        qunsetenv("TEMPERA_TEST_KEY");
    }
};

QTEST_GUILESS_MAIN(TestRemote)
#include "tst_remote.moc"
