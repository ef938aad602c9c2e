#pragma once

#include "core/engine/model/encoder.h"

#include <filesystem>

namespace tempera {

struct EncoderLoadOptions {
    /// Whether the parts that a plain encoder lacks (pooler, classifier) are drawn anew as transformers does;
    /// else their absence is an error.
    bool fresh_head = false;
    std::uint64_t seed = 0;
};

/// What load_encoder() had to draw, e.g. {"classifier.weight", "classifier.bias"}.
struct LoadedEncoder {
    Encoder model;
    std::vector<std::string> fresh;
};

/// Loads a Hugging Face folder (config.json, safetensors; F32, F16, BF16) as float32 on the CPU: a sequence
/// classifier with one label, or a base encoder with or without the "bert." of its names. Throws Error naming
/// the file, field or tensor where something is missing, mis-shaped or not supported.
LoadedEncoder load_encoder(const std::filesystem::path& folder, const EncoderLoadOptions& options = {});

/// Writes model.safetensors (F32) and config.json into `folder`, which exists: with the tokenizer files it
/// loads in transformers unchanged. Throws Error(io, disk_full).
void save_encoder(const Encoder& model, const std::filesystem::path& folder);

/// Gives the embedding `vocab_size` rows, which must not be fewer than it has: each new one is the mean of
/// the old rows, as transformers' resize_token_embeddings(mean_resizing=True) has it but for its noise of
/// variance 1e-9.
void resize_vocabulary(Encoder& model, std::int64_t vocab_size);

void move_encoder(Encoder& model, at::Device device);

} // namespace tempera
