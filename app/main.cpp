#include "app/application.h"
#include "core/base/error.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QCommandLineParser>
#include <QMessageBox>

#include <csignal>
#include <cstdio>
#include <cstring>

namespace {

/// Exports, help and version need no screen.
bool needs_no_screen(int count, char** arguments) {
    for (int i = 1; i < count; ++i)
        for (const char* option : {"--export", "--version", "-v", "--help", "-h"})
            if (std::strncmp(arguments[i], option, std::strlen(option)) == 0) return true;
    return false;
}

std::filesystem::path path_of(const QString& text) {
    return text.toStdString();
}

} // namespace

int main(int argc, char** argv) {
    std::signal(SIGXFSZ,
                SIG_IGN); // a file size limit is then an error with a sentence, not the end of the program
    const bool headless = needs_no_screen(argc, argv);
    if (headless) qputenv("QT_QPA_PLATFORM", "offscreen");
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("tempera"));
    QApplication::setApplicationDisplayName(QStringLiteral("Tempera"));
    QApplication::setOrganizationName(QStringLiteral("tempera"));
    QApplication::setDesktopFileName(QStringLiteral("tempera"));
    QApplication::setApplicationVersion(QStringLiteral(TEMPERA_VERSION));

    QCommandLineParser parser;
    parser.setApplicationDescription(QStringLiteral("Workbench for RL fine-tuning of small language models"));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption workspace(QStringLiteral("workspace"), QStringLiteral("Workspace folder."),
                                       QStringLiteral("DIR"));
    const QCommandLineOption run(QStringLiteral("run"),
                                 QStringLiteral("Start a shipped recipe (or a file) and show it."),
                                 QStringLiteral("RECIPE"));
    const QCommandLineOption figures(QStringLiteral("export"),
                                     QStringLiteral("Write Figure 5 of the newest sweep into DIR and quit."),
                                     QStringLiteral("DIR"));
    parser.addOptions({workspace, run, figures});
    if (!parser.parse(QApplication::arguments())) {
        std::fprintf(stderr, "tempera: %s See tempera --help.\n", qPrintable(parser.errorText()));
        return 2;
    }
    if (parser.isSet(QStringLiteral("version"))) parser.showVersion();
    if (parser.isSet(QStringLiteral("help"))) parser.showHelp();
    if (!parser.positionalArguments().isEmpty()) {
        std::fprintf(stderr, "tempera: \"%s\" is no option; see tempera --help.\n",
                     qPrintable(parser.positionalArguments().first()));
        return 2;
    }
    try {
        if (parser.isSet(figures)) {
            tempera::applyTheme(application, tempera::Scheme::light);
            tempera::export_newest_sweep(path_of(parser.value(workspace)), path_of(parser.value(figures)));
            return 0;
        }
        tempera::Application program(application,
                                     {path_of(parser.value(workspace)), parser.value(run).toStdString()});
        return program.run();
    } catch (const std::exception& error) {
        std::fprintf(stderr, "tempera: %s\n", error.what());
        if (!headless)
            QMessageBox::critical(nullptr, QStringLiteral("Tempera"), QString::fromUtf8(error.what()));
        return 1;
    }
}
