#include "core/engine/checkpoint/training_state.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/format/safetensors.h"

namespace fs = std::filesystem;

namespace tempera {

namespace {

std::vector<TensorSpec> moment_specs(Optimiser& optimiser) {
    std::vector<TensorSpec> specs;
    for (const Parameter& parameter : optimiser.parameters()) {
        auto shape = parameter.weight.sizes().vec();
        specs.push_back({"first." + parameter.name, TensorType::f32, shape});
        specs.push_back({"second." + parameter.name, TensorType::f32, shape});
    }
    return specs;
}

at::Tensor part(const at::Tensor& flat, const Parameter& parameter) {
    return flat.narrow(0, parameter.offset, parameter.weight.numel());
}

void write_moment(SafetensorsWriter& writer, const std::string& name, const at::Tensor& values) {
    at::Tensor on_cpu = values.cpu().contiguous();
    writer.write_f32(name, {on_cpu.const_data_ptr<float>(), static_cast<std::size_t>(on_cpu.numel())});
}

void read_moment(const SafetensorsReader& reader, const std::string& name, const at::Tensor& into) {
    const StoredTensor& stored = reader.at(name);
    if (stored.elements() != into.numel())
        fail(ErrorKind::bad_input,
             "The checkpoint's " + name
                 + " has another size than the model's tensor; it belongs to another model.");
    at::Tensor values = at::empty({into.numel()}, at::kFloat);
    reader.read_f32(name, {values.mutable_data_ptr<float>(), static_cast<std::size_t>(values.numel())});
    into.copy_(values);
}

} // namespace

Json to_json(const TrainingState& s) {
    Json sums = Json::array();
    for (const MeterSum& sum : s.since_log)
        sums.push_back({sum.name, sum.sum, sum.count});
    return {{"step", s.step},
            {"num_tokens", s.num_tokens},
            {"seed", s.seed},
            {"rows", s.rows},
            {"data", s.data},
            {"total_steps", s.total_steps},
            {"threads", s.threads},
            {"best_eval_loss", s.best_eval_loss ? Json(*s.best_eval_loss) : Json()},
            {"best_step", s.best_step},
            {"evaluations_without_gain", s.evaluations_without_gain},
            {"early_stopped", s.early_stopped},
            {"since_log", std::move(sums)}};
}

TrainingState training_state_from(const Json& json, const std::string& source) {
    try {
        TrainingState s;
        json.at("step").get_to(s.step);
        json.at("num_tokens").get_to(s.num_tokens);
        json.at("seed").get_to(s.seed);
        json.at("rows").get_to(s.rows);
        s.data = json.value("data", std::string());
        json.at("total_steps").get_to(s.total_steps);
        json.at("threads").get_to(s.threads);
        if (!json.at("best_eval_loss").is_null()) s.best_eval_loss = json.at("best_eval_loss").get<double>();
        json.at("best_step").get_to(s.best_step);
        json.at("evaluations_without_gain").get_to(s.evaluations_without_gain);
        json.at("early_stopped").get_to(s.early_stopped);
        for (const Json& sum : json.at("since_log"))
            s.since_log.push_back(
                {sum.at(0).get<std::string>(), sum.at(1).get<double>(), sum.at(2).get<std::int64_t>()});
        return s;
    } catch (const Json::exception& error) {
        fail(ErrorKind::bad_input, source + " is not a training state: " + error.what());
    }
}

void save_training_state(const TrainingState& state, Optimiser& optimiser, const fs::path& folder) {
    SafetensorsOptions options;
    options.stem = "optimiser";
    options.max_shard_bytes = std::uint64_t{1} << 50;
    SafetensorsWriter writer(folder, moment_specs(optimiser), options);
    for (const Parameter& parameter : optimiser.parameters()) {
        write_moment(writer, "first." + parameter.name, part(optimiser.first(), parameter));
        write_moment(writer, "second." + parameter.name, part(optimiser.second(), parameter));
    }
    writer.finish();
    write_file_atomic(folder / "state.json", to_json(state).dump(2) + "\n");
}

TrainingState load_training_state(Optimiser& optimiser, const fs::path& folder) {
    fs::path file = folder / "state.json";
    TrainingState state = training_state_from(read_json_file(file, 1u << 20), file.string());
    SafetensorsReader reader = SafetensorsReader::open(folder / "optimiser.safetensors");
    for (const Parameter& parameter : optimiser.parameters()) {
        read_moment(reader, "first." + parameter.name, part(optimiser.first(), parameter));
        read_moment(reader, "second." + parameter.name, part(optimiser.second(), parameter));
    }
    return state;
}

} // namespace tempera
