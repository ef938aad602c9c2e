#pragma once

#include "core/base/folder_copy.h"
#include "ui/main_window.h"
#include "ui/pages/check_view.h"
#include "ui/pages/data_page.h"
#include "ui/pages/data_panel.h"
#include "ui/pages/data_view.h"
#include "ui/pages/model_view.h"
#include "ui/pages/models_page.h"
#include "ui/pages/settings_page.h"
#include "ui/widgets/work_stack.h"
#include "ui/work_areas.h"

#include <QComboBox>
#include <QPushButton>
#include <QTreeView>

#include <chrono>
#include <fstream>
#include <functional>
#include <string>
#include <thread>

/// Pictures of the areas beside the runs.
namespace areas {

using namespace tempera;
namespace fs = std::filesystem;

/// Preferences in two splits, with rows that a check complains about.
inline fs::path write_preferences(const fs::path& folder, int rows) {
    fs::create_directories(folder);
    const std::string question = "How do I find out which of two models answers better, when both are small?";
    for (const char* split : {"train", "test"}) {
        std::ofstream file(folder / (std::string(split) + "_prefs.jsonl"));
        for (int i = 0; i < rows; ++i) {
            Json row = {
                {"prompt", question + " Case " + std::to_string(i) + "."},
                {"chosen",
                 "Let both answer the same prompts, score every pair of answers, and count the wins with "
                 "their interval.\n\n1. Draw the answers.\n2. Judge them blindly.\n3. Report the rate."
                     + std::string(std::size_t(i % 40) * 11, 'a')},
                {"rejected", "Look at a few."},
                {"score_chosen", 8.5},
                {"score_rejected", 3.0},
                {"source", i % 3 == 0 ? "evol_instruct" : "sharegpt"}};
            if (i % 17 == 5) row.erase("rejected");
            if (i % 29 == 7) row["chosen"] = "";
            file << row.dump() << "\n";
        }
        file << "{ broken\n";
    }
    return folder;
}

/// Copies an adapter and a model with a long name into the workspace.
inline void fill_models(const fs::path& workspace, const fs::path& source_folder) {
    const fs::path golden = source_folder / "tests/golden/models", kept = workspace / "models";
    copy_folder(golden / "qwen2-tied",
                kept / "a-model-with-a-name-that-is-long-enough-to-be-cut-in-the-middle-of-the-list");
    copy_folder(golden / "qwen2-tied-qv", kept / "countdown-lora");
    fs::create_directories(kept / "half-downloaded");
    std::ofstream(kept / "half-downloaded/config.json") << "{\"architectures\":[\"Qwen2ForCausalLM\"]";
}

inline void grab_models(MainWindow& window, const fs::path& workspace,
                        const std::function<void(const char*)>& grab) {
    ModelsPage* models = window.areas()->models();
    window.showWorkArea(models);
    grab("models");
    models->showModel((workspace / "models/countdown-lora").string());
    grab("models-adapter");
    models->showModel((workspace / "models/half-downloaded").string());
    grab("models-broken");
    models->showModel("smollm2-135m-instruct");
    grab("models-absent");
    const int job =
        models->stack()->jobs().start(QStringLiteral("Fetch HuggingFaceTB/SmolLM2-1.7B-Instruct"),
                                      [](const Jobs::Report& report, const StopToken& stop) {
                                          for (double done = 0; !stop; done += 4e5) {
                                              report({"model.safetensors", done, 3.4e9});
                                              std::this_thread::sleep_for(std::chrono::milliseconds(20));
                                          }
                                          return std::string("Stopped.");
                                      });
    models->stack()->jobs().start(
        QStringLiteral("Import broken.gguf"), [](const Jobs::Report&, const StopToken&) -> std::string {
            throw std::runtime_error("broken.gguf ends in the middle of its metadata: fetch it again.");
        });
    models->showGetter();
    grab("models-get");
    models->stack()->jobs().stop(job);
}

inline void grab_data(MainWindow& window, const fs::path& data,
                      const std::function<void(const char*)>& grab) {
    DataPage* page = window.areas()->data();
    window.showWorkArea(page);
    grab("data-empty");
    page->open(QString::fromStdString(data.string()));
    grab("data-rows");
    DataView* view = page->view();
    view->panel()->modelBox()->setCurrentIndex(view->panel()->modelBox()->findData(QStringLiteral("tiny")));
    view->showTab(DataView::chat_tab);
    grab("data-chat");
    view->showTab(DataView::tokens_tab);
    grab("data-tokens");
    view->showTab(DataView::check_tab);
    grab("data-check-empty");
    Q_EMIT view->checkView()->checkRequested();
    grab("data-check");
}

inline void grab_settings(MainWindow& window, const std::function<void(const char*)>& grab) {
    SettingsPage* settings = window.areas()->settings();
    window.showWorkArea(settings);
    grab("settings");
    settings->showSection(QStringLiteral("hub"));
    grab("settings-hub");
    settings->showSection(QStringLiteral("endpoint:nvidia"));
    grab("settings-endpoint");
}

} // namespace areas
