#include "core/queue/engine.h"

#include "core/base/error.h"
#include "core/base/library.h"

#include <cstdlib>
#include <mutex>

namespace fs = std::filesystem;

namespace tempera {

namespace {

Engine* open_engine() {
    // Threads that wait for work must not spin: the window and the queue's other threads share these cores.
    // libgomp reads this once, when it is loaded, which is now. A user's own choice stands.
    setenv("OMP_WAIT_POLICY", "passive", 0);
    fs::path path = engine_library();
    auto entry = reinterpret_cast<EngineEntry*>(load_library({path, engine_entry_symbol, "The engine"}));
    Engine* engine = entry();
    if (!engine) fail(ErrorKind::internal, path.string() + " gave no engine.");
    return engine;
}

} // namespace

fs::path engine_library() {
    if (const char* chosen = std::getenv("TEMPERA_ENGINE"); chosen && *chosen) return chosen;
    return library_folder() / "libtempera_engine.so";
}

Engine& load_engine() {
    static std::mutex mutex;
    static Engine* engine = nullptr;
    std::lock_guard guard(mutex);
    if (!engine) engine = open_engine(); // a failure is tried again at the next call
    return *engine;
}

} // namespace tempera
