#include "ui/forms/plan.h"

#include "core/recipe/adapted.h"
#include "ui/theme/text.h"

#include <QObject>

#include <algorithm>
#include <cmath>

namespace tempera {

namespace {

QString tr(const char* text) {
    return QObject::tr(text);
}

double number(const Json& recipe, const char* key, double fallback) {
    const auto found = recipe.find(key);
    return found != recipe.end() && found->is_number() ? found->get<double>() : fallback;
}

std::string text(const Json& recipe, const char* key) {
    const auto found = recipe.find(key);
    return found != recipe.end() && found->is_string() ? found->get<std::string>() : std::string();
}

QString grouped(double value) {
    return wholeText(std::llround(value));
}

/// Rows of the data behind one optimiser step: examples, or RLOO's prompts with k completions each.
double rowsPerStep(const Json& recipe) {
    return std::max(1.0, number(recipe, "batch_size", 1) * number(recipe, "accumulation", 1)
                             / std::max(1.0, number(recipe, "k", 1)));
}

/// Steps on the same rows: RLOO's.
double iterationsOf(const Json& recipe) {
    return std::max(1.0, number(recipe, "iterations", 1));
}

/// Optimiser steps of a recipe that trains; 0 where they depend on a data file.
double stepsOf(const Json& recipe) {
    const double limit = number(recipe, "max_steps", 0);
    if (limit > 0) return limit;
    const std::string data = text(recipe, "data");
    if (data != "countdown" && data != "arithmetic") return 0;
    const double epoch = std::ceil(number(recipe, "examples", 0) / rowsPerStep(recipe));
    return std::ceil(epoch * number(recipe, "epochs", 1)) * iterationsOf(recipe);
}

double samplesOf(const Json& recipe) {
    const auto temperatures = recipe.find("temperatures");
    const double columns =
        temperatures != recipe.end() && temperatures->is_array() ? double(temperatures->size()) : 1;
    return columns * number(recipe, "problems", 0) * number(recipe, "n", 1);
}

/// With every field, where its kind is known.
Json adapted(const Json& recipe) {
    try {
        return adapted_recipe(recipe);
    } catch (const std::exception&) {
        return recipe;
    }
}

/// Returns the bytes it will take, 0 where that is not known.
double addStage(std::vector<PlanLine>& plan, const Json& given, const Catalogue& earlier) {
    const Json recipe = adapted(given);
    const std::string kind = text(recipe, "kind");
    const bool sweep = kind == "sweep";
    const double work = sweep ? samplesOf(recipe) : stepsOf(recipe);
    if (sweep) {
        plan.push_back({tr("Samples"), QObject::tr("%1, at most %2 tokens each")
                                           .arg(grouped(work), grouped(number(recipe, "max_tokens", 0)))});
    } else if (recipe.contains("prompts") && !recipe.contains("epochs") && !recipe.contains("max_steps")) {
        const double prompts = number(recipe, "prompts", 0);
        plan.push_back({tr("Prompts"), prompts > 0 ? grouped(prompts) : tr("all of the file")});
    } else {
        plan.push_back({tr("Steps"), work > 0 ? grouped(work) : tr("known when the data file is read")});
        if (const double rows = work * rowsPerStep(recipe) / iterationsOf(recipe); rows > 0) {
            const double k = number(recipe, "k", 0);
            if (k > 0)
                plan.push_back({tr("Prompts seen"),
                                QObject::tr("%1, with %2 completions each").arg(grouped(rows), grouped(k))});
            else
                plan.push_back({tr("Examples seen"), grouped(rows)});
        }
        if (const double keep = number(recipe, "keep_checkpoints", 0); keep > 0)
            plan.push_back({tr("Checkpoints kept"), QObject::tr("%1 and the best").arg(grouped(keep))});
    }
    const RunRecord* like = nullptr;
    for (const RunRecord& run : earlier.runs) {
        if (run.status != RunStatus::finished || run.kind != kind || run.progress.total <= 0
            || run.ended_ms <= run.started_ms)
            continue;
        const Json done = Json::parse(run.recipe, nullptr, false);
        if (!done.is_object() || text(done, "model") != text(recipe, "model")) continue;
        if (!like || run.ended_ms > like->ended_ms) like = &run;
    }
    if (!like) {
        plan.push_back({tr("Time, memory, disk"), tr("known after the first such run")});
        return 0;
    }
    const double seconds =
        double(like->ended_ms - like->started_ms) / 1000 / double(like->progress.total) * work;
    if (work > 0)
        plan.push_back(
            {tr("Time"), QObject::tr("about %1, judging by %2").arg(durationText(seconds), runTitle(*like))});
    if (like->progress.memory_gib > 0)
        plan.push_back({tr("Memory"), QObject::tr("about %1 GiB, judging by %2")
                                          .arg(like->progress.memory_gib, 0, 'f', 1)
                                          .arg(runTitle(*like))});
    const auto disk = earlier.disk_bytes.find(like->id);
    if (disk == earlier.disk_bytes.end() || disk->second <= 0) return 0;
    // Samples add up with the work; what training leaves is a model and so many checkpoints however long it
    // runs.
    const double bytes =
        sweep && work > 0 ? disk->second * work / double(like->progress.total) : disk->second;
    plan.push_back(
        {tr("Disk"), QObject::tr("about %1, judging by %2").arg(bytesText(bytes), runTitle(*like))});
    return bytes;
}

} // namespace

std::vector<PlanLine> planOf(const Json& recipe_or_study, const Catalogue& earlier) {
    std::vector<PlanLine> plan;
    if (!recipe_or_study.is_object()) return plan;
    double bytes = 0;
    const auto stages = recipe_or_study.find("stages");
    if (stages == recipe_or_study.end() || !stages->is_array()) {
        bytes = addStage(plan, recipe_or_study, earlier);
    } else {
        for (const Json& stage : *stages) {
            if (!stage.is_object()) continue;
            plan.push_back({toQt(text(stage, "stage")), {}});
            bytes += addStage(plan, stage, earlier);
        }
        if (earlier.free_bytes >= 0) plan.push_back({tr("Workspace"), {}});
    }
    if (earlier.free_bytes >= 0)
        plan.push_back(
            {tr("Free disk"),
             bytes > earlier.free_bytes
                 ? QObject::tr("%1: not enough, free some space first").arg(bytesText(earlier.free_bytes))
                 : bytesText(earlier.free_bytes)});
    return plan;
}

} // namespace tempera
