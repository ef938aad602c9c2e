#include "ui/forms/field_text.h"

#include "ui/theme/text.h"

#include <QStringList>

#include <cmath>

namespace tempera {

namespace {

QString shortNumber(double value) {
    for (int digits = 1; digits <= 17; ++digits) {
        const QString text = QString::number(value, 'g', digits);
        if (text.toDouble() != value) continue;
        if (std::abs(value) >= 1 && std::abs(value) < 1e15 && value == std::floor(value))
            return QString::number(value, 'f', 0);
        return QString(text).replace(QStringLiteral("e-0"), QStringLiteral("e-"));
    }
    return QString::number(value, 'g', 17);
}

QString escaped(QString text) {
    text.replace(u'\\', QStringLiteral("\\\\")).replace(u',', QStringLiteral("\\,"));
    return text.replace(u'\n', QStringLiteral("\\n")).replace(u'\t', QStringLiteral("\\t"));
}

} // namespace

QString fieldText(const Json& value) {
    if (value.is_string()) return toQt(value.get<std::string>());
    if (value.is_boolean()) return value.get<bool>() ? QStringLiteral("true") : QStringLiteral("false");
    if (value.is_number_integer()) return toQt(value.dump());
    if (value.is_number()) return shortNumber(value.get<double>());
    if (value.is_array()) {
        QStringList parts;
        bool words = false;
        for (const Json& part : value) {
            words = words || part.is_string();
            parts << (part.is_string() ? escaped(fieldText(part)) : fieldText(part));
        }
        // White space belongs to a word (a stop string may be a blank), so nothing stands between words but
        // the comma.
        const QString text = parts.join(words ? QStringLiteral(",") : QStringLiteral(", "));
        return text.startsWith(u'[') ? toQt(to_json_line(value)) : text;
    }
    return value.is_null() ? QString() : toQt(to_json_line(value));
}

QString rangeText(const Field& field) {
    const auto low = field.minimum ? shortNumber(*field.minimum) : QString();
    const auto high = field.maximum ? shortNumber(*field.maximum) : QString();
    if (!low.isEmpty() && !high.isEmpty())
        return QStringLiteral("%1 %2 to %3")
            .arg(field.minimum_exclusive ? QStringLiteral("above") : QStringLiteral("from"), low, high);
    if (!low.isEmpty())
        return (field.minimum_exclusive ? QStringLiteral("above %1") : QStringLiteral("at least %1"))
            .arg(low);
    if (!high.isEmpty()) return QStringLiteral("at most %1").arg(high);
    return {};
}

} // namespace tempera
