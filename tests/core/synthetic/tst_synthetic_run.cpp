#include "core/base/error.h"
#include "core/base/random.h"
#include "core/data/jsonl.h"
#include "core/data/training_set.h"
#include "core/recipe/synthetic_recipe.h"
#include "core/store/run_writer.h"
#include "core/synthetic/known_problems.h"
#include "core/synthetic/synthetic_run.h"
#include "core/task/countdown_solver.h"
#include "core/task/countdown_verifier.h"
#include "tests/core/judge/judge_server.h"
#include "tests/core/store/child_process.h"

#include <QTest>

#include <atomic>
#include <cmath>
#include <set>

using namespace tempera;
using namespace tempera::test;
namespace fs = std::filesystem;

namespace {

/// Keeps what a run reports; asks for a stop once so many examples are there.
class Listener final : public RunObserver {
public:
    void on_progress(const Progress& p) override {
        progress = p;
        if (p.done >= stop_after) stop.request(StopRequest::stop);
    }
    void on_metrics(std::int64_t step, std::span<const Metric> list) override {
        for (const Metric& metric : list)
            metrics[metric.name] = {step, metric.value};
    }
    void on_event(const RunEvent& event) override { events.push_back(event); }
    void on_prompts(std::span<const PromptRecord> list) override {
        for (const PromptRecord& prompt : list)
            prompts[prompt.index] = prompt;
    }
    void on_samples(std::span<const Sample> list) override {
        for (const Sample& sample : list)
            samples[sample.prompt_index] = sample;
    }
    void on_sweep(std::span<const SweepCell>, std::span<const SweepRow>) override {}
    void on_checkpoint(const CheckpointRecord&) override {}
    void on_headline(const std::string& name, double value) override { headline[name] = value; }

    Progress progress;
    std::map<std::string, MetricPoint> metrics;
    std::vector<RunEvent> events;
    std::map<std::int64_t, PromptRecord> prompts;
    std::map<std::int64_t, Sample> samples;
    std::map<std::string, double> headline;
    StopToken stop;
    std::int64_t stop_after = 1 << 30;
};

std::vector<Json> rows_of(const fs::path& file) {
    std::vector<Json> rows;
    JsonlReader reader(file);
    while (auto row = reader.next())
        rows.push_back(row->value);
    return rows;
}

RunRequest request_of(const fs::path& folder, Json recipe) {
    recipe["kind"] = "synthetic";
    fs::create_directories(folder);
    return {"synthetic", complete_recipe(recipe), folder, false, 0};
}

Json problem_json(const CountdownProblem& problem, const std::string& equation) {
    return {{"nums", problem.nums},
            {"target", problem.target},
            {"solution", "It is " + equation + " = " + std::to_string(problem.target) + "."},
            {"equation", equation}};
}

/// A teacher's reply to request `number`: four problems, of which one is wrong, one came before, and prose.
std::string teacher_reply(int number) {
    Json list = Json::array();
    RandomStream random(77, static_cast<std::uint64_t>(number));
    while (list.size() < 3) {
        const CountdownProblem problem = random_problem(3, random);
        const auto solutions = plain_solutions(problem);
        if (split_of(problem) == Split::train && !solutions.empty())
            list.push_back(problem_json(problem, solutions.front().to_string(" ")));
    }
    list[1]["equation"] = "1 + 1";
    list.push_back(list[0]);
    return "Here are your problems:\n" + list.dump() + "\nHave fun!";
}

int number_of(const ReceivedRequest& request) {
    const std::string text = last_turn(request);
    return std::stoi(text.substr(text.rfind("(Request ") + 9));
}

Json endpoint_recipe(int examples) {
    return {{"teacher", "endpoint"},     {"endpoint", "lab"},   {"examples", examples},
            {"problems_per_request", 4}, {"train_examples", 0}, {"seed", 3}};
}

} // namespace

