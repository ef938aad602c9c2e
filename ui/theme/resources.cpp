#include "ui/theme/resources.h"

#include <QtGlobal>

// Q_INIT_RESOURCE must stand outside any namespace.
static void initTemperaResources() {
    Q_INIT_RESOURCE(tempera);
}

namespace tempera {

void initResources() {
    static const bool once = (initTemperaResources(), true);
    Q_UNUSED(once)
}

} // namespace tempera
