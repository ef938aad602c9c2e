#include "core/engine/evaluate/win_rate.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/evaluate/answers.h"
#include "core/engine/evaluate/kept_replies.h"
#include "core/engine/evaluate/reply_log.h"
#include "core/engine/train/machine.h"
#include "core/recipe/win_rate_recipe.h"
#include "core/stats/win_rate.h"
#include "core/store/record_json.h"
#include "core/store/run_folder.h"
#include "core/store/run_reader.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <optional>

namespace fs = std::filesystem;

namespace tempera {

namespace {

using Clock = std::chrono::steady_clock;

constexpr double report_interval = 0.25;     // seconds
constexpr std::int64_t live_resamples = 200; // a bootstrap while it runs may be coarser than the final one
constexpr std::uint64_t bootstrap_salt = 0x77696e72617465ull;

double seconds_since(Clock::time_point begin) {
    return std::chrono::duration<double>(Clock::now() - begin).count();
}

std::vector<std::string> texts_of(const std::vector<TaskPrompt>& prompts) {
    std::vector<std::string> texts;
    for (const TaskPrompt& prompt : prompts)
        texts.push_back(prompt.text);
    return texts;
}

ComparedReply reply_of(Answer&& answer) {
    ComparedReply reply;
    reply.tokens = answer.tokens;
    reply.text = std::move(answer.text);
    reply.finish = std::move(answer.finish);
    reply.note = std::move(answer.fault);
    reply.token_ids = std::move(answer.token_ids);
    reply.logprobs = std::move(answer.logprobs);
    return reply;
}

bool failed(const ComparedReply& reply) {
    return reply.finish == failed_finish;
}

/// A comparison under way.
class Contest {
public:
    Contest(const RunRequest& request, RunObserver& observer, const StopToken& stop)
        : request_(request), observer_(observer), stop_(stop), recipe_(WinRateRecipe::from(request.recipe)),
          judge_(recipe_, recipe_, request, stop),
          prompts_(prompts_of(recipe_, {recipe_.base, recipe_.tuned}, observer)), texts_(texts_of(prompts_)),
          compared_(prompts_.size()), base_log_(request.folder / "artifacts" / "base_replies.jsonl"),
          base_key_(names_an_endpoint(recipe_.base) ? ""
                                                    : replies_key(recipe_.base, prompts_, recipe_, recipe_,
                                                                  recipe_.temperature, recipe_)),
          base_(base_log_, texts_,
                request.resume || (!base_key_.empty() && take_kept_replies(base_key_, base_log_))),
          meter_(judge_, request.folder, request.resume) {
        if (judge_.remote())
            tuned_.emplace(request.folder / "artifacts" / "tuned_replies.jsonl", texts_, request.resume);
    }

    RunOutcome run();

private:
    void take_over_stored_comparisons();
    bool has_base(std::size_t prompt) const {
        return compared_[prompt] || base_.replies().contains(static_cast<std::int64_t>(prompt));
    }
    bool has_tuned(std::size_t prompt) const {
        return compared_[prompt] || (tuned_ && tuned_->replies().contains(static_cast<std::int64_t>(prompt)));
    }
    void answer(const char* who, const std::string& folder, const std::function<bool(std::size_t)>& done,
                const std::function<void(std::size_t, ComparedReply&&)>& take);
    void keep_base();
    void pair_up(std::size_t prompt, ComparedReply&& tuned);
    void take_tuned(std::size_t prompt, ComparedReply&& reply) {
        if (tuned_) tuned_->add(static_cast<std::int64_t>(prompt), texts_[prompt], reply);
        pair_up(prompt, std::move(reply));
    }
    void judge(std::span<Comparison> comparisons, const RemoteJudge::OnProgress& progress = {});
    void judge_pending();
    void ask_judge();
    void tell_unscored(const WinRate& found);
    void report(bool all);
    void report_progress(const char* phase);
    WinRate report_headline(bool final);
    void write_artifacts() const;
    void log(const std::string& message) { observer_.on_event({0, unix_time_ms(), -1, "log", message}); }

