#pragma once

#include "core/base/json.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace tempera {

/// A recipe or study that ships with the program (resources/recipes/NAME.json).
struct CatalogueEntry {
    std::string name; ///< the file's stem: what `tempera-cli run NAME` takes
    std::string title;
    std::string about;
    std::filesystem::path path;
    Json recipe;                     ///< as it stands in the file
    std::vector<std::string> needed; ///< fields that are left empty for the user: "model", "sft.model" ...
};

/// All of them, by name. Throws Error where one cannot be read.
std::vector<CatalogueEntry> shipped_recipes();
/// Throws Error(not_found) with the nearest name.
CatalogueEntry shipped_recipe(const std::string& name);

/// `name_or_file`: the name of a shipped recipe, or a path (it holds a "/" or ends in ".json"). Relative
/// paths inside a file are seen from the file's own folder. Throws Error(not_found, bad_input).
Json load_recipe(const std::string& name_or_file);

/// Models that go by a name: "tiny" (resources/models/tiny), "smollm2-135m-instruct" and the encoder
/// "minilm-l6" (imported from packages into the cache). A folder of the same name in the current folder does
/// not hide them: "./tiny" means the folder.
const std::vector<std::string>& named_models();

/// What the paper reports, to show beside our own results (resources/paper_values.json). Nothing but what it
/// states.
struct PaperValues {
    std::string source;
    double sft = 0;              ///< Table 2, mean Countdown score after SFT
    double sft_synthetic = 0;    ///< Table 2, with 1600 synthetic examples
    double best_of_n = 0;        ///< Table 2, best-of-N with the verifier
    std::vector<int> n;          ///< Figure 5 draws these N
    int best_n = 0;              ///< Figure 5's best N ...
    double best_temperature = 0; ///< ... and the temperature it lies near
};
PaperValues paper_values();
/// One number of that file by its place, e.g. "table_1.dpo_lora" (win-rates) or "table_2.sft" (mean Countdown
/// scores): what the key "paper" of a study's stage names. None where there is no such number.
std::optional<double> paper_value(const std::string& place);

} // namespace tempera
