#pragma once

#include "core/store/records.h"

#include <QDateTime>
#include <QFont>
#include <QString>

#include <string>

namespace tempera {

inline QString toQt(const std::string& text) {
    return QString::fromStdString(text);
}
inline std::string fromQt(const QString& text) {
    return text.toStdString();
}

/// "8 s", "3 min 20 s", "1 h 04 min", "2 d 3 h"; "" below zero (not known).
QString durationText(double seconds);
/// The clock time `seconds` from `now`: "14:32", with the day where it is not today ("Tue 14:32").
QString clockText(double seconds, const QDateTime& now);
/// "14:32, in 3 min 20 s", or "" where it is not known.
QString etaText(double seconds, const QDateTime& now);
/// Up to four significant figures, as an axis or readout shows them: "0.4123", "12.3k", "5.0e-06".
QString numberText(double value);
/// A score with two decimals and no leading zero, as in the paper's tables: ".81", "1.00".
QString scoreText(double value);
/// "0.7", "1.0", "0.35": one decimal where that says all.
QString temperatureText(double temperature);
/// A count with commas between its thousands.
QString wholeText(std::int64_t number);
/// "812 kB", "1.4 GB"; "–" below zero.
QString bytesText(double bytes);
QString percentText(double share, int decimals = 0);
/// "812 / 2,000 steps"
QString progressText(const Progress& progress);
/// The word a user reads for a status: "running", "stopping ...".
QString statusText(RunStatus status);
/// The one line a list shows beside a run: "41 %", "queued", ".64", "loss .22", "failed". A number alone is
/// better when it is higher.
QString runSummary(const RunRecord& run);
/// Name of a run for headings; its id where it has none.
QString runTitle(const RunRecord& run);
QString timeText(qint64 unix_ms);
/// A tool tip that shows `plain` as it is, wrapped: Qt would take a text with tags for HTML.
QString tipText(const QString& plain);

/// `base` itself where its digits have equal widths, else the nearest installed family whose digits have.
QFont tabularFont(const QFont& base);
QFont monoFont(const QFont& base);
/// That of a page's title.
QFont titleFont(const QFont& base);

} // namespace tempera
