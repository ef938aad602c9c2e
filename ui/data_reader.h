#pragma once

#include "ui/background.h"
#include "ui/data_types.h"

#include <QElapsedTimer>
#include <QObject>

#include <atomic>
#include <mutex>
#include <optional>

namespace tempera {

/// Opens data sets and reads them in the background: rows as they are wanted, counting and checking beside
/// it. All answers come as signals on the GUI thread, and only for the data set that is open then.
class DataReader final : public QObject {
    Q_OBJECT

public:
    explicit DataReader(QObject* parent = nullptr);
    /// Stops what is going on and waits for it.
    ~DataReader() override;

    /// Reads a few rows; opened() or failed() is the answer.
    void open(const QString& path);
    void close();
    /// How many rows it has; read through where the file does not say so. counted() is told now and then, and
    /// before troubled() where the file cannot be read to its end and its `faults` are told.
    enum class Faults { told, hidden };
    void count(std::size_t split, Faults faults = Faults::told);
    /// The newest wish is answered first; of many only the newest few are kept, the others are dropped().
    void wantRows(std::size_t split, std::int64_t offset, std::size_t count);
    /// One row as people read it, and its tokens where a model is named; the newest wish counts.
    void wantRow(std::size_t split, std::int64_t index, const DataReading& reading, const TokenWish& tokens);
    /// Reads the split through; checked() or checkFailed() is the answer.
    void check(std::size_t split, const ValidationOptions& options);
    void stopCheck();

Q_SIGNALS:
    void opened(const tempera::DataOverviewPointer& overview);
    void failed(const QString& sentence);
    /// What is open cannot be read on, or is no longer what was opened; told once of each.
    void troubled(const QString& sentence);
    void counted(int split, qint64 rows, bool all);
    void rowsReady(int split, qint64 offset,
                   const std::shared_ptr<const std::vector<tempera::JsonRow>>& rows);
    void dropped(int split, qint64 offset);
    void rowReady(int split, const std::shared_ptr<const tempera::ShownRow>& row);
    void tokensReady(qint64 index, const std::shared_ptr<const std::vector<tempera::TokenPreview>>& tokens,
                     const QString& problem);
    void checkProgressed(double share, qint64 rows);
    void checked(int split, const std::shared_ptr<const tempera::ValidationReport>& report);
    void checkFailed(const QString& sentence);

private:
    struct RowsWish {
        std::size_t split = 0;
        std::int64_t offset = 0;
        std::size_t count = 0;
    };
    struct RowWish {
        std::size_t split = 0;
        std::int64_t index = -1;
        DataReading reading;
        TokenWish tokens;
    };
    /// Calls `tell` on the GUI thread where the data set of `generation` is still open.
    template <typename Tell>
    void deliver(int generation, Tell tell);
    void answerRows(const std::shared_ptr<DataSet>& data, int generation);
    void answerRow(const std::shared_ptr<DataSet>& data, int generation);
    void lookForChange(const DataSet& data, std::size_t split, int generation);
    void trouble(const QString& sentence);

    std::shared_ptr<DataSet> data_; ///< of the GUI thread; tasks hold their own
    int generation_ = 0;
    StopToken count_stop_, check_stop_;
    QStringList troubles_; ///< that were told of
    int checks_ = 0;       ///< the number of the newest; what others find is of no use
    std::mutex mutex_;     ///< guards the wishes
    std::vector<RowsWish> rows_wishes_;
    std::optional<RowWish> row_wish_;
    std::optional<TokenPreviewer> previewer_; ///< of the rows' thread, as is:
    std::filesystem::path previewed_model_;
    Background rows_, counter_, checker_; ///< the last members: their threads end first
};

} // namespace tempera