    const RunRequest& request_;
    RunObserver& observer_;
    const StopToken& stop_;
    const WinRateRecipe recipe_;
    const Judge judge_;
    const std::vector<TaskPrompt> prompts_;
    const std::vector<std::string> texts_;
    std::vector<std::optional<Comparison>> compared_; ///< by prompt; with scores
    std::int64_t compared_count_ = 0;
    const fs::path base_log_;
    const std::string
        base_key_; ///< its replies are kept under; "" for an endpoint, which may change its mind
    ReplyLog base_;
    std::optional<ReplyLog> tuned_; ///< where the judge is asked later, so that no reply is lost meanwhile
    const JudgeMeter meter_;
    std::vector<Comparison> pending_; ///< without scores yet
    const Answerer* answerer_ = nullptr;
    DrawFailures failures_;
    std::int64_t replies_ = 0, replies_before_ = 0;
    Clock::time_point began_ = Clock::now(), reported_ = began_;
};

/// What an earlier session compared counts, as far as it is of the same prompts.
void Contest::take_over_stored_comparisons() {
    for (Comparison& stored : RunReader(request_.folder).comparisons()) {
        const auto at = static_cast<std::size_t>(stored.prompt_index);
        if (stored.prompt_index < 0 || at >= prompts_.size() || texts_[at] != stored.prompt)
            fail(ErrorKind::bad_input,
                 "This run cannot go on: prompt " + std::to_string(stored.prompt_index + 1)
                     + " is no longer what it was when it was answered. Start a new run.");
        if (failed(stored.base) || failed(stored.tuned) || std::isnan(stored.base.score)
            || std::isnan(stored.tuned.score))
            continue; // asked again; what a judge has said is not paid again
        compared_[at] = std::move(stored);
        ++compared_count_;
    }
}

/// Lets a model reply to every prompt that is not `done`.
void Contest::answer(const char* who, const std::string& folder, const std::function<bool(std::size_t)>& done,
                     const std::function<void(std::size_t, ComparedReply&&)>& take) {
    std::int64_t missing = 0;
    for (std::size_t i = 0; i < prompts_.size(); ++i)
        missing += !done(i);
    if (missing == 0 || stop_) return;
    report_progress("loading");
    Answerer answerer(folder, recipe_, recipe_, recipe_, request_);
    log(std::string("The ") + who + " model answers " + std::to_string(missing) + " prompts, "
        + answerer.pace() + ".");
    answerer_ = &answerer;
    began_ = Clock::now();
    replies_before_ = replies_;
    answerer.answer(
        prompts_, recipe_.temperature,
        [&](std::size_t prompt) { return done(prompt) ? std::vector<int>() : std::vector<int>{0}; },
        [&](std::size_t prompt, int, Answer&& drawn) {
            if (drawn.failed()) failures_.add(drawn.fault);
            take(prompt, reply_of(std::move(drawn)));
            ++replies_;
            report(false);
        },
        [&] {
            report(false); // long replies: progress although none has ended
            return static_cast<bool>(stop_);
        },
        [this](const std::string& sentence) { log(sentence); });
    if (stop_.requested() != StopRequest::cancel) report(true);
    answerer_ = nullptr;
}

/// For the next comparison with this base. What was taken over from stored comparisons is not in its log.
void Contest::keep_base() {
    if (base_key_.empty() || base_.replies().size() != prompts_.size()) return;
    base_.flush();
    try {
        keep_replies(base_key_, base_log_);
    } catch (const Error& error) {
        log(std::string("The base's replies are not kept for the next comparison: ") + error.what());
    }
}

void Contest::pair_up(std::size_t prompt, ComparedReply&& tuned) {
    Comparison comparison;
    comparison.prompt_index = static_cast<std::int64_t>(prompt);
    comparison.prompt = texts_[prompt];
    comparison.facts = prompts_[prompt].facts;
    comparison.base = base_.replies().at(comparison.prompt_index);
    comparison.tuned = std::move(tuned);
    pending_.push_back(std::move(comparison));
}

/// Gives both replies of each their scores, where both came, and reports them.
void Contest::judge(std::span<Comparison> comparisons, const RemoteJudge::OnProgress& progress) {
    std::vector<JudgedReply> base, tuned, alone;
    std::vector<std::pair<ComparedReply*, ComparedReply*>> both;
    std::vector<ComparedReply*> single; // the other model gave none
    for (Comparison& comparison : comparisons) {
        const TaskPrompt& prompt = prompts_[static_cast<std::size_t>(comparison.prompt_index)];
        ComparedReply &one = comparison.base, &two = comparison.tuned;
        one.score = two.score = std::numeric_limits<double>::quiet_NaN();
        if (!failed(one) && !failed(two)) {
            both.emplace_back(&one, &two);
            base.push_back({&prompt, one.text, one.finish});
            tuned.push_back({&prompt, two.text, two.finish});
        } else if (!judge_.compares() && failed(one) != failed(two)) {
            single.push_back(failed(one) ? &two : &one);
            alone.push_back({&prompt, single.back()->text, single.back()->finish});
        }
    }
    auto give = [](ComparedReply& reply, RewardScore& score) {
        reply.score = score.value;
        reply.note = std::move(score.note);
    };
    auto scores = judge_.score_both(base, tuned, progress);
    for (std::size_t i = 0; i < both.size(); ++i) {
        give(*both[i].first, scores[i].first);
        give(*both[i].second, scores[i].second);
    }
    if (!single.empty()) {
        auto others = judge_.score(alone);
        for (std::size_t i = 0; i < single.size(); ++i)
            give(*single[i], others[i]);
    }
    observer_.on_comparisons(comparisons);
    for (Comparison& comparison : comparisons) {
        const auto at = static_cast<std::size_t>(comparison.prompt_index);
        compared_[at] = std::move(comparison);
        ++compared_count_;
    }
    if (judge_.remote()) observer_.on_metrics(compared_count_, meter_.metrics());
    report_headline(false);
}

void Contest::judge_pending() {
    if (pending_.empty()) return;
    judge(pending_);
    pending_.clear();
}

/// Puts everything that waits to the judge behind an endpoint.
void Contest::ask_judge() {
    const std::size_t all = pending_.size();
    for (std::size_t begin = 0; begin < all && !stop_; begin += judge_.batch()) {
        const auto before = static_cast<std::int64_t>(2 * begin), total = static_cast<std::int64_t>(2 * all);
        observer_.on_progress({judge_.phase("judging"), before, total, "replies", 0, -1, memory_gib()});
        try {
            judge(std::span(pending_).subspan(begin, std::min(judge_.batch(), all - begin)),
                  [&](std::size_t done, std::size_t) {
                      observer_.on_progress({judge_.phase("judging"),
                                             before + static_cast<std::int64_t>(done), total, "replies", 0,
                                             -1, memory_gib()});
                  });
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::stopped) throw; // else the loop ends; the replies are kept
        }
    }
    pending_.clear();
    log(meter_.sentence());
}

void Contest::report(bool all) {
    if (!all && seconds_since(reported_) < report_interval) return;
    reported_ = Clock::now();
    base_.flush();
    if (tuned_)
        tuned_->flush();
    else
        judge_pending();
    report_progress("sampling");
}

void Contest::report_progress(const char* phase) {
    Progress progress;
    progress.phase = answerer_ ? answerer_->phase(phase) : phase;
    progress.done = replies_;
    progress.total = 2 * static_cast<std::int64_t>(prompts_.size());
    progress.unit = "replies";
    const double seconds = seconds_since(began_);
    const auto drawn = static_cast<double>(replies_ - replies_before_);
    if (answerer_ && seconds > 0) progress.rate = static_cast<double>(answerer_->drawn_tokens()) / seconds;
    if (answerer_ && drawn > 0)
        progress.eta_seconds = static_cast<double>(progress.total - progress.done) * seconds / drawn;
    progress.memory_gib = memory_gib();
    observer_.on_progress(progress);
}

WinRate Contest::report_headline(bool final) {
    std::vector<double> base, tuned;
    for (const auto& comparison : compared_)
        if (comparison) {
            base.push_back(comparison->base.score);
            tuned.push_back(comparison->tuned.score);
        }
    if (base.empty()) return {};
    const std::int64_t resamples =
        final ? recipe_.bootstrap_resamples : std::min(recipe_.bootstrap_resamples, live_resamples);
    const WinRate found =
        win_rate(base, tuned, resamples, static_cast<std::uint64_t>(recipe_.seed) ^ bootstrap_salt);
    if (found.prompts == 0) return found;
    observer_.on_headline("win_rate", found.rate);
    observer_.on_headline("ties", static_cast<double>(found.ties)
                                      / static_cast<double>(std::max<std::int64_t>(found.prompts, 1)));
    observer_.on_headline("low", found.low);
    observer_.on_headline("high", found.high);
    observer_.on_headline("p", found.p);
    observer_.on_headline("mean_difference", found.difference.mean);
    observer_.on_headline("difference_low", found.difference.low);
    observer_.on_headline("difference_high", found.difference.high);
    observer_.on_headline("base_score", found.base_mean);
    observer_.on_headline("tuned_score", found.tuned_mean);
    if (judge_.remote()) observer_.on_headline("unscored", static_cast<double>(found.unscored));
    return found;
}

void Contest::tell_unscored(const WinRate& found) {
    Unscored unscored;
    for (const auto& comparison : compared_) {
        if (failed(comparison->base) || failed(comparison->tuned)) continue; // told apart
        for (const ComparedReply* reply : {&comparison->base, &comparison->tuned})
            if (std::isnan(reply->score)) {
                unscored.add(reply->note);
                break;
            }
    }
    const std::string words = unscored.count() > 0 ? unscored.words("prompt", prompts_.size()) : "";
    if (found.prompts == 0)
        fail(ErrorKind::io, "No prompt could be compared. "
                                + (words.empty() ? failures_.words("answer") : words)
                                + " Resume the run, or compare again, when that is mended.");
    if (!words.empty())
        observer_.on_event({0, unix_time_ms(), -1, "warning", words + " Each is kept with what was said."});
}

void Contest::write_artifacts() const {
    std::vector<Comparison> all;
    for (const auto& comparison : compared_)
        all.push_back(*comparison);
    for (const auto& [name, side] :
         {std::pair("base.json", Side::base), std::pair("tuned.json", Side::tuned)})
        write_file_atomic(request_.folder / "artifacts" / name,
                          replies_to_json(all, side).dump(1, ' ', false, Json::error_handler_t::replace)
                              + "\n");
}

RunOutcome Contest::run() {
    prepare_threads(request_.threads);
    judge_.require_facts(prompts_);
    if (request_.resume) take_over_stored_comparisons();
    for (std::size_t i = 0; i < prompts_.size(); ++i)
        replies_ += has_base(i) + has_tuned(i);
    if (tuned_)
        for (const auto& [prompt, reply] : tuned_->replies())
            if (!compared_[static_cast<std::size_t>(prompt)] && base_.replies().contains(prompt))
                pair_up(static_cast<std::size_t>(prompt), ComparedReply(reply));
    if (replies_ > 0)
        log(request_.resume ? "Goes on with " + std::to_string(replies_) + " stored replies."
                            : "The base's " + std::to_string(replies_) + " replies"
                                  + " are those of an earlier comparison with the same settings.");
    const bool base_was_there = base_.replies().size() == prompts_.size();
    answer(
        "base", recipe_.base, [&](std::size_t prompt) { return has_base(prompt); },
        [&](std::size_t prompt, ComparedReply&& reply) {
            base_.add(static_cast<std::int64_t>(prompt), texts_[prompt], std::move(reply));
        });
    if (!base_was_there) keep_base();
    if (!stop_ && recipe_.base == recipe_.tuned) { // its answers would be the same
        for (std::size_t i = 0; i < prompts_.size(); ++i)
            if (!has_tuned(i)) {
                take_tuned(i, ComparedReply(base_.replies().at(static_cast<std::int64_t>(i))));
                ++replies_;
            }
        report(true);
    }
    answer(
        "tuned", recipe_.tuned, [&](std::size_t prompt) { return has_tuned(prompt); },
        [&](std::size_t prompt, ComparedReply&& reply) { take_tuned(prompt, std::move(reply)); });
    if (judge_.remote() && !stop_) ask_judge();
    if (stop_.requested() == StopRequest::cancel) return RunOutcome::cancelled;
    const bool finished = compared_count_ == static_cast<std::int64_t>(prompts_.size());
    if (failures_.count() > 0)
        observer_.on_event({0, unix_time_ms(), -1, "warning", failures_.words("answer")});
    if (finished) {
        tell_unscored(report_headline(true));
        write_artifacts();
    }
    report_progress(finished ? "finished" : "stopped");
    return finished ? RunOutcome::finished : RunOutcome::stopped;
}

} // namespace

RunOutcome run_win_rate(const RunRequest& request, RunObserver& observer, const StopToken& stop) {
    return Contest(request, observer, stop).run();
}

} // namespace tempera
