#include "core/engine/evaluate/sweep.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/engine/evaluate/answers.h"
#include "core/engine/evaluate/sweep_table.h"
#include "core/engine/lora/adapter_stack.h"
#include "core/engine/model/decoder_io.h"
#include "core/engine/sample/sampler.h"
#include "core/engine/train/machine.h"
#include "core/queue/skipped_rows.h"
#include "core/recipe/sweep_recipe.h"
#include "core/store/run_folder.h"
#include "core/store/run_reader.h"
#include "core/task/countdown.h"
#include "core/task/countdown_verifier.h"

#include <algorithm>
#include <bit>
#include <chrono>
#include <functional>
#include <limits>

namespace tempera {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double report_interval = 0.25; // seconds
constexpr double shortest_table_interval = 0.5;
constexpr std::size_t largest_report = 512;  // samples
constexpr std::int64_t live_resamples = 200; // a bootstrap while it runs may be coarser than the final one
constexpr std::uint64_t bootstrap_salt = 0x7ab1e5ca1eull;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::string facts_of(const CountdownProblem& problem) {
    return to_json_line({{"nums", problem.nums}, {"target", problem.target}});
}

std::vector<PromptRecord> prompt_records(const std::vector<CountdownProblem>& problems, PromptStyle style) {
    std::vector<PromptRecord> records;
    for (const CountdownProblem& problem : problems)
        records.push_back(
            {static_cast<std::int64_t>(records.size()), format_prompt(problem, style), facts_of(problem)});
    return records;
}

/// Decoder and tokenizer of a recipe, on its device.
struct SweepModel {
    explicit SweepModel(const SweepRecipe& recipe)
        : decoder(recipe.adapter.empty() ? load_decoder(recipe.model)
                                         : load_with_adapter(recipe.model, recipe.adapter)),
          tokenizer(Tokenizer::load(base_folder_of(recipe.model))) {
        move_decoder(decoder, select_device(recipe.device),
                     recipe.dtype == "bfloat16" ? at::kBFloat16 : at::kFloat);
    }
    Decoder decoder;
    Tokenizer tokenizer;
};

std::vector<CountdownProblem> problems_of(const SweepRecipe& recipe, RunObserver& observer) {
    ProblemOptions options;
    options.data = recipe.data;
    options.split = split_from(recipe.split);
    options.count = recipe.problems;
    options.data_seed = static_cast<std::uint64_t>(recipe.data_seed);
    options.columns = recipe.columns;
    options.bad_rows = recipe.bad_rows;
    SkippedRows skipped;
    auto problems = countdown_problems(options, &skipped);
    report_skipped(skipped, observer);
    return problems;
}

/// A sweep under way.
class Sweep {
public:
    Sweep(const RunRequest& request, RunObserver& observer, const StopToken& stop)
        : request_(request), observer_(observer), stop_(stop), recipe_(SweepRecipe::from(request.recipe)),
          problems_(problems_of(recipe_, observer)),
          prompts_(prompt_records(problems_, prompt_style_from(recipe_.prompt_style))),
          table_(recipe_.temperatures, static_cast<std::int64_t>(problems_.size()),
                 static_cast<int>(recipe_.n)) {}

    RunOutcome run();

private:
    void take_over_stored_samples();
    bool next_missing();
    std::size_t column_of(std::int64_t tag) const;
    RandomStream stream_of(std::int64_t tag) const;
    bool next_problem(PromptRequest& request);
    bool next_question(const RemoteModel& model, RemotePrompt& prompt);
    void draw_locally();
    void draw_remotely();
    void announce(const std::string& pace);
    bool interrupted();
    void receive(std::int64_t tag, Answer&& drawn);
    void report(bool all);
    void report_progress(const char* phase);
    void report_table(bool final);
    void log(const std::string& message);

