#include "made_up_workspace.h"

#include "ui/forms/field_editor.h"
#include "ui/forms/recipe_form.h"
#include "ui/models/list_row.h"
#include "ui/models/prompt_list_model.h"
#include "ui/models/rollout_list_model.h"
#include "ui/pages/card_browser.h"
#include "ui/pages/metric_panels.h"
#include "ui/pages/run_view.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/clamped_label.h"
#include "ui/widgets/elided_label.h"
#include "ui/widgets/run_header.h"
#include "ui/widgets/tool_row.h"

#include <QApplication>
#include <QHelpEvent>
#include <QImage>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPainter>
#include <QPushButton>
#include <QStyleOptionViewItem>
#include <QTest>
#include <QTextDocument>
#include <QToolTip>
#include <QVBoxLayout>

using namespace tempera;

/// The small widgets that the pages are made of, and texts that are hard on them.
class TestWidgets : public QObject {
    Q_OBJECT

    /// The tip that shows over a widget, as it is read.
    static QString tipOver(QWidget& widget) {
        QToolTip::hideText();
        const QPoint at = widget.rect().center();
        QHelpEvent help(QEvent::ToolTip, at, widget.mapToGlobal(at));
        QApplication::sendEvent(&widget, &help);
        QTextDocument shown;
        if (Qt::mightBeRichText(QToolTip::text()))
            shown.setHtml(QToolTip::text());
        else
            shown.setPlainText(QToolTip::text());
        return shown.toPlainText();
    }

private Q_SLOTS:
    void initTestCase() { applyTheme(*qApp, Scheme::light); }

    void tipsShowTextAsItIs_data() {
        QTest::addColumn<QString>("text");
        QTest::newRow("markup") << QStringLiteral("<b>bold</b> <img src='x'> and what follows it, long");
        QTest::newRow("entity") << QStringLiteral("salt & pepper &amp; vinegar, and what follows it, long");
        QTest::newRow("line ends") << QStringLiteral("one line\nand another one, long enough to be cut");
    }
    void tipsShowTextAsItIs() {
        QFETCH(QString, text);
        ElidedLabel elided(text);
        ClampedLabel clamped(1);
        clamped.setText(text);
        for (QLabel* label : std::initializer_list<QLabel*>{&elided, &clamped}) {
            label->resize(60, 20);
            label->show();
            QCOMPARE(tipOver(*label), text);
            label->resize(900, 20);
            if (!text.contains(u'\n')) QTRY_COMPARE(tipOver(*label), QString()); // all of it is seen
        }
    }

    void aClampedLabelKeepsItsHeight() {
        ClampedLabel label(3);
        label.setText(QStringLiteral("short"));
        const int height = label.sizeHint().height();
        QVERIFY(!label.clamped());
        label.setText(QString(4000, u'x'));
        label.resize(200, height);
        QVERIFY(label.clamped());
        QCOMPARE(label.sizeHint().height(), height);
        QVERIFY(height >= 3 * label.fontMetrics().lineSpacing());
    }

    void labelsMayHoldPlaceholders() {
        auto list = std::make_shared<PromptList>();
        list->prompts.push_back({0, QStringLiteral("what is %3 of %4?"), {1, 0}});
        PromptListModel prompts;
        prompts.setPrompts(list);
        QVERIFY(prompts.index(0)
                    .data(Qt::AccessibleTextRole)
                    .toString()
                    .contains(QStringLiteral("what is %3 of %4?, 1 of 2")));
        auto set = std::make_shared<RolloutSet>();
        set->groups.push_back({1, 0, "what is %3 of %5?", "", {}});
        RolloutListModel rollouts;
        rollouts.setRollouts(set);
        QVERIFY(rollouts.index(0)
                    .data(Qt::AccessibleTextRole)
                    .toString()
                    .contains(QStringLiteral("what is %3 of %5?")));
    }

