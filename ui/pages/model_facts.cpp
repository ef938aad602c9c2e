#include "core/recipe/catalogue.h"
#include "core/recipe/field.h"
#include "ui/models/model_entries.h"
#include "ui/pages/model_view.h"
#include "ui/theme/text.h"

namespace tempera {

namespace {

QString shapeText(const ModelConfig& config) {
    QString text = ModelView::tr("%1 layers, width %2, %3 heads")
                       .arg(config.layers)
                       .arg(config.hidden_size)
                       .arg(config.heads);
    if (config.kv_heads != config.heads)
        text += ModelView::tr(" (%1 for keys and values)").arg(config.kv_heads);
    return text;
}

QString shapeText(const EncoderConfig& config) {
    return ModelView::tr("%1 layers, width %2, %3 heads")
        .arg(config.layers)
        .arg(config.hidden_size)
        .arg(config.heads);
}

QString typesText(const ModelInfo& info) {
    QStringList parts;
    for (const auto& [type, elements] : info.weights.types)
        parts << QStringLiteral("%1 %2").arg(parametersText(elements), toQt(type));
    return parts.join(QStringLiteral(", "));
}

void addTokenizer(const ModelInfo& info, std::vector<Fact>& facts) {
    if (!info.tokenizer) {
        if (info.kind != ModelInfo::Kind::adapter)
            facts.push_back(
                {ModelView::tr("Tokenizer"), ModelView::tr("none: it cannot read or write text"), true});
        return;
    }
    const ModelInfo::Vocabulary& vocabulary = *info.tokenizer;
    QStringList special;
    for (const auto& [name, piece] :
         {std::pair("bos", vocabulary.bos), {"eos", vocabulary.eos}, {"pad", vocabulary.pad}})
        if (!piece.empty()) special << QStringLiteral("%1 %2").arg(QLatin1String(name), toQt(piece));
    QString text = ModelView::tr("%1 tokens").arg(wholeText(vocabulary.tokens));
    if (!special.isEmpty()) text += QStringLiteral(";  ") + special.join(QStringLiteral("  "));
    facts.push_back({ModelView::tr("Tokenizer"), text});
    facts.push_back({ModelView::tr("Chat template"), toQt(vocabulary.chat_template)});
    if (!vocabulary.problem.empty())
        facts.push_back({ModelView::tr("Problem"), toQt(vocabulary.problem), true});
}

void addAdapter(const ModelInfo::Adapter& adapter, std::vector<Fact>& facts) {
    facts.push_back({ModelView::tr("Base model"), toQt(adapter.base_model)});
    QString text = ModelView::tr("rank %1, alpha %2").arg(adapter.r).arg(adapter.alpha);
    if (adapter.dropout > 0) text += ModelView::tr(", dropout %1").arg(adapter.dropout);
    if (adapter.rs_lora) text += ModelView::tr(", rank-stabilised");
    facts.push_back({ModelView::tr("LoRA"), text});
    QStringList targets;
    if (adapter.targets.is_array())
        for (const Json& target : adapter.targets)
            targets << (target.is_string() ? toQt(target.get<std::string>()) : QString());
    else if (adapter.targets.is_string())
        targets << toQt(adapter.targets.get<std::string>());
    if (!targets.isEmpty()) facts.push_back({ModelView::tr("On"), targets.join(QStringLiteral(", "))});
}

QString licenceText(const ShelvedModel& model) {
    if (model.info && !model.info->licence.empty()) return toQt(model.info->licence);
    if (model.model.source == LocalModel::Source::shipped)
        return ModelView::tr("GPL-3.0-or-later, as Tempera");
    if (model.model.source == LocalModel::Source::run)
        return ModelView::tr("not stated; that of its base holds");
    return ModelView::tr("not stated");
}

} // namespace

std::vector<Fact> factsOf(const ShelvedModel& shelved) {
    std::vector<Fact> facts;
    const LocalModel& model = shelved.model;
    if (!model.present) {
        facts.push_back({ModelView::tr("To fetch"), bytesText(double(model.bytes))});
        facts.push_back({ModelView::tr("In recipes"), toQt(model.reference), false, true});
        return facts;
    }
    if (!shelved.problem.isEmpty()) facts.push_back({ModelView::tr("Problem"), shelved.problem, true});
    if (shelved.info) {
        const ModelInfo& info = *shelved.info;
        facts.push_back({ModelView::tr("Parameters"), wholeText(info.weights.elements)});
        facts.push_back({ModelView::tr("Architecture"), toQt(info.architecture)});
        if (info.config) facts.push_back({ModelView::tr("Shape"), shapeText(*info.config)});
        if (info.encoder) facts.push_back({ModelView::tr("Shape"), shapeText(*info.encoder)});
        if (info.config)
            facts.push_back({ModelView::tr("Context"),
                             ModelView::tr("%1 tokens").arg(wholeText(info.config->max_positions))});
        if (info.encoder)
            facts.push_back({ModelView::tr("Context"),
                             ModelView::tr("%1 tokens").arg(wholeText(info.encoder->max_positions))});
        if (info.adapter) addAdapter(*info.adapter, facts);
        facts.push_back({ModelView::tr("Weights"), typesText(info)});
        addTokenizer(info, facts);
    }
    facts.push_back({ModelView::tr("On disk"), bytesText(double(model.bytes))});
    if (!model.copy.empty())
        facts.push_back({ModelView::tr("Copy"),
                         ModelView::tr("%1; look it up again under “Get a model” for what is newer")
                             .arg(toQt(model.copy))});
    facts.push_back({ModelView::tr("Licence"), licenceText(shelved)});
    facts.push_back({ModelView::tr("In recipes"), toQt(model.reference), false, true});
    if (model.reference != model.path.string())
        facts.push_back({ModelView::tr("Folder"), toQt(model.path.string()), false, true});
    return facts;
}

std::vector<std::pair<QString, Json>> usesOf(const ShelvedModel& model) {
    const bool encoder = model.info && model.info->encoder;
    std::vector<std::pair<QString, Json>> uses;
    for (const RecipeKind& kind : recipe_kinds()) {
        if (encoder != (kind.kind == "reward")) continue;
        for (const Field& field : kind.fields) {
            if (field.type != Field::Type::model || (field.name != "model" && field.name != "tuned"))
                continue;
            uses.emplace_back(toQt(kind.title),
                              Json{{"kind", kind.kind}, {field.name, model.model.reference}});
            break;
        }
    }
    return uses;
}

} // namespace tempera
