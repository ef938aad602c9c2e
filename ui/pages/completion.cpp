#include "ui/pages/completion.h"

#include "core/base/json.h"
#include "ui/theme/text.h"

#include <QCoreApplication>

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

QString words(const char* text) {
    return QCoreApplication::translate("Completion", text);
}

QString targetOf(const std::string& text) {
    const Json facts = Json::parse(text, nullptr, false);
    if (!facts.is_object() || !facts.contains("target") || !facts["target"].is_number()) return {};
    return QString::number(facts["target"].get<double>(), 'g', 12);
}

bool endsInThink(const std::string& prompt) {
    return toQt(prompt).trimmed().endsWith(QStringLiteral("<think>"));
}

QString answerLine(const Sample& sample, const QString& target) {
    if (sample.equation.empty()) return words("no answer");
    QString line = toQt(sample.equation);
    if (!sample.value.empty()) {
        line += QStringLiteral(" = ") + toQt(sample.value);
        if (!target.isEmpty()) line += sample.score >= 1 ? words("  (target)") : words("  ≠ %1").arg(target);
    }
    return line;
}

QString fenced(const QString& text) {
    QString fence = QStringLiteral("```");
    while (text.contains(fence))
        fence += u'`'; // the text may hold fences of its own
    return fence + u'\n' + text + u'\n' + fence + u'\n';
}

/// The facts of a card that are known, in a line.
QString lineOf(QStringList facts) {
    facts.removeAll(QString());
    return facts.join(QStringLiteral(" · "));
}

/// An endpoint need not say of how many tokens its text is: nothing, then.
QString tokensText(std::int64_t tokens) {
    return tokens > 0 ? words("%1 tokens").arg(wholeText(tokens)) : QString();
}

QString signedText(double value) {
    const QString text = numberText(value);
    return value > 0 ? QString(u'+' + text) : text;
}

} // namespace

Completion completionOf(const Sample& sample, const PromptRecord& prompt, Scoring scoring) {
    Completion c;
    c.index = sample.sample_index;
    c.caption = QStringLiteral("#%1").arg(sample.sample_index + 1);
    const auto judged = [&](Completion::Verdict verdict, const QString& said) {
        c.verdict = verdict;
        c.verdict_words = said;
    };
    if (std::isnan(sample.score)) // an endpoint failed to draw or to judge it
        judged(Completion::Verdict::plain, words("not scored"));
    else if (scoring == Scoring::free)
        judged(Completion::Verdict::plain, words("score %1").arg(numberText(sample.score)));
    else if (sample.score >= 1)
        judged(Completion::Verdict::right, words("right"));
    else if (sample.score > 0)
        judged(Completion::Verdict::wrong,
               scoring == Scoring::share ? words("not all right") : words("wrong"));
    else if (scoring == Scoring::share)
        judged(Completion::Verdict::wrong, words("wrong"));
    else
        judged(Completion::Verdict::none, words("no answer"));
    c.score = scoring == Scoring::free && !std::isnan(sample.score) ? numberText(sample.score)
                                                                    : scoreText(sample.score);
    const bool has_logprob = !sample.logprobs.empty() && std::isfinite(sample.logprob);
    c.facts =
        lineOf({tokensText(std::int64_t(std::max(sample.token_ids.size(), sample.logprobs.size()))),
                toQt(sample.finish),
                has_logprob ? words("logprob %1").arg(QString::number(sample.logprob, 'f', 1)) : QString()});
    c.text = toQt(sample.text);
    c.in_think = endsInThink(prompt.text);
    if (scoring == Scoring::verdict) c.answer = answerLine(sample, targetOf(prompt.facts));
    c.note = toQt(sample.reason);
    c.token_ids = sample.token_ids;
    c.logprobs = sample.logprobs;
    return c;
}

