#include "ui/data_reader.h"

#include "ui/theme/text.h"

#include <algorithm>
#include <chrono>

namespace tempera {

namespace {

constexpr std::size_t most_wishes = 6;

/// False until the last time is a fifth of a second ago.
class Throttle {
public:
    bool due() {
        const auto now = std::chrono::steady_clock::now();
        if (now - last_ < std::chrono::milliseconds(200)) return false;
        last_ = now;
        return true;
    }

private:
    std::chrono::steady_clock::time_point last_ = std::chrono::steady_clock::now();
};

DataOverviewPointer overview_of(const DataSet& data) {
    auto overview = std::make_shared<DataOverview>();
    overview->path = data.path();
    overview->format = toQt(data.format());
    for (std::size_t i = 0; i < data.splits().size(); ++i) {
        DataSplitInfo info;
        info.split = data.splits()[i];
        try {
            info.columns = data.columns(i);
            info.detected = DataSet::detected(info.columns);
            info.rows = data.row_count(i);
        } catch (const Error& error) {
            info.problem = toQt(error.what());
        }
        overview->splits.push_back(std::move(info));
    }
    return overview;
}

} // namespace

DataReader::DataReader(QObject* parent) : QObject(parent) {}

DataReader::~DataReader() {
    close();
}

template <typename Tell>
void DataReader::deliver(int generation, Tell tell) {
    QMetaObject::invokeMethod(
        this,
        [this, generation, tell = std::move(tell)] {
            if (generation == generation_) tell();
        },
        Qt::QueuedConnection);
}

void DataReader::close() {
    ++generation_;
    count_stop_.request(StopRequest::cancel);
    stopCheck();
    troubles_.clear();
    data_.reset();
    const std::lock_guard lock(mutex_);
    rows_wishes_.clear();
    row_wish_.reset();
}

void DataReader::open(const QString& path) {
    close();
    const int generation = generation_;
    rows_.compute(
        this,
        [path] {
            auto data = std::make_shared<DataSet>(fromQt(path));
            return std::pair(data, overview_of(*data));
        },
        [this, generation](std::pair<std::shared_ptr<DataSet>, DataOverviewPointer> found,
                           const QString& error) {
            if (generation != generation_) return;
            if (!error.isEmpty()) {
                Q_EMIT failed(error);
                return;
            }
            data_ = found.first;
            Q_EMIT opened(found.second);
        });
}

void DataReader::count(std::size_t split, Faults faults) {
    if (!data_) return;
    count_stop_.request(StopRequest::cancel); // of another split
    count_stop_ = StopToken();
    const int generation = generation_;
    counter_.perform(
        this,
        [this, data = data_, split, generation, stop = count_stop_] {
            Throttle throttle;
            std::int64_t so_far = 0;
            const auto tell = [&](std::int64_t rows, bool all) {
                deliver(generation, [this, split, rows, all] { Q_EMIT counted(int(split), rows, all); });
            };
            const auto told = [&](const DataProgress& progress) {
                so_far = progress.rows;
                if (throttle.due()) tell(so_far, false);
            };
            try {
                if (const auto rows = data->count(split, told, stop)) tell(*rows, true);
            } catch (const Error&) {
                tell(so_far, false);
                throw;
            }
        },
        [this, generation, faults](const QString& error) {
            if (generation == generation_ && !error.isEmpty() && faults == Faults::told) trouble(error);
        });
}

void DataReader::wantRows(std::size_t split, std::int64_t offset, std::size_t count) {
    if (!data_) return;
    std::vector<RowsWish> given_up;
    {
        const std::lock_guard lock(mutex_);
        rows_wishes_.push_back({split, offset, count});
        while (rows_wishes_.size() > most_wishes) {
            given_up.push_back(rows_wishes_.front());
            rows_wishes_.erase(rows_wishes_.begin());
        }
    }
    for (const RowsWish& wish : given_up)
        Q_EMIT dropped(int(wish.split), wish.offset);
    rows_.perform(
        this, [this, data = data_, generation = generation_] { answerRows(data, generation); },
        [](const QString&) {});
}

/// On the rows' thread. One task a wish; which one it answers is decided when it runs.
void DataReader::answerRows(const std::shared_ptr<DataSet>& data, int generation) {
    RowsWish wish;
    {
        const std::lock_guard lock(mutex_);
        if (rows_wishes_.empty()) return;
        wish = rows_wishes_.back();
        rows_wishes_.pop_back();
    }
    try {
        auto rows =
            std::make_shared<const std::vector<JsonRow>>(data->rows(wish.split, wish.offset, wish.count));
        deliver(generation, [this, wish, rows] { Q_EMIT rowsReady(int(wish.split), wish.offset, rows); });
    } catch (const std::exception& error) {
        deliver(generation, [this, wish, sentence = toQt(error.what())] {
            Q_EMIT dropped(int(wish.split), wish.offset);
            trouble(sentence);
        });
    }
    lookForChange(*data, wish.split, generation);
}

/// On the rows' thread.
void DataReader::lookForChange(const DataSet& data, std::size_t split, int generation) {
    if (!data.changed(split)) return;
    const auto& files = data.splits()[split].files;
    const QString name = toQt((files.size() == 1 ? files.front() : data.path()).filename().string());
    deliver(generation, [this, name] { trouble(tr("%1 has changed since it was opened.").arg(name)); });
}

void DataReader::trouble(const QString& sentence) {
    if (troubles_.contains(sentence)) return;
    troubles_ << sentence;
    Q_EMIT troubled(sentence);
}

void DataReader::wantRow(std::size_t split, std::int64_t index, const DataReading& reading,
                         const TokenWish& tokens) {
    if (!data_) return;
    {
        const std::lock_guard lock(mutex_);
        row_wish_ = RowWish{split, index, reading, tokens};
    }
    rows_.perform(
        this, [this, data = data_, generation = generation_] { answerRow(data, generation); },
        [](const QString&) {});
}

/// On the rows' thread.
void DataReader::answerRow(const std::shared_ptr<DataSet>& data, int generation) {
    RowWish wish;
    {
        const std::lock_guard lock(mutex_);
        if (!row_wish_) return;
        wish = *row_wish_;
        row_wish_.reset();
    }
    JsonRow row;
    try {
        std::vector<JsonRow> rows = data->rows(wish.split, wish.index, 1);
        lookForChange(*data, wish.split, generation);
        if (rows.empty()) return;
        row = std::move(rows.front());
    } catch (const std::exception& error) {
        deliver(generation, [this, sentence = toQt(error.what())] { trouble(sentence); });
        return;
    }
    const bool text_cells = data_format_of(data->splits()[wish.split].files.front()) == DataFormat::csv;
    auto shown = std::make_shared<const ShownRow>(shown_row(row, wish.index, wish.reading, text_cells));
    deliver(generation, [this, split = wish.split, shown] { Q_EMIT rowReady(int(split), shown); });
    if (wish.tokens.model.empty()) return;
    auto tokens = std::make_shared<std::vector<TokenPreview>>();
    QString problem;
    try {
        if (!previewer_ || previewed_model_ != wish.tokens.model) {
            previewer_.emplace(wish.tokens.model);
            previewed_model_ = wish.tokens.model;
        }
        const ColumnMapping& columns = wish.reading.columns;
        *tokens = previewer_->preview(row, wish.reading.task, columns.empty() ? "" : columns.text(),
                                      wish.tokens.max_length);
    } catch (const std::exception& error) {
        problem = toQt(error.what());
    }
    deliver(generation, [this, index = wish.index, tokens, problem] {
        Q_EMIT tokensReady(index, std::shared_ptr<const std::vector<TokenPreview>>(tokens), problem);
    });
}

void DataReader::check(std::size_t split, const ValidationOptions& options) {
    if (!data_) return;
    stopCheck(); // of another split
    check_stop_ = StopToken();
    const int generation = generation_, number = ++checks_;
    checker_.compute(
        this,
        [this, data = data_, split, options, generation, stop = check_stop_] {
            Throttle throttle;
            const auto told = [&](const DataProgress& progress) {
                if (!throttle.due()) return;
                const double share = progress.total > 0 ? double(progress.done) / double(progress.total) : 0;
                deliver(generation,
                        [this, share, rows = progress.rows] { Q_EMIT checkProgressed(share, rows); });
            };
            return std::make_shared<const ValidationReport>(validate(*data, split, options, told, stop));
        },
        [this, split, generation, number](const std::shared_ptr<const ValidationReport>& report,
                                          const QString& error) {
            if (generation != generation_ || number != checks_) return;
            if (error.isEmpty())
                Q_EMIT checked(int(split), report);
            else
                Q_EMIT checkFailed(error);
        });
}

void DataReader::stopCheck() {
    check_stop_.request(StopRequest::cancel);
}

} // namespace tempera
