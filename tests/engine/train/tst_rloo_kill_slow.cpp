#include "rloo_test_run.h"

#include "core/base/files.h"
#include "core/engine/checkpoint/checkpoint.h"

#include <QtTest>

#include <csignal>
#include <random>
#include <sys/wait.h>
#include <unistd.h>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

Json recipe_of(const std::string& method) {
    Json recipe = RlooTestRun("llama-rope", method).recipe;
    recipe.update({{"iterations", 3},
                   {"max_steps", 48},
                   {"checkpoint_steps", 1},
                   {"validation_examples", 4},
                   {"eval_steps", 7},
                   {"log_steps", 4},
                   {"lora_dropout", 0.1}});
    return recipe;
}

/// The process that is killed: goes on with the run in argv[2] until its end.
int work(char** argv) {
    RolloutObserver observer;
    fs::path folder = argv[2];
    try {
        run_rloo({"rloo", recipe_of(argv[3]), folder, fs::exists(folder / "checkpoints"), 2}, observer,
                 observer.stop);
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        return 1;
    }
}

pid_t start(const std::string& program, const fs::path& folder, const std::string& method) {
    pid_t child = fork();
    if (child == 0) {
        execl(program.c_str(), program.c_str(), "--work", folder.c_str(), method.c_str(), nullptr);
        _exit(127);
    }
    return child;
}

int wait_for(pid_t child) {
    int status = 0;
    waitpid(child, &status, 0);
    return status;
}

std::int64_t newest(const fs::path& folder) {
    auto steps = checkpoint_steps(folder / "checkpoints");
    return steps.empty() ? 0 : steps.back();
}

} // namespace

class TestRlooKillSlow : public QObject {
    Q_OBJECT
private Q_SLOTS:
    void killedRunsResumeBitEqual_data() {
        QTest::addColumn<QString>("method");
        QTest::newRow("full") << "full";
        QTest::newRow("lora") << "lora";
    }
    void killedRunsResumeBitEqual() {
        QFETCH(QString, method);
        QTemporaryDir whole, broken;
        std::string program = QCoreApplication::applicationFilePath().toStdString();
        fs::path a = whole.path().toStdString(), b = broken.path().toStdString();
        QCOMPARE(wait_for(start(program, a, method.toStdString())), 0);

        std::mt19937 random(7);
        int kills = 0, between = 0; // how often the run went on between the iterations of a rollout
        for (int round = 0; round < 60 && !fs::exists(b / "model"); ++round) {
            between += newest(b) % 3 != 0;
            const std::int64_t before = newest(b);
            pid_t child = start(program, b, method.toStdString());
            bool running = true;
            for (int k = 0; k < 3000 && running && newest(b) <= before + 3; ++k) {
                running = waitpid(child, nullptr, WNOHANG) == 0;
                usleep(2000);
            }
            if (!running) continue;
            usleep(random() % 30000);
            kill(child, SIGKILL);
            kills += WIFSIGNALED(wait_for(child));
            for (std::int64_t step : checkpoint_steps(b / "checkpoints"))
                QCOMPARE(checkpoint_damage(b / "checkpoints" / std::to_string(step)), std::string());
        }
        qInfo("%d kills, %d of them between iterations", kills, between);
        QVERIFY(kills >= 5 && between >= 2);
        QCOMPARE(wait_for(start(program, b, method.toStdString())), 0);
        const char* file = method == "lora" ? "model/adapter_model.safetensors" : "model/model.safetensors";
        for (const char* name : {file, "checkpoints/48/optimiser.safetensors", "checkpoints/48/state.json"})
            QVERIFY2(read_file(a / name, 1 << 26) == read_file(b / name, 1 << 26), name);
        QVERIFY(read_file(a / "checkpoints/47/rollout.json", 1 << 26)
                == read_file(b / "checkpoints/47/rollout.json", 1 << 26));
    }
};

int main(int argc, char** argv) {
    if (argc == 4 && std::string_view(argv[1]) == "--work") return work(argv);
    QCoreApplication application(argc, argv);
    TestRlooKillSlow test;
    return QTest::qExec(&test, argc, argv);
}

#include "tst_rloo_kill_slow.moc"
