#include "core/engine/sample/lane_forward.h"

#include "core/base/error.h"
#include "core/engine/kernels/panel_gemm.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <cstring>

namespace tempera {

namespace {

/// Weights below this size stay in the caches, so each thread walks all of them for its own lanes, with no
/// barrier at all.
constexpr std::int64_t cached_parameters = 5'000'000;

struct AlignedFloats {
    explicit AlignedFloats(std::int64_t count)
        : data(static_cast<float*>(
            std::aligned_alloc(64, static_cast<std::size_t>((count * 4 + 63) / 64 * 64)))) {
        if (!data) fail(ErrorKind::io, "Not enough memory to compute a batch: use fewer slots.");
        std::memset(data, 0, static_cast<std::size_t>((count * 4 + 63) / 64 * 64));
    }
    ~AlignedFloats() { std::free(data); }
    AlignedFloats(const AlignedFloats&) = delete;
    AlignedFloats& operator=(const AlignedFloats&) = delete;
    float* data;
};

struct LoraView {
    const float* a;
    const float* b;
    std::int64_t rank, row_begin, row_end;
    float scaling;
};

struct LinearView {
    explicit LinearView(const Linear& linear)
        : weight(linear.weight.const_data_ptr<float>()),
          bias(linear.bias.defined() ? linear.bias.const_data_ptr<float>() : nullptr),
          rows(linear.weight.size(0)), depth(linear.weight.size(1)) {
        for (const LoraSlice& slice : linear.lora)
            lora.push_back({slice.a.const_data_ptr<float>(), slice.b.const_data_ptr<float>(), slice.a.size(0),
                            slice.row_begin, slice.row_end, static_cast<float>(slice.scaling)});
    }
    std::int64_t total_rank() const {
        std::int64_t total = 0;
        for (const LoraView& l : lora)
            total += l.rank;
        return total;
    }

