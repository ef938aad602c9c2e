#include "core/task/written_problem.h"

#include "core/base/error.h"
#include "core/base/joined.h"
#include "core/base/json.h"
#include "core/text/utf8.h"

#include <algorithm>
#include <optional>

namespace tempera {

namespace {

constexpr std::size_t longest_raw = 2000;
constexpr std::size_t longest_solution = 4000;
constexpr std::size_t longest_equation = 200;
constexpr int deepest = 4; // braces inside each other

/// Where the object that begins at `begin` ends, npos where it does not. A scan is given up at the fifth
/// brace inside another, so that no text makes many scans long.
std::size_t end_of_object(std::string_view text, std::size_t begin) {
    int depth = 0;
    bool quoted = false;
    for (std::size_t at = begin; at < text.size(); ++at) {
        const char c = text[at];
        if (quoted) {
            if (c == '\\')
                ++at;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{') {
            if (++depth > deepest) return text.npos;
        } else if (c == '}' && --depth == 0) {
            return at + 1;
        }
    }
    return text.npos;
}

std::vector<std::string_view> objects_in(std::string_view text) {
    std::vector<std::string_view> objects;
    for (std::size_t begin = text.find('{'); begin != text.npos; begin = text.find('{', begin)) {
        const std::size_t end = end_of_object(text, begin);
        if (end == text.npos) {
            ++begin; // cut off, or no JSON: what is inside may be whole
            continue;
        }
        objects.push_back(text.substr(begin, end - begin));
        begin = end;
    }
    return objects;
}

std::optional<std::int64_t> whole_number(const Json& value, std::int64_t lowest, std::int64_t highest) {
    if (!value.is_number_integer()) return std::nullopt;
    if (value.is_number_unsigned() && value.get<std::uint64_t>() > static_cast<std::uint64_t>(highest))
        return std::nullopt;
    const auto number = value.get<std::int64_t>();
    return number < lowest || number > highest ? std::nullopt : std::optional(number);
}

std::string trimmed(const std::string& text) {
    const auto begin = text.find_first_not_of(" \t\r\n");
    return begin == text.npos ? "" : text.substr(begin, text.find_last_not_of(" \t\r\n") - begin + 1);
}

/// The text under `key`; "" where there is none.
std::string text_at(const Json& object, const char* key) {
    const auto found = object.find(key);
    return found != object.end() && found->is_string() ? trimmed(found->get<std::string>()) : "";
}

/// Fills in what the object says; the sentence is what is wrong with it.
std::string read_object(const Json& object, WrittenProblem& written) {
    const auto nums = object.find("nums"), target = object.find("target");
    if (nums == object.end() || !nums->is_array() || nums->size() < 3 || nums->size() > 4)
        return "\"nums\" is not a list of 3 or 4 numbers.";
    for (const Json& value : *nums) {
        const auto number = whole_number(value, 1, 99);
        if (!number) return "\"nums\" holds something else than whole numbers from 1 to 99.";
        written.problem.nums.push_back(*number);
    }
    const auto goal = target == object.end() ? std::nullopt : whole_number(*target, 10, 99);
    if (!goal) return "\"target\" is not a whole number from 10 to 99.";
    written.problem.target = *goal;
    written.solution = text_at(object, "solution");
    written.equation = text_at(object, "equation");
    if (written.solution.empty()) return "\"solution\" holds no worked solution.";
    if (written.solution.size() > longest_solution) return "The worked solution is longer than 4,000 bytes.";
    for (const char* mark : {"<|", "<think", "</think", "<answer", "</answer"})
        if (written.solution.find(mark) != std::string::npos)
            return std::string("The worked solution holds \"") + mark + "\", which belongs to the format.";
    if (written.equation.empty() || written.equation.size() > longest_equation)
        return "\"equation\" is missing or longer than 200 bytes.";
    const auto equals = written.equation.find('=');
    if (equals == std::string::npos) return "";
    if (trimmed(written.equation.substr(equals + 1)) != std::to_string(*goal))
        return "The equation's right side is not the target.";
    written.equation = trimmed(written.equation.substr(0, equals));
    return "";
}

std::string shortened(std::string_view raw) {
    std::string text = replace_invalid_utf8(raw.substr(0, longest_raw));
    return raw.size() > longest_raw ? text + " ..." : text;
}

ReadProblem unreadable(std::string_view raw, std::string reason) {
    return {{}, shortened(raw), std::move(reason)};
}

ReadProblem read_one(const Json& object) {
    ReadProblem problem;
    problem.raw = shortened(to_json_line(object));
    if (!object.is_object())
        problem.reason = "The problem is not a JSON object.";
    else
        problem.reason = read_object(object, problem.written);
    if (!problem.reason.empty()) problem.written = {};
    return problem;
}

} // namespace

std::string teacher_prompt(int count, const std::vector<int>& seeds) {
    const std::string many =
        count == 1 ? "one Countdown problem" : std::to_string(count) + " different Countdown problems";
    return "Write " + many
           + ", each with a worked solution. A problem has 3 or 4 whole numbers from 1 to 99 and a target, "
             "a whole number from 10 to 99. The solution combines all the numbers, each exactly once, with "
             "+, -, *, / and parentheses to reach the target. Use a different one of these numbers in every "
             "problem, and choose the others freely: "
           + joined(seeds)
           + ".\n\nThe worked solution thinks aloud as a person does: it says what is needed, tries a "
             "combination, sees that it fails and goes back, works from the target towards the numbers, and "
             "checks the result. Every calculation in it is right.\n\nReply with JSON alone: a list of "
             "objects, each of the form {\"nums\": [3, 17, 42], \"target\": 28, \"solution\": \"42 - 17 = 25 "
             "is 3 short of 28, and the 3 is still there: 25 + 3 = 28.\", \"equation\": \"42 - 17 + 3\"}. "
             "Choose problems of your own, not this one.";
}

std::vector<ReadProblem> read_problems(std::string_view reply, std::size_t most) {
    if (reply.size() > longest_teacher_reply) return {unreadable(reply, "The reply is longer than 64 KiB.")};
    std::vector<ReadProblem> problems;
    for (std::string_view object : objects_in(reply)) {
        Json value;
        try {
            value = parse_json(object, "The reply");
        } catch (const Error&) {
            problems.push_back(unreadable(object, "What stands between the braces is not JSON."));
            continue;
        }
        const auto list = value.find("problems");
        if (list == value.end() || !list->is_array()) {
            problems.push_back(read_one(value));
            continue;
        }
        for (const Json& one : *list)
            problems.push_back(read_one(one));
    }
    if (problems.empty()) problems.push_back(unreadable(reply, "The reply holds no JSON object."));
    if (problems.size() > most) problems.resize(most);
    return problems;
}

} // namespace tempera
