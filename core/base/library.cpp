#include "core/base/library.h"

#include "core/base/error.h"

#include <dlfcn.h>

namespace fs = std::filesystem;

namespace tempera {

fs::path library_folder() {
    Dl_info info{};
    if (dladdr(reinterpret_cast<const void*>(&library_folder), &info) == 0 || !info.dli_fname)
        fail(ErrorKind::internal, "Tempera cannot tell where its own library lies.");
    return fs::absolute(info.dli_fname).parent_path();
}

void* load_library(const LazyLibrary& library) {
    // Never closed: thread pools and thread-local destructors of what it links outlive any handle.
    void* handle = dlopen(library.path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (!handle) {
        const char* reason = dlerror();
        fail(ErrorKind::not_found, library.what + " " + library.path.string() + " cannot be loaded ("
                                       + (reason ? reason : "unknown reason")
                                       + "); run packaging/bootstrap or reinstall.");
    }
    void* entry = dlsym(handle, library.entry.c_str());
    if (!entry)
        fail(ErrorKind::unsupported, library.path.string()
                                         + " is not a library of this version of Tempera: it has no "
                                         + library.entry + "; reinstall.");
    return entry;
}

} // namespace tempera