    const float* weight;
    const float* bias;
    std::int64_t rows, depth;
    std::vector<LoraView> lora;
};

/// A x of all adapters of a layer into `low`, one after the other.
void project_down(const LinearView& linear, const float* x, std::int64_t stride, std::int64_t lanes,
                  float* low) {
    for (const LoraView& l : linear.lora) {
        gemm_on_this_thread({.a = l.a,
                             .a_row = linear.depth,
                             .b = x,
                             .b_stride = stride,
                             .c = low,
                             .c_stride = stride,
                             .rows = l.rank,
                             .depth = linear.depth,
                             .cols = lanes});
        low += l.rank * stride;
    }
}

/// Rows [begin, end) of W x + b + scaling B (A x). `out` points at row `begin`.
void multiply(const LinearView& linear, const float* x, const float* low, std::int64_t stride,
              std::int64_t lanes, std::int64_t begin, std::int64_t end, float* out, bool accumulate) {
    gemm_on_this_thread({.a = linear.weight + begin * linear.depth,
                         .a_row = linear.depth,
                         .b = x,
                         .b_stride = stride,
                         .c = out,
                         .c_stride = stride,
                         .rows = end - begin,
                         .depth = linear.depth,
                         .cols = lanes,
                         .bias = linear.bias ? linear.bias + begin : nullptr,
                         .accumulate = accumulate});
    for (const LoraView& l : linear.lora) {
        std::int64_t from = std::max(begin, l.row_begin), to = std::min(end, l.row_end);
        if (from < to)
            gemm_on_this_thread({.a = l.b + (from - l.row_begin) * l.rank,
                                 .a_row = l.rank,
                                 .b = low,
                                 .b_stride = stride,
                                 .c = out + (from - begin) * stride,
                                 .c_stride = stride,
                                 .rows = to - from,
                                 .depth = l.rank,
                                 .cols = lanes,
                                 .scale = l.scaling,
                                 .accumulate = true});
        low += l.rank * stride;
    }
}

bool plain(const at::Tensor& t) {
    return !t.defined() || (t.device().is_cpu() && t.scalar_type() == at::kFloat && t.is_contiguous());
}

bool plain(const Linear& linear) {
    bool all = plain(linear.weight) && plain(linear.bias);
    for (const LoraSlice& slice : linear.lora)
        all = all && plain(slice.a) && plain(slice.b);
    return all;
}

std::int64_t count_parameters(const Decoder& d) {
    std::int64_t total = d.lm_head.weight.numel();
    for (const DecoderLayer& l : d.layers)
        total += l.qkv.weight.numel() + l.o.weight.numel() + l.gate_up.weight.numel() + l.down.weight.numel();
    return total;
}

} // namespace

struct LaneForward::Weights {
    struct Layer {
        const float* input_norm;
        LinearView qkv, o;
        const float* post_attention_norm;
        LinearView gate_up, down;
    };
    explicit Weights(const Decoder& d)
        : embedding(d.embedding.const_data_ptr<float>()), final_norm(d.final_norm.const_data_ptr<float>()),
          lm_head(d.lm_head) {
        for (const DecoderLayer& l : d.layers)
            layers.push_back({l.input_norm.const_data_ptr<float>(), LinearView(l.qkv), LinearView(l.o),
                              l.post_attention_norm.const_data_ptr<float>(), LinearView(l.gate_up),
                              LinearView(l.down)});
        max_rank = lm_head.total_rank();
        for (const Layer& l : layers)
            for (const LinearView* linear : {&l.qkv, &l.o, &l.gate_up, &l.down})
                max_rank = std::max(max_rank, linear->total_rank());
    }
    const float* embedding;
    const float* final_norm;
    LinearView lm_head;
    std::vector<Layer> layers;
    std::int64_t max_rank = 0;
};

/// Activations of one batch (shared by the team), and what every thread needs for itself.
struct LaneForward::Buffers {
    static constexpr std::int64_t head_rows = 192; ///< of the vocabulary, computed at a time
    struct Own {
        Own(const ModelConfig& c, std::int64_t max_rank, std::int64_t padded_head)
            : normed(c.hidden_size * batch_lanes), low(max_rank * batch_lanes + 16),
              gate(2 * share_rows(c) * batch_lanes), head(head_rows * batch_lanes),
              queries(c.heads / c.kv_heads * padded_head), mixed(c.heads / c.kv_heads * padded_head) {}
        static std::int64_t share_rows(const ModelConfig& c) {
            return std::min<std::int64_t>(96, c.intermediate_size);
        }
        AlignedFloats normed, low, gate, head, queries, mixed;
        std::vector<float> scores;
    };
    Buffers(const ModelConfig& c, std::int64_t max_rank, std::int64_t padded_head, int threads)
        : hidden(c.hidden_size * batch_lanes), qkv((c.heads + 2 * c.kv_heads) * c.head_dim * batch_lanes),
          attended(c.heads * c.head_dim * batch_lanes), active(c.intermediate_size * batch_lanes) {
        for (int i = 0; i < threads; ++i)
            own.push_back(std::make_unique<Own>(c, max_rank, padded_head));
    }
    AlignedFloats hidden, qkv, attended, active;
    std::vector<std::unique_ptr<Own>> own;
};

/// One batch on its way through the layers, as one member of the team sees it.
class LaneForward::Pass {
public:
    Pass(LaneForward& forward, ThreadTeam::Member& member, Buffers& buffers, Batch lanes)
        : f_(forward), c_(forward.decoder_.config), w_(*forward.weights_), member_(member), shared_(buffers),
          own_(*buffers.own[static_cast<std::size_t>(member.size() > 1 ? member.index() : 0)]), lanes_(lanes),
          count_(static_cast<std::int64_t>(lanes.size())), stride_((count_ + 15) / 16 * 16),
          k_(lane_kernels()) {
        std::int64_t longest = 0;
        for (const Lane& lane : lanes)
            longest = std::max(longest, lane.position);
        score_stride_ = (longest + 1 + 64 + 15) / 16 * 16;
    }

