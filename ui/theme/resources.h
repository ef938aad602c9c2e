#pragma once

namespace tempera {

/// Makes the compiled-in icons and themes available; a static library's resources are not registered by
/// themselves.
void initResources();

} // namespace tempera
