#pragma once

#include "core/base/json.h"

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// Something an instruction demands of its answer that a program can check, in the style of IFEval (Zhou et
/// al. 2023, "Instruction-Following Evaluation for Large Language Models"). As JSON, {"type": NAME, ...}:
///
///  counts, with "at_least", "at_most" or both, or "exactly" (0 .. 100000):
///   words          runs between white space that hold a letter or a digit
///   sentences      runs of text with a letter that end in . ! ? (and closing quotes) before white space or
///                  the end, or at a line's end; an abbreviation's dot counts as an end
///   paragraphs     blocks with a word, separated by blank lines
///   bullets        lines that begin with "- ", "* " or "• " and hold a word
///   numbered       lines that begin with a number and "." or ")", and hold a word
///   capital_words  words of two or more letters, all of them upper case
///   highlights     *texts* or **texts** between asterisks on one line
///   placeholders   [texts] in square brackets on one line
///   include        whole-word occurrences of "text", whatever their case (at_least 1 where nothing is said)
///  flags:
///   avoid          "text" does not occur as a whole word, whatever its case
///   starts_with, ends_with   "text", whatever its case and the white space around, not part of a longer word
///   lower, upper   letters, none of them of the other case
///   no_commas, no_digits
///   quotation      the whole answer is one quotation in double quotes
///   title          a text in <<double angular brackets>> on one line
///   postscript     a line that begins with "P.S.", with text behind it and before it
///   json           the whole answer is a JSON object (a ```json fence around it is allowed) with all "keys"
struct Constraint {
    enum class Kind {
        words,
        sentences,
        paragraphs,
        bullets,
        numbered,
        capital_words,
        highlights,
        placeholders,
        include,
        avoid,
        starts_with,
        ends_with,
        lower,
        upper,
        no_commas,
        no_digits,
        quotation,
        title,
        postscript,
        json
    };
    Kind kind = Kind::words;
    std::int64_t at_least = 0;
    std::int64_t at_most = std::numeric_limits<std::int64_t>::max();
    std::string text;
    std::vector<std::string> keys;
};

/// What the checker says of one completion.
struct ConstraintVerdict {
    double score = 0;   ///< share of the constraints that are met
    bool all = false;   ///< whether every one is
    std::string reason; ///< one sentence: how many are met, and what is wrong with the others
};

/// The list in `facts`["constraints"]. Throws Error(bad_input), naming `place`, where there is none, it is
/// empty, or an entry is not understood.
std::vector<Constraint> constraints_from(const Json& facts, const std::string& place);

/// Never throws for any completion, and takes time linear in its length; bytes that are not UTF-8 count as
/// U+FFFD. An answer without a single word meets nothing: else saying nothing would be the best way to avoid
/// commas.
ConstraintVerdict check_constraints(std::span<const Constraint> constraints, std::string_view completion);

/// The same from the text that stands in PromptRecord::facts, {"constraints": [..]}. Throws Error(bad_input)
/// for the facts, never for the completion.
ConstraintVerdict check_constraints(std::string_view facts_json, std::string_view completion);

} // namespace tempera