    void run() {
        embed();
        for (std::size_t l = 0; l < w_.layers.size(); ++l) {
            const Weights::Layer& layer = w_.layers[l];
            normalise(layer.input_norm);
            share_linear(layer.qkv, own_.normed.data, shared_.qkv.data, false);
            attention(static_cast<std::int64_t>(l));
            share_linear(layer.o, shared_.attended.data, shared_.hidden.data, true);
            normalise(layer.post_attention_norm);
            feed_forward(layer);
            share_linear(layer.down, shared_.active.data, shared_.hidden.data, true);
        }
        logits();
    }

private:
    static std::span<float* const> pages_of(const TokenCache* cache) {
        return static_cast<const KvPages*>(cache)->pages();
    }

    /// Whole register blocks of every kernel: 2 * 12 = 3 * 8 = 4 * 6 rows.
    static constexpr std::int64_t row_grain = 24;

    void embed() {
        member_.share(stride_, 16, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t lane = begin; lane < end; ++lane) {
                const float* row =
                    lane < count_
                        ? w_.embedding + lanes_[static_cast<std::size_t>(lane)].token * c_.hidden_size
                        : nullptr;
                for (std::int64_t i = 0; i < c_.hidden_size; ++i)
                    shared_.hidden.data[i * stride_ + lane] = row ? row[i] : 0;
                if (row) continue;
                for (std::int64_t i = 0; i < c_.heads * c_.head_dim; ++i)
                    shared_.attended.data[i * stride_ + lane] = 0;
            }
        });
    }

    void normalise(const float* weight) {
        k_.rms_norm(shared_.hidden.data, weight, static_cast<float>(c_.rms_norm_eps), c_.hidden_size, stride_,
                    stride_, own_.normed.data);
    }

    void share_linear(const LinearView& linear, const float* x, float* out, bool accumulate) {
        project_down(linear, x, stride_, stride_, own_.low.data);
        member_.share(linear.rows, row_grain, [&](std::int64_t begin, std::int64_t end) {
            multiply(linear, x, own_.low.data, stride_, stride_, begin, end, out + begin * stride_,
                     accumulate);
        });
    }

    void feed_forward(const Weights::Layer& layer) {
        const LinearView& both = layer.gate_up;
        const std::int64_t half = c_.intermediate_size, most = Buffers::Own::share_rows(c_);
        project_down(both, own_.normed.data, stride_, stride_, own_.low.data);
        member_.share(half, row_grain, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t at = begin; at < end; at += most) {
                std::int64_t rows = std::min(most, end - at);
                float* gate = own_.gate.data;
                float* up = gate + rows * stride_;
                multiply(both, own_.normed.data, own_.low.data, stride_, stride_, at, at + rows, gate, false);
                multiply(both, own_.normed.data, own_.low.data, stride_, stride_, half + at, half + at + rows,
                         up, false);
                k_.swiglu(gate, up, rows, stride_, stride_, shared_.active.data + at * stride_);
            }
        });
    }

    /// Head `row` / head_dim of a lane's q, k or v: rotated, times `scale`, to out[d * step].
    void rotate(const Lane& lane, std::int64_t index, std::int64_t row, float scale, float* out,
                std::int64_t step) const {
        const std::int64_t half = c_.head_dim / 2;
        const float* in = shared_.qkv.data + row * stride_ + index;
        const float* cosine = f_.rotary_.cosines(lane.position);
        const float* sine = f_.rotary_.sines(lane.position);
        for (std::int64_t d = 0; d < half; ++d) {
            float a = in[d * stride_], b = in[(d + half) * stride_];
            out[d * step] = (a * cosine[d] - b * sine[d]) * scale;
            out[(d + half) * step] = (b * cosine[d] + a * sine[d]) * scale;
        }
    }

    void append(std::int64_t layer, std::int64_t index, std::int64_t head) const {
        const Lane& lane = lanes_[static_cast<std::size_t>(index)];
        const std::int64_t at = lane.own ? lane.position - lane.prompt_tokens : lane.position;
        const std::int64_t in_page = at % kv_page_tokens, dim = f_.pool_.layout().head_dim;
        float* block =
            pages_of(lane.own ? lane.own : lane.prompt)[static_cast<std::size_t>(at / kv_page_tokens)]
            + f_.pool_.layout().offset(layer, head);
        float* keys = block + in_page / kv_tile_tokens * dim * kv_tile_tokens + in_page % kv_tile_tokens;
        rotate(lane, index, (c_.heads + head) * c_.head_dim, 1, keys, kv_tile_tokens);
        float* values = block + kv_page_tokens * dim + in_page * dim;
        const float* in = shared_.qkv.data + (c_.heads + c_.kv_heads + head) * c_.head_dim * stride_ + index;
        for (std::int64_t d = 0; d < c_.head_dim; ++d)
            values[d] = in[d * stride_];
    }

    void attend(std::int64_t layer, std::int64_t index, std::int64_t head) {
        const Lane& lane = lanes_[static_cast<std::size_t>(index)];
        const std::int64_t group = c_.heads / c_.kv_heads, dim = f_.pool_.layout().head_dim;
        const float scale = 1.0f / std::sqrt(static_cast<float>(c_.head_dim));
        for (std::int64_t h = 0; h < group; ++h)
            rotate(lane, index, (head * group + h) * c_.head_dim, scale, own_.queries.data + h * dim, 1);
        AttentionCall call{.queries = own_.queries.data,
                           .heads = group,
                           .head_dim = dim,
                           .prefix = pages_of(lane.prompt),
                           .prefix_tokens = lane.own ? lane.prompt_tokens : lane.position + 1,
                           .own = {},
                           .own_tokens = 0,
                           .offset = f_.pool_.layout().offset(layer, head),
                           .scores = own_.scores.data(),
                           .score_stride = score_stride_,
                           .out = own_.mixed.data};
        if (lane.own) {
            call.own = pages_of(lane.own);
            call.own_tokens = lane.position - lane.prompt_tokens + 1;
        }
        k_.attention(call);
        for (std::int64_t h = 0; h < group; ++h) {
            float* out = shared_.attended.data + (head * group + h) * c_.head_dim * stride_ + index;
            for (std::int64_t d = 0; d < c_.head_dim; ++d)
                out[d * stride_] = own_.mixed.data[h * dim + d];
        }
    }

    /// Work in the order of heads, then lanes: lanes of one prompt find its keys and values of that head in
    /// the cache.
    void attention(std::int64_t layer) {
        const std::int64_t items = c_.kv_heads * count_;
        const bool reading_prompt = !lanes_.front().own; // then later tokens need the keys of earlier ones
        if (reading_prompt)
            member_.share(items, 1, [&](std::int64_t begin, std::int64_t end) {
                for (std::int64_t i = begin; i < end; ++i)
                    append(layer, i % count_, i / count_);
            });
        member_.share(items, 1, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t i = begin; i < end; ++i) {
                if (!reading_prompt) append(layer, i % count_, i / count_);
                attend(layer, i % count_, i / count_);
            }
        });
    }

    void logits() {
        std::array<float*, batch_lanes> rows{};
        std::array<std::int64_t, batch_lanes> from{};
        std::int64_t wanted = 0;
        for (std::int64_t lane = 0; lane < count_; ++lane)
            if (float* row = lanes_[static_cast<std::size_t>(lane)].logits) {
                rows[static_cast<std::size_t>(wanted)] = row;
                from[static_cast<std::size_t>(wanted++)] = lane;
            }
        if (wanted == 0) return;
        const std::int64_t stride = (wanted + 15) / 16 * 16;
        float* x = own_.normed.data;
        for (std::int64_t i = 0; i < c_.hidden_size; ++i)
            for (std::int64_t j = 0; j < stride; ++j)
                x[i * stride + j] =
                    j < wanted ? shared_.hidden.data[i * stride_ + from[static_cast<std::size_t>(j)]] : 0;
        k_.rms_norm(x, w_.final_norm, static_cast<float>(c_.rms_norm_eps), c_.hidden_size, stride, stride, x);
        if (member_.index() == 0 || member_.size() == 1) check_finite(x, stride);
        project_down(w_.lm_head, x, stride, stride, own_.low.data);
        member_.share(w_.lm_head.rows, Buffers::head_rows, [&](std::int64_t begin, std::int64_t end) {
            for (std::int64_t at = begin; at < end; at += Buffers::head_rows) {
                std::int64_t to = std::min(end, at + Buffers::head_rows);
                multiply(w_.lm_head, x, own_.low.data, stride, stride, at, to, own_.head.data, false);
                k_.scatter(own_.head.data, to - at, stride, wanted, at, rows.data());
            }
        });
    }

    void check_finite(const float* x, std::int64_t stride) {
        float poison = 0; // x * 0 is NaN for infinities and NaN, else 0
        for (std::int64_t i = 0; i < c_.hidden_size * stride; ++i)
            poison += x[i] * 0.0f;
        if (poison != 0) f_.finite_.store(false, std::memory_order_relaxed);
    }

    LaneForward& f_;
    const ModelConfig& c_;
    const Weights& w_;
    ThreadTeam::Member& member_;
    Buffers& shared_;
    Buffers::Own& own_;
    Batch lanes_;
    const std::int64_t count_, stride_;
    const LaneKernels& k_;
    std::int64_t score_stride_ = 0;
};

