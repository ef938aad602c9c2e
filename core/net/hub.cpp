#include "core/net/hub.h"

#include "core/base/counted.h"
#include "core/base/error.h"
#include "core/base/json.h"
#include "core/net/hub_api.h"
#include "core/net/hub_selection.h"
#include "core/net/hub_transfer.h"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <set>
#include <thread>

namespace fs = std::filesystem;

namespace tempera {

namespace {

using Clock = std::chrono::steady_clock;

std::string called(const HubName& name) {
    return std::string("The ") + word_of(name.kind) + " " + name.repository();
}

/// What the cache has of a name: as huggingface_hub's listing says where it left one, else what lies there.
HubListing listing_from_cache(const HubSettings& settings, const HubName& name) {
    const HubPlace place(settings, name);
    HubListing listing;
    listing.name = name;
    listing.from_cache = true;
    listing.commit = cached_commit(place, name.revision);
    if (!listing.commit.empty()) listing.files = stored_tree(place, listing.commit);
    if (!listing.commit.empty() && listing.files.empty()) listing.files = cached_files(place, listing.commit);
    return listing;
}

/// Every shard that the index of the weights speaks of.
bool has_all_shards(const HubPlace& place, const HubListing& listing, const std::vector<HubFile>& files) {
    for (const HubFile& file : files) {
        if (!file.path.ends_with(".safetensors.index.json")) continue;
        const fs::path folder = fs::path(file.path).parent_path();
        const Json index = read_json_file(place.snapshot(listing.commit) / file.path);
        const auto map = index.find("weight_map"); // end() where it is no object
        if (map == index.end() || !map->is_object()) return false;
        std::set<std::string> shards;
        for (const auto& [tensor, shard] : map->items())
            if (shard.is_string()) shards.insert((folder / shard.get<std::string>()).generic_string());
        for (const std::string& shard : shards)
            if (std::none_of(files.begin(), files.end(),
                             [&](const HubFile& f) { return f.path == shard && f.cached; }))
                return false;
    }
    return true;
}

fs::path target_of(const HubPlace& place, const HubListing& listing) {
    const fs::path snapshot = place.snapshot(listing.commit);
    return listing.name.path.empty() ? snapshot : snapshot / listing.name.path;
}

/// One content may have several names.
std::vector<HubFile> missing_contents(const std::vector<HubFile>& files) {
    std::vector<HubFile> missing;
    std::set<std::string> seen;
    for (const HubFile& file : files)
        if (!file.cached && seen.insert(file.blob).second) missing.push_back(file);
    std::stable_sort(missing.begin(), missing.end(),
                     [](const HubFile& a, const HubFile& b) { return a.size > b.size; });
    return missing;
}

/// Several transfers at a time; the thread that started them watches.
class Download {
public:
    Download(const Hub& hub, const HubPlan& plan, const HubPlace& place)
        : hub_(hub), plan_(plan), place_(place) {
        for (HubFile& file : missing_contents(plan.files)) {
            HubTransfer& transfer = transfers_.emplace_back();
            transfer.have = begun_bytes(place, file);
            transfer.file = std::move(file);
            total_ += transfer.file.size;
        }
    }

    void run(const HubProgressSink& progress, const StopToken& stop) {
        std::vector<std::thread> threads;
        const auto count = std::min<std::size_t>(
            transfers_.size(), static_cast<std::size_t>(std::max(1, hub_.settings.parallel)));
        working_ = count;
        for (std::size_t i = 0; i < count; ++i)
            threads.emplace_back([this] { work(); });
        watch(progress, stop);
        for (std::thread& thread : threads)
            thread.join();
        if (error_) std::rethrow_exception(error_);
        if (stop) fail_stopped(plan_.listing.name);
        if (progress && !transfers_.empty()) progress(state());
    }

private:
    void work() {
        for (std::size_t i = 0; (i = next_++) < transfers_.size() && !halt_;) {
            try {
                fetch_blob(hub_, plan_.listing, place_, transfers_[i], halt_);
                ++done_;
            } catch (...) {
                std::lock_guard lock(mutex_);
                if (!error_ && !halt_) error_ = std::current_exception(); // what follows is its consequence
                halt_.request(StopRequest::cancel);
            }
        }
        std::lock_guard lock(mutex_);
        --working_;
        changed_.notify_all();
    }

    void watch(const HubProgressSink& progress, const StopToken& stop) {
        std::unique_lock lock(mutex_);
        while (working_ > 0) {
            changed_.wait_for(lock, std::chrono::milliseconds(100));
            lock.unlock();
            if (stop) halt_.request(StopRequest::cancel);
            try {
                if (progress) progress(state());
            } catch (...) {
                std::lock_guard guard(mutex_);
                if (!error_) error_ = std::current_exception();
                halt_.request(StopRequest::cancel);
            }
            lock.lock();
        }
    }

