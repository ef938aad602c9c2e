#pragma once

#include "ui/feed_types.h"
#include "ui/token_texts.h"

#include <QObject>

#include <functional>
#include <memory>
#include <optional>

namespace tempera {

class Workspace;

/// The window's eyes: a thread that looks at the workspace and the watched run about four times a second and
/// hands plain structs to the GUI thread, where all signals arrive. No other part of the window touches the
/// store, so the GUI thread never waits for a disk or a lock.
class RunFeed final : public QObject {
    Q_OBJECT

public:
    static constexpr int poll_interval_ms = 250;

    /// `workspace` must outlive the feed.
    explicit RunFeed(Workspace& workspace, QObject* parent = nullptr);
    ~RunFeed() override;

    void start();
    QString workspaceFolder() const;
    bool readOnly() const;
    QString runFolder(const std::string& run_id) const;

    /// Which run's data to read; "" = none. The answer arrives as runChanged.
    void watch(const std::string& run_id);
    const std::string& watched() const { return watched_; }
    void setSmoothing(double weight);
    /// The newest request wins; it is answered again while the run grows. nullopt ends it.
    void requestPrompts(const std::optional<PromptQuery>& query);
    void requestSamples(const std::string& run_id, double temperature, std::int64_t prompt_index);
    /// The groups of one step; answered once.
    void requestRollouts(const std::string& run_id, std::int64_t step);
    /// The text of every token by the run's tokenizers; `done` gets it here, or one sentence on why not.
    using Pieces = std::vector<std::vector<QString>>;
    void requestPieces(QObject* context, const std::string& run_id, std::vector<TokenList> lists,
                       std::function<void(Pieces, const QString&)> done);
    /// Runs `task` on the feed's thread (it may touch workspace and queue) and then `done` here, with "" or
    /// what went wrong.
    void perform(QObject* context, std::function<void()> task, std::function<void(const QString&)> done);

    /// Deletes a run's row and folder; to be called inside a task given to perform(). Throws Error.
    void removeRun(const std::string& run_id);

    /// The newest one that arrived; never null.
    CataloguePointer catalogue() const { return catalogue_; }

Q_SIGNALS:
    void catalogueChanged(const tempera::CataloguePointer& catalogue);
    void runChanged(const tempera::RunDataPointer& data);
    void promptsReady(const tempera::PromptListPointer& prompts);
    void samplesReady(const tempera::SampleSetPointer& samples);
    void rolloutsReady(const tempera::RolloutSetPointer& rollouts);
    void loadChanged(const tempera::SystemLoad& load);
    /// Reading failed; one sentence. Told once until it changes.
    void failed(const QString& sentence);

private:
    class Reader;
    std::unique_ptr<Reader> reader_;
    std::string watched_;
    CataloguePointer catalogue_;
};

} // namespace tempera
