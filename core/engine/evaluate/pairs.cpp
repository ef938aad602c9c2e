#include "core/engine/evaluate/pairs.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/evaluate/answers.h"
#include "core/engine/evaluate/pair_rows.h"
#include "core/engine/train/machine.h"
#include "core/recipe/pairs_recipe.h"
#include "core/stats/best_and_worst.h"
#include "core/store/run_folder.h"
#include "core/store/run_reader.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <limits>

namespace tempera {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double report_interval = 0.25; // seconds

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

/// A draw of preference data under way.
class Draw {
public:
    Draw(const RunRequest& request, RunObserver& observer, const StopToken& stop)
        : request_(request), observer_(observer), stop_(stop), recipe_(PairsRecipe::from(request.recipe)),
          judge_(recipe_, recipe_, request, stop), meter_(judge_, request.folder, request.resume),
          prompts_(prompts_of(recipe_, {recipe_.model}, observer)), samples_(prompts_.size()) {}

    RunOutcome run();

private:
    std::int64_t wanted() const { return static_cast<std::int64_t>(prompts_.size()) * recipe_.k; }
    void take_over_stored_samples();
    bool drawn(std::size_t prompt, int index) const;
    std::vector<int> missing(std::size_t prompt) const;
    void receive(std::size_t prompt, int index, Answer&& drawn);
    void judge(std::span<Sample> samples, const RemoteJudge::OnProgress& progress = {});
    void judge_pending();
    void ask_judge();
    void report(bool all);
    void report_unjudged();
    void report_progress(const char* phase);
    void report_scores();
    void write_prompts();
    void write_artifacts();
    void log(const std::string& message) { observer_.on_event({0, unix_time_ms(), -1, "log", message}); }
    void warn(const std::string& message) { observer_.on_event({0, unix_time_ms(), -1, "warning", message}); }

    const RunRequest& request_;
    RunObserver& observer_;
    const StopToken& stop_;
    const PairsRecipe recipe_;
    const Judge judge_;
    const JudgeMeter meter_;
    const std::vector<TaskPrompt> prompts_;
    std::vector<std::string> texts_;           ///< as they are put to the model
    std::vector<std::vector<Sample>> samples_; ///< by prompt, with scores, in the order they came
    std::vector<Sample> pending_;              ///< without scores yet
    const Answerer* answerer_ = nullptr;
    DrawFailures failures_;
    std::size_t reported_unjudged_ = 0; ///< of them
    std::int64_t done_ = 0, done_before_ = 0, judged_ = 0;
    Clock::time_point began_ = Clock::now(), reported_ = began_;
};

/// What an earlier session drew counts, as far as it is of the same prompts.
void Draw::take_over_stored_samples() {
    const RunReader reader(request_.folder);
    for (const PromptRecord& stored : reader.prompts()) {
        const auto at = static_cast<std::size_t>(stored.index);
        if (stored.index < 0 || at >= texts_.size() || texts_[at] != stored.text)
            fail(ErrorKind::bad_input,
                 "This run cannot go on: prompt " + std::to_string(stored.index + 1)
                     + " is no longer what it was when its answers were drawn. Start a new run.");
        for (Sample& sample : reader.samples(recipe_.temperature, stored.index))
            if (sample.sample_index < recipe_.k && sample.finish != failed_finish) {
                const bool judged = !std::isnan(sample.score); // a reply that is kept is not paid again
                (judged ? samples_[at] : pending_).push_back(std::move(sample));
                judged_ += judged;
                ++done_;
            }
    }
    reported_unjudged_ = pending_.size();
    done_before_ = done_;
    if (done_ > 0) log("Goes on with " + std::to_string(done_) + " stored answers.");
}

bool Draw::drawn(std::size_t prompt, int index) const {
    const auto is_it = [&](const Sample& sample) {
        return sample.prompt_index == static_cast<std::int64_t>(prompt) && sample.sample_index == index;
    };
    return std::ranges::any_of(samples_[prompt], is_it) || std::ranges::any_of(pending_, is_it);
}

std::vector<int> Draw::missing(std::size_t prompt) const {
    std::vector<int> list;
    for (int index = 0; index < recipe_.k; ++index)
        if (!drawn(prompt, index)) list.push_back(index);
    return list;
}

void Draw::receive(std::size_t prompt, int index, Answer&& drawn) {
    Sample sample;
    sample.temperature = recipe_.temperature;
    sample.prompt_index = static_cast<std::int64_t>(prompt);
    sample.sample_index = index;
    sample.text = std::move(drawn.text);
    sample.token_ids = std::move(drawn.token_ids);
    sample.logprobs = std::move(drawn.logprobs);
    sample.logprob = drawn.logprob;
    sample.score = std::numeric_limits<double>::quiet_NaN();
    sample.finish = std::move(drawn.finish);
    if (drawn.failed()) {
        failures_.add(drawn.fault);
        sample.reason = std::move(drawn.fault);
    }
    pending_.push_back(std::move(sample));
    ++done_;
    report(false);
}

/// Gives each its score and reports it.
void Draw::judge(std::span<Sample> samples, const RemoteJudge::OnProgress& progress) {
    std::vector<JudgedReply> replies;
    std::vector<Sample*> judged;
    for (Sample& sample : samples) {
        sample.score = std::numeric_limits<double>::quiet_NaN();
        if (sample.finish == failed_finish) continue;
        judged.push_back(&sample);
        replies.push_back(
            {&prompts_[static_cast<std::size_t>(sample.prompt_index)], sample.text, sample.finish});
    }
    auto scores = judge_.score(replies, progress);
    for (std::size_t i = 0; i < judged.size(); ++i) {
        judged[i]->score = scores[i].value;
        judged[i]->reason = std::move(scores[i].note);
    }
    observer_.on_samples(samples);
    for (Sample& sample : samples)
        samples_[static_cast<std::size_t>(sample.prompt_index)].push_back(std::move(sample));
    judged_ += std::ssize(samples);
}

void Draw::judge_pending() {
    if (pending_.empty()) return;
    judge(pending_);
    pending_.clear();
}

/// Puts everything that waits to the judge behind an endpoint.
void Draw::ask_judge() {
    const std::size_t all = pending_.size();
    for (std::size_t begin = 0; begin < all && !stop_; begin += judge_.batch()) {
        const std::int64_t before = judged_;
        auto tell = [&](std::size_t done, std::size_t) {
            observer_.on_progress({judge_.phase("judging"), before + static_cast<std::int64_t>(done),
                                   wanted(), "samples", 0, -1, memory_gib()});
        };
        tell(0, 0);
        try {
            judge(std::span(pending_).subspan(begin, std::min(judge_.batch(), all - begin)), tell);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::stopped) throw; // else the loop ends; the replies are kept
        }
        observer_.on_metrics(judged_, meter_.metrics());
    }
    pending_.clear();
    log(meter_.sentence());
}

