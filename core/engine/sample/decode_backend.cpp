#include "core/engine/sample/decode_backend.h"

#include "core/engine/sample/aten_forward.h"
#include "core/engine/sample/lane_forward.h"
#include "core/engine/sample/sampler.h"

namespace tempera {

std::unique_ptr<DecodeBackend> make_decode_backend(const Decoder& decoder, ThreadTeam& team) {
    if (LaneForward::supports(decoder)) return std::make_unique<LaneForward>(decoder, team);
    return std::make_unique<AtenForward>(decoder);
}

} // namespace tempera
