#pragma once

#include "tests/support/paths.h"

#include <QByteArray>
#include <QProcess>
#include <QStringList>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

/// Drives the real tempera-cli. Standard output and error are kept apart.
struct CliResult {
    int code = -1; ///< 128 + signal where it was killed
    QByteArray out;
    QByteArray err;

    nlohmann::json json() const { return nlohmann::json::parse(out.toStdString()); }
    std::vector<nlohmann::json> rows() const {
        std::vector<nlohmann::json> list;
        for (const QByteArray& line : out.split('\n'))
            if (!line.isEmpty()) list.push_back(nlohmann::json::parse(line.toStdString()));
        return list;
    }
    /// One sentence on one line, as every failure must say it.
    bool has_one_error_line() const {
        return err.startsWith("tempera-cli: ") && err.count('\n') == 1 && err.endsWith('\n');
    }
};

inline QString cli_program() {
    return QString::fromStdString(binary_dir() + "/tempera-cli");
}

inline QString golden(const QString& name) {
    return QString::fromStdString(source_dir() + "/tests/golden/") + name;
}

inline CliResult run_cli(const QStringList& arguments, const QByteArray& input = {},
                         const QString& folder = {}, int timeout_ms = 120000) {
    QProcess process;
    if (!folder.isEmpty()) process.setWorkingDirectory(folder);
    process.start(cli_program(), arguments);
    process.write(input);
    process.closeWriteChannel();
    CliResult result;
    if (!process.waitForFinished(timeout_ms)) {
        process.kill();
        process.waitForFinished();
        result.err = "timed out: " + process.readAllStandardError();
        return result;
    }
    result.code = process.exitStatus() == QProcess::CrashExit ? 128 + process.exitCode() : process.exitCode();
    result.out = process.readAllStandardOutput();
    result.err = process.readAllStandardError();
    return result;
}
