#pragma once

#include "recording_observer.h"
#include "training_fixture.h"

#include "core/base/files.h"
#include "core/engine/checkpoint/checkpoint.h"

#include <QtTest>
#include <random>

namespace tempera {

/// What differs between the trainers in a test of killed runs.
struct KilledRun {
    std::string argument; ///< what recipe_of() made the recipe of
    int steps = 0;        ///< of the whole run, with a checkpoint after each
    std::string model_file = "model.safetensors";
    std::vector<std::filesystem::path> more_files = {}; ///< that must be equal too
};

/// Runs this program to its end in one folder, and in another kills it again and again until that run is done
/// too: models, moments and state must then be equal bit by bit. `went_on_from` gets the steps at which
/// killed runs were taken up again.
inline void verify_killed_runs_resume_bit_equal(const KilledRun& run,
                                                std::vector<std::int64_t>* went_on_from = nullptr) {
    namespace fs = std::filesystem;
    QTemporaryDir whole, broken;
    std::string program = QCoreApplication::applicationFilePath().toStdString();
    fs::path a = whole.path().toStdString(), b = broken.path().toStdString();
    auto start = [&](const fs::path& folder) {
        return start_again(program, {"--work", folder.string(), run.argument});
    };
    auto newest = [&] {
        auto found = checkpoint_steps(b / "checkpoints");
        return found.empty() ? 0 : found.back();
    };
    QCOMPARE(wait_for(start(a)), 0);

    std::mt19937 random(7);
    int kills = 0, inside = 0;
    for (int round = 0; round < 60 && !fs::exists(b / "model"); ++round) {
        const std::int64_t before = newest();
        if (went_on_from && round > 0) went_on_from->push_back(before);
        pid_t child = start(b);
        // Past start-up (0.5 s or more), then anywhere, most often inside a checkpoint.
        bool running = true;
        for (int k = 0; k < 3000 && running && newest() <= before + 3; ++k) {
            running = waitpid(child, nullptr, WNOHANG) == 0;
            usleep(2000);
        }
        if (!running) continue;
        usleep(random() % 30000);
        kill(child, SIGKILL);
        kills += WIFSIGNALED(wait_for(child));
        for (const auto& entry : fs::directory_iterator(b / "checkpoints"))
            inside += entry.path().filename().string().find(".tmp-") != std::string::npos;
        for (std::int64_t step : checkpoint_steps(b / "checkpoints"))
            QCOMPARE(checkpoint_damage(b / "checkpoints" / std::to_string(step)), std::string());
    }
    qInfo("%d kills, %d of them inside a checkpoint", kills, inside);
    QVERIFY(kills >= 5);
    QCOMPARE(wait_for(start(b)), 0);
    fs::path last = fs::path("checkpoints") / std::to_string(run.steps);
    std::vector<fs::path> files = {fs::path("model") / run.model_file, last / "optimiser.safetensors",
                                   last / "state.json"};
    files.insert(files.end(), run.more_files.begin(), run.more_files.end());
    for (const fs::path& file : files)
        QVERIFY2(read_file(a / file, 1 << 26) == read_file(b / file, 1 << 26), file.c_str());
}

using Trainer = RunOutcome (*)(const RunRequest&, RunObserver&, const StopToken&);

/// main() of such a test. With --work FOLDER ARGUMENT it is the process that is killed, which goes on with
/// the run in FOLDER to its end.
template <typename Test>
int kill_test_main(int argc, char** argv, Trainer train, Json (*recipe_of)(const std::string&)) {
    if (argc != 4 || std::string_view(argv[1]) != "--work") {
        QCoreApplication application(argc, argv);
        Test test;
        return QTest::qExec(&test, argc, argv);
    }
    RecordingObserver observer;
    std::filesystem::path folder = argv[2];
    Json recipe = recipe_of(argv[3]);
    try {
        train({recipe.at("kind"), recipe, folder, std::filesystem::exists(folder / "checkpoints"), 2},
              observer, observer.stop);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

} // namespace tempera
