#include "ui/feed_types.h"

#include "core/base/json.h"
#include "ui/theme/text.h"

#include <QStringList>

namespace tempera {

QString promptLabel(const PromptRecord& prompt) {
    const Json facts = Json::parse(prompt.facts, nullptr, false);
    if (facts.is_object() && facts.contains("nums") && facts["nums"].is_array() && facts.contains("target")
        && facts["target"].is_number()) {
        QStringList numbers;
        for (const Json& number : facts["nums"])
            if (number.is_number()) numbers << QString::number(number.get<double>(), 'g', 12);
        return numbers.join(QStringLiteral(", ")) + QStringLiteral(" → ")
               + QString::number(facts["target"].get<double>(), 'g', 12);
    }
    return toQt(prompt.text).section(u'\n', 0, 0).left(120);
}

} // namespace tempera
