#include "core/engine/train/machine.h"

#include "core/base/error.h"

#include <ATen/Parallel.h>
#include <algorithm>
#include <dlfcn.h>
#include <fstream>
#include <malloc.h>
#include <thread>

namespace tempera {

namespace {

double status_gib(const std::string& key) {
    std::ifstream status("/proc/self/status");
    std::string word;
    while (status >> word)
        if (word == key) {
            double kib = 0;
            status >> kib;
            return kib / (1024.0 * 1024.0);
        }
    return 0;
}

} // namespace

int prepare_threads(int threads) {
    if (threads <= 0) threads = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
    at::set_num_threads(threads);
    // Activations of some MiB come and go hundreds of times a step. By default each is a fresh mapping that
    // the kernel has to clear page by page, which costs more than the element-wise kernels themselves.
    mallopt(M_MMAP_THRESHOLD, 32 << 20); // the largest value glibc takes
    mallopt(M_TRIM_THRESHOLD, 512 << 20);
    return threads;
}

at::Device select_device(const std::string& name) {
    if (name == "cpu") return at::kCPU;
    if (name != "cuda") fail(ErrorKind::bad_input, "Unknown device \"" + name + "\": choose cpu or cuda.");
    if (!dlopen("libcuda.so.1", RTLD_LAZY | RTLD_GLOBAL))
        fail(ErrorKind::unsupported, "The recipe asks for device cuda, but there is no NVIDIA driver here "
                                     "(libcuda.so.1); set device to cpu.");
    if (!dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL))
        fail(ErrorKind::unsupported, "The recipe asks for device cuda, but this build of Torch has none "
                                     "(libtorch_cuda.so); choose a CUDA build "
                                     "with TEMPERA_TORCH_DIR, or set device to cpu.");
    if (!at::hasCUDA()) fail(ErrorKind::unsupported, "Torch finds no usable CUDA device; set device to cpu.");
    return at::Device(at::kCUDA, 0);
}

double memory_gib() {
    return status_gib("VmRSS:");
}

double peak_memory_gib() {
    return status_gib("VmHWM:");
}

} // namespace tempera
