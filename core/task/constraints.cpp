#include "core/task/constraints.h"

#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/base/suggest.h"
#include "core/task/answer_text.h"
#include "core/text/utf8.h"

#include <algorithm>
#include <array>

namespace tempera {

namespace {

using Kind = Constraint::Kind;

enum class Takes { counts, text, text_and_counts, keys, nothing };

struct KindRow {
    const char* name;
    Kind kind;
    Takes takes;
    const char* counted; ///< what is counted, or what is asked for, in words
};

constexpr std::array<KindRow, 20> kinds = {{
    {"words", Kind::words, Takes::counts, "words"},
    {"sentences", Kind::sentences, Takes::counts, "sentences"},
    {"paragraphs", Kind::paragraphs, Takes::counts, "paragraphs"},
    {"bullets", Kind::bullets, Takes::counts, "bullet points"},
    {"numbered", Kind::numbered, Takes::counts, "numbered lines"},
    {"capital_words", Kind::capital_words, Takes::counts, "words in capitals"},
    {"highlights", Kind::highlights, Takes::counts, "highlighted texts"},
    {"placeholders", Kind::placeholders, Takes::counts, "placeholders"},
    {"include", Kind::include, Takes::text_and_counts, "times"},
    {"avoid", Kind::avoid, Takes::text, ""},
    {"starts_with", Kind::starts_with, Takes::text, "begin with"},
    {"ends_with", Kind::ends_with, Takes::text, "end with"},
    {"lower", Kind::lower, Takes::nothing, "it is not in lower-case letters throughout"},
    {"upper", Kind::upper, Takes::nothing, "it is not in upper-case letters throughout"},
    {"no_commas", Kind::no_commas, Takes::nothing, "it has a comma"},
    {"no_digits", Kind::no_digits, Takes::nothing, "it has a digit"},
    {"quotation", Kind::quotation, Takes::nothing, "it does not stand in double quotes"},
    {"title", Kind::title, Takes::nothing, "it has no title in <<double angular brackets>>"},
    {"postscript", Kind::postscript, Takes::nothing, "it has no postscript that begins with P.S."},
    {"json", Kind::json, Takes::keys, "it is not a JSON object with the keys that are asked for"},
}};

const KindRow& row_of(Kind kind) {
    return kinds[static_cast<std::size_t>(kind)];
}

constexpr std::int64_t largest_count = 100000;
constexpr std::size_t most_constraints = 64, most_keys = 64, longest_text = 200;

/// Reads one entry of the list.
class EntryReader {
public:
    EntryReader(const Json& entry, std::string place) : entry_(entry), place_(std::move(place)) {}

    Constraint read() const {
        if (!entry_.is_object()) refuse("must be a JSON object with \"type\"");
        const KindRow& row = named_row();
        check_keys(row);
        Constraint constraint;
        constraint.kind = row.kind;
        if (row.takes == Takes::text || row.takes == Takes::text_and_counts) constraint.text = text();
        if (row.takes == Takes::counts || row.takes == Takes::text_and_counts) read_counts(row, constraint);
        if (row.takes == Takes::keys) constraint.keys = keys();
        return constraint;
    }

private:
    [[noreturn]] void refuse(const std::string& what) const {
        fail(ErrorKind::bad_input, place_ + " " + what + ".");
    }

    const KindRow& named_row() const {
        auto type = entry_.find("type");
        if (type == entry_.end() || !type->is_string()) refuse("lacks the text \"type\"");
        const auto& name = type->get_ref<const std::string&>();
        auto row = std::find_if(kinds.begin(), kinds.end(), [&](const KindRow& r) { return name == r.name; });
        if (row != kinds.end()) return *row;
        std::vector<std::string> names;
        for (const KindRow& known : kinds)
            names.push_back(known.name);
        refuse("has the unknown type " + to_json_line(name.substr(0, 60)) + did_you_mean(name, names));
    }

    void check_keys(const KindRow& row) const {
        std::vector<std::string> known = {"type"};
        if (row.takes == Takes::counts || row.takes == Takes::text_and_counts)
            known.insert(known.end(), {"at_least", "at_most", "exactly"});
        if (row.takes == Takes::text || row.takes == Takes::text_and_counts) known.push_back("text");
        if (row.takes == Takes::keys) known.push_back("keys");
        for (const auto& [key, value] : entry_.items())
            if (std::find(known.begin(), known.end(), key) == known.end())
                refuse("has the key " + to_json_line(key.substr(0, 60)) + ", which type \"" + row.name
                       + "\" does not take");
    }

    std::string text() const {
        auto found = entry_.find("text");
        if (found == entry_.end() || !found->is_string()) refuse("lacks \"text\"");
        const std::string value = replace_invalid_utf8(found->get_ref<const std::string&>());
        if (value.size() > longest_text || trimmed_answer(value).empty())
            refuse("needs a \"text\" of at most " + std::to_string(longest_text)
                   + " bytes that is not blank");
        return value;
    }

    std::int64_t count(const char* key) const {
        const Json& value = entry_.at(key);
        if (!value.is_number_integer() || value < 0 || value > largest_count)
            refuse(std::string("needs a whole number from 0 to ") + std::to_string(largest_count) + " as \""
                   + key + "\"");
        return value.get<std::int64_t>();
    }

    void read_counts(const KindRow& row, Constraint& constraint) const {
        const bool least = entry_.contains("at_least"), most = entry_.contains("at_most");
        if (entry_.contains("exactly")) {
            if (least || most) refuse("has \"exactly\" beside another count");
            constraint.at_least = constraint.at_most = count("exactly");
            return;
        }
        if (!least && !most && row.kind != Kind::include)
            refuse("needs \"at_least\", \"at_most\" or \"exactly\"");
        if (!least && !most) constraint.at_least = 1;
        if (least) constraint.at_least = count("at_least");
        if (most) constraint.at_most = count("at_most");
        if (constraint.at_least > constraint.at_most) refuse("asks for more than it allows");
    }

