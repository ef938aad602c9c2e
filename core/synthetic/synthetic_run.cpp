#include "core/synthetic/synthetic_run.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/judge/connect.h"
#include "core/recipe/synthetic_recipe.h"
#include "core/store/run_folder.h"
#include "core/synthetic/known_problems.h"
#include "core/synthetic/result.h"
#include "core/task/synthetic.h"
#include "core/task/traces.h"

#include <algorithm>
#include <chrono>

namespace tempera {

namespace {

using Clock = std::chrono::steady_clock;

constexpr std::uint64_t seeds_stream = 0x7465616368657200; // "teacher": with the request's number below
constexpr std::uint64_t solver_stream = 0x736f6c7665720000;
constexpr std::int64_t solver_batch = 64; // problems between two looks at the stop token

/// A run under way.
class Writing {
public:
    Writing(const RunRequest& request, RunObserver& observer, const StopToken& stop, const Asker* teacher)
        : request_(request), observer_(observer), stop_(stop), recipe_(SyntheticRecipe::from(request.recipe)),
          style_(prompt_style_from(recipe_.prompt_style)), teacher_(teacher) {}

    RunOutcome run();

private:
    SyntheticFilter make_filter();
    std::int64_t missing() const { return recipe_.examples - result_.funnel.fresh; }
    bool goes_on() const { return missing() > 0 && result_.requests < recipe_.request_limit(); }
    void ask_some(SyntheticFilter& filter);
    void take_reply(SyntheticFilter& filter, const EndpointReply& reply);
    void solve_some(SyntheticFilter& filter);
    std::vector<int> seeds_of(std::int64_t request) const;
    ReadProblem solver_problem(std::int64_t request) const;
    void take(SyntheticFilter& filter, std::vector<ReadProblem> problems, std::int64_t wanted);
    std::string learnt_from(const WrittenProblem& written) const;
    void keep(const ReadProblem& problem, const SyntheticVerdict& verdict);
    void report(const char* phase);
    void report_progress(const char* phase);
    void finish();
    void tell(const char* kind, const std::string& message) {
        observer_.on_event({0, unix_time_ms(), -1, kind, message});
    }

