#include "ui/hub_words.h"

#include "ui/theme/text.h"

namespace tempera {

std::string withHubSettings(const std::string& sentence) {
    QString text = toQt(sentence);
    text.replace(QLatin1String("set HF_HUB_CACHE"), QLatin1String("set the cache (HF_HUB_CACHE)"));
    text.replace(QLatin1String("(HF_"), QLatin1String("(Settings, Hub, or HF_"));
    return fromQt(text);
}

} // namespace tempera
