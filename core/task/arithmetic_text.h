#pragma once

#include "core/base/random.h"

#include <string>

namespace tempera {

/// A few lines of calculations for pretraining a tiny base on arithmetic: single operations, sums to fill in,
/// expressions and their value, lists of numbers reduced step by step, numbers taken apart. Numbers are
/// mostly 1..99, results up to 9,999. Nothing of the Countdown task's format occurs: no prompt "3 17 42:31",
/// no think or answer tags. About 150 to 250 characters, all of them digits, + - * / = ( ) , ; : ? space,
/// newline and the letters of a few words.
std::string arithmetic_text(RandomStream& random);

} // namespace tempera
