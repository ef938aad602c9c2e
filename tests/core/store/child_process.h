#pragma once

#include <csignal>
#include <functional>
#include <string>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

namespace tempera::test {

/// A forked child with a pipe back. The body's return value is its exit code; it never returns into the test.
class Child {
public:
    explicit Child(const std::function<int(int pipe)>& body) {
        int ends[2];
        if (pipe(ends) != 0) return;
        pid_ = fork();
        if (pid_ == 0) {
            close(ends[0]);
            int code = 99;
            try {
                code = body(ends[1]);
            } catch (const std::exception& error) {
                std::string text = std::string("child: ") + error.what() + "\n";
                if (write(STDERR_FILENO, text.data(), text.size()) < 0) code = 98;
            }
            _exit(code);
        }
        close(ends[1]);
        pipe_ = ends[0];
    }
    ~Child() {
        if (!waited_) kill_and_wait();
        close(pipe_);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    pid_t pid() const { return pid_; }
    void kill_and_wait() {
        kill(pid_, SIGKILL);
        wait();
    }
    /// The exit code, or -1 where a signal ended it.
    int wait() {
        int status = 0;
        waitpid(pid_, &status, 0);
        waited_ = true;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }
    /// All that the child wrote and has not been read, up to the end of the pipe. Blocks until the child
    /// closes it.
    std::string read_all() {
        std::string text;
        char buffer[4096];
        for (ssize_t count; (count = read(pipe_, buffer, sizeof buffer)) > 0;)
            text.append(buffer, static_cast<std::size_t>(count));
        return text;
    }
    /// Blocks until the child wrote one byte.
    bool read_byte() {
        char byte;
        return read(pipe_, &byte, 1) == 1;
    }

private:
    pid_t pid_ = -1;
    int pipe_ = -1;
    bool waited_ = false;
};

} // namespace tempera::test
