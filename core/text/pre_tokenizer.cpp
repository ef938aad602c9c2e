#include "core/text/pre_tokenizer.h"

#include "core/base/error.h"
#include "core/text/char_class.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"

namespace tempera {

namespace {

SplitBehavior behavior_named(const std::string& name, const std::string& source) {
    if (name == "Removed") return SplitBehavior::removed;
    if (name == "Isolated") return SplitBehavior::isolated;
    if (name == "MergedWithPrevious") return SplitBehavior::merged_with_previous;
    if (name == "MergedWithNext") return SplitBehavior::merged_with_next;
    if (name == "Contiguous") return SplitBehavior::contiguous;
    fail(ErrorKind::unsupported,
         source + ": the split behavior " + text_json::quoted(name) + " is not known.");
}

SplitPattern pattern_from(const Json& json, const std::string& source) {
    const Json& pattern = text_json::require(json, "pattern", source);
    if (text_json::find(pattern, "Regex", source))
        return SplitPattern::regex(text_json::string_field(pattern, "Regex", source), source);
    return SplitPattern::literal(text_json::string_field(pattern, "String", source), source);
}

} // namespace

std::vector<TextRange> apply_behavior(const std::vector<TextRange>& ranges, SplitBehavior behavior,
                                      bool invert) {
    std::vector<TextRange> out;
    auto is_match = [&](const TextRange& range) { return range.match != invert; };
    bool previous = false;
    auto merge_or_push = [&](const TextRange& range, bool merge, auto&& extend) {
        if (merge && !out.empty())
            extend(out.back());
        else
            out.push_back(range);
        previous = is_match(range);
    };
    switch (behavior) {
    case SplitBehavior::removed:
        for (const TextRange& range : ranges)
            if (!is_match(range)) out.push_back(range);
        break;
    case SplitBehavior::isolated:
        out = ranges;
        break;
    case SplitBehavior::contiguous:
        for (const TextRange& range : ranges)
            merge_or_push(range, is_match(range) == previous, [&](TextRange& last) { last.end = range.end; });
        break;
    case SplitBehavior::merged_with_previous:
        for (const TextRange& range : ranges)
            merge_or_push(range, is_match(range) && !previous,
                          [&](TextRange& last) { last.end = range.end; });
        break;
    case SplitBehavior::merged_with_next:
        for (auto range = ranges.rbegin(); range != ranges.rend(); ++range)
            merge_or_push(*range, is_match(*range) && !previous,
                          [&](TextRange& last) { last.begin = range->begin; });
        out = {out.rbegin(), out.rend()};
        break;
    }
    return out;
}

PreTokenizer PreTokenizer::from_json(const Json& json, const std::string& source) {
    PreTokenizer result;
    if (!json.is_null()) result.add(json, source);
    return result;
}

void PreTokenizer::add(const Json& json, const std::string& source) {
    std::string type = text_json::type_of(json, source);
    if (type == "Sequence") {
        for (const Json& part : text_json::array_field(json, "pretokenizers", source))
            add(part, source);
        return;
    }
    if (byte_level_)
        fail(ErrorKind::unsupported, source + ": " + text_json::quoted(type)
                                         + " follows ByteLevel, which must be the last pre-tokenizer.");
    constexpr std::size_t most_stages = 64; // each is a level of recursion
    if (stages_.size() == most_stages) fail(ErrorKind::bad_input, source + " has more than 64 steps.");
    if (type == "Split") {
        stages_.push_back(Split{pattern_from(json, source),
                                behavior_named(text_json::string_field(json, "behavior", source), source),
                                text_json::bool_field(json, "invert", source)});
    } else if (type == "Digits") {
        stages_.push_back(Digits{text_json::bool_field(json, "individual_digits", source)});
    } else if (type == "ByteLevel") {
        stages_.push_back(ByteLevel{text_json::bool_field(json, "add_prefix_space", source),
                                    text_json::bool_field(json, "use_regex", true, source)});
        byte_level_ = true;
    } else {
        fail(ErrorKind::unsupported, source + ": the pre-tokenizer " + text_json::quoted(type)
                                         + " is not implemented; Split, Digits, ByteLevel and Sequence are.");
    }
}

void PreTokenizer::run(std::size_t stage, std::string_view text, PieceSink& sink) const {
    if (text.empty()) return;
    if (stage == stages_.size()) return sink.take(text);
    if (auto* split = std::get_if<Split>(&stages_[stage]))
        run_split(*split, stage + 1, text, sink);
    else if (auto* digits = std::get_if<Digits>(&stages_[stage]))
        run_digits(*digits, stage + 1, text, sink);
    else
        run_byte_level(std::get<ByteLevel>(stages_[stage]), stage + 1, text, sink);
}

void PreTokenizer::run_split(const Split& split, std::size_t stage, std::string_view text,
                             PieceSink& sink) const {
    if (split.pattern.covers_everything() && split.behavior == SplitBehavior::isolated) {
        for (std::size_t position = 0; position < text.size();) {
            std::size_t end = split.pattern.match_end(text, position);
            run(stage, text.substr(position, end - position), sink);
            position = end;
        }
        return;
    }
    std::vector<TextRange> found;
    split.pattern.find_all(text, found);
    for (const TextRange& range : apply_behavior(found, split.behavior, split.invert))
        run(stage, text.substr(range.begin, range.end - range.begin), sink);
}

void PreTokenizer::run_digits(const Digits& digits, std::size_t stage, std::string_view text,
                              PieceSink& sink) const {
    const CharClassTable& classes = char_classes();
    std::size_t begin = 0;
    bool in_number = false;
    auto emit_until = [&](std::size_t end) {
        run(stage, text.substr(begin, end - begin), sink);
        begin = end;
    };
    for (std::size_t position = 0; position < text.size();) {
        CodePoint c = code_point_at(text, position);
        bool numeric = classes(c.value) & class_numeric;
        if (numeric != in_number || (numeric && digits.individual)) emit_until(position);
        in_number = numeric;
        position = c.end;
    }
    emit_until(text.size());
}

void PreTokenizer::run_byte_level(const ByteLevel& level, std::size_t stage, std::string_view text,
                                  PieceSink& sink) const {
    std::string prefixed;
    if (level.add_prefix_space && text.front() != ' ') {
        prefixed.reserve(text.size() + 1);
        prefixed += ' ';
        prefixed += text;
        text = prefixed;
    }
    if (!level.use_regex) return run(stage, text, sink);
    for (std::size_t position = 0; position < text.size();) {
        std::size_t end = SplitPattern::gpt2().match_end(text, position);
        run(stage, text.substr(position, end - position), sink);
        position = end;
    }
}

} // namespace tempera