    std::vector<std::string> keys() const {
        auto found = entry_.find("keys");
        if (found == entry_.end()) return {};
        if (!found->is_array() || found->size() > most_keys)
            refuse("needs a short list of texts as \"keys\"");
        std::vector<std::string> list;
        for (const Json& key : *found) {
            if (!key.is_string() || key.get_ref<const std::string&>().size() > longest_text)
                refuse("needs a list of texts as \"keys\"");
            list.push_back(key.get<std::string>());
        }
        return list;
    }

    const Json& entry_;
    std::string place_;
};

/// "exactly 3", "at least 2", "10 to 20".
std::string wanted_words(const Constraint& constraint) {
    const std::string low = std::to_string(constraint.at_least), high = std::to_string(constraint.at_most);
    if (constraint.at_most > largest_count) return "at least " + low;
    if (constraint.at_least == constraint.at_most) return "exactly " + low;
    return constraint.at_least == 0 ? "at most " + high : low + " to " + high;
}

std::int64_t counted(const Constraint& constraint, const AnswerText& answer) {
    switch (constraint.kind) {
    case Kind::words:
        return answer.words();
    case Kind::sentences:
        return answer.sentences();
    case Kind::paragraphs:
        return answer.paragraphs();
    case Kind::bullets:
        return answer.bullets();
    case Kind::numbered:
        return answer.numbered();
    case Kind::capital_words:
        return answer.capital_words();
    case Kind::highlights:
        return answer.highlights();
    case Kind::placeholders:
        return answer.placeholders();
    default:
        return answer.occurrences(constraint.text);
    }
}

bool flag_holds(const Constraint& constraint, const AnswerText& answer) {
    switch (constraint.kind) {
    case Kind::lower:
        return answer.has_letter() && !answer.has_upper();
    case Kind::upper:
        return answer.has_letter() && !answer.has_lower();
    case Kind::no_commas:
        return answer.text().find(',') == std::string::npos;
    case Kind::no_digits:
        return answer.text().find_first_of("0123456789") == std::string::npos;
    case Kind::quotation:
        return answer.is_quotation();
    case Kind::title:
        return answer.has_title();
    case Kind::postscript:
        return answer.has_postscript();
    default:
        return answer.is_json_object(constraint.keys);
    }
}

/// "" where the answer meets the constraint, else what is wrong.
std::string trouble(const Constraint& constraint, const AnswerText& answer) {
    const KindRow& row = row_of(constraint.kind);
    const std::string quoted = "\"" + constraint.text + "\"";
    switch (row.takes) {
    case Takes::counts:
    case Takes::text_and_counts: {
        const std::int64_t count = counted(constraint, answer);
        if (count >= constraint.at_least && count <= constraint.at_most) return "";
        const std::string what = constraint.kind == Kind::include ? quoted + " " + std::to_string(count) + " "
                                                                  : std::to_string(count) + " ";
        return what + row.counted + ", asked for " + wanted_words(constraint);
    }
    case Takes::text:
        if (constraint.kind == Kind::avoid)
            return answer.occurrences(constraint.text) == 0 ? "" : "it holds " + quoted;
        if (constraint.kind == Kind::starts_with ? answer.starts_with(constraint.text)
                                                 : answer.ends_with(constraint.text))
            return "";
        return std::string("it does not ") + row.counted + " " + quoted;
    case Takes::keys:
    case Takes::nothing:
        break;
    }
    return flag_holds(constraint, answer) ? "" : row.counted;
}

} // namespace

std::vector<Constraint> constraints_from(const Json& facts, const std::string& place) {
    auto list = facts.is_object() ? facts.find("constraints") : facts.end();
    if (!facts.is_object() || list == facts.end() || !list->is_array() || list->empty()
        || list->size() > most_constraints)
        fail(ErrorKind::bad_input,
             place + " has no constraints to check: \"constraints\" must be a list of 1 to "
                 + std::to_string(most_constraints) + " objects.");
    std::vector<Constraint> constraints;
    for (const Json& entry : *list)
        constraints.push_back(
            EntryReader(entry, place + ": constraint " + std::to_string(constraints.size() + 1)).read());
    return constraints;
}

ConstraintVerdict check_constraints(std::span<const Constraint> constraints, std::string_view completion) {
    const AnswerText answer(completion);
    const std::size_t total = constraints.size();
    ConstraintVerdict verdict;
    if (answer.words() == 0) {
        verdict.reason = "The answer holds no word.";
        return verdict;
    }
    std::vector<std::string> wrong;
    for (const Constraint& constraint : constraints)
        if (std::string what = trouble(constraint, answer); !what.empty()) wrong.push_back(std::move(what));
    const std::size_t met = total - wrong.size();
    verdict.score = total == 0 ? 0 : static_cast<double>(met) / static_cast<double>(total);
    verdict.all = met == total;
    verdict.reason = std::to_string(met) + " of " + std::to_string(total) + " constraints are met"
                     + (wrong.empty() ? "" : ": ") + joined(wrong, "; ") + ".";
    return verdict;
}

ConstraintVerdict check_constraints(std::string_view facts_json, std::string_view completion) {
    const std::string place = "The facts of a prompt";
    return check_constraints(constraints_from(parse_json(facts_json, place), place), completion);
}

} // namespace tempera
