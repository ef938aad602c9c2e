#include "tests/support/cpu_clock.h"
#include "ui/charts/chart_export.h"
#include "ui/charts/chart_link.h"
#include "ui/charts/export_dialog.h"
#include "ui/charts/heat_map.h"
#include "ui/charts/length_histogram.h"
#include "ui/charts/line_chart.h"
#include "ui/charts/path_chart.h"
#include "ui/charts/score_curves.h"
#include "ui/charts/temperature_strip.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QContextMenuEvent>
#include <QElapsedTimer>
#include <QFile>
#include <QMenu>
#include <QMouseEvent>
#include <QRegularExpression>
#include <QScrollArea>
#include <QSet>
#include <QSignalSpy>
#include <QSvgRenderer>
#include <QTemporaryDir>
#include <QTest>
#include <QTimer>
#include <QVBoxLayout>
#include <QWheelEvent>

#include <cmath>
#include <ctime>

using namespace tempera;

class TestCharts : public QObject {
    Q_OBJECT

    static SeriesPointer line(int count, double offset = 0) {
        auto series = std::make_shared<Series>();
        for (int i = 0; i < count; ++i) {
            series->x.push_back(i);
            series->y.push_back(offset + std::sin(i * 0.01));
        }
        finishSeries(*series, 0.8);
        return series;
    }
    static SweepTable sweep() {
        std::vector<SweepCell> cells;
        for (int t = 1; t <= 13; ++t)
            for (int n = 1; n <= 10; ++n) {
                const double mean = 0.3 + 0.05 * n - 0.01 * std::abs(t - 7);
                cells.push_back({t / 10.0, n, mean, mean - 0.04, mean + 0.04,
                                 t <= 11   ? 100
                                 : t == 12 ? 40
                                           : 0,
                                 100});
            }
        return SweepTable(cells);
    }
    static QByteArray contentOf(const QString& name) {
        QFile file(name);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    template <class C>
    static void showChart(C& chart) {
        chart.resize(600, 360);
        chart.show();
        QVERIFY(QTest::qWaitForWindowExposed(&chart));
        QTest::qWait(120);
    }

private Q_SLOTS:
    void initTestCase() { applyTheme(*qApp, Scheme::light); }

    void lineChartFollowsItsDataUntilZoomed() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), QStringLiteral("nats"));
        showChart(chart);
        chart.setLines({{QStringLiteral("train"), line(100), 0, false}});
        QCOMPARE(chart.xLow(), 0.0);
        QCOMPARE(chart.xHigh(), 99.0);
        QTest::qWait(120);
        const QPoint middle = chart.pixelOf(50, 0.5).toPoint();
        QWidget* plot = chart.findChild<QWidget*>();
        QWheelEvent wheel(middle, plot->mapToGlobal(middle), {}, QPoint(0, 120), Qt::NoButton, Qt::NoModifier,
                          Qt::NoScrollPhase, false);
        QApplication::sendEvent(plot, &wheel);
        QVERIFY(chart.zoomed());
        QVERIFY(chart.xHigh() - chart.xLow() < 99);
        chart.setLines({{QStringLiteral("train"), line(500), 0, false}});
        QVERIFY(chart.xHigh() < 100); // the user's view stays
        QTest::mouseDClick(plot, Qt::LeftButton, {}, middle);
        QVERIFY(!chart.zoomed());
        QCOMPARE(chart.xHigh(), 499.0);
    }

    void redrawsAtMostTwentyTimesASecond() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        showChart(chart);
        // The bound holds for every span of time, so a busy machine may stretch it: until there were enough
        // updates to tell a redraw an update from twenty a second.
        const int before = chart.redrawCount();
        QElapsedTimer timer;
        timer.start();
        int updates = 0;
        while (timer.elapsed() < 1000 || updates < 60) {
            chart.setLines({{{}, line(10 + updates++), 0, false}});
            QTest::qWait(2);
        }
        const int redraws = chart.redrawCount() - before;
        const int allowed = static_cast<int>(timer.elapsed() / PlotChart::redraw_interval_ms) + 1;
        QVERIFY2(redraws >= 2 && redraws <= allowed && redraws < updates,
                 qPrintable(QStringLiteral("%1 redraws, %2 allowed, of %3 updates")
                                .arg(redraws)
                                .arg(allowed)
                                .arg(updates)));
    }

    void stepsAreWholeNumbersAndTicksDiffer() {
        LineChart chart(QStringLiteral("Entropy"), QStringLiteral("step"), QStringLiteral("nats"));
        auto flat = std::make_shared<Series>(Series{{1, 2}, {1.39121, 1.39247}, {}, 0, 0});
        finishSeries(*flat, 0);
        chart.setLines({{{}, flat, 0, false}});
        showChart(chart);
        const auto [x, y] = chart.tickLabels();
        QCOMPARE(x, (QStringList{QStringLiteral("1"), QStringLiteral("2")})); // and not 1.25
        QVERIFY(y.size() >= 3);
        QCOMPARE(QSet<QString>(y.begin(), y.end()).size(), y.size());
    }

    void lengthsAndRowsAreToldInWholeNumbers() {
        LengthHistogramChart chart;
        const auto labels = [&](std::int64_t rows) {
            LengthHistogram lengths;
            lengths.unit = "tokens";
            lengths.edges = {2, 3, 4};
            lengths.counts = {1, rows};
            lengths.median = lengths.p95 = 3;
            chart.setLengths(lengths, 0);
            showChart(chart);
            return chart.tickLabels();
        };
        const auto [x, y] = labels(2);
        for (const QString& label : x + y)
            QVERIFY2(!label.contains(u'.'), qPrintable(label));
        const QStringList many = labels(250000).second;
        QVERIFY2(many.contains(QStringLiteral("100000")) || many.contains(QStringLiteral("200000")),
                 qPrintable(many.join(u' ')));
    }

    void thePlotStaysWhereItIsWhileNumbersChange() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        const auto left = [&](double scale) {
            auto series =
                std::make_shared<Series>(Series{{1, 2, 3}, {scale, 2 * scale, scale / 3}, {}, 0, 0});
            finishSeries(*series, 0);
            chart.setLines({{{}, series, 0, false}});
            QTest::qWait(150);
            return chart.pixelOf(chart.xLow(), 0).x();
        };
        showChart(chart);
        const double first = left(1);
        for (const double scale : {0.01, 3.125, 20.0, 480.0, 5000.0})
            QCOMPARE(left(scale), first);
    }

    void aRightClickOffersTheExport() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        chart.setLines({{{}, line(50), 0, false}});
        showChart(chart);
        QWidget* plot = chart.findChild<QWidget*>(); // what the mouse meets
        QStringList offered;
        QTimer::singleShot(200, &chart, [&] {
            if (auto* menu = qobject_cast<QMenu*>(QApplication::activePopupWidget())) {
                for (const QAction* action : menu->actions())
                    offered << action->text();
                menu->close();
            }
        });
        const QPoint at(200, 150);
        QContextMenuEvent event(QContextMenuEvent::Mouse, at, plot->mapToGlobal(at));
        QApplication::sendEvent(plot, &event);
        QTRY_VERIFY2(offered.contains(QStringLiteral("Export…")), qPrintable(offered.join(u'|')));
    }

    void theChartWithTheKeyboardHasAFrame() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        chart.setLines({{{}, line(50), 0, false}});
        showChart(chart);
        const auto framed = [&] {
            const QImage image = chart.grab().toImage();
            return image.pixelColor(image.width() / 2, 1) == Theme::current().accent;
        };
        chart.clearFocus();
        QTRY_VERIFY(!framed());
        chart.setFocus();
        QTRY_VERIFY(framed());
        const QImage paper = renderChart(chart, {85, 60}, 96); // but not on paper
        QCOMPARE(paper.pixelColor(paper.width() / 2, 1), QColor(Qt::white));
    }

    void aChartOutOfSightIsDrawnWhenItIsScrolledTo() {
        QScrollArea area;
        auto* body = new QWidget;
        auto* column = new QVBoxLayout(body);
        std::vector<LineChart*> charts;
        for (int i = 0; i < 6; ++i) {
            charts.push_back(new LineChart(QStringLiteral("Loss"), QStringLiteral("step"), {}));
            charts.back()->setMinimumHeight(200);
            column->addWidget(charts.back());
        }
        area.setWidget(body);
        area.setWidgetResizable(true);
        area.resize(500, 300);
        area.show();
        QVERIFY(QTest::qWaitForWindowExposed(&area));
        QTest::qWait(150);
        const int before = charts.back()->redrawCount();
        for (LineChart* chart : charts)
            chart->setLines({{{}, line(100), 0, false}});
        QTRY_VERIFY(charts.front()->redrawCount() > 0);
        QTest::qWait(150);
        QCOMPARE(charts.back()->redrawCount(), before);
        area.ensureWidgetVisible(charts.back());
        QTRY_VERIFY(charts.back()->redrawCount() > before);
    }

    void crosshairReadsAllLinesAndIsLinked() {
        LineChart a(QStringLiteral("A"), QStringLiteral("step"), {});
        LineChart b(QStringLiteral("B"), QStringLiteral("step"), {});
        ChartLink link;
        link.add(&a);
        link.add(&b);
        a.setLines({{QStringLiteral("train"), line(100), 0, false},
                    {QStringLiteral("validation"), line(100, 1), 1, false}});
        b.setLines({{{}, line(100, 5), 0, false}});
        showChart(a);
        showChart(b);
        QWidget* plot = a.findChild<QWidget*>();
        const QPointF at = a.pixelOf(40, 0);
        QMouseEvent move(QEvent::MouseMove, at, plot->mapToGlobal(at), Qt::NoButton, Qt::NoButton,
                         Qt::NoModifier);
        QApplication::sendEvent(plot, &move);
        QTest::qWait(150);
        QVERIFY2(a.readout().contains(QStringLiteral("step 40"))
                     && a.readout().contains(QStringLiteral("train 0.389"))
                     && a.readout().contains(QStringLiteral("validation 1.389")),
                 qPrintable(a.readout()));
        QVERIFY2(b.readout().contains(QStringLiteral("step 40")), qPrintable(b.readout()));
        b.setXRange(10, 20);
        b.resetView();
        QCOMPARE(a.xHigh(), 99.0);
        a.setFocus();
        QTest::keyClick(&a, Qt::Key_Right);
        QTest::qWait(150);
        QVERIFY2(!a.readout().contains(QStringLiteral("step 40 ")), qPrintable(a.readout()));
        QVERIFY(a.accessibleDescription().contains(QStringLiteral("100 points")));
    }

    void aNanIsAGapAndNotAnEnd() {
        auto series = std::make_shared<Series>(Series{{1, 2, 3}, {1, NAN, 3}, {}, 0, 0});
        finishSeries(*series, 0);
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        chart.setLines({{{}, series, 0, false}});
        showChart(chart);
        QVERIFY(std::isfinite(chart.xHigh()));
        QVERIFY(chart.csv().contains(QStringLiteral("\n2,nan\n")));
    }

    void csvHoldsEveryPoint() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        auto few = std::make_shared<Series>(Series{{1, 3}, {0.125, 7}, {}, 0, 0});
        finishSeries(*few, 0);
        chart.setLines(
            {{QStringLiteral("train"), line(4), 0, false}, {QStringLiteral("validation"), few, 1, true}});
        const QStringList rows = chart.csv().split(u'\n', Qt::SkipEmptyParts);
        QCOMPARE(rows.size(), 5);
        QCOMPARE(rows[0], QStringLiteral("step,train,validation"));
        QVERIFY(rows[2].startsWith(QStringLiteral("1,0.00999983"))
                && rows[2].endsWith(QStringLiteral(",0.125")));
        QVERIFY(rows[3].endsWith(u','));
    }

    void curvesShowThePapersNs() {
        ScoreCurves curves;
        showChart(curves);
        curves.setTable(sweep());
        QCOMPARE(curves.strongCounts(), (std::vector<int>{1, 3, 5, 10}));
        curves.setCursor(0.72);
        QTest::qWait(120);
        QVERIFY2(curves.readout().startsWith(QStringLiteral("T 0.7"))
                     && curves.readout().contains(QStringLiteral("N10 .80")),
                 qPrintable(curves.readout()));
        QVERIFY2(curves.summary().contains(QStringLiteral("N = 10 at temperature 0.7")),
                 qPrintable(curves.summary()));
        QCOMPARE(curves.csv().count(u'\n'), 131);
        QSignalSpy clicks(&curves, &ScoreCurves::cellClicked);
        QWidget* plot = curves.findChild<QWidget*>();
        QTest::mouseClick(plot, Qt::LeftButton, {}, curves.pixelOf(0.5, 0.3 + 0.25 - 0.02).toPoint());
        QCOMPARE(clicks.count(), 1);
        QCOMPARE(clicks[0][0].toDouble(), 0.5);
        QCOMPARE(clicks[0][1].toInt(), 5);
        curves.setTable(SweepTable());
        QTest::qWait(120); // an empty sweep paints, too
    }

    void heatMapCellsAreClickedHoveredAndWalked() {
        HeatMap map;
        showChart(map);
        map.setTable(sweep());
        QSignalSpy clicks(&map, &HeatMap::cellClicked);
        QTest::mouseMove(&map, map.cellRect(6, 9).center().toPoint());
        QTRY_VERIFY2(map.readout().contains(QStringLiteral("T 0.7, N 10: .80 [.76, .84]")),
                     qPrintable(map.readout()));
        QTest::mouseClick(&map, Qt::LeftButton, {}, map.cellRect(6, 9).center().toPoint());
        QCOMPARE(clicks.count(), 1);
        QCOMPARE(clicks[0][0].toDouble(), 0.7);
        QCOMPARE(clicks[0][1].toInt(), 10);
        QCOMPARE(map.selected(), (HeatMap::Place{6, 9}));
        QTest::keyClick(&map, Qt::Key_Right);
        QTest::keyClick(&map, Qt::Key_Down);
        QTest::keyClick(&map, Qt::Key_Return);
        QCOMPARE(clicks.count(), 2);
        QCOMPARE(clicks[1][0].toDouble(), 0.8);
        QCOMPARE(clicks[1][1].toInt(), 9);
        QTest::mouseClick(&map, Qt::LeftButton, {}, map.cellRect(12, 0).center().toPoint());
        QCOMPARE(clicks.count(), 2); // a cell without samples opens nothing
        QTest::mouseMove(&map, map.cellRect(11, 4).center().toPoint());
        QTRY_VERIFY2(map.readout().contains(QStringLiteral("40 of 100 problems")), qPrintable(map.readout()));
        // The selection stays on its cell while the table grows.
        std::vector<SweepCell> more = sweep().cells();
        more.push_back({0.05, 10, .5, .4, .6, 100, 100});
        map.select(0.7, 10);
        map.setTable(SweepTable(more));
        QCOMPARE(map.selected(), (HeatMap::Place{7, 9}));
        const QStringList rows = map.csv().split(u'\n', Qt::SkipEmptyParts);
        QCOMPARE(rows.size(), 11);
        QCOMPARE(rows.last().split(u',')[8], QStringLiteral("0.8"));
    }

    void cellInkContrastsWithTheCell() {
        HeatMap map;
        map.setTable(sweep());
        showChart(map);
        const QImage image = map.grab().toImage();
        const QRect cell = map.cellRect(6, 9).toRect().adjusted(3, 3, -3, -3);
        double best = 0;
        const QColor fill = image.pixelColor(cell.topLeft());
        for (int y = cell.top(); y < cell.bottom(); ++y)
            for (int x = cell.left(); x < cell.right(); ++x)
                best = std::max(best, contrastRatio(image.pixelColor(x, y), fill));
        QVERIFY2(best > 4.5, qPrintable(QString::number(best)));
    }

    void exportsAreWhatTheyClaim_data() {
        QTest::addColumn<QString>("kind");
        for (const char* kind : {"line", "curves", "map", "strip", "path"})
            QTest::newRow(kind) << QString::fromLatin1(kind);
    }
    void exportsAreWhatTheyClaim() {
        QFETCH(QString, kind);
        applyTheme(*qApp, Scheme::dark); // paper is white whatever the screen
        std::unique_ptr<Chart> chart;
        if (kind == QStringLiteral("line")) {
            auto made = std::make_unique<LineChart>(QStringLiteral("Loss"), QStringLiteral("step"),
                                                    QStringLiteral("nats"));
            made->setLines({{QStringLiteral("train"), line(400), 0, false}});
            made->setEvents({{100, QStringLiteral("checkpoint"), QStringLiteral("kept")}});
            chart = std::move(made);
        } else if (kind == QStringLiteral("curves")) {
            auto made = std::make_unique<ScoreCurves>();
            made->setTable(sweep());
            made->setReported({{10, 0.7, 0.811, QStringLiteral("paper")},
                               {1, std::nullopt, 0.37, QStringLiteral("paper")}});
            chart = std::move(made);
        } else if (kind == QStringLiteral("path")) {
            auto made = std::make_unique<PathChart>(QStringLiteral("Reward against KL"), QStringLiteral("KL"),
                                                    QStringLiteral("reward"));
            made->setData(line(300, 1), line(300));
            chart = std::move(made);
        } else if (kind == QStringLiteral("map")) {
            auto made = std::make_unique<HeatMap>();
            made->setTable(sweep());
            chart = std::move(made);
        } else {
            auto made = std::make_unique<TemperatureStrip>();
            made->setRows({{0.1, .4, .35, .9, 60, .02, 100, 100}, {0.7, .3, .25, .8, 70, .05, 50, 100}});
            chart = std::move(made);
        }
        QTemporaryDir folder;
        const ExportSize size{85, 60};
        for (const char* ending : {"png", "pdf", "svg", "csv"})
            QCOMPARE(exportChart(*chart, folder.filePath(QStringLiteral("x.") + QString::fromLatin1(ending)),
                                 size),
                     QString());

        const QImage png(folder.filePath(QStringLiteral("x.png")));
        QCOMPARE(png.size(), QSize(1004, 709)); // 85 x 60 mm at 300 dots per inch
        QVERIFY(std::abs(png.dotsPerMeterX() - 11811) <= 1);
        QCOMPARE(png.pixelColor(2, 2), QColor(Qt::white));
        int inked = 0;
        for (int y = 0; y < png.height(); y += 3)
            for (int x = 0; x < png.width(); x += 3)
                inked += png.pixelColor(x, y).lightnessF() < 0.6f;
        QVERIFY(inked > 200);

        const QByteArray pdf = contentOf(folder.filePath(QStringLiteral("x.pdf")));
        QVERIFY(pdf.startsWith("%PDF-1."));
        QVERIFY(pdf.contains("/FontFile2") || pdf.contains("/FontFile3")); // the font is inside
        const auto box = QRegularExpression(QStringLiteral("/MediaBox \\[0 0 ([0-9.]+) ([0-9.]+)\\]"))
                             .match(QString::fromLatin1(pdf));
        QVERIFY(box.hasMatch());
        QVERIFY(std::abs(box.captured(1).toDouble() - 85 / 25.4 * 72) < 1);
        QVERIFY(pdf.size() < 400000);

        const QByteArray svg = contentOf(folder.filePath(QStringLiteral("x.svg")));
        QVERIFY(QSvgRenderer(svg).isValid());
        QVERIFY(!svg.contains("<text")); // outlines: no font is needed to see it
        QVERIFY(svg.count("<path") > 10);

        const QByteArray csv = contentOf(folder.filePath(QStringLiteral("x.csv")));
        QVERIFY(csv.count('\n') >= 3);
        applyTheme(*qApp, Scheme::light);
    }

    void anExportThatCannotBeWrittenSaysSo() {
        HeatMap map;
        map.setTable(sweep());
        QVERIFY(exportChart(map, QStringLiteral("/no/such/folder/x.png"), {})
                    .contains(QStringLiteral("/no/such/folder")));
        QVERIFY(exportChart(map, QStringLiteral("x.bmp"), {}).contains(QStringLiteral(".pdf")));
        ExportDialog dialog(map);
        dialog.show();
        dialog.setFileName(QStringLiteral("/no/such/folder/x.svg"));
        dialog.accept();
        QVERIFY(dialog.isVisible()); // it stays open with the reason under the fields
        QTemporaryDir folder;
        dialog.setFileName(folder.filePath(QStringLiteral("x.svg")));
        dialog.accept();
        QVERIFY(!dialog.isVisible());
        QVERIFY(QFile::exists(folder.filePath(QStringLiteral("x.svg"))));
    }

    void aMillionPointsDrawInTime() {
        LineChart chart(QStringLiteral("Loss"), QStringLiteral("step"), {});
        showChart(chart);
        const SeriesPointer million = line(1'000'000);
        const int before = chart.redrawCount();
        const std::clock_t start = std::clock(); // of the processor: the machine may have more to do
        chart.setLines({{{}, million, 0, false}});
        QTRY_VERIFY(chart.redrawCount() > before);
        chart.grab();
        const double milliseconds = 1000.0 * double(std::clock() - start) / CLOCKS_PER_SEC;
        QVERIFY2(milliseconds < double(test::allowed_ms(600)), qPrintable(QString::number(milliseconds)));
    }
};

QTEST_MAIN(TestCharts)
#include "tst_charts.moc"