LaneForward::LaneForward(const Decoder& decoder, ThreadTeam& team)
    : decoder_(decoder), team_(team), pool_(KvLayout(decoder.config)),
      one_thread_per_batch_(team.size() > 1 && count_parameters(decoder) <= cached_parameters),
      weights_(std::make_unique<Weights>(decoder)), rotary_(decoder.config) {
    const int sets = one_thread_per_batch_ ? team.size() : 1;
    for (int i = 0; i < sets; ++i)
        buffers_.push_back(std::make_unique<Buffers>(decoder.config, weights_->max_rank,
                                                     pool_.layout().head_dim,
                                                     one_thread_per_batch_ ? 1 : team.size()));
}

LaneForward::~LaneForward() = default;

bool LaneForward::supports(const Decoder& decoder) {
    bool all = plain(decoder.embedding) && plain(decoder.final_norm) && plain(decoder.lm_head);
    for (const DecoderLayer& l : decoder.layers)
        all = all && plain(l.input_norm) && plain(l.post_attention_norm) && plain(l.qkv) && plain(l.o)
              && plain(l.gate_up) && plain(l.down);
    return all;
}

bool LaneForward::run(std::span<const Chain> chains) {
    std::int64_t positions = 0;
    for (const Chain& chain : chains)
        for (Batch batch : chain)
            for (const Lane& lane : batch)
                positions = std::max(positions, lane.position + 1);
    rotary_.grow(positions);
    // Nothing is allocated, and so nothing can throw, while the team runs.
    const ModelConfig& c = decoder_.config;
    const std::int64_t scores = c.heads / c.kv_heads * (positions + 128);
    for (auto& set : buffers_)
        for (auto& own : set->own)
            if (static_cast<std::int64_t>(own->scores.size()) < scores)
                own->scores.resize(static_cast<std::size_t>(scores));
    FlushDenormals flush;
    finite_ = true;
    if (one_thread_per_batch_ && chains.size() == 1) { // not worth waking anybody
        ThreadTeam::Member alone;
        for (Batch batch : chains.front())
            Pass(*this, alone, *buffers_[0], batch).run();
        return finite_;
    }
    team_.run([&](ThreadTeam::Member& member) {
        if (one_thread_per_batch_) {
            ThreadTeam::Member alone;
            Buffers& buffers = *buffers_[static_cast<std::size_t>(member.index())];
            member.share(static_cast<std::int64_t>(chains.size()), 1, [&](std::int64_t i, std::int64_t) {
                for (Batch batch : chains[static_cast<std::size_t>(i)])
                    Pass(*this, alone, buffers, batch).run();
            });
        } else {
            for (const Chain& chain : chains)
                for (Batch batch : chain)
                    Pass(*this, member, *buffers_[0], batch).run();
        }
    });
    return finite_;
}

} // namespace tempera
