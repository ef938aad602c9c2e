#include "core/base/error.h"
#include "core/format/gguf_import.h"
#include "core/format/gguf_metadata.h"

#include <unordered_map>

namespace tempera {

namespace {

/// What tokenizer.ggml.pre stands for, in the words of tokenizer.json (llama-vocab.cpp, llm_tokenizer_bpe).
struct PreTokenizer {
    Json normalizer;
    Json pre_tokenizer;
    bool ignore_merges = false;
    bool adds_bos = false; ///< where tokenizer.ggml.add_bos_token does not say
};

Json byte_level(bool use_regex) {
    return {
        {"type", "ByteLevel"}, {"add_prefix_space", false}, {"trim_offsets", true}, {"use_regex", use_regex}};
}

Json split_then_bytes(const char* regex) {
    Json split = {
        {"type", "Split"}, {"pattern", {{"Regex", regex}}}, {"behavior", "Isolated"}, {"invert", false}};
    return {{"type", "Sequence"}, {"pretokenizers", {split, byte_level(false)}}};
}

PreTokenizer pre_tokenizer_of(const GgufMetadata& metadata, const std::string& name) {
    if (name == "gpt-2") return {nullptr, byte_level(true)};
    // Every digit is a word of its own before the GPT-2 regex sees the text.
    if (name == "smollm") {
        Json digits = {{"type", "Digits"}, {"individual_digits", true}};
        return {nullptr, {{"type", "Sequence"}, {"pretokenizers", {digits, byte_level(true)}}}};
    }
    if (name == "qwen2")
        return {
            {{"type", "NFC"}},
            split_then_bytes(
                R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)")};
    if (name == "llama-bpe")
        return {
            nullptr,
            split_then_bytes(
                R"((?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+)"),
            true, true};
    metadata.refuse_unsupported(
        "the pre-tokenizer \"" + name.substr(0, 60)
        + "\" (tokenizer.ggml.pre) is not supported; smollm, qwen2, llama-bpe and gpt-2 are");
}

enum class TokenType : std::int64_t {
    normal = 1,
    unknown = 2,
    control = 3,
    user_defined = 4,
    unused = 5,
    byte = 6
};

/// The vocabulary of the file, checked.
struct Vocabulary {
    std::vector<std::string_view> tokens; ///< by id; empty where there is none
    std::vector<TokenType> types;
    std::unordered_map<std::string_view, std::int64_t> ids;

    bool has(std::int64_t id) const {
        return id >= 0 && id < static_cast<std::int64_t>(tokens.size())
               && types[static_cast<std::size_t>(id)] != TokenType::unused;
    }
};

Vocabulary read_vocabulary(const GgufMetadata& metadata) {
    const GgufValue& tokens = metadata.array("tokenizer.ggml.tokens", GgufType::string);
    const GgufValue& types = metadata.array("tokenizer.ggml.token_type", GgufType::i32);
    if (tokens.count() == 0 || tokens.count() > 1u << 22 || types.count() != tokens.count())
        metadata.refuse("tokenizer.ggml.tokens has " + std::to_string(tokens.count())
                        + " entries, tokenizer.ggml.token_type " + std::to_string(types.count()));
    Vocabulary vocabulary;
    for (std::size_t id = 0; id < tokens.count(); ++id) {
        std::string_view token = *tokens.text(id);
        std::int64_t number = *types.integer(id);
        if (number < 1 || number > 6)
            metadata.refuse("token " + std::to_string(id) + " has the unknown type "
                            + std::to_string(number));
        auto type = static_cast<TokenType>(number);
        if (type == TokenType::byte)
            metadata.refuse_unsupported("token " + std::to_string(id)
                                        + " is of the byte type, which byte-level BPE has no use for");
        vocabulary.tokens.push_back(token);
        vocabulary.types.push_back(type);
        if (type == TokenType::unused) continue; // fills the embedding up; no text makes it
        if (token.empty()) metadata.refuse("token " + std::to_string(id) + " is empty");
        if (!vocabulary.ids.emplace(token, static_cast<std::int64_t>(id)).second)
            metadata.refuse("the token " + in_quotes(token) + " stands twice in tokenizer.ggml.tokens");
    }
    return vocabulary;
}

std::string json_text(const GgufMetadata& metadata, std::string_view text) {
    try {
        return Json(text).dump();
    } catch (const Json::exception&) {
        metadata.refuse("the token " + in_quotes(text) + " is not valid UTF-8");
    }
}

std::string merges_json(const GgufMetadata& metadata, const Vocabulary& vocabulary) {
    const GgufValue& merges = metadata.array("tokenizer.ggml.merges", GgufType::string);
    std::string json = "[";
    std::string joined;
    for (std::size_t i = 0; i < merges.count(); ++i) {
        std::string_view merge = *merges.text(i);
        std::size_t space = merge.find(' ', 1);
        bool pair = merge.size() >= 3 && space != std::string_view::npos && space + 1 < merge.size()
                    && merge.find(' ', space + 1) == std::string_view::npos;
        std::string_view left = merge.substr(0, pair ? space : 0), right = merge.substr(pair ? space + 1 : 0);
        joined = std::string(left).append(right);
        if (!pair || !vocabulary.ids.contains(left) || !vocabulary.ids.contains(right)
            || !vocabulary.ids.contains(joined))
            metadata.refuse("merge " + std::to_string(i) + " (" + in_quotes(merge)
                            + ") does not join two tokens to a third");
        json += (i ? ",[" : "[") + json_text(metadata, left) + "," + json_text(metadata, right) + "]";
    }
    return json + "]";
}

Json added_token(std::int64_t id, std::string_view content, bool special) {
    return {{"id", id},        {"content", content},  {"single_word", false}, {"lstrip", false},
            {"rstrip", false}, {"normalized", false}, {"special", special}};
}

/// Control tokens are special; user-defined ones are matched in the text as well, but are part of it.
Json added_tokens(const Vocabulary& vocabulary) {
    Json list = Json::array();
    for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
        TokenType type = vocabulary.types[id];
        if (type == TokenType::control || type == TokenType::unknown || type == TokenType::user_defined)
            list.push_back(added_token(static_cast<std::int64_t>(id), vocabulary.tokens[id],
                                       type != TokenType::user_defined));
    }
    return list;
}

/// Name -> id of bos, eos, unk and pad, as far as the file names them and they exist.
std::map<std::string, std::int64_t> named_tokens(const GgufMetadata& metadata, const Vocabulary& vocabulary) {
    std::map<std::string, std::int64_t> named;
    for (auto [name, key] : {std::pair("bos_token", "bos"),
                             {"eos_token", "eos"},
                             {"unk_token", "unknown"},
                             {"pad_token", "padding"}}) {
        auto id = metadata.find_integer("tokenizer.ggml." + std::string(key) + "_token_id", 0, UINT32_MAX);
        if (id && vocabulary.has(*id)) named[name] = *id;
    }
    return named;
}

Json post_processor(const GgufMetadata& metadata, const Vocabulary& vocabulary,
                    const std::map<std::string, std::int64_t>& named, bool adds_bos_by_default) {
    Json bytes = {
        {"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", false}, {"use_regex", true}};
    bool bos = metadata.find_flag("tokenizer.ggml.add_bos_token").value_or(adds_bos_by_default);
    bool eos = metadata.find_flag("tokenizer.ggml.add_eos_token").value_or(false);
    if (!bos && !eos) return bytes;
    Json single = Json::array(), pair = Json::array(), used = Json::object();
    auto add_token = [&](const char* name) {
        if (!named.contains(name))
            metadata.refuse("it adds a " + std::string(name) + " to every text, but names none");
        std::int64_t id = named.at(name);
        std::string token(vocabulary.tokens[static_cast<std::size_t>(id)]);
        used[token] = {{"id", token}, {"ids", {id}}, {"tokens", {token}}};
        for (Json* list : {&single, &pair})
            list->push_back({{"SpecialToken", {{"id", token}, {"type_id", 0}}}});
    };
    if (bos) add_token("bos_token");
    single.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    pair.push_back({{"Sequence", {{"id", "A"}, {"type_id", 0}}}});
    pair.push_back({{"Sequence", {{"id", "B"}, {"type_id", 1}}}});
    if (eos) add_token("eos_token");
    Json processor = {
        {"type", "TemplateProcessing"}, {"single", single}, {"pair", pair}, {"special_tokens", used}};
    return {{"type", "Sequence"}, {"processors", {bytes, processor}}};
}

std::string tokenizer_json(const GgufMetadata& metadata, const Vocabulary& vocabulary,
                           const PreTokenizer& pre, const Json& added, const Json& processor) {
    std::string vocab = "{";
    for (std::size_t id = 0; id < vocabulary.tokens.size(); ++id) {
        if (vocabulary.types[id] == TokenType::unused) continue;
        vocab += (vocab.size() > 1 ? ",\n" : "\n") + json_text(metadata, vocabulary.tokens[id]) + ":"
                 + std::to_string(id);
    }
    Json decoder = {
        {"type", "ByteLevel"}, {"add_prefix_space", true}, {"trim_offsets", true}, {"use_regex", true}};
    return "{\n\"version\":\"1.0\",\n\"truncation\":null,\n\"padding\":null,\n\"added_tokens\":"
           + added.dump() + ",\n\"normalizer\":" + pre.normalizer.dump()
           + ",\n\"pre_tokenizer\":" + pre.pre_tokenizer.dump() + ",\n\"post_processor\":" + processor.dump()
           + ",\n\"decoder\":" + decoder.dump()
           + ",\n\"model\":{\"type\":\"BPE\",\"dropout\":null,\"unk_token\":null,\"continuing_subword_"
             "prefix\":null,"
             "\"end_of_word_suffix\":null,\"fuse_unk\":false,\"byte_fallback\":false,\"ignore_merges\":"
           + (pre.ignore_merges ? "true" : "false") + ",\n\"vocab\":" + vocab
           + "\n},\n\"merges\":" + merges_json(metadata, vocabulary) + "}\n}\n";
}

Json generation_config(const GgufMetadata& metadata, const Vocabulary& vocabulary,
                       const std::map<std::string, std::int64_t>& named) {
    Json config = Json::object();
    if (named.contains("bos_token")) config["bos_token_id"] = named.at("bos_token");
    if (named.contains("pad_token")) config["pad_token_id"] = named.at("pad_token");
    Json ends = Json::array(); // an instruction model may end its turn with another token than a text
    for (const char* key : {"eos", "eot", "eom"}) {
        auto id = metadata.find_integer("tokenizer.ggml." + std::string(key) + "_token_id", 0, UINT32_MAX);
        if (id && vocabulary.has(*id) && std::find(ends.begin(), ends.end(), *id) == ends.end())
            ends.push_back(*id);
    }
    if (!ends.empty()) config["eos_token_id"] = ends.size() == 1 ? ends.front() : ends;
    return config;
}

} // namespace

GgufTokenizer tokenizer_from_gguf(const GgufReader& gguf) {
    GgufMetadata metadata(gguf);
    std::string model = metadata.text("tokenizer.ggml.model");
    if (model != "gpt2")
        metadata.refuse_unsupported("the tokenizer model \"" + model.substr(0, 60)
                                    + "\" is not supported; byte-level BPE (\"gpt2\") is");
    PreTokenizer pre =
        pre_tokenizer_of(metadata, metadata.find_text("tokenizer.ggml.pre").value_or("(none)"));
    Vocabulary vocabulary = read_vocabulary(metadata);
    auto named = named_tokens(metadata, vocabulary);
    GgufTokenizer files;
    try {
        Json added = added_tokens(vocabulary);
        files.tokenizer_json = tokenizer_json(metadata, vocabulary, pre, added,
                                              post_processor(metadata, vocabulary, named, pre.adds_bos));
        Json& config = files.tokenizer_config;
        // The generic class: the ones named after a model build a pre-tokenizer of their own and ignore the
        // file's.
        config = {
            {"tokenizer_class", "PreTrainedTokenizerFast"},
            {"clean_up_tokenization_spaces", false},
            {"add_prefix_space", false},
            {"model_max_length", metadata.integer(metadata.text("general.architecture") + ".context_length",
                                                  1, std::int64_t{1} << 31)}};
        for (const auto& [name, id] : named)
            config[name] = files.special_tokens_map[name] = vocabulary.tokens[static_cast<std::size_t>(id)];
        for (const Json& token : added) {
            Json entry = token;
            entry.erase("id");
            config["added_tokens_decoder"][std::to_string(token["id"].get<std::int64_t>())] = entry;
        }
        if (auto text = metadata.find_text("tokenizer.chat_template")) config["chat_template"] = *text;
        files.generation_config = generation_config(metadata, vocabulary, named);
        config.dump(); // throws for text that is not UTF-8
    } catch (const Json::exception&) {
        metadata.refuse("its chat template or a special token is not valid UTF-8");
    }
    return files;
}

} // namespace tempera