    HubProgress state() {
        HubProgress now;
        now.total = total_;
        now.files_total = static_cast<int>(transfers_.size());
        now.files_done = done_;
        for (const HubTransfer& transfer : transfers_) {
            now.done += transfer.have;
            if (now.file.empty() && transfer.have > 0 && transfer.have < transfer.file.size)
                now.file = transfer.file.path;
        }
        const auto time = Clock::now();
        points_.push_back({time, now.done});
        while (points_.size() > 2 && time - points_.front().time > std::chrono::seconds(5))
            points_.pop_front();
        const std::chrono::duration<double> passed = time - points_.front().time;
        if (passed.count() > 0 && now.done > points_.front().done)
            now.rate = static_cast<double>(now.done - points_.front().done) / passed.count();
        return now;
    }

    struct Point {
        Clock::time_point time;
        std::uint64_t done;
    };
    const Hub& hub_;
    const HubPlan& plan_;
    const HubPlace& place_;
    std::deque<HubTransfer> transfers_;
    std::uint64_t total_ = 0;
    std::atomic<std::size_t> next_{0};
    std::atomic<int> done_{0};
    std::deque<Point> points_;
    StopToken halt_;   ///< of the threads: the caller's wish, or that one of them failed
    std::mutex mutex_; ///< of what follows
    std::condition_variable changed_;
    std::size_t working_ = 0;
    std::exception_ptr error_;
};

void require_space(const HubPlan& plan, const HubPlace& place) {
    const std::uint64_t free = free_bytes_for(place.cache);
    if (plan.missing_bytes <= free) return;
    fail(ErrorKind::disk_full, called(plan.listing.name) + " needs " + byte_words(plan.missing_bytes)
                                   + " more, but only " + byte_words(free) + " are free at "
                                   + place.cache.string()
                                   + ": free some space, or set HF_HUB_CACHE to a folder on another disk.");
}

} // namespace

HubListing list_hub(const Hub& hub, const HubName& name, const StopToken& stop) {
    if (!hub.settings.offline) {
        HubListing listing = listing_from_hub(hub, name, stop);
        const HubPlace place(hub.settings, name);
        for (HubFile& file : listing.files)
            file.cached = has_blob(place, file);
        return listing;
    }
    HubListing listing = listing_from_cache(hub.settings, name);
    if (listing.files.empty())
        fail(ErrorKind::not_found, called(name) + " is not in the cache (" + hub.settings.cache.string()
                                       + "), and the hub is not asked while offline (HF_HUB_OFFLINE): go "
                                         "online once, or copy it there.");
    return listing;
}

HubPlan plan_hub(const Hub& hub, const HubName& name, const HubSelection& selection, const StopToken& stop) {
    HubPlan plan;
    plan.listing = list_hub(hub, name, stop);
    plan.files = chosen_files(plan.listing, selection);
    const HubPlace place(hub.settings, name);
    for (const HubFile& file : plan.files)
        plan.bytes += file.size;
    for (const HubFile& file : missing_contents(plan.files))
        plan.missing_bytes += file.size - begun_bytes(place, file);
    plan.target = target_of(place, plan.listing);
    plan.free_bytes = free_bytes_for(place.cache);
    return plan;
}

fs::path download_hub(const Hub& hub, const HubPlan& plan, const HubProgressSink& progress,
                      const StopToken& stop) {
    if (plan.listing.from_cache) {
        const auto missing = std::find_if(plan.files.begin(), plan.files.end(),
                                          [](const HubFile& f) { return !f.cached && !is_document(f.path); });
        if (missing == plan.files.end()) return plan.target;
        fail(ErrorKind::not_found,
             called(plan.listing.name) + " is not whole in the cache (" + missing->path
                 + " lacks), and the hub is not asked while offline (HF_HUB_OFFLINE): go online once.");
    }
    const HubPlace place(hub.settings, plan.listing.name);
    require_space(plan, place);
    Download(hub, plan, place).run(progress, stop);
    for (const HubFile& file : plan.files)
        link_file(place, plan.listing.commit, file);
    store_commit(place, plan.listing.name.revision, plan.listing.commit);
    return plan.target;
}

fs::path cached_hub(const HubSettings& settings, const HubName& name) {
    const HubListing listing = listing_from_cache(settings, name);
    if (listing.files.empty()) return {};
    const HubPlace place(settings, name);
    try {
        const auto files = chosen_files(listing, {});
        auto is_there = [](const HubFile& file) { return file.cached || is_document(file.path); };
        const bool whole = std::all_of(files.begin(), files.end(), is_there) && has_whole_sets(files)
                           && has_all_shards(place, listing, files);
        return whole ? target_of(place, listing) : fs::path();
    } catch (const Error&) { // not the files that are needed
        return {};
    }
}

fs::path obtain_hub(const Hub& hub, const HubName& name, const HubProgressSink& progress,
                    const StopToken& stop) {
    if (fs::path folder = cached_hub(hub.settings, name); !folder.empty()) return folder;
    return download_hub(hub, plan_hub(hub, name, {}, stop), progress, stop);
}

} // namespace tempera