    const RunRequest& request_;
    RunObserver& observer_;
    const StopToken& stop_;
    const SweepRecipe recipe_;
    const std::vector<CountdownProblem> problems_;
    const std::vector<PromptRecord> prompts_;
    SweepTable table_;
    const Tokenizer* tokenizer_ = nullptr;
    std::size_t next_ = 0;              ///< problem
    std::vector<std::int64_t> missing_; ///< tags of the samples that it misses, temperature by temperature
    std::size_t missing_at_ = 0;        ///< of them, the first one that no server was asked for
    DrawFailures failures_;
    std::vector<Sample> unreported_;
    bool table_is_stale_ = false;
    double table_interval_ = shortest_table_interval;
    std::function<std::int64_t()> drawn_tokens_; ///< while it draws
    const RemoteModel* remote_ = nullptr;        ///< the same, from a server
    std::int64_t samples_before_ = 0;
    Clock::time_point began_ = Clock::now(), reported_ = began_, table_reported_ = began_;
};

void Sweep::log(const std::string& message) {
    RunEvent event;
    event.kind = "log";
    event.message = message;
    event.time_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                        std::chrono::system_clock::now().time_since_epoch())
                        .count();
    observer_.on_event(event);
}

/// What an earlier session drew counts, as far as it is of the same problems.
void Sweep::take_over_stored_samples() {
    const RunReader reader(request_.folder);
    for (const PromptRecord& stored : reader.prompts()) {
        auto at = static_cast<std::size_t>(stored.index);
        if (stored.index < 0 || at >= prompts_.size() || prompts_[at].text != stored.text)
            fail(ErrorKind::bad_input,
                 "This run cannot go on: problem " + std::to_string(stored.index)
                     + " is no longer what it was when its samples were drawn. Start a new run.");
    }
    for (double temperature : reader.sampled_temperatures()) {
        auto found = std::ranges::find(recipe_.temperatures, temperature);
        if (found == recipe_.temperatures.end()) continue;
        const auto column = static_cast<std::size_t>(found - recipe_.temperatures.begin());
        for (const PromptRecord& prompt : prompts_)
            for (const Sample& sample : reader.samples(temperature, prompt.index))
                if (sample.sample_index < recipe_.n) table_.add(column, sample);
    }
    samples_before_ = table_.samples_done();
    if (samples_before_ > 0) log("Goes on with " + std::to_string(samples_before_) + " stored samples.");
}

/// Finds the next problem that misses samples, from next_ on. A tag holds (temperature, problem, sample).
bool Sweep::next_missing() {
    for (; next_ < problems_.size(); ++next_) {
        const auto problem = static_cast<std::int64_t>(next_);
        missing_.clear();
        for (std::size_t t = 0; t < recipe_.temperatures.size(); ++t)
            for (int s = 0; s < recipe_.n; ++s)
                if (!table_.has(t, problem, s))
                    missing_.push_back(
                        (static_cast<std::int64_t>(t) * static_cast<std::int64_t>(problems_.size()) + problem)
                            * recipe_.n
                        + s);
        if (!missing_.empty()) return true;
    }
    return false;
}

std::size_t Sweep::column_of(std::int64_t tag) const {
    return static_cast<std::size_t>(tag / recipe_.n / static_cast<std::int64_t>(problems_.size()));
}

RandomStream Sweep::stream_of(std::int64_t tag) const {
    return sweep_stream(static_cast<std::uint64_t>(recipe_.seed), recipe_.temperatures[column_of(tag)],
                        tag / recipe_.n % static_cast<std::int64_t>(problems_.size()),
                        static_cast<int>(tag % recipe_.n));
}

/// The next problem with what it misses at all temperatures.
bool Sweep::next_problem(PromptRequest& request) {
    if (!next_missing()) return false;
    for (const std::int64_t tag : missing_) {
        SequenceRequest sequence;
        sequence.tag = tag;
        sequence.settings = {recipe_.temperatures[column_of(tag)], recipe_.top_p,
                             static_cast<int>(recipe_.top_k), recipe_.min_p, recipe_.repetition_penalty};
        sequence.stream = stream_of(tag);
        request.sequences.push_back(std::move(sequence));
    }
    request.name = "Problem " + std::to_string(next_);
    request.ids = tokenizer_->encode(prompts_[next_].text, {.add_special_tokens = true});
    ++next_;
    return true;
}

