#pragma once

#include "training_fixture.h"

#include "core/base/files.h"
#include "core/engine/checkpoint/checkpoint.h"

#include <QtTest>
#include <random>

namespace tempera {

/// Runs `program` to its end in one folder, and in another kills it again and again until that run is done
/// too: models, moments and state must then be equal bit by bit. The program gets --work FOLDER and
/// `argument`, and goes on from what it finds in FOLDER. The run takes `steps` steps, with a checkpoint after
/// each.
inline void verify_killed_runs_resume_bit_equal(const std::string& argument, int steps,
                                                const std::string& model_file) {
    namespace fs = std::filesystem;
    QTemporaryDir whole, broken;
    std::string program = QCoreApplication::applicationFilePath().toStdString();
    fs::path a = whole.path().toStdString(), b = broken.path().toStdString();
    auto start = [&](const fs::path& folder) {
        return start_again(program, {"--work", folder.string(), argument});
    };
    QCOMPARE(wait_for(start(a)), 0);

    std::mt19937 random(7);
    int kills = 0, inside = 0;
    for (int round = 0; round < 60 && !fs::exists(b / "model"); ++round) {
        pid_t child = start(b);
        // Past start-up (0.5 s or more), then anywhere, most often inside a checkpoint.
        auto found = checkpoint_steps(b / "checkpoints");
        std::int64_t before = found.empty() ? 0 : found.back();
        for (int k = 0; k < 3000 && waitpid(child, nullptr, WNOHANG) == 0; ++k) {
            found = checkpoint_steps(b / "checkpoints");
            if (!found.empty() && found.back() > before + 3) break;
            usleep(2000);
        }
        usleep(random() % 30000);
        if (kill(child, SIGKILL) == 0) kills += WIFSIGNALED(wait_for(child));
        for (const auto& entry : fs::directory_iterator(b / "checkpoints"))
            inside += entry.path().filename().string().find(".tmp-") != std::string::npos;
        for (std::int64_t step : checkpoint_steps(b / "checkpoints"))
            QCOMPARE(checkpoint_damage(b / "checkpoints" / std::to_string(step)), std::string());
    }
    qInfo("%d kills, %d of them inside a checkpoint", kills, inside);
    QVERIFY(kills >= 5);
    QCOMPARE(wait_for(start(b)), 0);
    fs::path last = fs::path("checkpoints") / std::to_string(steps);
    for (const fs::path& file :
         {fs::path("model") / model_file, last / "optimiser.safetensors", last / "state.json"})
        QVERIFY2(read_file(a / file, 1 << 26) == read_file(b / file, 1 << 26), file.c_str());
}

} // namespace tempera
