#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

namespace tempera {

/// One scalar of a TensorBoard event file.
struct EventScalar {
    std::string tag; ///< "train/loss"
    std::int64_t step = 0;
    double wall_time = 0; ///< Unix time in seconds
    double value = 0;
};

/// Reads the scalars of one event file (TFRecords of Event messages), of both forms: simple_value and the
/// tensor that newer writers store. Everything else is left alone. Every record's checksums are verified.
/// A last record that is not there whole, as a run that was killed leaves it, ends the file; returns whether
/// there was one. Throws Error(bad_input) naming file and record for anything else that is broken,
/// Error(not_found, io).
bool read_event_file(const std::filesystem::path& path,
                     const std::function<void(const EventScalar&)>& receive);

/// The event files (name with "tfevents") at `path`: it itself, or those in the folder and its sub-folders,
/// sorted. Throws Error(not_found) where there is none.
std::vector<std::filesystem::path> find_event_files(const std::filesystem::path& path);

/// Writes an event file: the version record, then scalars as simple_value (32 bits, as TensorBoard shows it).
class EventWriter {
public:
    EventWriter(std::ostream& out, double wall_time);
    void scalar(const EventScalar& scalar);

private:
    void record(const std::string& event);

    std::ostream& out_;
};

/// The name of a metric in TensorBoard, as the Hugging Face trainers have it, and back: "loss" is
/// "train/loss", "eval_loss" is "eval/loss".
std::string tag_of_metric(const std::string& metric);
std::string metric_of_tag(const std::string& tag);

} // namespace tempera