class TestSyntheticRun : public QObject {
    Q_OBJECT

private slots:
    void theSolverTeachesWithoutANetwork() {
        QTemporaryDir folder;
        const fs::path run = folder.path().toStdString();
        Listener listener;
        const auto request = request_of(run, {{"examples", 120}, {"train_examples", 500}});
        QCOMPARE(run_synthetic(request, listener, {}), RunOutcome::finished);
        const auto rows = rows_of(run / "artifacts/synthetic.jsonl");
        QCOMPARE(rows.size(), std::size_t{120});
        std::set<std::uint64_t> seen;
        for (const CountdownProblem& known : make_problems(Split::train, 500, 0))
            seen.insert(canonical_hash(known));
        for (const Json& row : rows) {
            const CountdownProblem problem{row["nums"].get<std::vector<std::int64_t>>(),
                                           row["target"].get<std::int64_t>()};
            QCOMPARE(split_of(problem), Split::train);
            QVERIFY(seen.insert(canonical_hash(problem)).second); // neither known nor twice
            QCOMPARE(row["prompt"].get<std::string>(), format_prompt(problem, PromptStyle::paper));
            QCOMPARE(verify(problem.nums, problem.target, row["completion"].get<std::string>()).score, 1.0);
        }
        const Json funnel = read_json_file(run / "artifacts/funnel.json");
        QCOMPARE(funnel["new"].get<int>(), 120);
        QVERIFY(funnel["asked"] == funnel["parsed"]);
        QVERIFY(funnel["correct"] > funnel["new"]); // a fifth belongs to the held-out splits
        QCOMPARE(listener.headline["new"], 120.0);
        QCOMPARE(listener.metrics["funnel/asked"].value, funnel["asked"].get<double>());
        QCOMPARE(rows_of(run / "artifacts/rejected.jsonl").size(),
                 std::size_t(funnel["asked"].get<int>() - 120));
        const Json provenance = read_json_file(run / "artifacts/provenance.json");
        QCOMPARE(provenance["teacher"].get<std::string>(), std::string("the built-in solver"));
        QVERIFY(provenance["funnel"] == funnel);
        QCOMPARE(listener.samples.size(), std::size_t(funnel["asked"].get<int>()));
        // SFT takes the file as it is
        TrainingSetOptions options;
        options.data = run / "artifacts/synthetic.jsonl";
        options.examples = 100;
        options.validation_examples = 20;
        QCOMPARE(make_training_set(options).train.size(), std::size_t{100});
    }

    void theSameSeedWritesTheSameExamples() {
        QTemporaryDir folder;
        std::vector<std::vector<Json>> written;
        for (const int seed : {1, 1, 2}) {
            const fs::path run = folder.path().toStdString() + "/" + std::to_string(written.size());
            Listener listener;
            const auto request =
                request_of(run, {{"examples", 40}, {"seed", seed}, {"prompt_style", "short"}});
            run_synthetic(request, listener, {});
            written.push_back(rows_of(run / "artifacts/synthetic.jsonl"));
        }
        QVERIFY(written[0] == written[1]);
        QVERIFY(written[0] != written[2]);
        QVERIFY(written[0][0]["prompt"].get<std::string>().ends_with("\n"));
    }

    void anEndpointTeaches() {
        const Lab home;
        ScriptedServer server([](const ReceivedRequest& request) {
            const int number = number_of(request);
            if (number == 2) return chat_answer("I would rather not.");
            if (number == 3) {
                ServedAnswer broken;
                broken.status = 400;
                broken.body = "<html>no</html>";
                return broken;
            }
            return chat_answer(teacher_reply(number));
        });
        home.point_at(server);
        Listener listener;
        const auto request = request_of(home.path("run"), endpoint_recipe(20));
        QCOMPARE(run_synthetic(request, listener, {}), RunOutcome::finished);
        const Json funnel = read_json_file(home.path("run/artifacts/funnel.json"));
        QCOMPARE(rows_of(home.path("run/artifacts/synthetic.jsonl")).size(), std::size_t{20});
        const int requests = funnel["asked"].get<int>() / 4;
        QCOMPARE(funnel["parsed"].get<int>(), 4 * (requests - 2));
        QCOMPARE(funnel["new"].get<int>(), 20);
        const Json& reasons = funnel["rejected"];
        QCOMPARE(reasons["The reply holds no JSON object."].get<int>(), 1);
        QCOMPARE(reasons["No reply that could be used."].get<int>(), 1);
        QVERIFY(reasons.contains("It does not use exactly the given numbers, each once."));
        const Json provenance = read_json_file(home.path("run/artifacts/provenance.json"));
        QCOMPARE(provenance["model"].get<std::string>(), std::string("judge"));
        QCOMPARE(provenance["prompt_sha256"].get<std::string>().size(), std::size_t{64});
        QCOMPARE(provenance["prompt_tokens"].get<int>(), 100 * (requests - 1)); // a refusal has no usage
        QVERIFY(provenance["cost"].get<double>() > 0);
        bool kept_the_words = false; // of every rejected reply
        for (const Json& row : rows_of(home.path("run/artifacts/rejected.jsonl")))
            kept_the_words = kept_the_words || row["raw"] == "I would rather not.";
        QVERIFY(kept_the_words);
        for (const auto& [index, sample] : listener.samples)
            QVERIFY(!sample.reason.empty());
    }

