#include "ui/theme/text.h"

#include <QFontDatabase>
#include <QFontMetricsF>
#include <QLocale>

#include <cmath>

namespace tempera {

namespace {

bool hasTabularDigits(const QFont& font) {
    const QFontMetricsF metrics(font);
    const double zero = metrics.horizontalAdvance(u'0');
    for (char16_t digit = u'1'; digit <= u'9'; ++digit)
        if (std::abs(metrics.horizontalAdvance(QChar(digit)) - zero) > 0.01) return false;
    return true;
}

} // namespace

QString durationText(double seconds) {
    if (!(seconds >= 0) || seconds > 1e9) return {};
    const auto total = static_cast<qint64>(std::llround(seconds));
    const qint64 days = total / 86400;
    const qint64 hours = total / 3600 % 24;
    const qint64 minutes = total / 60 % 60;
    const qint64 rest = total % 60;
    if (days > 0) return QStringLiteral("%1 d %2 h").arg(days).arg(hours);
    if (hours > 0) return QStringLiteral("%1 h %2 min").arg(hours).arg(minutes, 2, 10, QChar(u'0'));
    if (minutes > 0) return QStringLiteral("%1 min %2 s").arg(minutes).arg(rest, 2, 10, QChar(u'0'));
    return QStringLiteral("%1 s").arg(rest);
}

QString clockText(double seconds, const QDateTime& now) {
    if (!(seconds >= 0) || seconds > 1e9) return {};
    const QDateTime end = now.addMSecs(std::llround(seconds * 1000));
    const qint64 days = now.date().daysTo(end.date());
    if (days == 0) return end.toString(QStringLiteral("HH:mm"));
    if (days < 7) return end.toString(QStringLiteral("ddd HH:mm"));
    return end.toString(QStringLiteral("yyyy-MM-dd HH:mm"));
}

QString etaText(double seconds, const QDateTime& now) {
    const QString clock = clockText(seconds, now);
    return clock.isEmpty() ? QString() : QStringLiteral("%1, in %2").arg(clock, durationText(seconds));
}

QString numberText(double value) {
    if (!std::isfinite(value)) return std::isnan(value) ? QStringLiteral("NaN") : QStringLiteral("inf");
    const double size = std::abs(value);
    if (size == 0) return QStringLiteral("0");
    if (size < 1e-3) {
        QString text = QString::number(value, 'e', 2);
        text.replace(QStringLiteral("e-0"), QStringLiteral("e-"));
        return text;
    }
    if (size < 10) return QString::number(value, 'f', 3);
    if (size < 1000) return QString::number(value, 'f', 1);
    if (size < 1e6) return wholeText(std::llround(value));
    if (size < 1e9) return QString::number(value / 1e6, 'f', 2) + QStringLiteral(" M");
    return QString::number(value, 'g', 4);
}

QString scoreText(double value) {
    if (!std::isfinite(value)) return QStringLiteral("–");
    QString text = QString::number(value, 'f', 2);
    if (text.startsWith(QStringLiteral("0."))) text.remove(0, 1);
    if (text.startsWith(QStringLiteral("-0."))) text.remove(1, 1);
    return text;
}

QString temperatureText(double temperature) {
    const double tenths = temperature * 10;
    return std::abs(tenths - std::round(tenths)) < 1e-6 ? QString::number(temperature, 'f', 1)
                                                        : QString::number(temperature, 'g', 3);
}

QString wholeText(std::int64_t number) {
    return QLocale(QLocale::English).toString(qlonglong(number));
}

QString bytesText(double bytes) {
    if (!(bytes >= 0)) return QStringLiteral("–");
    const char* units[] = {"bytes", "kB", "MB", "GB", "TB"};
    int unit = 0;
    for (; bytes >= 1000 && unit < 4; ++unit)
        bytes /= 1000;
    return QStringLiteral("%1 %2")
        .arg(bytes, 0, 'f', unit > 0 && bytes < 10 ? 1 : 0)
        .arg(QLatin1String(units[unit]));
}

QString percentText(double share, int decimals) {
    return std::isfinite(share) ? QString::number(share * 100, 'f', decimals) + QStringLiteral(" %")
                                : QStringLiteral("–");
}

QString progressText(const Progress& progress) {
    const QString unit = toQt(progress.unit);
    if (progress.total <= 0) return progress.done > 0 ? wholeText(progress.done) + u' ' + unit : QString();
    return QStringLiteral("%1 / %2 %3")
        .arg(wholeText(progress.done), wholeText(progress.total), unit)
        .trimmed();
}

QString statusText(RunStatus status) {
    switch (status) {
    case RunStatus::queued:
        return QStringLiteral("queued");
    case RunStatus::running:
        return QStringLiteral("running");
    case RunStatus::stopping:
        return QStringLiteral("stopping");
    case RunStatus::stopped:
        return QStringLiteral("stopped");
    case RunStatus::finished:
        return QStringLiteral("finished");
    case RunStatus::failed:
        return QStringLiteral("failed");
    case RunStatus::cancelled:
        return QStringLiteral("cancelled");
    case RunStatus::interrupted:
        return QStringLiteral("interrupted");
    }
    return {};
}

QString runSummary(const RunRecord& run) {
    switch (run.status) {
    case RunStatus::running:
        if (run.progress.total > 0)
            return percentText(static_cast<double>(run.progress.done)
                               / static_cast<double>(run.progress.total));
        return run.progress.phase.empty() ? QStringLiteral("running") : toQt(run.progress.phase);
    case RunStatus::finished:
        if (const auto pairs = run.headline.find("pairs"); pairs != run.headline.end())
            return QStringLiteral("%1 pairs").arg(pairs->second, 0, 'f', 0);
        if (const auto fresh = run.headline.find("new"); fresh != run.headline.end())
            return QStringLiteral("%1 examples").arg(fresh->second, 0, 'f', 0);
        // What was measured on held-out data comes before what was trained on.
        for (const char* key : {"best", "score", "eval_score", "win_rate", "eval_accuracy", "accuracy"})
            if (const auto found = run.headline.find(key); found != run.headline.end())
                return scoreText(found->second);
        for (const auto& [key, word] :
             {std::pair("reward", "reward"), std::pair("eval_loss", "loss"), std::pair("loss", "loss")})
            if (const auto found = run.headline.find(key); found != run.headline.end())
                return QStringLiteral("%1 %2").arg(QLatin1String(word), scoreText(found->second));
        return QStringLiteral("finished");
    default:
        return statusText(run.status);
    }
}

QString runTitle(const RunRecord& run) {
    return toQt(run.name.empty() ? run.id : run.name);
}

QString timeText(qint64 unix_ms) {
    return unix_ms > 0
               ? QDateTime::fromMSecsSinceEpoch(unix_ms).toString(QStringLiteral("yyyy-MM-dd HH:mm:ss"))
               : QString();
}

QString tipText(const QString& plain) {
    if (plain.isEmpty()) return {};
    return QStringLiteral("<div style='white-space:pre-wrap'>%1</div>").arg(plain.toHtmlEscaped());
}

QFont tabularFont(const QFont& base) {
    if (hasTabularDigits(base)) return base;
    for (const char* family : {"Noto Sans", "DejaVu Sans", "Liberation Sans", "Roboto"}) {
        QFont font = base;
        font.setFamily(QString::fromLatin1(family));
        if (QFontDatabase::hasFamily(font.family()) && hasTabularDigits(font)) return font;
    }
    return monoFont(base);
}

QFont monoFont(const QFont& base) {
    QFont font = QFontDatabase::systemFont(QFontDatabase::FixedFont);
    if (base.pointSizeF() > 0)
        font.setPointSizeF(base.pointSizeF());
    else
        font.setPixelSize(base.pixelSize());
    font.setStyleHint(QFont::Monospace);
    return font;
}

QFont titleFont(const QFont& base) {
    QFont font = base;
    font.setPointSizeF(font.pointSizeF() + 4);
    font.setWeight(QFont::DemiBold);
    return font;
}

} // namespace tempera
