#include "ui/charts/export_dialog.h"
#include "ui/charts/line_chart.h"
#include "ui/theme/theme.h"
#include "ui/widgets/status_strip.h"

#include <QApplication>
#include <QDir>
#include <QFileInfo>
#include <QHelpEvent>
#include <QLabel>
#include <QLineEdit>
#include <QMainWindow>
#include <QPushButton>
#include <QScrollArea>
#include <QScrollBar>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QToolTip>
#include <QVBoxLayout>
#include <QWheelEvent>

using namespace tempera;

/// What a chart shows of its data, and of its own words, in little room.
class TestChartViews : public QObject {
    Q_OBJECT

    static SeriesPointer seriesOf(std::vector<double> values) {
        auto series = std::make_shared<Series>();
        for (std::size_t i = 0; i < values.size(); ++i)
            series->x.push_back(double(i));
        series->y = std::move(values);
        finishSeries(*series, 0);
        return series;
    }
    static SeriesPointer line(int steps) {
        std::vector<double> values;
        for (int i = 0; i < steps; ++i)
            values.push_back(std::sin(i * 0.1));
        return seriesOf(values);
    }

private Q_SLOTS:
    void initTestCase() { applyTheme(*qApp, Scheme::light); }

    void zoomingOutEndsAtTheDataAndThenScrollsThePage() {
        QScrollArea page;
        auto* chart = new LineChart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        chart->setFixedSize(500, 900);
        page.setWidget(chart);
        page.resize(540, 400);
        page.show();
        QVERIFY(QTest::qWaitForWindowExposed(&page));
        chart->setLines({{{}, line(100), 0, false}});
        QWidget* plot = chart->findChild<QWidget*>();
        const auto wheel = [&](double at, int angle) {
            const QPointF place = chart->pixelOf(at, 0.5);
            QWheelEvent event(place, plot->mapToGlobal(place), {}, QPoint(0, angle), Qt::NoButton,
                              Qt::NoModifier, Qt::NoScrollPhase, false);
            QApplication::sendEvent(plot, &event);
        };
        QTest::qWait(120);
        wheel(90, 360);
        QVERIFY(chart->zoomed());
        const double shown = chart->xHigh() - chart->xLow();
        wheel(chart->xLow() + 1, -120); // out, but not beyond the last step
        QVERIFY(chart->xHigh() - chart->xLow() > shown);
        QVERIFY2(chart->xHigh() <= 99 && chart->xLow() >= 0, qPrintable(QString::number(chart->xHigh())));
        for (int i = 0; chart->zoomed() && i < 20; ++i)
            wheel(chart->xLow() + 1, -120);
        QVERIFY(!chart->zoomed());
        QCOMPARE(std::pair(chart->xLow(), chart->xHigh()), std::pair(0.0, 99.0));
        QCOMPARE(page.verticalScrollBar()->value(), 0);
        wheel(50, -120);
        QVERIFY(page.verticalScrollBar()->value() > 0);
        QVERIFY(!chart->zoomed());
    }

    void oneValueHasAScaleAndOnePointIsSeen() {
        LineChart chart(QStringLiteral("Reward"), QStringLiteral("step"), {});
        chart.resize(600, 360);
        chart.show();
        QVERIFY(QTest::qWaitForWindowExposed(&chart));
        const auto show = [&](std::vector<double> values) {
            chart.setLines({{{}, seriesOf(std::move(values)), 0, false}});
            QTest::qWait(120);
            return chart.tickLabels().second;
        };
        for (const std::vector<double>& values : {std::vector<double>{0, 0, 0}, {2e-18, -1e-17, 0}}) {
            const QStringList ticks = show(values); // rounding is no curve
            QVERIFY2(ticks.contains(QStringLiteral("0")) && ticks.size() > 2, qPrintable(ticks.join(u' ')));
            QVERIFY2(ticks.last().toDouble() > 0.01 && ticks.last().toDouble() < 1,
                     qPrintable(ticks.join(u' ')));
        }
        chart.setCursor(1);
        QTest::qWait(120);
        QVERIFY2(chart.readout().endsWith(QStringLiteral(" 0")), qPrintable(chart.readout()));
        QVERIFY(show({5e-7, 4e-7}).size() > 2); // but a learning rate is
        show({0});
        const QPoint at = chart.pixelOf(0, 0).toPoint();
        QCOMPARE(chart.grab().toImage().pixelColor(at), Theme::current().seriesColor(0));
    }

