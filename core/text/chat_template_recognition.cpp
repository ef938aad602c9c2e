// Which family a Jinja chat template belongs to. Nothing is run: the template is brought into one spelling,
// and that must be one of the known texts. So a template is never taken for a family it only resembles.

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/text/chat_template.h"
#include "core/text/json_fields.h"

#include <algorithm>
#include <cstring>

namespace tempera {

namespace {

constexpr std::size_t most_template_bytes = 1u << 20;

// A string cannot be mistaken for several: its own quotes are spelled otherwise.
constexpr char quote_in_string = '\x01';

// FNV-1a of the spelled texts of published templates.
constexpr std::uint64_t qwen2_5 = 0x9374e89cf4a13dfaull, llama_3 = 0xd211c890bf274fccull,
                        llama_3_1 = 0x5321688b21ace43dull, llama_3_2 = 0x8f396e485e23968eull,
                        gemma_1 = 0xaf83ebd059a3793ull, gemma_3 = 0x3e1a103513e028e7ull;

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
        text.replace(at, from.size(), to);
}

/// Brings templates that mean the same into one spelling: no comments, no white space between words, strings
/// in single quotes with their escapes undone and joined where they stand side by side, m.role for m['role'],
/// text outside of tags as an output of a string. White space around tags follows transformers' settings of
/// Jinja: trim_blocks, lstrip_blocks.
class Speller {
public:
    explicit Speller(std::string_view text) : text_(text) {
        if (text_.ends_with('\n')) text_.remove_suffix(1); // Jinja's keep_trailing_newline = False
    }

    std::string spell() {
        while (position_ < text_.size()) {
            std::size_t tag = text_.find('{', position_);
            while (tag != std::string_view::npos && tag + 1 < text_.size()
                   && !std::strchr("{%#", text_[tag + 1]))
                tag = text_.find('{', tag + 1);
            if (tag == std::string_view::npos || tag + 1 >= text_.size()) tag = text_.size();
            put_outside_text(tag);
            if (tag < text_.size()) put_tag(tag);
        }
        for (auto [from, to] :
             {std::pair("['role']", ".role"), {"['content']", ".content"}, {"'+'", ""}, {"'}}{{'", ""}})
            replace_all(out_, from, to);
        return std::move(out_);
    }

private:
    static bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

    void put_outside_text(std::size_t tag) {
        std::string_view outside = text_.substr(position_, tag - position_);
        bool at_end = tag >= text_.size();
        if (strip_next_)
            while (!outside.empty() && is_space(outside.front()))
                outside.remove_prefix(1);
        else if (after_block_ && outside.starts_with('\n'))
            outside.remove_prefix(1);
        if (!at_end && tag + 2 < text_.size() && text_[tag + 2] == '-')
            while (!outside.empty() && is_space(outside.back()))
                outside.remove_suffix(1);
        else if (!at_end && text_[tag + 1] != '{') { // lstrip_blocks
            std::size_t kept = outside.find_last_not_of(" \t");
            if (kept != std::string_view::npos && outside[kept] == '\n')
                outside = outside.substr(0, kept + 1);
            if (kept == std::string_view::npos
                && (position_ == 0 || text_[position_ - 1] == '\n' || after_block_))
                outside = {};
        }
        if (!outside.empty()) out_.append("{{'").append(outside).append("'}}");
        position_ = tag;
    }

    void put_tag(std::size_t tag) {
        char kind = text_[tag + 1];
        position_ = tag + 2;
        if (position_ < text_.size() && text_[position_] == '-') ++position_;
        const char close[] = {kind == '{' ? '}' : kind, '}', 0};
        std::string inside;
        while (position_ < text_.size() && text_.substr(position_, 2) != close) {
            char c = text_[position_];
            if (kind == '#')
                ++position_;
            else if (c == '\'' || c == '"')
                put_string(inside);
            else if (++position_; !is_space(c))
                inside += c;
        }
        strip_next_ = position_ > tag + 2 && position_ <= text_.size() && text_[position_ - 1] == '-';
        position_ = std::min(position_ + 2, text_.size());
        after_block_ = kind != '{';
        if (kind == '#') return;
        if (strip_next_ && inside.ends_with('-')) inside.pop_back();
        out_ += '{';
        out_.append(1, kind).append(inside).append(close);
    }

    void put_string(std::string& inside) {
        char quote = text_[position_++];
        inside += '\'';
        while (position_ < text_.size() && text_[position_] != quote) {
            char c = text_[position_++];
            if (c == '\\' && position_ < text_.size()) {
                c = text_[position_++];
                if (c == 'n') c = '\n';
                if (c == 't') c = '\t';
            }
            inside += c == '\'' ? quote_in_string : c;
        }
        if (position_ < text_.size()) ++position_;
        inside += '\'';
    }

