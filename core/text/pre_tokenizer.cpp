#include "core/text/pre_tokenizer.h"

#include "core/base/error.h"
#include "core/text/char_class.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"

#include <algorithm>

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

std::optional<PreTokenizer::Stage> PreTokenizer::stage_from(const std::string& type, const Json& json,
                                                            const std::string& source) {
    if (type == "Split")
        return Split{pattern_from_json(json, source),
                     behavior_named(text_json::string_field(json, "behavior", source), source),
                     text_json::bool_field(json, "invert", source)};
    if (type == "Digits") return Digits{text_json::bool_field(json, "individual_digits", source)};
    if (type == "ByteLevel")
        return ByteLevel{text_json::bool_field(json, "add_prefix_space", source),
                         text_json::bool_field(json, "use_regex", true, source)};
    if (type == "BertPreTokenizer") return Bert{};
    if (type == "Whitespace") return WhiteSpace{true};
    if (type == "WhitespaceSplit") return WhiteSpace{false};
    if (type == "Punctuation")
        return Punctuation{text_json::find(json, "behavior", source)
                               ? behavior_named(text_json::string_field(json, "behavior", source), source)
                               : SplitBehavior::isolated};
    if (type == "Metaspace")
        return Metaspace{text_json::character_field(json, "replacement", source),
                         text_json::metaspace_scheme(json, source),
                         text_json::bool_field(json, "split", true, source)};
    return std::nullopt;
}

void PreTokenizer::add(const Json& json, const std::string& source) {
    std::string type = text_json::type_of(json, source);
    if (type == "Sequence") {
        for (const Json& part : text_json::array_field(json, "pretokenizers", source))
            add(part, source);
        return;
    }
    std::optional<Stage> stage = stage_from(type, json, source);
    if (!stage)
        fail(ErrorKind::unsupported,
             source + ": the pre-tokenizer " + text_json::quoted(type)
                 + " is not implemented; Split, Digits, Whitespace, WhitespaceSplit, Punctuation, "
                   "BertPreTokenizer, Metaspace, ByteLevel and Sequence are.");
    if (byte_level_)
        fail(ErrorKind::unsupported, source + ": " + text_json::quoted(type)
                                         + " follows ByteLevel, which must be the last pre-tokenizer.");
    constexpr std::size_t most_stages = 64; // each is a level of recursion
    if (stages_.size() == most_stages) fail(ErrorKind::bad_input, source + " has more than 64 steps.");
    byte_level_ = std::holds_alternative<ByteLevel>(*stage);
    stages_.push_back(std::move(*stage));
}

void PreTokenizer::run(std::size_t stage, std::string_view text, bool at_start, PieceSink& sink) const {
    if (text.empty()) return;
    if (stage == stages_.size()) return sink.take(text);
    std::visit([&](const auto& step) { run_stage(step, stage + 1, text, at_start, sink); }, stages_[stage]);
}

void PreTokenizer::run_stage(const Split& split, std::size_t next, std::string_view text, bool at_start,
                             PieceSink& sink) const {
    if (split.pattern.covers_everything() && split.behavior == SplitBehavior::isolated) {
        for (std::size_t position = 0; position < text.size();) {
            std::size_t end = split.pattern.match_end(text, position);
            run(next, text.substr(position, end - position), at_start && position == 0, sink);
            position = end;
        }
        return;
    }
    std::vector<TextRange> found;
    split.pattern.find_all(text, found);
    for (const TextRange& range : apply_behavior(found, split.behavior, split.invert))
        run(next, text.substr(range.begin, range.end - range.begin), at_start && range.begin == 0, sink);
}