    void toolsGoOnInASecondRow() {
        QWidget bar;
        auto* row = new ToolRow(&bar);
        QList<QPushButton*> buttons;
        auto* line = new QLineEdit(&bar);
        row->addWidget(line);
        for (int i = 0; i < 4; ++i) {
            buttons << new QPushButton(QStringLiteral("A button"), &bar);
            row->addWidget(buttons.back());
        }
        const int least = line->minimumSizeHint().width() + 4 * buttons[0]->sizeHint().width() + 4 * 8 + 32;
        bar.resize(least + 200, 60);
        bar.show();
        QVERIFY(QTest::qWaitForWindowExposed(&bar));
        const int one_row = row->heightForWidth(least + 200);
        QCOMPARE(buttons[3]->geometry().right(), bar.width() - 17); // the line took what was left
        QVERIFY(line->width() > line->minimumSizeHint().width() + 150);
        QVERIFY(row->heightForWidth(least - 40) > one_row);
        bar.resize(least - 40, 120);
        QTRY_VERIFY(buttons[3]->y() > buttons[0]->y());
        QCOMPARE(buttons[3]->x(), line->x());
        for (const QPushButton* button : buttons)
            QVERIFY(button->width() >= button->sizeHint().width() && bar.rect().contains(button->geometry()));
        buttons[3]->hide();
        QTRY_COMPARE(row->heightForWidth(least - 40), one_row);
    }

    void theHeaderKeepsItsHeightWhenARunEnds() {
        RunHeader header;
        RunRecord run;
        run.id = "a";
        run.status = RunStatus::running;
        run.progress = {"training", 1, 10, "steps", 10, 5, 1};
        header.setRun(run);
        const int height = header.sizeHint().height();
        run.status = RunStatus::finished;
        header.setRun(run);
        QCOMPARE(header.sizeHint().height(), height);
    }

    void anotherRunsFailureIsGoneAtOnce() {
        RunView view;
        RunRecord run;
        run.id = "a";
        run.kind = "sft";
        run.status = RunStatus::failed;
        run.error = "The loss became NaN.";
        view.setRun(run);
        view.show();
        QCOMPARE(view.findChildren<Banner*>().size(), 1);
        run = {};
        run.id = "b";
        run.kind = "sft";
        run.status = RunStatus::finished;
        view.setRun(run);
        for (const Banner* banner : view.findChildren<Banner*>())
            QVERIFY(!banner->isVisible());
    }

    void aBannersActionComesBeforeItsEnd() {
        QWidget window;
        auto* column = new QVBoxLayout(&window);
        auto* banner = new Banner(Banner::Kind::error, QStringLiteral("A sentence."),
                                  QStringLiteral("details"), &window);
        column->addWidget(banner);
        QPushButton* first = banner->addAction(QStringLiteral("First"));
        QPushButton* second = banner->addAction(QStringLiteral("Second"));
        window.show();
        QVERIFY(QTest::qWaitForWindowExposed(&window));
        first->setFocus();
        QTest::keyClick(first, Qt::Key_Tab);
        QVERIFY(second->hasFocus());
        QTest::keyClick(second, Qt::Key_Tab);
        auto* next = qobject_cast<QPushButton*>(QApplication::focusWidget());
        QVERIFY(next && next->text() == QStringLiteral("Details"));
    }

    void aRowsTextKeepsItsHalfBesideALongSummary() {
        const auto inked = [](const QString& text, const QString& summary, int width) {
            QImage image(width, 30, QImage::Format_RGB32);
            image.fill(Qt::white);
            QStyleOptionViewItem option;
            option.rect = image.rect();
            ListRow row;
            row.text = text;
            row.text_color = Qt::red;
            row.summary = summary;
            row.summary_color = Qt::blue;
            QPainter painter(&image);
            paintListRow(painter, option, row);
            painter.end();
            std::pair<int, int> pixels; // of the text, of the summary
            for (int y = 0; y < image.height(); ++y)
                for (int x = 0; x < image.width(); ++x) {
                    const QColor color = image.pixelColor(x, y);
                    pixels.first += color.red() > 200 && color.blue() < 100;
                    pixels.second += color.blue() > 200 && color.red() < 100;
                }
            return pixels;
        };
        const QString name = QStringLiteral("rloo_kl0"), summary = QStringLiteral("reward -1.00");
        const auto wide = inked(name, summary, 300), narrow = inked(name, summary, 110);
        QVERIFY(wide.first > 0 && wide.second > 0);
        QCOMPARE(narrow, std::pair(wide.first, 0));
    }

