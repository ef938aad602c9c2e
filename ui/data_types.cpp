#include "ui/data_types.h"

#include "core/data/preferences.h"
#include "core/data/prompt_set.h"
#include "core/data/sft_row.h"
#include "ui/theme/text.h"

#include <QCoreApplication>

namespace tempera {

namespace {

struct DataTypes {
    Q_DECLARE_TR_FUNCTIONS(DataTypes)
};

void add(const std::vector<ChatMessage>& messages, bool learnt, std::vector<ChatTurn>& turns) {
    for (const ChatMessage& message : messages)
        turns.push_back({toQt(message.role), toQt(message.content), {}, learnt});
}

QString problemText(const CountdownProblem& problem) {
    QStringList numbers;
    for (const auto number : problem.nums)
        numbers << QString::number(number);
    return QStringLiteral("%1 → %2").arg(numbers.join(QStringLiteral(", "))).arg(problem.target);
}

std::vector<ChatTurn> sft_turns(const SftRow& row) {
    if (row.problem)
        return {{QStringLiteral("problem"), problemText(*row.problem),
                 DataTypes::tr("a solution is made for it"), false}};
    std::vector<ChatTurn> turns;
    add(row.prompt, false, turns);
    add(row.answer, true, turns);
    return turns;
}

std::vector<ChatTurn> preference_turns(const PreferenceRow& row) {
    std::vector<ChatTurn> turns;
    add(row.prompt, false, turns);
    const auto answer = [&](const std::vector<ChatMessage>& messages, const char* role,
                            const std::optional<double>& score, bool chosen) {
        const std::size_t first = turns.size();
        add(messages, chosen, turns);
        for (std::size_t i = first; i < turns.size(); ++i)
            if (turns[i].role == QStringLiteral("assistant")) turns[i].role = QLatin1String(role);
        if (score && turns.size() > first)
            turns[first].note = DataTypes::tr("score %1").arg(numberText(*score));
    };
    answer(row.chosen, "chosen", row.score_chosen, true);
    answer(row.rejected, "rejected", row.score_rejected, false);
    return turns;
}

std::vector<ChatTurn> prompt_turns(const JsonRow& row) {
    const TaskPrompt prompt = read_prompt(row, {});
    std::vector<ChatTurn> turns;
    add(prompt.messages, false, turns);
    if (turns.empty()) turns.push_back({QStringLiteral("prompt"), toQt(prompt.text), {}, false});
    if (!prompt.facts.empty())
        turns.push_back(
            {QStringLiteral("facts"), toQt(prompt.facts), DataTypes::tr("what a checker must know"), false});
    return turns;
}

} // namespace

std::vector<ChatTurn> turns_of(const JsonRow& mapped, DataTask task) {
    switch (task) {
    case DataTask::sft:
        return sft_turns(read_sft_row(mapped, is_problem_row(mapped)));
    case DataTask::preferences:
        return preference_turns(read_preference(mapped));
    case DataTask::prompts:
        return prompt_turns(mapped);
    case DataTask::countdown:
        break;
    }
    return sft_turns(read_sft_row(mapped, true));
}

ShownRow shown_row(const JsonRow& row, std::int64_t index, const DataReading& reading, bool text_cells) {
    ShownRow shown;
    shown.index = index;
    shown.number = row.number;
    shown.source = toQt(row.source);
    shown.json = toQt(row.value.dump(2, ' ', false, Json::error_handler_t::replace));
    if (!row.problem.empty()) {
        shown.problem = toQt(row.problem);
        return shown;
    }
    try {
        shown.turns =
            turns_of(ColumnMapper(reading.task, reading.columns).map(row, text_cells), reading.task);
    } catch (const Error& error) {
        shown.problem = toQt(error.what());
    }
    return shown;
}

QString cell_text(const Json& value) {
    if (value.is_null()) return {};
    std::string text = value.is_string() ? value.get<std::string>()
                                         : value.dump(-1, ' ', false, Json::error_handler_t::replace);
    constexpr std::size_t longest = 800; // bytes: at least 200 characters
    if (text.size() > longest) text.resize(longest);
    QString line = toQt(text).left(200);
    line.replace(u'\n', u' ');
    return text.size() == longest ? line + u'…' : line;
}

} // namespace tempera