/// The next problem at the next temperature: what one request may ask for.
bool Sweep::next_question(const RemoteModel& model, RemotePrompt& prompt) {
    if (missing_at_ == missing_.size()) {
        missing_at_ = 0;
        missing_.clear();
        if (!next_missing()) return false;
        ++next_;
    }
    const std::size_t column = column_of(missing_[missing_at_]);
    TaskPrompt question;
    question.text = prompts_[next_ - 1].text;
    prompt.ask = model.request(question, recipe_.temperatures[column]);
    for (; missing_at_ < missing_.size() && column_of(missing_[missing_at_]) == column; ++missing_at_) {
        prompt.tags.push_back(missing_[missing_at_]);
        prompt.seeds.push_back(stream_of(missing_[missing_at_]).at(0) & 0x7fffffff);
    }
    return true;
}

void Sweep::receive(std::int64_t tag, Answer&& drawn) {
    Sample sample;
    sample.sample_index = static_cast<int>(tag % recipe_.n);
    sample.prompt_index = tag / recipe_.n % static_cast<std::int64_t>(problems_.size());
    const std::size_t column = column_of(tag);
    sample.temperature = recipe_.temperatures[column];
    sample.text = std::move(drawn.text);
    sample.token_ids = std::move(drawn.token_ids);
    sample.logprobs = std::move(drawn.logprobs);
    sample.logprob = drawn.logprob;
    sample.finish = std::move(drawn.finish);
    if (sample.finish == failed_finish) {
        sample.score = std::numeric_limits<double>::quiet_NaN();
        failures_.add(drawn.fault);
        sample.reason = std::move(drawn.fault);
        unreported_.push_back(std::move(sample));
        return report(unreported_.size() >= largest_report);
    }
    const CountdownProblem& problem = problems_[static_cast<std::size_t>(sample.prompt_index)];
    Verdict verdict = verify(problem.nums, problem.target, sample.text);
    sample.score = verdict.score;
    sample.equation = std::move(verdict.equation);
    sample.value = std::move(verdict.value);
    sample.reason = std::move(verdict.reason);
    table_.add(column, sample, drawn.tokens);
    table_is_stale_ = true;
    unreported_.push_back(std::move(sample));
    report(unreported_.size() >= largest_report);
}

void Sweep::report(bool all) {
    if (!all && seconds_since(reported_) < report_interval) return;
    reported_ = Clock::now();
    if (!unreported_.empty()) observer_.on_samples(unreported_);
    unreported_.clear();
    report_progress("sampling");
    if (table_is_stale_ && seconds_since(table_reported_) >= table_interval_) report_table(false);
}

void Sweep::report_progress(const char* phase) {
    Progress progress;
    progress.phase = remote_ ? remote_->phase(phase) : phase;
    progress.done = table_.samples_done() + failures_.count();
    progress.total = table_.samples_total();
    progress.unit = "samples";
    const double seconds = seconds_since(began_);
    const auto drawn = static_cast<double>(progress.done - samples_before_);
    if (drawn_tokens_ && seconds > 0) progress.rate = static_cast<double>(drawn_tokens_()) / seconds;
    if (drawn > 0)
        progress.eta_seconds = static_cast<double>(progress.total - progress.done) * seconds / drawn;
    progress.memory_gib = memory_gib();
    observer_.on_progress(progress);
}

void Sweep::report_table(bool final) {
    const Clock::time_point begin = Clock::now();
    const std::int64_t resamples =
        final ? recipe_.bootstrap_resamples : std::min(recipe_.bootstrap_resamples, live_resamples);
    const std::vector<SweepCell> cells =
        table_.cells(resamples, static_cast<std::uint64_t>(recipe_.seed) ^ bootstrap_salt);
    const std::vector<SweepRow> rows = table_.rows();
    observer_.on_sweep(cells, rows);
    table_is_stale_ = false;
    table_reported_ = Clock::now();
    table_interval_ = std::max(shortest_table_interval, 25 * seconds_since(begin)); // at most 4 % of the time
    if (cells.empty()) return;
    auto best = std::ranges::max_element(cells, {}, &SweepCell::mean);
    observer_.on_headline("best", best->mean);
    observer_.on_headline("best_temperature", best->temperature);
    observer_.on_headline("best_n", best->n);
    auto single = std::ranges::max_element(rows, {}, &SweepRow::score);
    observer_.on_headline("mean_score", single->score);
    observer_.on_headline("mean_score_temperature", single->temperature);
}

