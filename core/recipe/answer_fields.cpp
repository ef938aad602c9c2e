#include "core/recipe/answer_fields.h"

namespace tempera {

void bind_prompts(PromptFields& r, std::vector<Binding>& list, const std::string& help) {
    const std::string group = "Model and data";
    list.push_back(
        Binding("data", &r.data)
            .data_file({"instructions", "countdown"})
            .label("Prompts from")
            .group(group)
            .simple()
            .help("\"instructions\" are the shipped ones with verifiable constraints, \"countdown\" "
                  "draws problems. Or a data file or folder (JSON lines, JSON, CSV, Parquet) whose rows hold "
                  "prompt, messages, or nums and target."));
    bind_rows(r, list, group);
    list.push_back(Binding("split", &r.split)
                       .choices({"test", "validation", "train"})
                       .label("Split")
                       .group(group)
                       .help("Which of the three splits of the project's own prompts; they never share one. "
                             "A file's rows are taken in their order."));
    list.push_back(Binding("prompts", &r.prompts)
                       .range(1, 1e6)
                       .unit("prompts")
                       .label("Prompts")
                       .group(group)
                       .simple()
                       .help(help));
    list.push_back(Binding("data_seed", &r.data_seed)
                       .range(0, largest_seed)
                       .label("Data seed")
                       .group(group)
                       .help("Names the order of the instructions and the draw of the problems. Keep the "
                             "training run's."));
    list.push_back(
        Binding("prompt_style", &r.prompt_style)
            .choices({"paper", "short"})
            .label("Countdown prompt")
            .group(group)
            .help("How a Countdown problem is put to the model. Choose what it was trained with."));
    bind_system(r.system, list);
    list.push_back(
        Binding("chat_template", &r.chat_template)
            .choices({"model", "chatml", "llama-3", "gemma", "plain"})
            .label("Chat template")
            .group(group)
            .help("How conversations become a model's text: its own template, or one of these for both."));
}

void bind_sampling(SamplingFields& r, std::vector<Binding>& list) {
    list.push_back(
        Binding("top_p", &r.top_p)
            .above(0, 1)
            .label("Top-p")
            .group("Sampling")
            .help("Samples from the likeliest tokens that together hold this probability. 1 = off."));
    list.push_back(Binding("top_k", &r.top_k)
                       .range(0, 1e6)
                       .unit("tokens")
                       .label("Top-k")
                       .group("Sampling")
                       .help("Samples from the k likeliest tokens. 0 = off."));
    list.push_back(Binding("min_p", &r.min_p)
                       .range(0, 1)
                       .label("Min-p")
                       .group("Sampling")
                       .help("Leaves out tokens less likely than this share of the likeliest one. 0 = off."));
    list.push_back(Binding("repetition_penalty", &r.repetition_penalty)
                       .above(0, 10)
                       .label("Repetition penalty")
                       .group("Sampling")
                       .help("Weakens tokens that already occurred in prompt or completion. 1 = off."));
    list.push_back(Binding("max_tokens", &r.max_tokens)
                       .range(1, 1 << 20)
                       .unit("tokens")
                       .label("Longest completion")
                       .group("Sampling")
                       .simple()
                       .help("A completion is cut after this many tokens and counted as truncated."));
    list.push_back(Binding("stop", &r.stop)
                       .label("Stop strings")
                       .group("Sampling")
                       .help("A completion ends before the first of these texts. On the command line "
                             "separate them with commas; \\n is a new line."));
    list.push_back(Binding("seed", &r.seed)
                       .range(0, largest_seed)
                       .label("Seed")
                       .group("Sampling")
                       .simple()
                       .help("Names the random streams. Every sample has its own, so a result does not "
                             "depend on the batch."));
}

void bind_slots(SamplingFields& r, std::vector<Binding>& list) {
    list.push_back(Binding("slots", &r.slots)
                       .range(0, 65536)
                       .unit("sequences")
                       .label("Sequences at once")
                       .group("Running")
                       .help("How many sequences are computed together. 0 = chosen from the model's size and "
                             "the memory."));
    list.push_back(
        Binding("endpoint_api", &r.endpoint_api)
            .choices({"auto", "chat", "completions"})
            .label("Server's API")
            .group("Running")
            .help("How a model behind an endpoint is asked: conversations as \"chat\", other prompts "
                  "as raw \"completions\" (auto), or all in one way. Other models ignore it."));
}

void bind_judge(JudgeFields& r, std::vector<Binding>& list, bool pairs) {
    list.push_back(
        Binding("judge", &r.judge)
            .choices({"constraints", "countdown", "reward_model", "remote"})
            .label("Judge")
            .group("Judge")
            .simple()
            .help("What scores an answer: the share of the instruction's constraints that it meets, "
                  "the Countdown verifier, a reward model, or a model behind an endpoint."));
    list.push_back(
        Binding("reward_model", &r.reward_model)
            .model()
            .label("Reward model")
            .group("Judge")
            .help("The judge \"reward_model\": run:ID or @STAGE of a run of kind reward, or a folder "
                  "with an encoder that gives one score."));
    bind_remote_judge(r, list, "Judge", pairs);
}

void bind_remote_judge(RemoteJudgeFields& r, std::vector<Binding>& list, const std::string& group,
                       bool pairs) {
    list.push_back(Binding("judge_endpoint", &r.judge_endpoint)
                       .label("Judge's endpoint")
                       .group(group)
                       .help("Where a remote judge is asked: the name of a configured endpoint, e.g. nvidia. "
                             "The key is never part of a recipe."));
    list.push_back(Binding("judge_model", &r.judge_model)
                       .label("Judge's model")
                       .group(group)
                       .help("Model of a remote judge. Empty = the endpoint's own, or for the style nemotron "
                             "nvidia/llama-3.1-nemotron-70b-reward, the paper's judge."));
    std::vector<std::string> styles{"nemotron", "rubric-score"};
    if (pairs) styles.push_back("rubric-pair");
    list.push_back(Binding("judge_style", &r.judge_style)
                       .choices(styles)
                       .label("Judge's style")
                       .group(group)
                       .help(std::string("How a remote judge is asked: a reward model of Nemotron's kind, a "
                                         "chat model that grades an answer from 1 to 10")
                             + (pairs ? ", or one that compares both answers in either order, where a "
                                        "contradiction is a tie."
                                      : ".")));
    list.push_back(Binding("judge_max_tokens", &r.judge_max_tokens)
                       .range(16, 1 << 16)
                       .unit("tokens")
                       .label("Judge's longest reply")
                       .group(group)
                       .help("A remote judge's reply is cut after this many tokens, and then has no score if "
                             "it had none yet."));
}

void check_remote_judge(const RemoteJudgeFields& fields, bool asked, const std::string& but,
                        const std::string& use, std::vector<FieldProblem>& list) {
    if (asked && fields.judge_endpoint.empty())
        list.push_back({"judge_endpoint", "A remote judge needs judge_endpoint: name a configured endpoint, "
                                          "e.g. nvidia."});
    check_used("judge_endpoint", fields.judge_endpoint, asked, but, use, list);
    check_used("judge_model", fields.judge_model, asked, but, use, list);
}

void check_stop(const std::vector<std::string>& stop, std::vector<FieldProblem>& list) {
    for (const auto& text : stop)
        if (text.empty())
            list.push_back({"stop", "stop holds an empty text, which would end every completion at once."});
}

void check_judge(const JudgeFields& fields, const std::string& data, std::vector<FieldProblem>& list) {
    if (fields.judge == "reward_model" && fields.reward_model.empty())
        list.push_back({"reward_model",
                        "judge \"reward_model\" needs reward_model: name a run of kind reward "
                        "(run:ID) or a folder."});
    const std::string but = "judge is \"" + fields.judge + "\"";
    check_used("reward_model", fields.reward_model, fields.judge == "reward_model", but,
               "set judge to \"reward_model\"", list);
    check_remote_judge(fields, fields.judge == "remote", but, "set judge to \"remote\"", list);
    if ((fields.judge == "constraints" && data == "countdown")
        || (fields.judge == "countdown" && data == "instructions"))
        list.push_back({"judge", "judge \"" + fields.judge + "\" cannot score answers to \"" + data
                                     + "\": choose data and judge that belong together."});
}

} // namespace tempera
