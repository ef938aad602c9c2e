#include "ui/pages/token_lens.h"
#include "ui/theme/color_maps.h"
#include "ui/theme/desktop_scheme.h"
#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"

#include <QApplication>
#include <QDir>
#include <QTest>

#include <cmath>

using namespace tempera;

/// Colours that can be read, icons that are there, and how numbers are written.
class TestTheme : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void textsOfNumbers() {
        QCOMPARE(scoreText(0.811), QStringLiteral(".81"));
        QCOMPARE(scoreText(1), QStringLiteral("1.00"));
        QCOMPARE(scoreText(NAN), QStringLiteral("–"));
        QCOMPARE(durationText(200), QStringLiteral("3 min 20 s"));
        QCOMPARE(durationText(-1), QString());
        QCOMPARE(durationText(NAN), QString());
        QCOMPARE(durationText(3840), QStringLiteral("1 h 04 min"));
        QCOMPARE(numberText(5e-6), QStringLiteral("5.00e-6"));
        QCOMPARE(numberText(NAN), QStringLiteral("NaN"));
        QCOMPARE(numberText(12345.4), QStringLiteral("12,345"));
        QCOMPARE(wholeText(1234567), QStringLiteral("1,234,567"));
        QCOMPARE(temperatureText(1), QStringLiteral("1.0"));
        QCOMPARE(temperatureText(0.35), QStringLiteral("0.35"));
        const QDateTime now(QDate(2026, 11, 23), QTime(23, 50));
        QCOMPARE(clockText(300, now), QStringLiteral("23:55"));
        QCOMPARE(clockText(1200, now), QLocale::system().toString(QDate(2026, 11, 24), QStringLiteral("ddd"))
                                           + QStringLiteral(" 00:10"));
        QCOMPARE(progressText({"", 812, 2000, "steps", 0, -1, 0}), QStringLiteral("812 / 2,000 steps"));
    }

    void tintsNeverHideTheText() {
        for (const Scheme scheme : {Scheme::light, Scheme::dark, Scheme::contrast}) {
            const Theme& theme = Theme::of(scheme);
            for (const Lens lens : {Lens::logprob, Lens::difference, Lens::mask, Lens::advantage})
                for (double value = -8; value <= 8; value += 0.5) {
                    const QColor tint = lensTint(lens, value, theme);
                    for (const QColor& surface : {theme.surface, theme.raised})
                        QVERIFY2(contrastRatio(theme.text, seenOn(tint, surface)) >= 4.5,
                                 qPrintable(lensName(lens) + QString::number(value)));
                }
        }
        QCOMPARE(lensTint(Lens::logprob, NAN, Theme::of(Scheme::light)).alpha(), 0);
    }

    void everySchemeIsReadable() {
        for (const Scheme scheme : {Scheme::light, Scheme::dark, Scheme::contrast}) {
            const Theme& theme = Theme::of(scheme);
            QCOMPARE(&Theme::of(theme.palette()), &theme);
            for (const QColor& surface : {theme.window, theme.surface, theme.raised}) {
                QVERIFY(contrastRatio(theme.text, surface) >= 7);
                QVERIFY(contrastRatio(theme.muted, surface) >= 4.5);
                QVERIFY(contrastRatio(theme.text, seenOn(theme.tint(), surface)) >= 7);
                QVERIFY(contrastRatio(seenOn(theme.tint(), surface), surface) >= 1.15);
                for (const RunStatus status : {RunStatus::running, RunStatus::finished, RunStatus::failed,
                                               RunStatus::stopped, RunStatus::queued})
                    QVERIFY2(contrastRatio(theme.stateColor(status), surface) >= 4.2,
                             qPrintable(statusText(status) + theme.stateColor(status).name()));
            }
            QVERIFY(contrastRatio(theme.accent_ink, theme.accent) >= 4.5);
            // What cannot be used and what a bar has still to fill are told from the rest.
            QVERIFY(contrastRatio(theme.text, theme.off) >= 3);
            QVERIFY(contrastRatio(theme.running, theme.track) >= 2.5);
            for (int i = 0; i < 8; ++i)
                QVERIFY(contrastRatio(theme.seriesColor(i), theme.surface) >= 1.9);
            QVERIFY(!theme.styleSheet().contains(QChar(u'@')));
            QVERIFY(!theme.styleSheet().contains(QStringLiteral("%scheme%")));
        }
    }

    void mapsRiseInLightness() {
        for (const ColorMap map : {ColorMap::viridis, ColorMap::cividis}) {
            double before = -1;
            for (int i = 0; i <= 20; ++i) {
                const QColor color = mapColor(map, i / 20.0);
                const double light = 0.2126 * color.redF() + 0.7152 * color.greenF() + 0.0722 * color.blueF();
                QVERIFY(light > before);
                before = light;
                QVERIFY(contrastRatio(inkOn(color), color) >= 4.5);
            }
        }
        QCOMPARE(mapColor(ColorMap::viridis, NAN), mapColor(ColorMap::viridis, 0));
        QCOMPARE(mapColor(ColorMap::viridis, 7), mapColor(ColorMap::viridis, 1));
    }

    void portalAnswersChooseTheScheme() {
        QCOMPARE(DesktopScheme::schemeFor(1, 0, Scheme::light), Scheme::dark);
        QCOMPARE(DesktopScheme::schemeFor(2, 0, Scheme::dark), Scheme::light);
        QCOMPARE(DesktopScheme::schemeFor(0, 0, Scheme::dark), Scheme::dark);
        QCOMPARE(DesktopScheme::schemeFor(2, 1, Scheme::light), Scheme::contrast);
        qputenv("TEMPERA_THEME", "contrast");
        QCOMPARE(DesktopScheme(QPalette(Qt::white)).scheme(), Scheme::contrast);
        qunsetenv("TEMPERA_THEME");
        QCOMPARE(DesktopScheme(Theme::of(Scheme::dark).palette()).scheme(), Scheme::dark);
    }

    void everyIconDraws() {
        applyTheme(*qApp, Scheme::light);
        const QStringList files = QDir(QStringLiteral(":/tempera/icons")).entryList();
        QVERIFY(files.size() > 30);
        for (const QString& file : files) {
            const QImage image =
                icon(QString(file).remove(QStringLiteral(".svg")), Qt::red).pixmap(QSize(24, 24)).toImage();
            int inked = 0;
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x)
                    inked += qAlpha(image.pixel(x, y)) > 40;
            QVERIFY2(inked > 15, qPrintable(file));
        }
        for (int status = 0; status <= int(RunStatus::interrupted); ++status)
            QVERIFY(files.contains(stateIconName(static_cast<RunStatus>(status)) + QStringLiteral(".svg")));
    }

    void tabularFontHasEqualDigits() {
        const QFontMetricsF metrics(tabularFont(QApplication::font()));
        QCOMPARE(metrics.horizontalAdvance(u'1'), metrics.horizontalAdvance(u'8'));
    }
};

QTEST_MAIN(TestTheme)
#include "tst_theme.moc"
