#include "core/text/sentencepiece.h"

#include "core/base/error.h"
#include "core/text/json_fields.h"
#include "core/text/utf8.h"

#include <bit>
#include <unordered_set>

namespace tempera {

namespace {

/// The fields of one protobuf message, in order.
class ProtoReader {
public:
    ProtoReader(std::string_view bytes, const std::string& source) : rest_(bytes), source_(source) {}

    std::uint64_t field = 0;  ///< its number
    std::uint64_t number = 0; ///< of a varint or fixed field
    std::string_view bytes;   ///< of a field with a length
    bool has_bytes = false;

    bool next() {
        if (rest_.empty()) return false;
        std::uint64_t tag = varint();
        field = tag >> 3;
        has_bytes = false;
        switch (tag & 7) {
        case 0:
            number = varint();
            break;
        case 1:
            number = fixed(8);
            break;
        case 2:
            has_bytes = true;
            bytes = take(varint());
            break;
        case 5:
            number = fixed(4);
            break;
        default:
            broken();
        }
        if (field == 0) broken();
        return true;
    }
    /// Refuses a field of another kind than its number says.
    void expect_bytes(bool wanted) const {
        if (has_bytes != wanted) broken();
    }

private:
    [[noreturn]] void broken() const {
        fail(ErrorKind::bad_input, source_ + " is damaged, or no SentencePiece model.");
    }
    std::string_view take(std::uint64_t length) {
        if (length > rest_.size()) broken();
        std::string_view out = rest_.substr(0, static_cast<std::size_t>(length));
        rest_.remove_prefix(out.size());
        return out;
    }
    std::uint64_t varint() {
        std::uint64_t value = 0;
        for (int shift = 0; shift < 64; shift += 7) {
            auto byte = static_cast<unsigned char>(take(1)[0]);
            value |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
            if (byte < 0x80) return value;
        }
        broken();
    }
    std::uint64_t fixed(std::size_t length) {
        std::uint64_t value = 0;
        std::string_view from = take(length);
        for (std::size_t i = 0; i < length; ++i)
            value |= static_cast<std::uint64_t>(static_cast<unsigned char>(from[i])) << (8 * i);
        return value;
    }

    std::string_view rest_;
    const std::string& source_;
};

SentencePieceModel::Piece parse_piece(std::string_view bytes, const std::string& source) {
    SentencePieceModel::Piece piece;
    for (ProtoReader reader(bytes, source); reader.next();) {
        if (reader.field > 3) continue;
        reader.expect_bytes(reader.field == 1);
        if (reader.field == 1)
            piece.text = reader.bytes;
        else if (reader.field == 2)
            piece.score = std::bit_cast<float>(static_cast<std::uint32_t>(reader.number));
        else if (reader.number >= 1 && reader.number <= 6)
            piece.type = static_cast<SentencePieceModel::Type>(reader.number);
        else
            fail(ErrorKind::bad_input, source + ": a piece has the type " + std::to_string(reader.number)
                                           + ", which is not known.");
    }
    return piece;
}

void parse_trainer(std::string_view bytes, SentencePieceModel& model, const std::string& source) {
    static const char* const names[] = {"", "Unigram", "BPE", "WORD", "CHAR"};
    for (ProtoReader reader(bytes, source); reader.next();) {
        if (reader.field != 3 && reader.field != 24 && reader.field != 35) continue;
        reader.expect_bytes(false);
        if (reader.field == 24) model.rules.whitespace_as_suffix = reader.number != 0;
        if (reader.field == 35) model.byte_fallback = reader.number != 0;
        if (reader.field == 3 && reader.number != 1)
            fail(ErrorKind::unsupported,
                 source + ": the SentencePiece model "
                     + (reader.number < 5 && reader.number > 0 ? names[reader.number]
                                                               : std::to_string(reader.number))
                     + " is not implemented; Unigram is. A tokenizer.json beside it would be read instead.");
    }
}

void parse_normalizer(std::string_view bytes, SentencePieceRules& rules, const std::string& source) {
    for (ProtoReader reader(bytes, source); reader.next();) {
        if (reader.field < 2 || reader.field > 5) continue;
        reader.expect_bytes(reader.field == 2);
        if (reader.field == 2 && !reader.bytes.empty())
            rules.charsmap =
                std::make_shared<const Charsmap>(Charsmap::from_bytes(reader.bytes, source + ": charsmap"));
        if (reader.field == 3) rules.add_dummy_prefix = reader.number != 0;
        if (reader.field == 4) rules.remove_extra_whitespaces = reader.number != 0;
        if (reader.field == 5) rules.escape_whitespaces = reader.number != 0;
    }
}

void check_pieces(const SentencePieceModel& model, const std::string& source) {
    std::unordered_set<std::string_view> normal, reserved;
    int unknown = 0;
    for (const SentencePieceModel::Piece& piece : model.pieces) {
        using Type = SentencePieceModel::Type;
        if (piece.text.empty() || !is_valid_utf8(piece.text))
            fail(ErrorKind::bad_input, source + ": a piece is empty or not UTF-8.");
        if (!(piece.score >= -1e30f && piece.score <= 1e30f))
            fail(ErrorKind::bad_input,
                 source + ": the score of " + text_json::quoted(piece.text) + " is not a number.");
        bool is_normal =
            piece.type == Type::normal || piece.type == Type::user_defined || piece.type == Type::unused;
        if (!(is_normal ? normal : reserved).insert(piece.text).second)
            fail(ErrorKind::bad_input,
                 source + ": the piece " + text_json::quoted(piece.text) + " stands twice.");
        if (piece.text.size() > ByteTrie::longest_text)
            fail(ErrorKind::bad_input,
                 source + ": the piece " + text_json::quoted(piece.text) + " is longer than 1024 bytes.");
        unknown += piece.type == Type::unknown;
    }
    if (unknown != 1)
        fail(ErrorKind::bad_input, source + " must have one unknown piece, but has " + std::to_string(unknown)
                                       + " (it may be no SentencePiece model).");
}

} // namespace

SentencePieceModel parse_sentencepiece(std::string_view bytes, const std::string& source) {
    SentencePieceModel model;
    for (ProtoReader reader(bytes, source); reader.next();) {
        if (reader.field < 1 || reader.field > 3) continue;
        reader.expect_bytes(true);
        if (reader.field == 2) parse_trainer(reader.bytes, model, source);
        if (reader.field == 3) parse_normalizer(reader.bytes, model.rules, source);
        if (reader.field != 1) continue;
        model.pieces.push_back(parse_piece(reader.bytes, source));
        if (model.pieces.size() > static_cast<std::size_t>(text_json::largest_token_id))
            fail(ErrorKind::bad_input,
                 source + " has more than " + std::to_string(text_json::largest_token_id) + " pieces.");
    }
    check_pieces(model, source);
    for (const SentencePieceModel::Piece& piece : model.pieces)
        if (piece.type == SentencePieceModel::Type::user_defined) model.rules.untouched.insert(piece.text, 0);
    return model;
}

} // namespace tempera
