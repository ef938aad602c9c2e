#include "core/queue/engine.h"

#include "core/base/error.h"

#include <cstdlib>
#include <dlfcn.h>
#include <mutex>

namespace fs = std::filesystem;

namespace tempera {

namespace {

Engine* open_engine() {
    // Threads that wait for work must not spin: the window and the queue's other threads share these cores.
    // libgomp reads this once, when it is loaded, which is now. A user's own choice stands.
    setenv("OMP_WAIT_POLICY", "passive", 0);
    fs::path path = engine_library();
    // Never closed: libtorch's thread pools and thread-local destructors outlive any handle.
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!library) {
        const char* reason = dlerror();
        fail(ErrorKind::not_found, "The engine " + path.string() + " cannot be loaded ("
                                       + (reason ? reason : "unknown reason")
                                       + "); run packaging/bootstrap or reinstall.");
    }
    auto entry = reinterpret_cast<EngineEntry*>(dlsym(library, engine_entry_symbol));
    if (!entry)
        fail(ErrorKind::unsupported, path.string() + " is not an engine of Tempera, or of another version.");
    Engine* engine = entry();
    if (!engine) fail(ErrorKind::internal, path.string() + " gave no engine.");
    return engine;
}

} // namespace

fs::path engine_library() {
    if (const char* chosen = std::getenv("TEMPERA_ENGINE"); chosen && *chosen) return chosen;
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&load_engine), &info) == 0 || !info.dli_fname)
        fail(ErrorKind::internal, "Tempera cannot tell where its own library lies.");
    return fs::absolute(info.dli_fname).parent_path() / "libtempera_engine.so";
}

Engine& load_engine() {
    static std::mutex mutex;
    static Engine* engine = nullptr;
    std::lock_guard guard(mutex);
    if (!engine) engine = open_engine(); // a failure is tried again at the next call
    return *engine;
}

} // namespace tempera
