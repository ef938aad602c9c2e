#include "ui/feed_types.h"

#include "core/base/json.h"
#include "core/store/record_json.h"
#include "ui/theme/text.h"

#include <QStringList>

namespace tempera {

namespace {

/// What the chat templates of core/text put around a user's turn.
constexpr std::pair<const char*, const char*> users_turns[] = {
    {"<|im_start|>user\n", "<|im_end|>"},
    {"<|start_header_id|>user<|end_header_id|>\n\n", "<|eot_id|>"},
    {"<start_of_turn>user\n", "<end_of_turn>"}};

QString usersWords(const QString& text, const QString& system) {
    QString words = text;
    for (const auto& [begin, end] : users_turns) {
        const QString open = QString::fromLatin1(begin);
        const qsizetype at = text.lastIndexOf(open);
        if (at < 0) continue;
        const qsizetype from = at + open.size(), to = text.indexOf(QLatin1String(end), from);
        words = text.mid(from, to < 0 ? -1 : to - from);
        break;
    }
    if (!system.isEmpty() && words.startsWith(system)) words = words.mid(system.size());
    words = words.trimmed();
    return words.isEmpty() ? text : words;
}

} // namespace

QString systemTurnOf(const RunRecord& run) {
    return toQt(recipe_text(run, "system")).trimmed();
}

QString promptLabel(const PromptRecord& prompt, const QString& system) {
    const Json facts = Json::parse(prompt.facts, nullptr, false);
    if (facts.is_object() && facts.contains("nums") && facts["nums"].is_array() && facts.contains("target")
        && facts["target"].is_number()) {
        QStringList numbers;
        for (const Json& number : facts["nums"])
            if (number.is_number()) numbers << QString::number(number.get<double>(), 'g', 12);
        return numbers.join(QStringLiteral(", ")) + QStringLiteral(" → ")
               + QString::number(facts["target"].get<double>(), 'g', 12);
    }
    return usersWords(toQt(prompt.text), system).section(u'\n', 0, 0).left(120);
}

} // namespace tempera
