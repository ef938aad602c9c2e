#include "core/base/process.h"

#include "core/base/error.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char** environ;

namespace tempera {

namespace {

constexpr std::size_t max_output = 1u << 20;

struct Pipe {
    int read = -1, write = -1;
    Pipe() {
        int ends[2];
        if (pipe2(ends, O_CLOEXEC) != 0)
            fail(ErrorKind::io, std::string("Cannot start a program: ") + std::strerror(errno) + ".");
        read = ends[0], write = ends[1];
    }
    ~Pipe() {
        if (read >= 0) close(read);
        close_write();
    }
    Pipe(const Pipe&) = delete;
    Pipe& operator=(const Pipe&) = delete;
    void close_write() {
        if (write >= 0) close(write);
        write = -1;
    }
};

/// Reads both pipes until both are at their end, so that neither fills up while the other is waited for.
/// False where `stop` asked before that.
bool drain(Pipe& output, Pipe& errors, ProcessResult& result, const StopToken& stop) {
    std::array<pollfd, 2> files{{{output.read, POLLIN, 0}, {errors.read, POLLIN, 0}}};
    std::array<std::string*, 2> texts{&result.output, &result.errors};
    std::array<char, 65536> buffer;
    while (files[0].fd >= 0 || files[1].fd >= 0) {
        if (stop) return false;
        const int ready = poll(files.data(), files.size(), 100);
        if (ready < 0 && errno != EINTR) return true;
        if (ready <= 0) continue;
        for (std::size_t i = 0; i < 2; ++i) {
            if (files[i].fd < 0 || files[i].revents == 0) continue;
            ssize_t count = read(files[i].fd, buffer.data(), buffer.size());
            if (count < 0 && errno == EINTR) continue;
            if (count <= 0)
                files[i].fd = -1;
            else if (texts[i]->size() < max_output)
                texts[i]->append(buffer.data(), static_cast<std::size_t>(count));
        }
    }
    return true;
}

} // namespace

ProcessResult run_program(const std::vector<std::string>& arguments, const StopToken& stop) {
    Pipe output, errors;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, output.write, 1);
    posix_spawn_file_actions_adddup2(&actions, errors.write, 2);
    std::vector<char*> argv;
    for (const std::string& argument : arguments)
        argv.push_back(const_cast<char*>(argument.c_str()));
    argv.push_back(nullptr);
    pid_t child = -1;
    int failed = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
    posix_spawn_file_actions_destroy(&actions);
    ProcessResult result;
    if (failed != 0) {
        result.errors = arguments[0] + ": " + std::strerror(failed);
        return result;
    }
    output.close_write();
    errors.close_write();
    const bool whole = drain(output, errors, result, stop);
    if (!whole) kill(child, SIGTERM);
    int status = 0;
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    if (!whole) fail(ErrorKind::stopped, "Stopped while " + arguments[0] + " was at work.");
    result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    return result;
}

} // namespace tempera