    void unknownMetricsStandInNaturalOrder() {
        std::map<std::string, SeriesPointer> metrics;
        for (const char* name : {"layer/10", "layer/9", "layer/100"})
            metrics[name] = std::make_shared<Series>(Series{{1}, {1}, {1}, 1, 1});
        QStringList keys;
        for (const ShownPanel& panel : panelsFor(metrics, "sft"))
            keys << panel.key;
        QCOMPARE(keys, (QStringList{QStringLiteral("layer/9"), QStringLiteral("layer/10"),
                                    QStringLiteral("layer/100")}));
    }

    void thePlaceInTheListMovesNothing() {
        auto list = std::make_shared<PromptList>();
        for (int i = 0; i < 120; ++i)
            list->prompts.push_back({i, QString::number(i), {1}});
        PromptListModel model;
        CardBrowser browser(&model, QStringLiteral("Prompts"));
        model.setPrompts(list);
        browser.list()->setCurrentIndex(model.index(0));
        const QLabel* place = browser.positionLabel();
        QCOMPARE(place->text(), QStringLiteral("1 of 120"));
        const QSize first = place->minimumSize().expandedTo(place->sizeHint());
        browser.list()->setCurrentIndex(model.index(119));
        QCOMPARE(place->text(), QStringLiteral("120 of 120"));
        QCOMPARE(place->minimumSize().expandedTo(place->sizeHint()), first);
    }

    void everyFieldOfEveryKindHasAnEditor() {
        for (const RecipeKind& kind : recipe_kinds()) {
            RecipeForm form(kind);
            form.showAll(true);
            form.setRecipe(Json{{"kind", kind.kind}});
            for (const Field& field : kind.fields) {
                QVERIFY(form.editor(field.name));
                QVERIFY(!form.editor(field.name)->input()->accessibleName().isEmpty());
                QVERIFY2(form.editor(field.name)->value() == field.default_value, field.name.c_str());
            }
        }
    }

    void aPresetMovesWhatIsNotSet() {
        RecipeForm form(recipe_kind("rloo"));
        form.showAll(true);
        form.setRecipe(Json{{"kind", "rloo"}, {"temperature", 0.9}});
        QVERIFY(form.recipe() == (Json{{"kind", "rloo"}, {"temperature", 0.9}})); // nothing else is spelt out
        const double before = form.editor("kl_coef")->value()->get<double>();
        form.editor("preset")->setText(QStringLiteral("paper"));
        QCOMPARE(form.editor("kl_coef")->value()->get<double>(), 0.03);
        QVERIFY(before != 0.03);
        QVERIFY(!form.editor("kl_coef")->changedFromDefault());
        QCOMPARE(form.editor("temperature")->value()->get<double>(), 0.9); // it was set
        QVERIFY(form.editor("temperature")->changedFromDefault());
        form.editor("temperature")->reset();
        QCOMPARE(form.editor("temperature")->value()->get<double>(), 0.7); // the preset's
        QVERIFY(form.recipe() == (Json{{"kind", "rloo"}, {"preset", "paper"}}));
        form.editor("preset")->setText(QStringLiteral("trl"));
        QCOMPARE(form.editor("kl_coef")->value()->get<double>(), before);
    }
};

QTEST_MAIN(TestWidgets)
#include "tst_widgets.moc"