void Draw::report(bool all) {
    if (!all && seconds_since(reported_) < report_interval) return;
    reported_ = Clock::now();
    if (judge_.remote())
        report_unjudged();
    else
        judge_pending();
    report_progress("sampling");
}

/// What the judge is asked about when all is drawn is stored meanwhile.
void Draw::report_unjudged() {
    observer_.on_samples(std::span(pending_).subspan(reported_unjudged_));
    reported_unjudged_ = pending_.size();
}

void Draw::report_progress(const char* phase) {
    Progress progress;
    progress.phase = answerer_ ? answerer_->phase(phase) : phase;
    progress.done = done_;
    progress.total = wanted();
    progress.unit = "samples";
    const double seconds = seconds_since(began_);
    const auto drawn = static_cast<double>(done_ - done_before_);
    if (answerer_ && seconds > 0) progress.rate = static_cast<double>(answerer_->drawn_tokens()) / seconds;
    if (answerer_ && drawn > 0)
        progress.eta_seconds = static_cast<double>(progress.total - progress.done) * seconds / drawn;
    progress.memory_gib = memory_gib();
    observer_.on_progress(progress);
}

/// Answers without a score are of no use from here on.
void Draw::report_scores() {
    std::int64_t scored = 0, scored_prompts = 0;
    double total = 0, best_total = 0;
    Unscored unscored;
    for (auto& samples : samples_) {
        for (const Sample& sample : samples)
            if (std::isnan(sample.score) && sample.finish != failed_finish) unscored.add(sample.reason);
        std::erase_if(samples, [](const Sample& sample) { return std::isnan(sample.score); });
        if (samples.empty()) continue;
        std::ranges::sort(samples, {}, &Sample::sample_index);
        for (const Sample& sample : samples)
            total += sample.score;
        scored += std::ssize(samples);
        ++scored_prompts;
        best_total += samples[best_and_worst(samples).best].score;
    }
    const std::string words =
        unscored.count() > 0 ? unscored.words("answer", static_cast<std::size_t>(wanted())) : "";
    if (scored == 0)
        fail(ErrorKind::io, "No answer has a score, so there is nothing to make pairs of. "
                                + (words.empty() ? failures_.words("answer") : words)
                                + " Resume the run to ask again.");
    if (!words.empty()) warn(words + " Each is kept with what was said.");
    if (judge_.remote()) observer_.on_headline("unscored", static_cast<double>(unscored.count()));
    observer_.on_headline("mean_score", total / static_cast<double>(scored));
    observer_.on_headline("best_score", best_total / static_cast<double>(scored_prompts));
}

