#include "ui/pages/metric_panels.h"

#include "ui/theme/text.h"

#include <QCollator>
#include <QCoreApplication>

#include <algorithm>
#include <optional>
#include <set>

namespace tempera {

namespace {

using Metrics = std::map<std::string, SeriesPointer>;

QString words(const char* text) {
    return QCoreApplication::translate("MetricPanels", text);
}

/// What belongs to the run's progress, not to what it learns.
const std::set<std::string> bookkeeping{"num_tokens", "epoch",        "step_time",
                                        "frac_epoch", "samples_seen", "runtime"};

/// Kinds of run that train.
const std::vector<std::string> every_trainer{"sft", "dpo", "rloo", "reward"};

std::vector<MetricPanel> declared() {
    const QString nats = words("nats"), tokens = words("tokens"), share = words("share");
    return {
        {.key = QStringLiteral("reward"),
         .title = words("Reward, mean ± deviation"),
         .unit = {},
         .lines = {{"reward", {}}},
         .deviation = "reward_std",
         .expected = {"rloo"}},
        {.key = QStringLiteral("reward_functions"),
         .title = words("Reward functions"),
         .unit = words("mean"),
         .lines = {{"rewards/*/mean", {}}},
         .expected = {"rloo"}},
        {.key = QStringLiteral("pair_rewards"),
         .title = words("Rewards of the pair"),
         .unit = words("beta × log-ratio"),
         .lines = {{"rewards/chosen", words("chosen")}, {"rewards/rejected", words("rejected")}},
         .expected = {"dpo"}},
        {.key = QStringLiteral("margin"),
         .title = words("Reward margin"),
         .unit = {},
         .lines = {{"rewards/margins", {}}, {"margin", {}}},
         .expected = {"dpo", "reward"}},
        {.key = QStringLiteral("pair_accuracy"),
         .title = words("Pair accuracy"),
         .unit = share,
         .lines = {{"rewards/accuracies", {}}, {"accuracy", {}}},
         .expected = {"dpo", "reward"}},
        {.key = QStringLiteral("scores"),
         .title = words("Scores, mean, lowest and highest"),
         .unit = {},
         .lines = {{"mean_reward", {}}},
         .low = "min_reward",
         .high = "max_reward",
         .expected = {"reward"}},
        {.key = QStringLiteral("loss"),
         .title = words("Loss"),
         .unit = {},
         .lines = {{"loss", {}}},
         .expected = every_trainer},
        {.key = QStringLiteral("kl"),
         .title = words("KL to the reference"),
         .unit = nats,
         .lines = {{"kl", {}}},
         .expected = {"rloo"}},
        {.key = QStringLiteral("accuracy"),
         .title = words("Token accuracy"),
         .unit = share,
         .lines = {{"mean_token_accuracy", {}}},
         .expected = {"sft", "dpo"}},
        {QStringLiteral("held_out"), words("Held-out score"), {}, {{"score", {}}}},
        {.key = QStringLiteral("entropy"),
         .title = words("Entropy"),
         .unit = nats,
         .lines = {{"entropy", {}}},
         .expected = {"sft", "dpo", "rloo"}},
        {.key = QStringLiteral("length"),
         .title = words("Completion length"),
         .unit = tokens,
         .lines = {{"completions/mean_length", {}}, {"mean_length", words("held out")}},
         .low = "completions/min_length",
         .high = "completions/max_length",
         .expected = {"rloo"}},
        {QStringLiteral("shares"),
         words("Shares of completions and groups"),
         share,
         {{"completions/clipped_ratio", words("truncated")},
          {"frac_reward_zero_std", words("zero-variance groups")},
          {"clip_ratio/region_mean", words("ratio clipped")},
          {"clipped_ratio", words("truncated, held out")}}},
        {QStringLiteral("logps"),
         words("Log-probability of the pair"),
         nats,
         {{"logps/chosen", words("chosen")}, {"logps/rejected", words("rejected")}}},
        {.key = QStringLiteral("learning_rate"),
         .title = words("Learning rate"),
         .unit = {},
         .lines = {{"learning_rate", {}}},
         .expected = every_trainer},
        {.key = QStringLiteral("throughput"),
         .title = words("Throughput"),
         .unit = words("tokens/s"),
         .lines = {{"tokens_per_second", {}}},
         .expected = every_trainer},
        {QStringLiteral("grad_norm"), words("Gradient norm before clipping"), {}, {{"grad_norm", {}}}},
        {QStringLiteral("terminated_length"),
         words("Length of ended completions"),
         tokens,
         {{"completions/mean_terminated_length", {}}},
         {},
         "completions/min_terminated_length",
         "completions/max_terminated_length"},
        {QStringLiteral("logits"),
         words("Mean logits of the pair"),
         {},
         {{"logits/chosen", words("chosen")}, {"logits/rejected", words("rejected")}}},
        {QStringLiteral("reward_deviations"),
         words("Deviation of the reward functions"),
         {},
         {{"rewards/*/std", {}}}},
        {QStringLiteral("kl_sum"), words("KL of a whole completion"), nats, {{"kl_sum", {}}}},
        {QStringLiteral("ratio"), words("Probability ratio"), {}, {{"ratio/*", {}}}},
        {QStringLiteral("sampling"),
         words("Sampler against trainer"),
         nats,
         {{"sampling/sampling_logp_difference/*", {}}}},
        {QStringLiteral("clip"), words("Clipped ratios"), share, {{"clip_ratio/*", {}}}},
    };
}

SeriesPointer find(const Metrics& metrics, const std::string& name) {
    const auto found = metrics.find(name);
    return found == metrics.end() ? nullptr : found->second;
}

/// What stands at the '*' of `pattern`; without one, "" where the names are equal.
std::optional<std::string> fits(const std::string& pattern, const std::string& name) {
    const auto star = pattern.find('*');
    if (star == std::string::npos) return pattern == name ? std::optional(std::string()) : std::nullopt;
    const std::string before = pattern.substr(0, star), after = pattern.substr(star + 1);
    if (name.size() <= before.size() + after.size() || !name.starts_with(before) || !name.ends_with(after))
        return std::nullopt;
    return name.substr(before.size(), name.size() - before.size() - after.size());
}

/// The lines of one metric: as trained, and as evaluated beside it.
void addLines(ShownPanel& panel, const Metrics& metrics, const std::string& metric, const QString& name,
              std::set<std::string>& used) {
    const std::string evaluated = "eval_" + metric;
    const SeriesPointer train = find(metrics, metric), held_out = find(metrics, evaluated);
    const int color = static_cast<int>(panel.lines.size());
    used.insert(metric);
    used.insert(evaluated);
    if (train)
        panel.lines.push_back({name.isEmpty() && held_out ? words("train") : name, train, color, false});
    if (held_out)
        panel.lines.push_back({name.isEmpty() ? words("validation")
                               : train        ? words("%1, validation").arg(name)
                                              : name,
                               held_out, color + 1, true});
}

ShownPanel shownPanel(const MetricPanel& panel, const Metrics& metrics, std::set<std::string>& used) {
    ShownPanel shown{panel.key, panel.title, panel.unit, {}};
    for (const MetricPanel::Line& line : panel.lines) {
        if (line.metric.find('*') == std::string::npos) {
            addLines(shown, metrics, line.metric, line.name, used);
            continue;
        }
        for (const auto& [name, series] : metrics)
            if (const auto part = fits(line.metric, name); part && !used.count(name))
                addLines(shown, metrics, name, toQt(*part), used);
    }
    if (!shown.lines.empty() && !shown.lines.front().markers) {
        shown.lines.front().deviation = find(metrics, panel.deviation);
        shown.lines.front().low = find(metrics, panel.low);
        shown.lines.front().high = find(metrics, panel.high);
    }
    for (const std::string& name : {panel.deviation, panel.low, panel.high})
        for (const char* prefix : {"", "eval_"})
            if (!name.empty()) used.insert(prefix + name);
    return shown;
}

} // namespace

const std::vector<MetricPanel>& metricPanels() {
    static const std::vector<MetricPanel> panels = declared();
    return panels;
}

std::vector<ShownPanel> panelsFor(const Metrics& metrics, const std::string& kind) {
    const bool trained =
        std::ranges::any_of(metrics, [](const auto& metric) { return !metric.first.starts_with("eval_"); });
    std::vector<ShownPanel> panels;
    std::set<std::string> used = bookkeeping;
    for (const MetricPanel& panel : metricPanels()) {
        ShownPanel shown = shownPanel(panel, metrics, used);
        const bool awaited = !trained && std::ranges::find(panel.expected, kind) != panel.expected.end();
        if (!shown.lines.empty() || awaited) panels.push_back(std::move(shown));
    }
    std::vector<std::string> others;
    for (const auto& [name, series] : metrics)
        others.push_back(name);
    QCollator natural{QLocale(QLocale::English)}; // layer 9 before layer 10
    natural.setNumericMode(true);
    std::stable_sort(others.begin(), others.end(), [&](const std::string& a, const std::string& b) {
        return natural.compare(toQt(a), toQt(b)) < 0;
    });
    for (const std::string& name : others) {
        const std::string plain = name.starts_with("eval_") ? name.substr(5) : name;
        if (used.count(name) || bookkeeping.count(plain)) continue;
        ShownPanel shown{toQt(plain), toQt(plain), {}, {}};
        addLines(shown, metrics, plain, {}, used);
        panels.push_back(std::move(shown));
    }
    return panels;
}

} // namespace tempera
