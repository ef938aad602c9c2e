#include "core/text/grapheme.h"

#include "core/text/utf8.h"

#include <array>
#include <cstdint>
#include <unicode/uchar.h>
#include <vector>

namespace tempera {

namespace {

constexpr std::uint8_t pictographic = 0x80;

/// Grapheme_Cluster_Break of every code point, with `pictographic` for Extended_Pictographic; 256 a block.
class BreakTable {
public:
    BreakTable() {
        for (char32_t block = 0; block < index_.size(); ++block) {
            std::array<std::uint8_t, 256> content;
            for (char32_t low = 0; low < 256; ++low) {
                auto c = static_cast<UChar32>(block * 256 + low);
                auto value =
                    static_cast<std::uint8_t>(u_getIntPropertyValue(c, UCHAR_GRAPHEME_CLUSTER_BREAK));
                if (u_hasBinaryProperty(c, UCHAR_EXTENDED_PICTOGRAPHIC)) value |= pictographic;
                content[low] = value;
            }
            std::size_t known = 0;
            while (known < blocks_.size() && blocks_[known] != content)
                ++known;
            index_[block] = static_cast<std::uint16_t>(known);
            if (known == blocks_.size()) blocks_.push_back(content);
        }
    }
    std::uint8_t operator()(char32_t c) const { return blocks_[index_[c >> 8]][c & 0xFF]; }

private:
    std::array<std::uint16_t, 0x1100> index_{};
    std::vector<std::array<std::uint8_t, 256>> blocks_;
};

bool is_control(int kind) {
    return kind == U_GCB_CONTROL || kind == U_GCB_CR || kind == U_GCB_LF;
}

/// What of the cluster so far decides about its next character.
struct Cluster {
    int last;            ///< Grapheme_Cluster_Break of the last character
    bool picture;        ///< ends in a pictograph and any number of Extend
    bool picture_joined; ///< the same and a ZWJ
    bool odd_indicators; ///< ends in an odd number of regional indicators
};

bool stays_whole(const Cluster& before, int next, bool next_is_picture) {
    int last = before.last;
    if (last == U_GCB_CR) return next == U_GCB_LF;          // GB3
    if (is_control(last) || is_control(next)) return false; // GB4, GB5
    if (last == U_GCB_L)
        if (next == U_GCB_L || next == U_GCB_V || next == U_GCB_LV || next == U_GCB_LVT) return true; // GB6
    if ((last == U_GCB_LV || last == U_GCB_V) && (next == U_GCB_V || next == U_GCB_T)) return true;   // GB7
    if ((last == U_GCB_LVT || last == U_GCB_T) && next == U_GCB_T) return true;                       // GB8
    if (next == U_GCB_EXTEND || next == U_GCB_ZWJ || next == U_GCB_SPACING_MARK) return true; // GB9, GB9a
    if (last == U_GCB_PREPEND) return true;                                                   // GB9b
    if (before.picture_joined && next_is_picture) return true;                                // GB11
    return before.odd_indicators && next == U_GCB_REGIONAL_INDICATOR;                         // GB12, GB13
}

} // namespace

std::size_t grapheme_end(std::string_view text, std::size_t position) {
    static const BreakTable table;
    CodePoint c = code_point_at(text, position);
    std::uint8_t value = table(c.value);
    int kind = value & ~pictographic;
    Cluster cluster{kind, (value & pictographic) != 0, false, kind == U_GCB_REGIONAL_INDICATOR};
    while (c.end < text.size()) {
        CodePoint next = code_point_at(text, c.end);
        value = table(next.value);
        kind = value & ~pictographic;
        bool picture = (value & pictographic) != 0;
        if (!stays_whole(cluster, kind, picture)) break;
        cluster.picture_joined = cluster.picture && kind == U_GCB_ZWJ;
        cluster.picture = picture || (cluster.picture && kind == U_GCB_EXTEND);
        cluster.odd_indicators = kind == U_GCB_REGIONAL_INDICATOR && !cluster.odd_indicators;
        cluster.last = kind;
        c = next;
    }
    return c.end;
}

} // namespace tempera
