#pragma once

#include "core/store/run_reader.h"
#include "ui/feed_types.h"
#include "ui/system_load.h"

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

namespace tempera {

class Workspace;

/// The thread behind RunFeed. Its requests return at once; its answers come through the sinks, on its own
/// thread.
class FeedReader {
public:
    struct Sinks {
        std::function<void(const CataloguePointer&)> catalogue;
        std::function<void(const RunDataPointer&)> run;
        std::function<void(const PromptListPointer&)> prompts;
        std::function<void(const SampleSetPointer&)> samples;
        std::function<void(const RolloutSetPointer&)> rollouts;
        std::function<void(const SystemLoad&)> load;
        std::function<void(const std::string&)> failed;
    };
    struct SampleRequest {
        std::string run_id;
        double temperature = 0;
        std::int64_t prompt_index = 0;
    };

    FeedReader(Workspace& workspace, Sinks sinks);
    ~FeedReader();

    void start(int interval_ms);
    void watch(const std::string& run_id);
    void set_smoothing(double weight);
    void request_prompts(const std::optional<PromptQuery>& query);
    void request_samples(const SampleRequest& request);
    void request_rollouts(const std::string& run_id, std::int64_t step);
    void perform(std::function<void()> task, std::function<void(const std::string&)> done);

private:
    struct Task {
        std::function<void()> run;
        std::function<void(const std::string&)> done;
    };
    /// What the GUI thread asked for; guarded by mutex_.
    struct Wishes {
        std::string watched;
        double smoothing = 0.9;
        std::optional<PromptQuery> prompts;
        std::optional<SampleRequest> samples;
        std::deque<Task> tasks;
        std::optional<std::pair<std::string, std::int64_t>> rollouts; ///< run and step; answered once
        bool prompts_new = false;
        bool samples_new = false;
        bool quit = false;
    };
    template <class Change>
    void wish(Change change);

    void loop(int interval_ms);
    void perform_tasks(std::deque<Task>& tasks);
    void look(const Wishes& wishes);
    void look_at_catalogue();
    void measure_disk(Catalogue& catalogue);
    void look_at_run(const Wishes& wishes);
    void read_comparisons(RunData& data);
    WinRateLine win_rate_of(const RunRecord& run);
    void read_metrics(RunData& data, double smoothing);
    void answer_prompts(const PromptQuery& query);
    void answer_samples(const SampleRequest& request);
    void report(const std::string& sentence);

    Workspace& workspace_;
    Sinks sinks_;
    std::mutex mutex_;
    std::condition_variable wake_;
    Wishes wishes_;
    bool hurry_ = false;
    std::thread thread_;

    // Used by the thread alone.
    std::optional<RunReader> reader_;
    std::string open_run_;
    std::int64_t run_version_ = -1;
    std::int64_t catalogue_version_ = -1;
    double smoothing_ = -1;
    std::shared_ptr<const RunData> last_;
    CataloguePointer catalogue_ = std::make_shared<Catalogue>();
    struct KnownRate {
        std::int64_t written_ms = 0;
        WinRateLine line;
    };
    std::map<std::string, KnownRate> known_rates_;                       ///< by run, of the watched study
    std::map<std::string, std::pair<std::int64_t, double>> known_sizes_; ///< by run: when it ended, bytes
    bool rates_stale_ = false;
    std::string last_failure_;
    SystemLoadReader load_reader_;
    SystemLoad last_load_;
    int looks_ = 0;
};

} // namespace tempera
