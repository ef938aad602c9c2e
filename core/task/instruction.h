#pragma once

#include "core/task/countdown.h"

#include <cstdint>
#include <string>
#include <vector>

namespace tempera {

/// An instruction of the shipped set (resources/instructions.jsonl, made by make_instructions.py beside it)
/// and what a program can check of its answer.
struct Instruction {
    std::string prompt;
    std::string facts; ///< {"constraints": [..]} for check_constraints, JSON text
};

/// At most `count` (0 = all) instructions of a split, shuffled by `seed`; a longer list starts with the
/// shorter one. The splits share no topic. Throws Error(not_found, bad_input, io).
std::vector<Instruction> load_instructions(Split split, std::int64_t count, std::uint64_t seed);

} // namespace tempera