    std::string_view text_;
    std::size_t position_ = 0;
    std::string out_;
    bool strip_next_ = false;
    bool after_block_ = false;
};

/// Takes the default system message out of a spelled ChatML template and leaves "@" in its place.
std::string take_default_system(std::string& spelled) {
    const std::string begin = "'<|im_start|>system\n", end = "<|im_end|>\n'";
    std::size_t at = spelled.find(begin), to = std::string::npos;
    for (; at != std::string::npos; at = spelled.find(begin, at + 1)) {
        to = spelled.find(end, at + begin.size());
        std::size_t quote = spelled.find('\'', at + 1);
        if (to != std::string::npos && quote == to + end.size() - 1 && to > at + begin.size()) break;
    }
    if (at == std::string::npos) return "";
    std::string message = spelled.substr(at + begin.size(), to - at - begin.size());
    replace_all(spelled, begin + message + end, begin + "@" + end);
    replace_all(spelled, "'" + message + "'", "'@'");
    std::replace(message.begin(), message.end(), quote_in_string, '\'');
    return message;
}

/// Templates of plain ChatML: a loop over the messages, with the default system message before or in it, or
/// none.
bool is_simple_chatml(std::string spelled) {
    const std::string turn = "{{'<|im_start|>'+message.role+'\n'+message.content+'<|im_end|>\n'}}";
    const std::string system = "{{'<|im_start|>system\n@<|im_end|>\n'}}";
    const std::string loop = "{%formessageinmessages%}", end = "{%endfor%}";
    const std::string answer = "{%ifadd_generation_prompt%}{{'<|im_start|>assistant\n'}}{%endif%}";
    const std::string unset =
        "{%ifnotadd_generation_promptisdefined%}{%setadd_generation_prompt=false%}{%endif%}";
    if (spelled.starts_with(unset)) spelled.erase(0, unset.size());
    return spelled == loop + turn + end + answer
           || spelled
                  == "{%ifmessages[0].role!='system'%}" + system + "{%endif%}" + loop + turn + end + answer
           || spelled
                  == loop + "{%ifloop.firstandmessages[0].role!='system'%}" + system + "{%endif%}" + turn
                         + end + answer;
}

std::uint64_t fnv1a(std::string_view text) {
    std::uint64_t hash = 0xcbf29ce484222325ull;
    for (char c : text)
        hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3ull;
    return hash;
}

/// "chat_template" of a tokenizer_config.json: a text, or a list of named ones; empty where there is none.
std::string template_in_config(const Json& config, const std::string& source) {
    const Json* value = text_json::find(config, "chat_template", source);
    if (!value) return "";
    if (value->is_string()) return value->get<std::string>();
    if (!value->is_array())
        fail(ErrorKind::bad_input, source + ": \"chat_template\" must be a text or a list of them.");
    for (const Json& item : *value)
        if (text_json::string_field(item, "name", source) == "default")
            return text_json::string_field(item, "template", source);
    fail(ErrorKind::unsupported,
         source
             + ": none of its chat templates is called \"default\"; choose chatml, llama-3, gemma or plain.");
}

std::string bos_in_config(const Json& config) {
    if (!config.is_object() || !config.contains("bos_token")) return "";
    const Json& value = config["bos_token"];
    if (value.is_string()) return value.get<std::string>();
    return value.is_object() && value.contains("content") && value["content"].is_string()
               ? value["content"].get<std::string>()
               : "";
}

} // namespace

ChatTemplate ChatTemplate::recognise(const std::string& text, const std::string& bos_token,
                                     const std::string& source) {
    if (text.size() > most_template_bytes)
        fail(ErrorKind::bad_input, source + " has a chat template of over 1 MiB.");
    std::string spelled = Speller(text).spell();
    ChatTemplate result;
    result.bos_ = bos_token;
    result.default_system_ = take_default_system(spelled);
    std::uint64_t hash = fnv1a(spelled);
    if (is_simple_chatml(spelled) || hash == qwen2_5) {
        result.style_ = ChatStyle::chatml;
    } else if (hash == llama_3 || hash == llama_3_1 || hash == llama_3_2) {
        result.style_ = ChatStyle::llama3;
        result.system_date_ = hash == llama_3     ? SystemDate::none
                              : hash == llama_3_1 ? SystemDate::fixed
                                                  : SystemDate::today;
    } else if (hash == gemma_1 || hash == gemma_3) {
        result.style_ = ChatStyle::gemma;
        result.system_in_first_turn_ = hash == gemma_3;
    } else {
        fail(ErrorKind::unsupported,
             source
                 + ": the chat template is none that Tempera knows; choose chatml, llama-3, gemma or plain.");
    }
    return result;
}

ChatTemplate ChatTemplate::load(const std::filesystem::path& folder) {
    std::filesystem::path config_file = folder / "tokenizer_config.json",
                          template_file = folder / "chat_template.jinja";
    std::error_code ignored;
    Json config = Json::object();
    if (std::filesystem::exists(config_file, ignored)) config = read_json_file(config_file, 64u << 20);
    bool in_file = std::filesystem::exists(template_file, ignored);
    std::string source = (in_file ? template_file : config_file).string();
    std::string text =
        in_file ? read_file(template_file, most_template_bytes) : template_in_config(config, source);
    if (text.empty()) return named("plain");
    return recognise(text, bos_in_config(config), source);
}

} // namespace tempera
