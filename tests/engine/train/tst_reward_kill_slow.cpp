#include "recording_observer.h"

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/checkpoint/checkpoint.h"
#include "core/engine/train/reward.h"

#include <QtTest>

#include <csignal>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

Json recipe_of(const std::string& objective) {
    fs::path golden = fs::path(source_dir()) / "tests/golden";
    bool regression = objective == "regression";
    return {{"kind", "reward"},
            {"model", (golden / "encoders" / (regression ? "distilbert" : "deberta-v3")).string()},
            {"objective", objective},
            {"data", (golden / "reward/rows.jsonl").string()},
            {"examples", 0},
            {"validation_examples", 2},
            {"eval_steps", 5},
            {"batch_size", 2},
            {"accumulation", 2},
            {"learning_rate", 1e-3},
            {"warmup_steps", 5},
            {"max_length", 48},
            {"max_steps", 40},
            {"checkpoint_steps", 1},
            {"keep_checkpoints", 2},
            {"log_steps", 4},
            {"micro_batch_tokens", 128}};
}

/// The process that is killed: goes on with the run in argv[2] until its end.
int work(char** argv) {
    RecordingObserver observer;
    fs::path folder = argv[2];
    try {
        run_reward({"reward", recipe_of(argv[3]), folder, fs::exists(folder / "checkpoints"), 2}, observer,
                   observer.stop);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

pid_t start(const std::string& program, const fs::path& folder, const std::string& objective) {
    pid_t child = fork();
    if (child == 0) {
        execl(program.c_str(), program.c_str(), "--work", folder.c_str(), objective.c_str(), nullptr);
        _exit(127);
    }
    return child;
}

int wait_for(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

} // namespace

class TestRewardKillSlow : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void killedRunsResumeBitEqual_data() {
        QTest::addColumn<QString>("objective");
        QTest::newRow("bradley-terry") << "bradley-terry";
        QTest::newRow("regression") << "regression";
    }
    void killedRunsResumeBitEqual() {
        QFETCH(QString, objective);
        QTemporaryDir whole, broken;
        std::string program = QCoreApplication::applicationFilePath().toStdString();
        fs::path a = whole.path().toStdString(), b = broken.path().toStdString();
        QCOMPARE(wait_for(start(program, a, objective.toStdString())), 0);

        std::mt19937 random(7);
        int kills = 0, inside = 0;
        for (int round = 0; round < 60 && !fs::exists(b / "model"); ++round) {
            pid_t child = start(program, b, objective.toStdString());
            // Past start-up (0.5 s or more), then anywhere, most often inside a checkpoint.
            std::size_t before = checkpoint_steps(b / "checkpoints").empty()
                                     ? 0
                                     : static_cast<std::size_t>(checkpoint_steps(b / "checkpoints").back());
            for (int k = 0; k < 3000 && waitpid(child, nullptr, WNOHANG) == 0; ++k) {
                auto steps = checkpoint_steps(b / "checkpoints");
                if (!steps.empty() && static_cast<std::size_t>(steps.back()) > before + 3) break;
                usleep(2000);
            }
            usleep(random() % 30000);
            if (kill(child, SIGKILL) == 0) {
                int status = wait_for(child);
                kills += WIFSIGNALED(status);
            }
            for (const auto& entry : fs::directory_iterator(b / "checkpoints"))
                inside += entry.path().filename().string().find(".tmp-") != std::string::npos;
            for (std::int64_t step : checkpoint_steps(b / "checkpoints"))
                QCOMPARE(checkpoint_damage(b / "checkpoints" / std::to_string(step)), std::string());
        }
        qInfo("%d kills, %d of them inside a checkpoint", kills, inside);
        QVERIFY(kills >= 5);
        QCOMPARE(wait_for(start(program, b, objective.toStdString())), 0);
        QVERIFY(read_file(a / "model/model.safetensors", 1 << 26)
                == read_file(b / "model/model.safetensors", 1 << 26));
        QVERIFY(read_file(a / "checkpoints/40/optimiser.safetensors", 1 << 26)
                == read_file(b / "checkpoints/40/optimiser.safetensors", 1 << 26));
        QVERIFY(read_file(a / "checkpoints/40/state.json", 1 << 20)
                == read_file(b / "checkpoints/40/state.json", 1 << 20));
    }
};

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view(argv[1]) == "--work") return work(argv);
    QCoreApplication application(argc, argv);
    TestRewardKillSlow test;
    return QTest::qExec(&test, argc, argv);
}

#include "tests/support/paths.h"
#include "tst_reward_kill_slow.moc"
