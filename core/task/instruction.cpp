#include "core/task/instruction.h"

#include "core/base/random.h"
#include "core/base/resources.h"
#include "core/data/jsonl.h"
#include "core/task/constraints.h"

namespace tempera {

namespace {

constexpr std::uint64_t order_stream =
    0x696e737472756374; // "instruct": apart from every other use of the seed

} // namespace

std::vector<Instruction> load_instructions(Split split, std::int64_t count, std::uint64_t seed) {
    JsonlReader reader(resource_folder() / "instructions.jsonl");
    std::vector<Instruction> all;
    while (auto row = reader.next()) {
        if (split_from(row->text({"split"}, false)) != split) continue;
        constraints_from(row->value, row->place());
        all.push_back(
            {row->text({"prompt"}, false), to_json_line({{"constraints", row->value["constraints"]}})});
    }
    RandomStream random(seed, order_stream);
    std::vector<Instruction> chosen;
    for (std::int64_t index : shuffled_indices(static_cast<std::int64_t>(all.size()), random)) {
        if (count > 0 && chosen.size() == static_cast<std::size_t>(count)) break;
        chosen.push_back(std::move(all[static_cast<std::size_t>(index)]));
    }
    return chosen;
}

} // namespace tempera
