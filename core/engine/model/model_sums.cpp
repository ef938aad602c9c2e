#include "core/engine/model/model_sums.h"

#include "core/base/checksum.h"
#include "core/engine/model/decoder_io.h"
#include "core/format/safetensors.h"

#include <vector>

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::string sums_of(const fs::path& folder) {
    std::vector<fs::path> files = SafetensorsReader::open(folder).files();
    for (const char* name : {"config.json", "adapter_config.json", "tokenizer.json", "tokenizer.model",
                             "tokenizer_config.json", "chat_template.jinja"})
        if (fs::exists(folder / name)) files.push_back(folder / name);
    std::string text;
    for (const fs::path& file : files) {
        const FileSum sum = sum_file(file);
        text +=
            file.filename().string() + ":" + std::to_string(sum.bytes) + ":" + std::to_string(sum.crc) + ";";
    }
    return text;
}

} // namespace

std::string model_sums(const fs::path& folder) {
    AdapterChain chain = adapter_chain(folder);
    std::string text;
    for (; !chain.adapters.empty(); chain.adapters.pop_back())
        text += sums_of(chain.adapters.back());
    return text + sums_of(chain.base);
}

} // namespace tempera
