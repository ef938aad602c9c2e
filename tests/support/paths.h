#pragma once

#include <string>

/// The checkout and the folder of its programs. Defined in an object of their own: the object of a test is
/// then the same in every clone, and a compiler cache serves it.
std::string source_dir();
std::string binary_dir();
