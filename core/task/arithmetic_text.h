#pragma once

#include "core/base/random.h"

#include <string>

namespace tempera {

/// A few lines of calculations for pretraining a tiny base on arithmetic:
///   57+36=93                       one operation (or "93=57+36")
///   92+36-77-9=42                  an expression and its value
///   92 36 77 9 for 42: 42+9=51 (92 36 77), 51+77=128 (92 36), 92+36=128. 42=92+36-77-9
///                                  a value taken apart into numbers, with what is left to do after each step
/// It holds nothing of the Countdown task's format (no prompt, no tags), and its numbers-and-value pairs are
/// of the train split alone (see split_of). 180 to 280 characters: digits, + - * / = ( ) , . : space, newline
/// and "for".
std::string arithmetic_text(RandomStream& random);

} // namespace tempera
