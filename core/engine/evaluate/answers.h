#pragma once

#include "core/data/prompt_set.h"
#include "core/engine/evaluate/remote_model.h"
#include "core/engine/reward/reward_function.h"
#include "core/engine/sample/sampler.h"
#include "core/judge/connect.h"
#include "core/queue/engine.h"
#include "core/recipe/answer_fields.h"
#include "core/recipe/shared_fields.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <utility>

namespace tempera {

/// The prompts that the fields ask for. Rows that were skipped are reported: of a file also those that leave
/// one of `models` (as Answerer takes them) no room to answer, so that all of them answer the same prompts;
/// what an endpoint's model holds is not known. Throws Error.
std::vector<TaskPrompt> prompts_of(const PromptFields& fields, const std::vector<std::string>& models,
                                   RunObserver& observer);

/// What a model answered.
struct Answer {
    std::string text;
    std::string finish; ///< "eos", "stop", "length", or failed_finish: then it is never to be scored
    std::vector<std::int32_t> token_ids; ///< empty from an endpoint
    std::vector<float> logprobs;         ///< empty where an endpoint gives none
    double logprob = 0;                  ///< their sum
    std::int64_t tokens = 0;             ///< 0 where an endpoint does not say
    std::string fault;                   ///< why it failed, one sentence; `text` is then what came instead

    bool failed() const { return finish == failed_finish; }
};

/// The samplers' own results as answers.
Answer answer_from(DrawnSequence&& drawn);
Answer answer_from(RemoteSample&& drawn);

/// A model that answers prompts as a recipe says: one in memory, or one behind an endpoint.
class Answerer {
public:
    /// Loads the model of the folder `model` with its tokenizer and chat template; a completion ends at the
    /// recipe's stop strings and, in a conversation, at the template's end of turn. Or `model` names an
    /// endpoint. Throws Error.
    Answerer(const std::string& model, const PromptFields& prompts, const SamplingFields& sampling,
             const DeviceFields& device, const RunRequest& request);
    ~Answerer();
    Answerer(const Answerer&) = delete;
    Answerer& operator=(const Answerer&) = delete;

    /// The text that is put to the model.
    std::string text_of(const TaskPrompt& prompt) const;

    /// Indices of the samples of a prompt that are to be drawn; may be empty.
    using Wanted = std::function<std::vector<int>(std::size_t prompt)>;
    using Receive = std::function<void(std::size_t prompt, int sample, Answer&&)>;
    using Notice = std::function<void(const std::string& sentence)>;
    /// Draws sample s of prompt p from RandomStream(seed, p, s), so that what is drawn depends on nothing
    /// else; an endpoint gets a seed made of the same. `receive` gets every completion when it ends. Leaves
    /// early where `interrupted` says so. `notice` hears what an endpoint does otherwise than asked.
    void answer(std::span<const TaskPrompt> prompts, double temperature, const Wanted& wanted,
                const Receive& receive, const Sampler::Interrupted& interrupted, const Notice& notice);

    /// What the run's progress says it does: as given, or that a server makes it wait.
    std::string phase(const char* usual) const;
    /// "32 at a time", for the log.
    std::string pace() const;
    std::int64_t drawn_tokens() const;

private:
    struct Local;
    SamplingFields sampling_;
    std::unique_ptr<Local> local_; ///< one of the two
    std::unique_ptr<RemoteModel> remote_;
};

/// A reply to a prompt, for the judge; both outlive the call.
struct JudgedReply {
    const TaskPrompt* prompt = nullptr;
    std::string_view text;
    std::string_view finish;
};

/// Scores replies by the judge of a recipe.
class Judge {
public:
    /// Loads the reward model, or connects to the endpoint, if that is the judge. Throws Error.
    Judge(const JudgeFields& fields, const DeviceFields& device, const RunRequest& request,
          const StopToken& stop);
    /// Throws Error(bad_input) for a prompt whose answers the judge cannot score.
    void require_facts(std::span<const TaskPrompt> prompts) const;
    /// One score each, in order; NaN where a remote judge gave none. Throws Error(stopped) where a stop comes
    /// while a remote judge is asked; what it said is kept for the next time. `progress` hears of its
    /// replies.
    std::vector<RewardScore> score(std::span<const JudgedReply> replies,
                                   const RemoteJudge::OnProgress& progress = {}) const;
    /// Scores of base and tuned replies to the same prompts, in order: each on its own, or where the judge
    /// compares, 1 for the better one, 0 for the other, 0.5 for a tie. Throws as score().
    std::vector<std::pair<RewardScore, RewardScore>>
    score_both(std::span<const JudgedReply> base, std::span<const JudgedReply> tuned,
               const RemoteJudge::OnProgress& progress = {}) const;

    /// The judge behind an endpoint; null for every other. Its answers take long and are paid for, so it is
    /// asked when all is drawn, batch() replies at a time.
    const RemoteJudge* remote() const { return remote_.get(); }
    /// Whether it compares two answers, and says nothing of one.
    bool compares() const { return remote_ && remote_->style() == JudgeStyle::pair; }
    std::size_t batch() const;
    /// As Answerer::phase().
    std::string phase(const char* usual) const { return remote_ ? phase_of(remote_->asker(), usual) : usual; }

private:
    JudgeFields fields_;
    StopToken stop_;
    std::shared_ptr<RemoteJudge> remote_;
    RewardFunction function_;
};

/// What a run's remote judge took so far, earlier sessions included, as metrics.
class JudgeMeter {
public:
    /// With `resumed`, goes on from what the run's database holds.
    JudgeMeter(const Judge& judge, const std::filesystem::path& folder, bool resumed);
    /// None where the judge is not remote.
    std::vector<Metric> metrics() const;
    /// "The judge was asked 120 times (3 failed), 80 replies were there; 10200 and 3000 tokens, cost 0.42."
    std::string sentence() const;

private:
    const Judge& judge_;
    AskTally before_;
};

} // namespace tempera
