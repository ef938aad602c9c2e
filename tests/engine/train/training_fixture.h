#pragma once

#include "core/format/safetensors.h"
#include "tests/support/paths.h"

#include <ATen/ATen.h>
#include <cmath>
#include <csignal>
#include <filesystem>
#include <map>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

namespace tempera {

inline const std::filesystem::path golden = std::filesystem::path(source_dir()) / "tests/golden";

inline std::map<std::string, at::Tensor> weights_of(const std::filesystem::path& folder) {
    std::map<std::string, at::Tensor> result;
    SafetensorsReader reader = SafetensorsReader::open(folder);
    for (const StoredTensor& tensor : reader.tensors()) {
        at::Tensor value = at::empty(tensor.shape, at::kFloat);
        reader.read_f32(tensor.name, {value.data_ptr<float>(), static_cast<std::size_t>(value.numel())});
        result[tensor.name] = value;
    }
    return result;
}

inline bool same_weights(const std::filesystem::path& a, const std::filesystem::path& b) {
    auto x = weights_of(a), y = weights_of(b);
    if (x.size() != y.size()) return false;
    for (const auto& [name, value] : x)
        if (!y.contains(name) || !value.equal(y[name])) return false;
    return true;
}

inline double relative(double a, double b) {
    return std::fabs(a - b) / std::max(1e-12, std::fabs(b));
}

/// Starts this test program again with `arguments`.
inline pid_t start_again(const std::string& program, std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), program);
    std::vector<char*> list;
    for (std::string& argument : arguments)
        list.push_back(argument.data());
    list.push_back(nullptr);
    pid_t child = fork();
    if (child == 0) {
        execv(program.c_str(), list.data());
        _exit(127);
    }
    return child;
}

inline int wait_for(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

} // namespace tempera
