#include "core/data/columns.h"

#include "core/base/joined.h"
#include "core/base/suggest.h"

#include <algorithm>
#include <functional>

namespace tempera {

namespace {

struct Role {
    const char* name;
    std::vector<std::string> known_as; ///< the first that is there counts
};

const std::vector<Role>& roles() {
    static const std::vector<Role> list = {
        {"messages", {"messages", "conversations", "conversation"}},
        {"prompt", {"prompt", "query", "question", "instruction"}},
        {"input", {"input"}},
        {"completion", {"completion", "response", "answer", "output"}},
        {"text", {"text"}},
        {"chosen", {"chosen"}},
        {"rejected", {"rejected"}},
        {"score_chosen", {"score_chosen", "chosen_score"}},
        {"score_rejected", {"score_rejected", "rejected_score"}},
        {"margin", {"margin"}},
        {"score", {"score"}},
        {"nums", {"nums", "numbers"}},
        {"target", {"target"}},
        {"constraints", {"constraints"}},
    };
    return list;
}

std::vector<std::string> role_names() {
    std::vector<std::string> names;
    for (const Role& role : roles())
        names.push_back(role.name);
    return names;
}

using Has = std::function<bool(const std::string& column)>;

/// The roles that make a row of the task, the needed ones first; none where the columns do not.
std::vector<std::string> roles_of(DataTask task, const std::function<bool(const char*)>& filled) {
    bool problem = filled("nums") && filled("target");
    switch (task) {
    case DataTask::sft:
        if (filled("messages")) return {"messages"};
        if (filled("completion")) return {"completion", "prompt", "input"};
        if (problem) return {"nums", "target"};
        if (filled("text")) return {"text"};
        break;
    case DataTask::preferences:
        if (filled("chosen") && filled("rejected"))
            return {"chosen", "rejected", "prompt", "input", "score_chosen", "score_rejected", "margin"};
        if (filled("score") && filled("completion")) return {"completion", "prompt", "input", "score"};
        if (filled("score") && filled("text")) return {"text", "score"};
        break;
    case DataTask::prompts:
        if (filled("prompt")) return {"prompt", "input", "constraints", "nums", "target"};
        if (filled("messages")) return {"messages", "constraints", "nums", "target"};
        if (problem) return {"nums", "target"};
        break;
    case DataTask::countdown:
        if (problem) return {"nums", "target"};
        break;
    }
    return {};
}

ColumnMapping detect(DataTask task, const Has& has, const ColumnMapping& given) {
    auto column_of = [&](const std::string& role) -> std::string {
        if (auto named = given.column_of.find(role); named != given.column_of.end())
            return has(named->second) ? named->second : "";
        auto known =
            std::find_if(roles().begin(), roles().end(), [&](auto& entry) { return role == entry.name; });
        for (const auto& name : known->known_as)
            if (has(name)) return name;
        return "";
    };
    ColumnMapping mapping;
    for (const auto& role : roles_of(task, [&](const char* name) { return !column_of(name).empty(); }))
        if (std::string column = column_of(role); !column.empty()) mapping.column_of[role] = column;
    // Elsewhere than beside an instruction a column of that name may be anything.
    const auto prompt = mapping.column_of.find("prompt");
    const bool instructed = prompt != mapping.column_of.end() && prompt->second == "instruction"
                            && !given.column_of.contains("prompt");
    if (!instructed && !given.column_of.contains("input")) mapping.column_of.erase("input");
    return mapping;
}

/// Puts what an instruction is about behind it, as Alpaca's own prompt does.
void join_input(JsonRow& row) {
    auto input = row.value.find("input"), prompt = row.value.find("prompt");
    if (input == row.value.end()) return;
    const bool texts = input->is_string() && prompt != row.value.end() && prompt->is_string();
    if (!texts && !(input->is_string() && input->get_ref<const std::string&>().empty()))
        throw RowError(RowFault::wrong_type,
                       row.place() + ": what stands as input must be text, and the prompt too.");
    if (texts && !input->get_ref<const std::string&>().empty())
        prompt->get_ref<std::string&>() += "\n\n" + input->get<std::string>();
    row.value.erase("input");
}

/// Who speaks, as ShareGPT's data sets call them.
std::string role_of_speaker(const std::string& name) {
    if (name == "human" || name == "user") return "user";
    if (name == "gpt" || name == "assistant" || name == "chatgpt" || name == "model" || name == "bing"
        || name == "bard")
        return "assistant";
    return name;
}

/// [{"type": "text", "text": ".."}] -> the text; everything else stays.
Json joined_parts(const Json& content) {
    if (!content.is_array() || content.empty()) return content;
    std::string text;
    for (const Json& part : content) {
        if (!part.is_object() || !part.contains("text") || !part["text"].is_string()) return content;
        text += part["text"].get_ref<const std::string&>();
    }
    return text;
}

void normalise_turns(Json& turns) {
    if (!turns.is_array()) return;
    for (Json& turn : turns) {
        if (!turn.is_object()) return;
        if (turn.contains("from") && turn["from"].is_string() && !turn.contains("role")) {
            std::string role = role_of_speaker(turn["from"].get<std::string>());
            turn = {{"role", role}, {"content", turn.value("value", Json())}};
        }
        if (auto content = turn.find("content"); content != turn.end() && content->is_array())
            *content = joined_parts(*content);
    }
}

bool is_number_role(const std::string& role) {
    return role == "target" || role == "score_chosen" || role == "score_rejected" || role == "margin"
           || role == "score";
}

/// What a CSV cell holds: the list or number that its role needs, where its text is one.
Json from_cell(const std::string& role, Json value) {
    const auto& text = value.get_ref<const std::string&>();
    bool list = role == "nums" || role == "constraints" || text.starts_with("[{");
    if (!list && !is_number_role(role)) return value;
    Json parsed = Json::parse(text, nullptr, false);
    if (parsed.is_discarded() && role == "nums") { // as NumPy prints it: [44 19 35]
        std::string with_commas = text;
        bool behind_digit = false;
        for (std::size_t i = 0; i < with_commas.size(); ++i) {
            bool digit = with_commas[i] >= '0' && with_commas[i] <= '9';
            if (with_commas[i] == ' ' && behind_digit && i + 1 < with_commas.size()
                && with_commas[i + 1] != ']' && with_commas[i + 1] != ' ')
                with_commas[i] = ',';
            behind_digit = digit || (behind_digit && with_commas[i] == ' ');
        }
        parsed = Json::parse(with_commas, nullptr, false);
    }
    bool fits = list ? parsed.is_array() : parsed.is_number();
    return fits ? parsed : value;
}

/// In quotes where it holds what parse_columns() would take for the end, as CSV has it.
std::string quoted(const std::string& column) {
    if (column.find_first_of(",\"") == column.npos && !column.starts_with(' ') && !column.ends_with(' '))
        return column;
    std::string text = "\"";
    for (const char c : column)
        text += c == '"' ? std::string("\"\"") : std::string(1, c);
    return text + "\"";
}

/// Where the part that begins at `begin` ends: at a comma that is in no quotes.
std::size_t end_of_part(const std::string& text, std::size_t begin) {
    bool inside = false;
    for (std::size_t i = begin; i < text.size(); ++i) {
        if (text[i] == '"') inside = !inside;
        if (text[i] == ',' && !inside) return i;
    }
    return inside ? std::min(text.find(',', begin), text.size()) : text.size();
}

/// The inverse of quoted().
std::string unquoted(const std::string& text) {
    if (text.size() < 2 || !text.starts_with('"') || !text.ends_with('"')) return text;
    std::string column;
    for (std::size_t i = 1; i + 1 < text.size(); ++i) {
        column += text[i];
        if (text[i] == '"' && text[i + 1] == '"') ++i;
    }
    return column;
}

} // namespace

const char* name_of(DataTask task) {
    switch (task) {
    case DataTask::sft:
        return "sft";
    case DataTask::preferences:
        return "preferences";
    case DataTask::prompts:
        return "prompts";
    case DataTask::countdown:
        return "countdown";
    }
    return "?";
}

DataTask data_task_from(const std::string& name) {
    for (DataTask task : {DataTask::sft, DataTask::preferences, DataTask::prompts, DataTask::countdown})
        if (name == name_of(task)) return task;
    fail(ErrorKind::bad_input, "There is no task \"" + name
                                   + "\"; use sft, preferences, prompts or countdown."
                                   + did_you_mean(name, {"sft", "preferences", "prompts", "countdown"}));
}

std::string ColumnMapping::text() const {
    return joined(column_of, ", ", [](const auto& pair) { return pair.first + "=" + quoted(pair.second); });
}

ColumnMapping parse_columns(const std::string& text) {
    ColumnMapping mapping;
    auto trimmed = [](std::string_view part) {
        auto begin = part.find_first_not_of(' '), end = part.find_last_not_of(' ');
        return begin == part.npos ? std::string() : std::string(part.substr(begin, end - begin + 1));
    };
    for (std::size_t begin = 0; begin < text.size();) {
        const std::size_t end = end_of_part(text, begin);
        std::string part = text.substr(begin, end - begin);
        begin = end + 1;
        auto equals = part.find('=');
        std::string role = trimmed(part.substr(0, equals)),
                    column = equals == part.npos ? "" : unquoted(trimmed(part.substr(equals + 1)));
        const auto names = role_names();
        if (column.empty())
            fail(ErrorKind::bad_input, "columns must be like \"prompt=question,completion=answer\", not \""
                                           + text.substr(0, 200) + "\".");
        if (std::find(names.begin(), names.end(), role) == names.end())
            fail(ErrorKind::bad_input, "columns names the unknown role \"" + role.substr(0, 80)
                                           + "\" (there are: " + joined(names) + ")."
                                           + did_you_mean(role, names));
        mapping.column_of[role] = column;
    }
    return mapping;
}

ColumnMapping detect_columns(DataTask task, const std::vector<std::string>& columns,
                             const ColumnMapping& given) {
    return detect(
        task,
        [&](const std::string& name) {
            return std::find(columns.begin(), columns.end(), name) != columns.end();
        },
        given);
}

std::vector<std::string> known_columns(const ColumnMapping& given) {
    std::vector<std::string> names;
    for (const Role& role : roles())
        names.insert(names.end(), role.known_as.begin(), role.known_as.end());
    for (const auto& [role, column] : given.column_of)
        names.push_back(column);
    return names;
}

JsonRow ColumnMapper::map(JsonRow row, bool text_cells) const {
    if (!row.problem.empty()) return row;
    for (const auto& [role, column] : given_.column_of)
        if (!row.has(column)) (void)row.text({column.c_str()}, true); // throws, naming the columns there are
    auto has = [&](const std::string& name) {
        auto found = row.value.find(name);
        return found != row.value.end() && !found->is_null();
    };
    ColumnMapping mapping = detect(task_, has, given_);
    if (mapping.empty()) return row;
    Json values = Json::object();
    for (const auto& [role, column] : mapping.column_of) {
        Json value = std::move(row.value[column]);
        if (text_cells && value.is_string()) {
            if (is_number_role(role) && value.get_ref<const std::string&>().empty()) continue;
            value = from_cell(role, std::move(value));
        }
        normalise_turns(value);
        values[role] = std::move(value);
    }
    row.value = std::move(values);
    join_input(row);
    return row;
}

} // namespace tempera
