#include "made_up_workspace.h"
#include "tests/support/paths.h"

#include <QDir>
#include <QFile>
#include <QImage>
#include <QProcess>
#include <QTemporaryDir>
#include <QTest>

using namespace tempera;

/// The desktop program itself, without a screen.
class TestProgram : public QObject {
    Q_OBJECT

    struct Result {
        int code;
        QString out, err;
    };
    static Result start(const QStringList& arguments) {
        QProcess process;
        process.start(QString::fromStdString(binary_dir() + "/tempera"), arguments);
        if (!process.waitForFinished(60000)) return {-1, {}, process.errorString()};
        return {process.exitCode(), QString::fromUtf8(process.readAllStandardOutput()),
                QString::fromUtf8(process.readAllStandardError())};
    }

private Q_SLOTS:
    void tellsItsVersion() {
        const Result result = start({QStringLiteral("--version")});
        QCOMPARE(result.code, 0);
        QVERIFY2(result.out.startsWith(QStringLiteral("tempera 0."))
                     || result.out.startsWith(QStringLiteral("Tempera 0.")),
                 qPrintable(result.out));
    }

    void refusesWhatIsNoOption() {
        const Result unknown =
            start({QStringLiteral("--export"), QStringLiteral("/tmp"), QStringLiteral("--colour")});
        QCOMPARE(unknown.code, 2);
        QVERIFY(unknown.err.contains(QStringLiteral("colour")));
        const Result result =
            start({QStringLiteral("--export"), QStringLiteral("/tmp"), QStringLiteral("figure-5")});
        QCOMPARE(result.code, 2);
        QVERIFY(result.err.contains(QStringLiteral("figure-5")));
    }

    void itsDefaultWorkspaceIsThatOfTheCommandLine() {
        QTemporaryDir home;
        qputenv("HOME", home.path().toUtf8());
        qunsetenv("TEMPERA_WORKSPACE");
        const std::filesystem::path root = home.path().toStdString();
        Workspace workspace(root / "tempera", Workspace::Access::read_write);
        const RunRecord run = made_up::add_run(workspace, "sweep", "s", "", "", RunStatus::finished);
        made_up::write_sweep(workspace.run_folder(run.id), 5, 13, 0);
        const Result result =
            start({QStringLiteral("--export"), QString::fromStdString((root / "charts").string())});
        QVERIFY2(result.code == 0, qPrintable(result.err));
    }

    void exportsTheNewestSweepWithoutAScreen() {
        QTemporaryDir folder;
        const std::filesystem::path root = folder.path().toStdString();
        const QStringList arguments{QStringLiteral("--workspace"),
                                    QString::fromStdString((root / "w").string()), QStringLiteral("--export"),
                                    QString::fromStdString((root / "charts").string())};
        {
            Workspace workspace(root / "w", Workspace::Access::read_write);
            const Result none = start(arguments);
            QCOMPARE(none.code, 1);
            QVERIFY2(none.err.contains(QStringLiteral("no sweep")), qPrintable(none.err));
            const RunRecord run = made_up::add_run(workspace, "sweep", "s", "", "", RunStatus::finished);
            made_up::write_sweep(workspace.run_folder(run.id), 5, 13, 0);
        } // also with another program holding the workspace, as above
        const Result result = start(arguments);
        QVERIFY2(result.code == 0, qPrintable(result.err));
        const QDir charts(QString::fromStdString((root / "charts").string()));
        QCOMPARE(charts.entryList(QDir::Files).size(), 12);
        const QImage map(charts.filePath(QStringLiteral("figure-5-map.png")));
        QVERIFY(std::abs(map.width() - 1890) <= 1); // 160 mm at 300 dots per inch
        QFile table(charts.filePath(QStringLiteral("figure-5-map.csv")));
        QVERIFY(table.open(QIODevice::ReadOnly));
        const QList<QByteArray> rows = table.readAll().trimmed().split('\n');
        QCOMPARE(rows.size(), 11);
        QCOMPARE(rows[1].split(',').size(), 14);
        QVERIFY(std::abs(rows[1].split(',')[1].toDouble() - made_up::mean_score(0.1, 1)) < 1e-6);
        QFile pdf(charts.filePath(QStringLiteral("figure-5-curves.pdf")));
        QVERIFY(pdf.open(QIODevice::ReadOnly));
        QVERIFY(pdf.readAll().startsWith("%PDF"));
    }
};

QTEST_GUILESS_MAIN(TestProgram)
#include "tst_program.moc"
