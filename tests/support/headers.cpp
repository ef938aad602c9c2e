// Carries the precompiled header that the tests of a folder share: see tests/CMakeLists.txt.