void Sweep::announce(const std::string& pace) {
    log("Draws " + counted(table_.samples_total() - table_.samples_done(), "sample") + ": "
        + counted(problems_.size(), "problem") + " at " + counted(recipe_.temperatures.size(), "temperature")
        + ", " + pace + " at a time.");
    began_ = Clock::now();
}

bool Sweep::interrupted() {
    report(false); // long sequences: progress although none has ended
    return static_cast<bool>(stop_);
}

void Sweep::draw_locally() {
    SweepModel model(recipe_);
    tokenizer_ = &model.tokenizer;
    SamplerOptions options;
    options.slots = static_cast<int>(recipe_.slots);
    options.max_tokens = recipe_.max_tokens;
    options.stop = recipe_.stop;
    options.threads = request_.threads;
    Sampler sampler(model.decoder, model.tokenizer, options);
    announce(counted(sampler.slots(), "sequence"));
    drawn_tokens_ = [&] { return sampler.drawn_tokens(); };
    sampler.run([this](PromptRequest& request) { return next_problem(request); },
                [this](DrawnSequence&& drawn) {
                    const std::int64_t tag = drawn.tag;
                    receive(tag, answer_from(std::move(drawn)));
                },
                [this] { return interrupted(); });
    drawn_tokens_ = {};
}

void Sweep::draw_remotely() {
    RemoteModel model(recipe_.model, recipe_, "model", request_.keys);
    if (std::string sentence = model.left_out(); !sentence.empty()) log(sentence);
    announce(counted(model.client().endpoint().concurrency, "request"));
    remote_ = &model;
    drawn_tokens_ = [&] { return model.sampler().drawn_tokens(); };
    try {
        model.sampler().run([&](RemotePrompt& prompt) { return next_question(model, prompt); },
                            [this](RemoteSample&& drawn) {
                                const std::int64_t tag = drawn.tag;
                                receive(tag, answer_from(std::move(drawn)));
                            },
                            [this] { return interrupted(); },
                            [this](const std::string& sentence) { log(sentence); });
    } catch (const Error&) { // what was drawn is kept
        remote_ = nullptr;
        report(true);
        report_table(true);
        throw;
    }
    remote_ = nullptr;
    log(model.usage_words());
    if (model.client().used().cost > 0) observer_.on_headline("cost", model.client().used().cost);
    drawn_tokens_ = {};
}

RunOutcome Sweep::run() {
    prepare_threads(request_.threads);
    report_progress("loading");
    if (request_.resume) take_over_stored_samples();
    observer_.on_prompts(prompts_);
    if (names_an_endpoint(recipe_.model))
        draw_remotely();
    else
        draw_locally();
    if (stop_.requested() == StopRequest::cancel) return RunOutcome::cancelled;
    const bool finished = table_.samples_done() + failures_.count() == table_.samples_total();
    report(true);
    report_table(true);
    if (finished && table_.samples_done() == 0)
        fail(ErrorKind::io,
             "Nothing was drawn. " + failures_.words("sample") + " Resume the run to ask again.");
    if (failures_.count() > 0)
        observer_.on_event({0, unix_time_ms(), -1, "warning",
                            failures_.words("sample") + " The map leaves out the problems they belong to."});
    report_progress(finished ? "finished" : "stopped");
    return finished ? RunOutcome::finished : RunOutcome::stopped;
}

} // namespace

RandomStream sweep_stream(std::uint64_t seed, double temperature, std::int64_t problem, int sample) {
    const auto bits = std::bit_cast<std::uint64_t>(temperature);
    const RandomStream mixer(seed, bits, 0x5eed);
    const std::uint64_t own = (std::uint64_t{mixer.at(0)} << 32) | mixer.at(1);
    return RandomStream(own, static_cast<std::uint64_t>(problem), static_cast<std::uint32_t>(sample));
}

RunOutcome run_sweep(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    return Sweep(request, observer, stop).run();
}

} // namespace tempera
