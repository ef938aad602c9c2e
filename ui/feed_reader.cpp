#include "ui/feed_reader.h"

#include "core/recipe/catalogue.h"
#include "core/store/record_json.h"
#include "core/store/run_folder.h"
#include "core/store/workspace.h"
#include "ui/theme/text.h"

#include <algorithm>
#include <exception>
#include <filesystem>
#include <set>
#include <utility>

namespace tempera {

FeedReader::FeedReader(Workspace& workspace, Sinks sinks) : workspace_(workspace), sinks_(std::move(sinks)) {}

FeedReader::~FeedReader() {
    wish([](Wishes& wishes) { wishes.quit = true; });
    if (thread_.joinable()) thread_.join();
}

void FeedReader::start(int interval_ms) {
    if (!thread_.joinable()) thread_ = std::thread([this, interval_ms] { loop(interval_ms); });
}

template <class Change>
void FeedReader::wish(Change change) {
    {
        const std::lock_guard lock(mutex_);
        change(wishes_);
        hurry_ = true;
    }
    wake_.notify_one();
}

void FeedReader::watch(const std::string& run_id) {
    wish([&](Wishes& wishes) { wishes.watched = run_id; });
}

void FeedReader::set_smoothing(double weight) {
    wish([&](Wishes& wishes) { wishes.smoothing = std::clamp(weight, 0.0, 0.999); });
}

void FeedReader::request_prompts(const std::optional<PromptQuery>& query) {
    wish([&](Wishes& wishes) {
        wishes.prompts = query;
        wishes.prompts_new = query.has_value();
    });
}

void FeedReader::request_samples(const SampleRequest& request) {
    wish([&](Wishes& wishes) {
        wishes.samples = request;
        wishes.samples_new = true;
    });
}

void FeedReader::request_rollouts(const std::string& run_id, std::int64_t step) {
    wish([&](Wishes& wishes) { wishes.rollouts = {run_id, step}; });
}

void FeedReader::perform(std::function<void()> task, std::function<void(const std::string&)> done) {
    wish([&](Wishes& wishes) { wishes.tasks.push_back({std::move(task), std::move(done)}); });
}

void FeedReader::loop(int interval_ms) {
    for (;;) {
        Wishes now;
        {
            std::unique_lock lock(mutex_);
            wake_.wait_for(lock, std::chrono::milliseconds(interval_ms), [this] { return hurry_; });
            hurry_ = false;
            now = wishes_;
            wishes_.tasks.clear();
            wishes_.prompts_new = wishes_.samples_new = false;
            wishes_.rollouts.reset();
        }
        perform_tasks(now.tasks); // also before quitting: a stop that was asked for is carried out
        if (now.quit) return;
        look(now);
    }
}

void FeedReader::perform_tasks(std::deque<Task>& tasks) {
    for (Task& task : tasks) {
        std::string error;
        try {
            task.run();
        } catch (const std::exception& problem) {
            error = problem.what();
        }
        task.done(error);
    }
}

void FeedReader::look(const Wishes& wishes) {
    try {
        look_at_catalogue();
        look_at_run(wishes);
        if (wishes.prompts_new && wishes.prompts) answer_prompts(*wishes.prompts);
        if (wishes.samples_new && wishes.samples) answer_samples(*wishes.samples);
        if (wishes.rollouts) {
            auto set = std::make_shared<RolloutSet>();
            set->run_id = wishes.rollouts->first;
            set->step = wishes.rollouts->second;
            set->groups = RunReader(workspace_.run_folder(set->run_id)).rollouts(set->step);
            sinks_.rollouts(set);
        }
        report({});
    } catch (const std::exception& problem) {
        report(problem.what());
    }
    if (looks_++ % 4 != 0) return;
    const SystemLoad load = load_reader_.read();
    if (!(load == last_load_)) sinks_.load(load);
    last_load_ = load;
}

void FeedReader::report(const std::string& sentence) {
    if (sentence != last_failure_ && !sentence.empty()) sinks_.failed(sentence);
    last_failure_ = sentence;
}

void FeedReader::look_at_catalogue() {
    const std::int64_t version = workspace_.version();
    if (version == catalogue_version_) return;
    auto catalogue = std::make_shared<Catalogue>();
    catalogue->studies = workspace_.studies();
    catalogue->runs = workspace_.runs();
    measure_disk(*catalogue);
    catalogue_version_ = version;
    catalogue_ = catalogue;
    rates_stale_ = true;
    sinks_.catalogue(catalogue);
}

/// A run's folder is measured once, when it has ended.
void FeedReader::measure_disk(Catalogue& catalogue) {
    namespace fs = std::filesystem;
    for (const RunRecord& run : catalogue.runs) {
        if (run.ended_ms <= 0 || run.status == RunStatus::running || run.status == RunStatus::stopping)
            continue;
        auto& [ended, bytes] = known_sizes_[run.id];
        if (ended != run.ended_ms) {
            ended = run.ended_ms;
            bytes = 0;
            std::error_code error;
            for (fs::recursive_directory_iterator at(workspace_.run_folder(run.id), error), end;
                 !error && at != end; at.increment(error)) {
                std::error_code ignored;
                if (!at->is_regular_file(ignored)) continue;
                const std::uintmax_t size = at->file_size(ignored);
                if (!ignored) bytes += double(size);
            }
        }
        catalogue.disk_bytes[run.id] = bytes;
    }
    std::error_code error;
    const fs::space_info space = fs::space(workspace_.folder(), error);
    if (!error) catalogue.free_bytes = double(space.available);
}

void FeedReader::look_at_run(const Wishes& wishes) {
    if (wishes.watched != open_run_) {
        reader_.reset();
        last_.reset();
        run_version_ = -1;
        open_run_ = wishes.watched;
    }
    if (open_run_.empty()) return;
    if (!reader_) reader_.emplace(workspace_.run_folder(open_run_));
    const std::int64_t version = reader_->version();
    const bool rates_stale = std::exchange(rates_stale_, false) && last_ && !last_->win_rates.empty();
    if (version == run_version_ && wishes.smoothing == smoothing_ && last_ && !rates_stale) return;
    const bool grew = run_version_ != -1 && version != run_version_;
    auto data = std::make_shared<RunData>();
    data->run_id = open_run_;
    read_metrics(*data, wishes.smoothing);
    data->events = reader_->events();
    data->checkpoints = reader_->checkpoints();
    data->progress = reader_->progress();
    data->headline = reader_->headline();
    data->cells = reader_->sweep_cells();
    data->rows = reader_->sweep_rows();
    data->temperatures = reader_->sampled_temperatures();
    data->sample_count = reader_->sample_count();
    data->rollout_steps = reader_->rollout_steps();
    read_comparisons(*data);
    // A judge behind an endpoint scores them when all are there.
    const bool judged = data->progress.phase == "judging" || (last_ && last_->progress.phase == "judging");
    const bool more_samples = grew && last_ && (judged || last_->sample_count != data->sample_count);
    last_ = data;
    run_version_ = version;
    smoothing_ = wishes.smoothing;
    sinks_.run(data);
    if (more_samples && wishes.prompts && wishes.prompts->run_id == open_run_ && !wishes.prompts_new) {
        answer_prompts(*wishes.prompts);
        if (wishes.samples && wishes.samples->run_id == open_run_ && !wishes.samples_new)
            answer_samples(*wishes.samples);
    }
}

/// The replies are read anew only where there are more; the other win-rate runs of the study are read where
/// they were written since.
void FeedReader::read_comparisons(RunData& data) {
    const std::int64_t count = reader_->comparison_count();
    const bool same = last_ && std::int64_t(last_->comparisons->size()) == count;
    if (same)
        data.comparisons = last_->comparisons;
    else
        data.comparisons = std::make_shared<const std::vector<Comparison>>(reader_->comparisons());
    const RunRecord* watched = catalogue_->run(open_run_);
    if (!watched || watched->kind != "win_rate") return;
    for (const RunRecord& run : catalogue_->runs) {
        const bool sibling = !watched->study.empty() && run.study == watched->study;
        if (run.kind == watched->kind && (run.id == open_run_ || sibling))
            data.win_rates.push_back(win_rate_of(run));
    }
}

WinRateLine FeedReader::win_rate_of(const RunRecord& run) {
    const std::filesystem::path folder = workspace_.run_folder(run.id);
    KnownRate& known = known_rates_[run.id];
    const std::int64_t written = last_write_ms(folder);
    if (known.line.run_id.empty() || known.written_ms != written) {
        std::vector<double> base, tuned;
        for (const Comparison& comparison : RunReader(folder).comparisons()) {
            base.push_back(comparison.base.score);
            tuned.push_back(comparison.tuned.score);
        }
        known = {written, {run.id, {}, win_rate(base, tuned, 2000, 0), {}, run.status}};
    }
    known.line.name = toQt(run.stage.empty() ? run.name.empty() ? run.id : run.name : run.stage);
    known.line.status = run.status;
    if (const std::string place = recipe_text(run, "paper"); !place.empty())
        known.line.paper = paper_value(place);
    return known.line;
}

void FeedReader::read_metrics(RunData& data, double smoothing) {
    for (const std::string& name : reader_->metric_names()) {
        const SeriesPointer before = last_ && last_->metrics.count(name) ? last_->metrics.at(name) : nullptr;
        auto series = std::make_shared<Series>();
        // Behind a resume from an earlier checkpoint the steps rise anew: the line is then read afresh.
        const bool rewound = before && !before->x.empty() && [&] {
            const auto tail = reader_->metric(name, static_cast<std::int64_t>(before->x.back()) - 1);
            return tail.empty() || static_cast<double>(tail.front().step) != before->x.back()
                   || tail.front().value != before->y.back();
        }();
        const bool extend = before && !before->x.empty() && !rewound;
        const auto points = reader_->metric(name, extend ? static_cast<std::int64_t>(before->x.back()) : -1);
        if (extend && points.empty() && smoothing == smoothing_) {
            data.metrics[name] = before;
            continue;
        }
        if (extend) {
            series->x = before->x;
            series->y = before->y;
        }
        series->x.reserve(series->x.size() + points.size());
        series->y.reserve(series->y.size() + points.size());
        for (const MetricPoint& point : points) {
            series->x.push_back(static_cast<double>(point.step));
            series->y.push_back(point.value);
        }
        // A schedule is not noisy, and evaluations are few and shown as the dots they are.
        const bool exact = name == "learning_rate" || name.starts_with("eval_");
        finishSeries(*series, exact || series->x.size() < 20 ? 0.0 : smoothing);
        data.metrics[name] = series;
    }
}

void FeedReader::answer_prompts(const PromptQuery& query) {
    RunReader reader(workspace_.run_folder(query.run_id));
    auto list = std::make_shared<PromptList>();
    list->query = query;
    const RunRecord* run = catalogue_->run(query.run_id);
    const QString system = run ? systemTurnOf(*run) : QString();
    std::map<std::int64_t, QString> labels;
    for (const PromptRecord& prompt : reader.prompts())
        labels[prompt.index] = promptLabel(prompt, system);
    std::optional<std::set<std::int64_t>> wanted;
    if (!query.search.isEmpty()) {
        const auto found = reader.search(query.temperature, fromQt(query.search));
        wanted.emplace(found.begin(), found.end());
    }
    for (RunReader::PromptScores& scores : reader.prompt_scores(query.temperature))
        if (!wanted || wanted->count(scores.prompt_index))
            list->prompts.push_back(
                {scores.prompt_index, labels[scores.prompt_index], std::move(scores.scores)});
    sinks_.prompts(list);
}

void FeedReader::answer_samples(const SampleRequest& request) {
    RunReader reader(workspace_.run_folder(request.run_id));
    auto set = std::make_shared<SampleSet>();
    set->run_id = request.run_id;
    set->temperature = request.temperature;
    set->prompt.index = request.prompt_index;
    for (PromptRecord& prompt : reader.prompts())
        if (prompt.index == request.prompt_index) set->prompt = std::move(prompt);
    set->samples = reader.samples(request.temperature, request.prompt_index);
    sinks_.samples(set);
}

} // namespace tempera