/// For whoever makes other sets of the stored answers: the records have the prompts as the model reads them.
void Draw::write_prompts() {
    RowText rows;
    for (const TaskPrompt& prompt : prompts_)
        rows.add({{"prompt", prompt_json(prompt)}});
    const auto artifacts = request_.folder / "artifacts";
    make_folders(artifacts);
    write_file_atomic(artifacts / "_prompts.jsonl", rows.text);
}

void Draw::write_artifacts() {
    std::vector<ScoredPrompt> prompts;
    for (std::size_t i = 0; i < samples_.size(); ++i)
        if (!samples_[i].empty()) prompts.push_back({&prompts_[i], samples_[i]});
    const PairRules rules{recipe_.min_margin, recipe_.min_score, recipe_.off_topic,
                          static_cast<std::uint64_t>(recipe_.seed)};
    const PairRows rows = pair_rows(prompts, rules, [&](auto asked) {
        std::vector<JudgedReply> replies;
        for (const auto& [prompt, sample] : asked)
            replies.push_back({prompt, sample->text, sample->finish});
        std::vector<double> scores;
        for (const RewardScore& score : judge_.score(replies))
            scores.push_back(score.value);
        return scores;
    });
    const auto artifacts = request_.folder / "artifacts";
    make_folders(artifacts);
    write_file_atomic(artifacts / "pairs.jsonl", rows.pairs.text);
    write_file_atomic(artifacts / "best.jsonl", rows.best.text);
    if (rules.off_topic > 0) {
        write_file_atomic(artifacts / "reward.jsonl", rows.reward.text);
        observer_.on_headline("reward_pairs", static_cast<double>(rows.reward.count));
    }
    if (recipe_.k < 2)
        warn("No preference pair: k is 1, and a pair needs two answers to a prompt. Set k to 2 or more.");
    else if (rows.pairs.count == 0)
        warn("No preference pair: no prompt has two answers whose scores differ enough; draw more (k), at a "
             "higher temperature, or lower min_margin.");
    if (rows.best.count == 0) warn("No best answer reaches min_score: lower it, or draw more (k).");
    observer_.on_headline("pairs", static_cast<double>(rows.pairs.count));
    observer_.on_headline("best", static_cast<double>(rows.best.count));
}

RunOutcome Draw::run() {
    prepare_threads(request_.threads);
    judge_.require_facts(prompts_);
    report_progress("loading");
    Answerer answerer(recipe_.model, recipe_, recipe_, recipe_, request_);
    std::vector<PromptRecord> records;
    for (const TaskPrompt& prompt : prompts_) {
        texts_.push_back(answerer.text_of(prompt));
        records.push_back({static_cast<std::int64_t>(records.size()), texts_.back(), prompt.facts});
    }
    if (request_.resume) take_over_stored_samples();
    observer_.on_prompts(records);
    write_prompts();
    log("Draws " + counted(wanted() - done_, "answer") + " to " + counted(prompts_.size(), "prompt") + ", "
        + answerer.pace() + ".");
    answerer_ = &answerer;
    began_ = Clock::now();
    answerer.answer(
        prompts_, recipe_.temperature, [this](std::size_t prompt) { return missing(prompt); },
        [this](std::size_t prompt, int index, Answer&& drawn) { receive(prompt, index, std::move(drawn)); },
        [this] {
            report(false); // long answers: progress although none has ended
            return static_cast<bool>(stop_);
        },
        [this](const std::string& sentence) { log(sentence); });
    if (stop_.requested() == StopRequest::cancel) return RunOutcome::cancelled;
    report(true);
    if (judge_.remote() && !stop_) ask_judge();
    if (stop_.requested() == StopRequest::cancel) return RunOutcome::cancelled;
    const bool finished = done_ == wanted() && judged_ == wanted();
    if (failures_.count() > 0) warn(failures_.words("answer"));
    if (finished) {
        report_scores();
        write_artifacts();
    }
    report_progress(finished ? "finished" : "stopped");
    return finished ? RunOutcome::finished : RunOutcome::stopped;
}

} // namespace

RunOutcome run_pairs(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    return Draw(request, observer, stop).run();
}

} // namespace tempera
