#include "core/base/error.h"
#include "core/queue/engine.h"

#include <torch/torch.h>
