#pragma once

#include "core/net/hub.h"

namespace tempera {

/// README and licence: wanted, but a model can do without.
bool is_document(const std::string& path);

/// Whether each file of a set "x-00001-of-00004" is there that one of them speaks of.
bool has_whole_sets(const std::vector<HubFile>& files);

} // namespace tempera