void PreTokenizer::run_stage(const Digits& digits, std::size_t next, std::string_view text, bool at_start,
                             PieceSink& sink) const {
    const CharClassTable& classes = char_classes();
    std::size_t begin = 0;
    bool in_number = false;
    auto emit_until = [&](std::size_t end) {
        run(next, text.substr(begin, end - begin), at_start && begin == 0, sink);
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

void PreTokenizer::run_stage(const ByteLevel& level, std::size_t next, std::string_view text, bool at_start,
                             PieceSink& sink) const {
    std::string prefixed;
    if (level.add_prefix_space && text.front() != ' ') {
        prefixed.reserve(text.size() + 1);
        prefixed += ' ';
        prefixed += text;
        text = prefixed;
    }
    if (!level.use_regex) return run(next, text, at_start, sink);
    for (std::size_t position = 0; position < text.size();) {
        std::size_t end = SplitPattern::gpt2().match_end(text, position);
        run(next, text.substr(position, end - position), at_start && position == 0, sink);
        position = end;
    }
}

void PreTokenizer::run_stage(const Bert&, std::size_t next, std::string_view text, bool at_start,
                             PieceSink& sink) const {
    const CharClassTable& classes = char_classes();
    std::size_t begin = 0;
    auto emit = [&](std::size_t from, std::size_t to) {
        run(next, text.substr(from, to - from), at_start && from == 0, sink);
    };
    for (std::size_t position = 0; position < text.size();) {
        CodePoint c = code_point_at(text, position);
        std::uint16_t is = classes(c.value);
        if (is & (class_space | class_punctuation)) {
            emit(begin, position);
            if (!(is & class_space)) emit(position, c.end);
            begin = c.end;
        }
        position = c.end;
    }
    emit(begin, text.size());
}

void PreTokenizer::run_stage(const WhiteSpace& space, std::size_t next, std::string_view text, bool at_start,
                             PieceSink& sink) const {
    const CharClassTable& classes = char_classes();
    constexpr std::uint16_t nothing = 0xffff; // before the first character and behind white space
    std::uint16_t kind = nothing;
    std::size_t begin = 0;
    auto emit_until = [&](std::size_t end) {
        if (kind != nothing) run(next, text.substr(begin, end - begin), at_start && begin == 0, sink);
        begin = end;
    };
    for (std::size_t position = 0; position < text.size();) {
        CodePoint c = code_point_at(text, position);
        std::uint16_t is = classes(c.value);
        std::uint16_t now = is & class_space ? nothing : space.words ? is & class_word : 0;
        if (now != kind) emit_until(position);
        kind = now;
        position = c.end;
    }
    emit_until(text.size());
}

void PreTokenizer::run_stage(const Punctuation& punctuation, std::size_t next, std::string_view text,
                             bool at_start, PieceSink& sink) const {
    const CharClassTable& classes = char_classes();
    std::vector<TextRange> found;
    std::size_t begin = 0;
    for (std::size_t position = 0; position < text.size();) {
        CodePoint c = code_point_at(text, position);
        if (classes(c.value) & class_punctuation) {
            if (begin < position) found.push_back({begin, position, false});
            found.push_back({position, c.end, true});
            begin = c.end;
        }
        position = c.end;
    }
    if (begin < text.size()) found.push_back({begin, text.size(), false});
    for (const TextRange& range : apply_behavior(found, punctuation.behavior, false))
        run(next, text.substr(range.begin, range.end - range.begin), at_start && range.begin == 0, sink);
}

void PreTokenizer::run_stage(const Metaspace& meta, std::size_t next, std::string_view text, bool at_start,
                             PieceSink& sink) const {
    std::string marked;
    marked.reserve(text.size() + text.size() / 2 + meta.mark.size());
    bool has_mark = text.front() == ' ' || text.starts_with(meta.mark);
    bool wants_mark =
        meta.scheme == MetaspaceScheme::always || (meta.scheme == MetaspaceScheme::first && at_start);
    if (wants_mark && !has_mark) marked += meta.mark;
    for (char c : text)
        if (c == ' ')
            marked += meta.mark;
        else
            marked += c;
    std::string_view all = marked;
    if (!meta.split) return run(next, all, at_start, sink);
    for (std::size_t begin = 0; begin < all.size();) { // cut before every mark
        std::size_t end = std::min(all.find(meta.mark, begin + 1), all.size());
        run(next, all.substr(begin, end - begin), at_start && begin == 0, sink);
        begin = end;
    }
}

} // namespace tempera