    void theCrosshairSaysOfWhichStepAnEvaluationIs() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        auto evaluations = std::make_shared<Series>(Series{{0, 20, 40}, {3, 2, 1}, {}, 0, 0});
        finishSeries(*evaluations, 0);
        chart.setLines({{QStringLiteral("train"), line(41), 0, false},
                        {QStringLiteral("validation"), evaluations, 1, true}});
        chart.resize(600, 300);
        chart.show();
        QVERIFY(QTest::qWaitForWindowExposed(&chart));
        chart.setCursor(21);
        QTRY_VERIFY2(chart.readout().endsWith(QStringLiteral("validation 2.000 at 20")),
                     qPrintable(chart.readout()));
        chart.setCursor(20);
        QTRY_VERIFY2(chart.readout().endsWith(QStringLiteral("validation 2.000")),
                     qPrintable(chart.readout()));
    }

    void noTickStandsBetweenTwoSteps() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        chart.setLines({{{}, line(7), 0, false}});
        chart.show();
        QVERIFY(QTest::qWaitForWindowExposed(&chart));
        for (int width = 170; width < 700; width += 60) {
            chart.resize(width, 300);
            QTest::qWait(80);
            const QStringList ticks = chart.tickLabels().first;
            QVERIFY2(!ticks.isEmpty() && !ticks.join(u' ').contains(u'.'), qPrintable(ticks.join(u' ')));
        }
    }

    void aLabelLongerThanItsAxisEndsInAnEllipsis() {
        const QString label =
            QStringLiteral("a long unit that no small chart has room for, in nats per token");
        LineChart chart(QStringLiteral("KL"), QStringLiteral("step"), label);
        chart.setLines({{{}, line(10), 0, false}});
        chart.resize(400, 160);
        chart.show();
        QVERIFY(QTest::qWaitForWindowExposed(&chart));
        QTest::qWait(150);
        const QString shown = chart.shownYLabel();
        QVERIFY2(shown.endsWith(u'…') && label.startsWith(shown.chopped(1)), qPrintable(shown));
        const QPoint beside(8, 80);
        QHelpEvent help(QEvent::ToolTip, beside, chart.mapToGlobal(beside));
        QApplication::sendEvent(&chart, &help);
        QTRY_VERIFY(QToolTip::text().contains(label));
        QToolTip::hideText();
        chart.resize(400, 900);
        QTRY_COMPARE(chart.shownYLabel(), label);
    }

    void anExportThatIsDoneIsTheLastEvent() {
        QTemporaryDir folder;
        QMainWindow window;
        auto* strip = new StatusStrip(&window);
        window.setStatusBar(strip);
        auto* page = new QWidget(&window);
        auto* chart = new LineChart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        (new QVBoxLayout(page))->addWidget(chart);
        window.setCentralWidget(page);
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        const QString before = strip->text();
        const auto export_to = [&](const QString& file) {
            QTimer::singleShot(0, chart, [&] {
                auto* dialog = chart->findChild<ExportDialog*>();
                dialog->setFileName(folder.filePath(file));
                dialog->accept();
                if (dialog->isVisible()) dialog->reject(); // it did not work
            });
            chart->openExportDialog();
        };
        export_to(QStringLiteral("no/such/folder.csv"));
        QCOMPARE(strip->text(), before);
        export_to(QStringLiteral("loss.csv"));
        QVERIFY(QFile::exists(folder.filePath(QStringLiteral("loss.csv"))));
        const QString told = QStringLiteral("loss.csv is exported to ") + folder.path();
        QVERIFY2(strip->text().startsWith(before) && strip->text().endsWith(told), qPrintable(strip->text()));
        QCOMPARE(strip->currentMessage(), QString());
        for (const QLabel* label : strip->findChildren<QLabel*>())
            QVERIFY(label->isVisible());
    }

    void theExportOffersAFolderThatIsThereAndHasRoomForItsProblem() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        chart.setLines({{{}, line(10), 0, false}});
        ExportDialog dialog(chart);
        dialog.show();
        QVERIFY(QTest::qWaitForWindowExposed(&dialog));
        const auto* file = dialog.findChild<QLineEdit*>();
        QVERIFY2(QFileInfo(file->text()).dir().exists(), qPrintable(file->text()));
        dialog.setFileName(QStringLiteral("/no/such <b>folder</b>/with a long name, longer than a line of it/"
                                          "and one in it/loss.pdf"));
        dialog.accept();
        QVERIFY(dialog.isVisible());
        QCoreApplication::processEvents();
        for (const QWidget* part : dialog.findChildren<QWidget*>()) {
            if (!part->isVisible()
                || (!qobject_cast<const QPushButton*>(part) && !part->property("problem").toBool()))
                continue;
            const int needed = part->hasHeightForWidth() ? part->heightForWidth(part->width())
                                                         : part->minimumSizeHint().height();
            QVERIFY2(part->height() >= needed, qPrintable(QString::number(part->height())));
            QVERIFY(dialog.rect().contains(QRect(part->mapTo(&dialog, QPoint()), part->size())));
        }
    }
};

QTEST_MAIN(TestChartViews)
#include "tst_chart_views.moc"
