#include "ui/run_feed.h"

#include "ui/feed_reader.h"
#include "ui/theme/text.h"

#include "core/store/workspace.h"

#include <QPointer>

namespace tempera {

class RunFeed::Reader {
public:
    Workspace& workspace;
    TokenTexts token_texts; ///< used by the thread alone, which ends first
    FeedReader thread;
};

RunFeed::RunFeed(Workspace& workspace, QObject* parent)
    : QObject(parent), catalogue_(std::make_shared<Catalogue>()) {
    // Every delivery crosses to this object's thread as a queued call; what is still queued dies with this
    // object.
    const auto deliver = [this](auto signal) {
        return [this, signal](const auto& value) {
            QMetaObject::invokeMethod(
                this,
                [this, signal, value] {
                    Q_EMIT(this->*signal)
                    (value);
                },
                Qt::QueuedConnection);
        };
    };
    FeedReader::Sinks sinks;
    sinks.catalogue = [this](const CataloguePointer& value) {
        QMetaObject::invokeMethod(
            this,
            [this, value] {
                catalogue_ = value;
                Q_EMIT catalogueChanged(value);
            },
            Qt::QueuedConnection);
    };
    sinks.run = deliver(&RunFeed::runChanged);
    sinks.prompts = deliver(&RunFeed::promptsReady);
    sinks.samples = deliver(&RunFeed::samplesReady);
    sinks.rollouts = deliver(&RunFeed::rolloutsReady);
    sinks.load = deliver(&RunFeed::loadChanged);
    sinks.failed = [this](const std::string& value) {
        QMetaObject::invokeMethod(
            this, [this, text = toQt(value)] { Q_EMIT failed(text); }, Qt::QueuedConnection);
    };
    reader_.reset(new Reader{workspace, {}, FeedReader(workspace, std::move(sinks))});
}

RunFeed::~RunFeed() = default;

void RunFeed::start() {
    reader_->thread.start(poll_interval_ms);
}

QString RunFeed::workspaceFolder() const {
    return QString::fromStdString(reader_->workspace.folder().string());
}

bool RunFeed::readOnly() const {
    return reader_->workspace.access() == Workspace::Access::read_only;
}

QString RunFeed::runFolder(const std::string& run_id) const {
    return QString::fromStdString(reader_->workspace.run_folder(run_id).string());
}

void RunFeed::watch(const std::string& run_id) {
    watched_ = run_id;
    reader_->thread.watch(run_id);
}

void RunFeed::setSmoothing(double weight) {
    reader_->thread.set_smoothing(weight);
}

void RunFeed::requestPrompts(const std::optional<PromptQuery>& query) {
    reader_->thread.request_prompts(query);
}

void RunFeed::requestSamples(const std::string& run_id, double temperature, std::int64_t prompt_index) {
    reader_->thread.request_samples({run_id, temperature, prompt_index});
}

void RunFeed::requestRollouts(const std::string& run_id, std::int64_t step) {
    reader_->thread.request_rollouts(run_id, step);
}

void RunFeed::requestPieces(QObject* context, const std::string& run_id, std::vector<TokenList> lists,
                            std::function<void(Pieces, const QString&)> done) {
    auto pieces = std::make_shared<Pieces>();
    perform(
        context,
        [this, run_id, lists = std::move(lists), pieces] {
            *pieces = reader_->token_texts.pieces(reader_->workspace, run_id, lists);
        },
        [pieces, done = std::move(done)](const QString& error) { done(std::move(*pieces), error); });
}

void RunFeed::perform(QObject* context, std::function<void()> task,
                      std::function<void(const QString&)> done) {
    reader_->thread.perform(std::move(task), [this, done = std::move(done),
                                              guard = QPointer<QObject>(context)](const std::string& error) {
        QMetaObject::invokeMethod(
            this,
            [done, guard, text = toQt(error)] {
                if (guard) done(text);
            },
            Qt::QueuedConnection);
    });
}

void RunFeed::removeRun(const std::string& run_id) {
    reader_->workspace.remove_run(run_id);
}

} // namespace tempera
