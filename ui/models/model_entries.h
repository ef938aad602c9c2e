#pragma once

#include "ui/model_shelf.h"
#include "ui/models/entry_list_model.h"

namespace tempera {

/// The models of a shelf as lines of a list, their references as keys.
std::vector<Entry> entriesOf(const std::vector<ShelvedModel>& models);

/// "Comes with Tempera", "Result of a run": what a source is called.
QString sourceText(LocalModel::Source source);

} // namespace tempera