    void aStoppedRunGoesOnWithoutAskingAgain() {
        const Lab home;
        Counter counter;
        ScriptedServer server([&](const ReceivedRequest& request) {
            counter.note(std::to_string(number_of(request)));
            return chat_answer(teacher_reply(number_of(request)));
        });
        home.point_at(server);
        Listener whole;
        run_synthetic(request_of(home.path("whole"), endpoint_recipe(30)), whole, {});
        const int needed = counter.total();
        auto request = request_of(home.path("parts"), endpoint_recipe(30));
        for (const int stop_after : {5, 18, 1 << 30}) {
            Listener part;
            part.stop_after = stop_after;
            const RunOutcome outcome = run_synthetic(request, part, part.stop);
            QCOMPARE(outcome, stop_after > 30 ? RunOutcome::finished : RunOutcome::stopped);
            request.resume = true;
        }
        // what was under way at the two stops may have been asked again
        QVERIFY2(counter.total() <= 2 * needed + 2 * 4, qPrintable(QString::number(counter.total())));
        QVERIFY(rows_of(home.path("whole/artifacts/synthetic.jsonl"))
                == rows_of(home.path("parts/artifacts/synthetic.jsonl")));
    }

    void aKilledRunGoesOn() {
        const Lab home(2);
        Counter counter;
        ScriptedServer server([&](const ReceivedRequest& request) {
            counter.note(std::to_string(number_of(request)));
            ServedAnswer reply = chat_answer(teacher_reply(number_of(request)));
            reply.delay = std::chrono::milliseconds(10);
            return reply;
        });
        home.point_at(server);
        auto request = request_of(home.path("run"), endpoint_recipe(30));
        {
            Child child([&](int) {
                RunWriter writer(request.folder);
                run_synthetic(request, writer, {});
                return 0;
            });
            while (counter.total() < 9)
                QTest::qSleep(1);
            child.kill_and_wait();
        }
        QTest::qSleep(50); // what the server still had in hand
        request.resume = true;
        {
            RunWriter writer(request.folder);
            QCOMPARE(run_synthetic(request, writer, {}), RunOutcome::finished);
        }
        int again = 0;
        for (const auto& [question, times] : counter.asked())
            again += times - 1;
        QVERIFY2(again <= 2, qPrintable(QString::number(again)));
        QCOMPARE(rows_of(home.path("run/artifacts/synthetic.jsonl")).size(), std::size_t{30});
    }

    void aTeacherThatWritesNothingRightFails() {
        const Lab home;
        ScriptedServer server([](const ReceivedRequest&) { return chat_answer("[]"); });
        home.point_at(server);
        auto request = request_of(home.path("run"), endpoint_recipe(8));
        for (const bool resumed : {false, true}) { // with no request left, then
            request.resume = resumed;
            Listener listener;
            std::string sentence;
            try {
                run_synthetic(request, listener, {});
            } catch (const Error& error) {
                sentence = error.what();
            }
            QCOMPARE(sentence, std::string("The teacher wrote nothing that could be kept in 8 requests: the "
                                           "samples say why each was rejected. Of the last one: The reply "
                                           "holds no JSON object."));
        }
        QCOMPARE(server.requests().size(), std::size_t{8}); // four times two, then it is given up
    }

    void problemsAreFoundInPrompts() {
        for (const auto& problem : make_problems(Split::train, 50, 4))
            for (const PromptStyle style : {PromptStyle::paper, PromptStyle::brief}) {
                const auto found = problem_in_prompt(format_prompt(problem, style));
                QVERIFY(found && *found == problem);
            }
        for (const char* text : {"", "Hello", "3 4 5", "3 4 x:5", ":5", "Using the numbers [], equals 5",
                                 "Using the numbers [1, 2], create", "99999999999999999999 1:5"})
            QVERIFY2(!problem_in_prompt(text), text);
    }

    void theRecipeIsChecked() {
        QVERIFY(!check_recipe({{"kind", "synthetic"}, {"teacher", "endpoint"}}).empty());
        QVERIFY(!check_recipe({{"kind", "synthetic"}, {"endpoint", "openai"}}).empty());
        QVERIFY(check_recipe({{"kind", "synthetic"}}).empty());
        QCOMPARE(SyntheticRecipe::from({{"teacher", "endpoint"}, {"endpoint", "x"}}).request_limit(),
                 std::int64_t{800});
    }
};

QTEST_GUILESS_MAIN(TestSyntheticRun)
#include "tst_synthetic_run.moc"
