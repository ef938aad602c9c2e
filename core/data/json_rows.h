#pragma once

#include "core/data/jsonl.h"

namespace tempera {

/// Reads a JSON file that holds a list of objects, or an object with such a list ({"data": [..]}, else the
/// only list of objects in it), object by object: one at a time is in memory.
class JsonReader {
public:
    /// Throws Error(not_found, bad_input, io).
    explicit JsonReader(const std::filesystem::path& path);
    /// nullopt behind the list. An element that cannot be used comes back with its `problem`. Throws
    /// Error(bad_input) where the list itself is broken (cut off, no comma between two elements) or is not
    /// all that the file holds: text behind it, a second list of objects beside it.
    std::optional<JsonRow> next_or_problem();

    RowPosition position() const { return {bytes_.offset(), number_}; }
    void seek(RowPosition position);

private:
    void find_list();
    bool enter_member(const std::string& wanted);
    std::string read_key();
    bool at_list_of_objects();
    void read_rest();
    int skip_space();
    bool read_value();
    void read_string();
    void add(int c);
    [[noreturn]] void refuse(const std::string& what) const;

    ByteReader bytes_;
    std::string value_; ///< the text of the value that was read last
    bool too_long_ = false;
    std::uint64_t list_at_ = 0; ///< behind the list's bracket
    std::string list_key_;      ///< of the object that the list stands in, with its quotes; "" = in none
    std::int64_t number_ = 0;
    bool ended_ = false;
};

/// Whether a file whose name ends in .json holds one object a line instead (as many on the hub do).
bool is_json_lines(const std::filesystem::path& path);

} // namespace tempera
