#pragma once

#include "core/task/countdown.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// A Countdown problem with a worked solution, as a teacher wrote it.
struct WrittenProblem {
    CountdownProblem problem;
    std::string solution; ///< the worked solution, in words and steps; valid UTF-8
    std::string equation; ///< "(17 - 3) * 3"
};

/// One problem of a teacher's reply, or why it is none.
struct ReadProblem {
    WrittenProblem written;
    std::string raw;    ///< the object as it came, at most 2,000 bytes
    std::string reason; ///< one sentence; "" where it could be read
};

/// The longest reply that is read.
inline constexpr std::size_t longest_teacher_reply = 64u << 10;

/// What a teacher is asked: `count` problems, each with its worked solution, as JSON. `seeds` are numbers of
/// which every problem is to use one, so that requests do not bring the same problems.
std::string teacher_prompt(int count, const std::vector<int>& seeds);

/// The problems in a reply, at most `most`: every JSON object {"nums": [3 or 4 whole numbers from 1 to 99],
/// "target": a whole number from 10 to 99, "solution": "..", "equation": ".."}, alone, in a list or under
/// {"problems": [..]}, whatever prose stands around; behind the last whole object a reply may be cut. Without
/// any there is one entry that says so. Never throws, linear in the length of the reply.
std::vector<ReadProblem> read_problems(std::string_view reply, std::size_t most);

} // namespace tempera