Completion completionOf(const RolloutSample& sample, const RolloutGroup& group, double kl_coef) {
    Completion c;
    c.index = sample.sample_index;
    c.caption = QStringLiteral("#%1").arg(sample.sample_index + 1);
    c.verdict = sample.advantage > 0   ? Completion::Verdict::above
                : sample.advantage < 0 ? Completion::Verdict::below
                                       : Completion::Verdict::none;
    c.verdict_words = sample.advantage > 0   ? words("above its baseline")
                      : sample.advantage < 0 ? words("below its baseline")
                                             : words("equal to its baseline");
    c.score = words("reward %1").arg(numberText(sample.reward));
    c.facts = lineOf({tokensText(std::int64_t(sample.token_ids.size())), toQt(sample.finish),
                      sample.masked ? words("not in the loss") : QString()});
    if (!sample.ref_logprobs.empty()) c.numbers.emplace_back(words("KL"), numberText(sample.kl));
    if (kl_coef > 0) // else a higher reward may be seen to have the lower advantage, and none to say why
        c.numbers.emplace_back(words("reward − %1 KL").arg(numberText(kl_coef)),
                               numberText(sample.reward - kl_coef * sample.kl));
    c.numbers.emplace_back(words("baseline"), numberText(sample.baseline));
    c.numbers.emplace_back(words("advantage"), signedText(sample.advantage));
    for (const auto& [name, value] : sample.rewards)
        c.numbers.emplace_back(toQt(name), std::isnan(value) ? QStringLiteral("–") : numberText(value));
    c.text = toQt(sample.text);
    c.in_think = endsInThink(group.prompt);
    c.note = toQt(sample.note);
    c.token_ids = sample.token_ids;
    c.logprobs = sample.logprobs;
    c.ref_logprobs = sample.ref_logprobs;
    c.masked = sample.masked;
    c.advantage = sample.advantage;
    return c;
}

Completion completionOf(const ComparedReply& reply, Side side, double other) {
    Completion c;
    c.index = side == Side::base ? 0 : 1;
    c.caption = side == Side::base ? words("base") : words("tuned");
    const bool known = std::isfinite(reply.score) && std::isfinite(other);
    c.verdict = known && reply.score > other   ? Completion::Verdict::above
                : known && reply.score < other ? Completion::Verdict::below
                                               : Completion::Verdict::none;
    c.verdict_words = !known                ? words("not scored")
                      : reply.score > other ? words("wins")
                      : reply.score < other ? words("loses")
                                            : words("tie");
    c.score = std::isfinite(reply.score) ? words("score %1").arg(numberText(reply.score)) : words("no score");
    c.facts = lineOf({c.verdict_words, tokensText(reply.tokens), toQt(reply.finish)});
    c.text = toQt(reply.text);
    c.note = toQt(reply.note);
    c.model_field = side == Side::base ? "base" : "tuned"; // the fields of WinRateRecipe
    c.token_ids = reply.token_ids;
    c.logprobs = reply.logprobs;
    return c;
}

int chosenOf(const std::vector<Sample>& samples, int n) {
    int best = -1;
    for (int i = 0; i < std::min(n, int(samples.size())); ++i)
        if (best < 0 || samples[std::size_t(i)].score > samples[std::size_t(best)].score) best = i;
    return best;
}

QString markdownOf(const QString& title, const QString& prompt, const Completion& completion) {
    QString text = QStringLiteral("**%1**\n\n").arg(title) + fenced(prompt)
                   + words("\n**Sample %1**: %2, %3\n\n")
                         .arg(completion.index + 1)
                         .arg(completion.score, completion.facts);
    for (const auto& [name, value] : completion.numbers)
        text += QStringLiteral("- %1: %2\n").arg(name, value);
    if (!completion.numbers.empty()) text += u'\n';
    text += fenced(completion.text);
    const QString last = completion.answer.isEmpty()
                             ? completion.note
                             : completion.answer + QStringLiteral(". ") + completion.note;
    return last.isEmpty() ? text : QString(text + u'\n' + last + u'\n');
}

} // namespace tempera