    const RunRequest& request_;
    RunObserver& observer_;
    const StopToken& stop_;
    const SyntheticRecipe recipe_;
    const PromptStyle style_;
    const Asker* teacher_; ///< null = the solver
    std::unique_ptr<ReplyStore> store_;
    SyntheticResult result_;
    std::int64_t problems_ = 0;
    std::string last_rejection_;        ///< why
    std::vector<PromptRecord> prompts_; ///< not reported yet
    std::vector<Sample> samples_;
    Clock::time_point began_ = Clock::now();
};

SyntheticFilter Writing::make_filter() {
    const auto seed = static_cast<std::uint64_t>(recipe_.data_seed);
    const KnownProblems train = known_problems(recipe_.train_data, recipe_.train_examples, seed);
    const KnownProblems test =
        recipe_.test_data == "countdown" ? KnownProblems() : known_problems(recipe_.test_data, 0, 0);
    for (const auto& [file, known] :
         {std::pair(&recipe_.train_data, &train), std::pair(&recipe_.test_data, &test)})
        if (known->unread > 0)
            tell("warning", counted(known->unread, "row") + " of " + *file
                                + " hold no Countdown problem and are not compared with.");
    return SyntheticFilter(train.problems, test.problems, true);
}

std::vector<int> Writing::seeds_of(std::int64_t request) const {
    RandomStream random(static_cast<std::uint64_t>(recipe_.seed),
                        seeds_stream + static_cast<std::uint64_t>(request));
    std::vector<int> seeds;
    for (std::int64_t index : shuffled_indices(99, random))
        if (seeds.size() < static_cast<std::size_t>(recipe_.problems_per_request))
            seeds.push_back(static_cast<int>(index) + 1);
    return seeds;
}

/// Asks for what is missing, at most a few rounds of the endpoint at once, and takes the replies in the order
/// of the requests, whatever order they come in.
void Writing::ask_some(SyntheticFilter& filter) {
    const std::int64_t each = recipe_.problems_per_request;
    const std::int64_t count =
        std::min({(missing() + each - 1) / each, static_cast<std::int64_t>(4 * teacher_->concurrency),
                  recipe_.request_limit() - result_.requests});
    std::vector<std::vector<ChatMessage>> conversations;
    for (std::int64_t i = 0; i < count; ++i)
        conversations.push_back(
            {{"user", teacher_prompt(static_cast<int>(each), seeds_of(result_.requests + i)) + " (Request "
                          + std::to_string(result_.requests + i + 1) + ".)"}});
    std::vector<std::optional<EndpointReply>> came(conversations.size());
    std::size_t next = 0;
    ask_all(
        conversations, *teacher_, *store_, result_.tally, stop_,
        [&](std::size_t place, const EndpointReply& reply) {
            came[place] = reply;
            for (; next < came.size() && came[next]; ++next)
                take_reply(filter, *came[next]);
            report("asking");
        },
        [&] { report_progress("asking"); });
}

void Writing::take_reply(SyntheticFilter& filter, const EndpointReply& reply) {
    const auto each = static_cast<std::size_t>(recipe_.problems_per_request);
    result_.usage.prompt_tokens += reply.prompt_tokens;
    result_.usage.completion_tokens += reply.completion_tokens;
    result_.usage.cost += reply.cost;
    std::vector<ReadProblem> problems{{{}, reply.text.substr(0, 2000), "No reply: " + reply.problem}};
    if (reply.whole) problems = read_problems(reply.text, each);
    take(filter, std::move(problems), recipe_.problems_per_request);
}

ReadProblem Writing::solver_problem(std::int64_t request) const {
    RandomStream random(static_cast<std::uint64_t>(recipe_.seed),
                        solver_stream + static_cast<std::uint64_t>(request));
    ReadProblem made;
    made.written.problem = random_problem(random.between(3, 4), random);
    const bool own_words = recipe_.trace_style == "teacher";
    const bool brief = own_words ? style_ == PromptStyle::brief : recipe_.trace_style == "short";
    const std::string trace =
        make_trace(made.written.problem, brief ? TraceStyle::brief : TraceStyle::cognitive, random);
    made.written.equation = std::string(extract_answer(trace).value_or(""));
    made.written.solution = trace; // with its tags: it is the completion already
    made.raw = trace;
    return made;
}

void Writing::solve_some(SyntheticFilter& filter) {
    const std::int64_t count =
        std::min({missing(), solver_batch, recipe_.request_limit() - result_.requests});
    for (std::int64_t i = 0; i < count; ++i)
        take(filter, {solver_problem(result_.requests)}, 1);
    report("solving");
}

/// What a model learns of a problem: the teacher's words, or the solver's on the same problem.
std::string Writing::learnt_from(const WrittenProblem& written) const {
    if (!recipe_.asks_endpoint()) return written.solution;
    if (recipe_.trace_style == "teacher") return completion_of(written, style_);
    RandomStream random(static_cast<std::uint64_t>(recipe_.seed), solver_stream, 1);
    try {
        return make_trace(written.problem, trace_style_from(recipe_.trace_style), random);
    } catch (const Error&) { // without a solution there is nothing to write anew; the filter says so
        return completion_of(written, style_);
    }
}

void Writing::take(SyntheticFilter& filter, std::vector<ReadProblem> problems, std::int64_t wanted) {
    ++result_.requests;
    std::vector<SyntheticVerdict> verdicts;
    std::int64_t still = missing();
    for (const ReadProblem& problem : problems) {
        SyntheticVerdict verdict;
        if (!problem.reason.empty())
            verdict.reason = problem.reason;
        else
            verdict = filter.check(problem.written, learnt_from(problem.written));
        if (verdict.step == SyntheticStep::fresh && still-- == 0) {
            still = 0;
            verdict.step = SyntheticStep::correct;
            verdict.reason = "More than are wanted.";
        }
        keep(problem, verdict);
        verdicts.push_back(std::move(verdict));
    }
    result_.funnel.add(verdicts, wanted);
}

/// Into the result, and for the window.
void Writing::keep(const ReadProblem& problem, const SyntheticVerdict& verdict) {
    const bool readable = problem.reason.empty();
    const CountdownProblem& task = problem.written.problem;
    PromptRecord prompt{problems_++, "Request " + std::to_string(result_.requests), ""};
    if (readable) {
        prompt.text = format_prompt(task, style_);
        prompt.facts = to_json_line({{"nums", task.nums}, {"target", task.target}});
    }
    Sample sample;
    sample.temperature = recipe_.asks_endpoint() ? recipe_.temperature : 0;
    sample.prompt_index = prompt.index;
    sample.text = readable && !verdict.completion.empty() ? verdict.completion : problem.raw;
    sample.finish = "stop";
    sample.score = verdict.verdict.score;
    sample.equation = verdict.verdict.equation;
    sample.value = verdict.verdict.value;
    sample.reason = verdict.reason.empty() ? "Kept. " + verdict.verdict.reason : verdict.reason;
    if (verdict.step == SyntheticStep::fresh) {
        result_.add_example(prompt.text, verdict, task, result_.requests);
    } else {
        result_.add_rejected(verdict, problem.raw, result_.requests);
        last_rejection_ = verdict.reason;
    }
    prompts_.push_back(std::move(prompt));
    samples_.push_back(std::move(sample));
}

void Writing::report(const char* phase) {
    observer_.on_prompts(prompts_);
    observer_.on_samples(samples_);
    prompts_.clear();
    samples_.clear();
    const SyntheticFunnel& funnel = result_.funnel;
    std::vector<Metric> metrics;
    for (const auto& [name, value] : {std::pair("asked", funnel.asked), std::pair("parsed", funnel.parsed),
                                      std::pair("correct", funnel.correct), std::pair("new", funnel.fresh)}) {
        metrics.push_back({std::string("funnel/") + name, static_cast<double>(value)});
        observer_.on_headline(name, static_cast<double>(value));
    }
    if (teacher_) {
        metrics.push_back({"prompt_tokens", static_cast<double>(result_.usage.prompt_tokens)});
        metrics.push_back({"completion_tokens", static_cast<double>(result_.usage.completion_tokens)});
        metrics.push_back({"cost", result_.usage.cost});
    }
    observer_.on_metrics(result_.requests, metrics);
    report_progress(phase);
}

void Writing::report_progress(const char* phase) {
    const SyntheticFunnel& funnel = result_.funnel;
    Progress progress;
    progress.phase = teacher_ ? phase_of(*teacher_, phase) : phase;
    progress.done = funnel.fresh;
    progress.total = recipe_.examples;
    progress.unit = "examples";
    const double seconds = std::chrono::duration<double>(Clock::now() - began_).count();
    if (funnel.fresh > 0)
        progress.eta_seconds = seconds * static_cast<double>(missing()) / static_cast<double>(funnel.fresh);
    observer_.on_progress(progress);
}

void Writing::finish() {
    if (result_.funnel.fresh == 0)
        fail(ErrorKind::bad_input,
             "The teacher wrote nothing that could be kept in " + counted(result_.requests, "request")
                 + ": the samples say why each was rejected. Of the last one: " + last_rejection_);
    if (missing() > 0)
        tell("warning", "Only " + counted(result_.funnel.fresh, "example") + " of "
                            + std::to_string(recipe_.examples) + " after "
                            + counted(result_.requests, "request") + ": raise most_requests to go on.");
    result_.write(request_.folder / "artifacts", recipe_, teacher_);
    tell("log", "Asked for " + counted(result_.funnel.asked, "problem") + ": "
                    + std::to_string(result_.funnel.parsed) + " could be read, "
                    + std::to_string(result_.funnel.correct) + " are right, "
                    + std::to_string(result_.funnel.fresh) + " are new.");
}

RunOutcome Writing::run() {
    SyntheticFilter filter = make_filter();
    if (teacher_) {
        store_ = std::make_unique<ReplyStore>(request_.folder / "replies.db");
        const std::int64_t there = store_->counts().whole;
        if (there > 0) tell("log", "Goes on with " + std::to_string(there) + " stored replies.");
        tell("log", "Asks " + teacher_->name + ", " + std::to_string(teacher_->concurrency) + " at a time.");
    }
    while (goes_on()) {
        if (teacher_)
            ask_some(filter);
        else
            solve_some(filter);
        if (stop_.requested() == StopRequest::cancel) return RunOutcome::cancelled;
        if (stop_ && goes_on()) {
            report("stopped");
            return RunOutcome::stopped;
        }
    }
    finish();
    report("finished");
    return RunOutcome::finished;
}

} // namespace

RunOutcome run_synthetic(const RunRequest& request, RunObserver& observer, const StopToken& stop,
                         const Asker& teacher) {
    return Writing(request, observer, stop, &teacher).run();
}

RunOutcome run_synthetic(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    const SyntheticRecipe recipe = SyntheticRecipe::from(request.recipe);
    if (!recipe.asks_endpoint()) return Writing(request, observer, stop, nullptr).run();
    AskedModel asked;
    asked.endpoint = recipe.endpoint;
    asked.model = recipe.teacher_model;
    asked.max_tokens = recipe.max_tokens;
    asked.temperature = recipe.temperature;
    return run_synthetic(request, observer, stop, connect_endpoint(asked, patient_options(request.keys)));
}

} // namespace tempera
