#include "../support/paths.h"
#include "desk.h"
#include "hands.h"

#include "core/base/files.h"
#include "core/data/token_example.h"
#include "ui/charts/length_histogram.h"
#include "ui/models/issue_tree_model.h"
#include "ui/models/row_table_model.h"
#include "ui/pages/check_view.h"
#include "ui/pages/data_getter.h"
#include "ui/pages/data_page.h"
#include "ui/pages/data_panel.h"
#include "ui/pages/data_view.h"
#include "ui/pages/new_run_page.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/chat_view.h"
#include "ui/widgets/entry_side.h"
#include "ui/widgets/fact_grid.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/token_view.h"
#include "ui/work_areas.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QMenu>
#include <QScopeGuard>
#include <QScrollBar>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTabBar>
#include <QTableView>
#include <QTemporaryDir>
#include <QTextEdit>
#include <QToolButton>
#include <QTreeView>

#include <chrono>
#include <fstream>

using namespace tempera;
using test::click;
using test::Desk;
namespace fs = std::filesystem;

#define QTRY_LONG(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, 20000)

/// The Data area by mouse and keyboard, over files that the tests write.
class TestDataPage : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> dir_;
    fs::path root() const { return dir_->path().toStdString(); }

    void write(const std::string& name, const std::vector<Json>& rows) const {
        std::ofstream file(root() / name);
        for (const Json& row : rows)
            file << row.dump() << "\n";
    }
    /// `count` rows with a question of 10 to 40 words.
    std::vector<Json> questions(int count) const {
        std::vector<Json> rows;
        for (int i = 0; i < count; ++i) {
            std::string question = "question " + std::to_string(i);
            for (int word = 0; word < 10 + i % 30; ++word)
                question += " word";
            rows.push_back({{"question", question}, {"answer", "answer " + std::to_string(i)}});
        }
        return rows;
    }
    /// A window that shows the Data area with that file open; null where it cannot be opened.
    DataView* openData(Desk& desk, const fs::path& path) const {
        desk.open();
        test::goToArea(desk.window.get(), QStringLiteral("Data"));
        DataPage* page = desk.window->areas()->data();
        if (!page->getter()->isVisible()) return nullptr;
        test::type(page->getter()->pathField(), toQt(path.string()));
        QTest::keyClick(page->getter()->pathField(), Qt::Key_Return);
        const auto answered = [&] {
            return page->view()->isVisible() || !page->getter()->form()->problem().isEmpty();
        };
        return QTest::qWaitFor(answered, 20000) && page->view()->isVisible() ? page->view() : nullptr;
    }
    static QString cell(DataView* view, int row, int column) {
        return view->model()->index(row, column).data().toString();
    }

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        applyTheme(*qApp, Scheme::light);
    }
    void init() { dir_ = std::make_unique<QTemporaryDir>(); }

    void aFileIsOpenedAndItsRowsAreShown() {
        write("train.jsonl", questions(1000));
        Desk desk;
        DataView* view = openData(desk, root() / "train.jsonl");
        QVERIFY(view);
        QTRY_LONG(view->countLabel()->text() == QStringLiteral("1,000 rows"));
        QCOMPARE(view->model()->columnCount(), 2);
        int answer = view->model()->headerData(0, Qt::Horizontal, Qt::DisplayRole).toString()
                             == QStringLiteral("answer")
                         ? 0
                         : 1;
        QTRY_COMPARE(cell(view, 3, answer), QStringLiteral("answer 3"));
        view->rowBox()->setFocus();
        view->rowBox()->selectAll();
        QTest::keyClicks(view->rowBox(), QStringLiteral("900"));
        QTest::keyClick(view->rowBox(), Qt::Key_Return);
        QCOMPARE(view->table()->currentIndex().row(), 899);
        QTRY_COMPARE(cell(view, 899, answer), QStringLiteral("answer 899"));
        QVERIFY(view->model()->blockCount() < 8); // not all that lies between
        QCOMPARE(desk.window->areas()->data()->side()->current(), toQt((root() / "train.jsonl").string()));
    }

    void theFileThatIsOpenedNextIsShown() {
        write("first.jsonl", questions(10));
        write("second.jsonl", questions(20));
        Desk desk;
        DataView* view = openData(desk, root() / "first.jsonl");
        QVERIFY(view);
        DataPage* page = desk.window->areas()->data();
        const QString second = toQt((root() / "second.jsonl").string());
        click(page->side()->moreButton());
        test::type(page->side()->searchBox(), QStringLiteral("second")); // lists none, and changes no page
        page->side()->searchBox()->clear();
        QVERIFY(page->getter()->isVisible());
        test::type(page->getter()->pathField(), second);
        QTest::keyClick(page->getter()->pathField(), Qt::Key_Return);
        QTRY_LONG(view->isVisible() && view->countLabel()->text() == QStringLiteral("20 rows"));
        QCOMPARE(view->path(), second);
        QCOMPARE(page->side()->current(), second);
        test::clickRow(page->side()->view(), QStringLiteral("first.jsonl"));
        QTRY_LONG(view->countLabel()->text() == QStringLiteral("10 rows"));
    }

    void aMillionRowsScrollSmoothly() {
        {
            std::ofstream file(root() / "large.jsonl");
            for (int i = 0; i < 1'000'000; ++i)
                file << "{\"prompt\":\"p" << i << "\",\"completion\":\"c\"}\n";
        }
        Desk desk;
        QElapsedTimer clock;
        clock.start();
        DataView* view = openData(desk, root() / "large.jsonl");
        QVERIFY(view);
        QVERIFY2(clock.elapsed() < 5000, qPrintable(QString::number(clock.elapsed())));
        QTRY_VERIFY_WITH_TIMEOUT(view->model()->rowCount() == 1'000'000, 60000);
        // No turn of the event loop may take long while the bar is dragged through the whole set.
        qint64 longest = 0;
        for (int place = 0; place <= 100; ++place) {
            QElapsedTimer turn;
            turn.start();
            view->table()->verticalScrollBar()->setValue(view->table()->verticalScrollBar()->maximum() * place
                                                         / 100);
            QApplication::processEvents();
            longest = std::max(longest, turn.elapsed());
        }
        QVERIFY2(longest < 250, qPrintable(QStringLiteral("a turn took %1 ms").arg(longest)));
        const int column = view->model()->headerData(0, Qt::Horizontal, Qt::DisplayRole).toString()
                                   == QStringLiteral("prompt")
                               ? 0
                               : 1;
        QTRY_LONG(cell(view, 999'999, column) == QStringLiteral("p999999"));
        QVERIFY(view->model()->blockCount() <= RowTableModel::most_blocks);
    }

    void columnsAreDetectedAndChosen() {
        std::vector<Json> rows;
        for (int i = 0; i < 20; ++i)
            rows.push_back({{"ask", "what is " + std::to_string(i)}, {"reply", "it is"}, {"other", i}});
        write("odd.jsonl", rows);
        Desk desk;
        DataView* view = openData(desk, root() / "odd.jsonl");
        QVERIFY(view);
        QVERIFY(!view->panel()->form()->problem().isEmpty()); // nobody knows "ask"
        QVERIFY(!view->useButton()->isEnabled());
        QVERIFY(view->panel()->columnBox("prompt")->isVisible()); // as one of them has to be chosen
        QVERIFY(!view->panel()->columnBox("input")->isVisible());
        click(view->panel()->moreButton());
        QVERIFY(view->panel()->columnBox("input")->isVisible() && view->panel()->columnBox("text"));
        click(view->panel()->moreButton());
        for (const auto& [role, column] : {std::pair("prompt", "ask"), std::pair("completion", "reply")}) {
            QComboBox* box = view->panel()->columnBox(role);
            QVERIFY(box);
            box->setFocus();
            QTest::keyClicks(box, QString::fromLatin1(column)); // a combo box finds what begins so
            QCOMPARE(box->currentData().toString(), QString::fromLatin1(column));
        }
        QVERIFY2(view->panel()->form()->problem().isEmpty(), qPrintable(view->panel()->form()->problem()));
        view->showTab(DataView::chat_tab);
        QTRY_COMPARE(view->chat()->text(), QStringLiteral("user: what is 0\nassistant: it is"));
        QTest::keyClick(view->chat(), Qt::Key_J);
        QTest::keyClick(view->chat(), Qt::Key_J);
        QTRY_COMPARE(view->chat()->text(), QStringLiteral("user: what is 2\nassistant: it is"));
        QTest::keyClick(view->chat(), Qt::Key_K);
        QTRY_COMPARE(view->chat()->text(), QStringLiteral("user: what is 1\nassistant: it is"));
        QCOMPARE(view->rowBox()->value(), 2);
        QVERIFY(view->useButton()->isEnabled());
        QCOMPARE(view->useButton()->menu()->actions().size(), 1);
        view->useButton()->menu()->actions().front()->trigger();
        QVERIFY(desk.window->newRunPage()->isVisible());
        const Json recipe = desk.window->newRunPage()->recipe();
        QVERIFY(recipe.at("kind") == Json("sft"));
        QVERIFY(recipe.at("data") == Json((root() / "odd.jsonl").string()));
        QCOMPARE(parse_columns(recipe.at("columns").get<std::string>()).column_of.at("prompt"),
                 std::string("ask"));
    }

    void aDataSetOfTheHubGoesByItsNameAndSaysWhichCopyItIs() {
        const std::string commit(40, 'a');
        const fs::path place = root() / "hub/datasets--o--rows", copy = place / "snapshots" / commit;
        fs::create_directories(copy);
        fs::create_directories(place / "refs");
        write_file_atomic(place / "refs/main", commit);
        write("hub/datasets--o--rows/snapshots/" + commit + "/train.jsonl", questions(3));
        write("hub/datasets--o--rows/snapshots/" + commit + "/test.jsonl", questions(2));
        qputenv("HF_HUB_CACHE", QByteArray::fromStdString((root() / "hub").string()));
        const auto as_before = qScopeGuard([] { qunsetenv("HF_HUB_CACHE"); });
        Desk desk;
        DataView* view = openData(desk, copy);
        QVERIFY(view);
        const auto shown_copy = [&] {
            for (const Fact& fact : view->panel()->facts()->facts())
                if (fact.label == QStringLiteral("Copy")) return fact.text;
            return QString();
        };
        QTRY_VERIFY2(shown_copy().startsWith(QStringLiteral("commit aaaaaaaaaaaa")),
                     qPrintable(shown_copy()));
        QVERIFY(!view->useButton()->menu()->isEmpty());
        view->useButton()->menu()->actions().front()->trigger();
        QCOMPARE(desk.window->newRunPage()->recipe().at("data").get<std::string>(),
                 std::string("o/rows#train"));
    }

    void preferencesShowBothAnswersWithTheirScores() {
        write("prefs.jsonl", {{{"prompt", "q"},
                               {"chosen", "good"},
                               {"rejected", "bad"},
                               {"score_chosen", 8},
                               {"score_rejected", 2.5}}});
        Desk desk;
        DataView* view = openData(desk, root() / "prefs.jsonl");
        QVERIFY(view);
        QCOMPARE(view->panel()->reading().task, DataTask::preferences);
        view->showTab(DataView::chat_tab);
        QTRY_COMPARE(view->chat()->text(), QStringLiteral("user: q\nchosen: good\nrejected: bad"));
        QStringList words;
        for (QLabel* label : view->chat()->findChildren<QLabel*>())
            words << label->text();
        QVERIFY(words.contains(QStringLiteral("score 8.000")) || words.contains(QStringLiteral("score 8")));
        QStringList kinds;
        for (QAction* action : view->useButton()->menu()->actions())
            kinds << action->text();
        QVERIFY(kinds.contains(toQt(recipe_kind("dpo").title))
                && kinds.contains(toQt(recipe_kind("reward").title)));
    }

    void theTokensAreThoseATrainerLearns() {
        write("train.jsonl",
              {{{"prompt", "1 2 3:6\n"}, {"completion", "1+2+3"}}, {{"prompt", "p"}, {"completion", ""}}});
        Desk desk;
        DataView* view = openData(desk, root() / "train.jsonl");
        QVERIFY(view);
        view->showTab(DataView::tokens_tab);
        QTRY_VERIFY(view->tokenView()->summary().contains(QStringLiteral("Choose")));
        QComboBox* models = view->panel()->modelBox();
        QTRY_LONG(models->findData(QStringLiteral("tiny")) >= 0);
        models->setFocus();
        QTest::keyClicks(models, QStringLiteral("tiny"));
        QCOMPARE(models->currentData().toString(), QStringLiteral("tiny"));
        QTRY_VERIFY2(view->tokenView()->summary().contains(QStringLiteral("learnt")),
                     qPrintable(view->tokenView()->summary()));
        // What the trainers' own function makes of the row.
        const fs::path tiny = fs::path(source_dir()) / "resources/models/tiny";
        const Tokenizer tokenizer = Tokenizer::load(tiny);
        const std::vector<TextExample> texts{{"1 2 3:6\n", "1+2+3", false}};
        const TokenisedSet set =
            tokenise_examples(texts, tokenizer, {tokenizer.eos_id().value_or(-1), true, 1024});
        QCOMPARE(set.examples.size(), std::size_t(1));
        const auto& example = set.examples.front();
        QVERIFY(view->tokenView()->summary().contains(QStringLiteral("%1 tokens").arg(example.length())));
        QVERIFY(view->tokenView()->summary().contains(QStringLiteral("%1 learnt").arg(example.targets())));
        QVERIFY(view->tokenView()->text()->toPlainText().contains(QStringLiteral("1+2+3")));
        view->panel()->lengthBox()->setFocus();
        view->panel()->lengthBox()->selectAll();
        QTest::keyClicks(view->panel()->lengthBox(), QStringLiteral("10"));
        QTest::keyClick(view->panel()->lengthBox(), Qt::Key_Return);
        QTRY_VERIFY2(
            view->tokenView()->summary().contains(QStringLiteral("%1 cut at 10").arg(example.length() - 10)),
            qPrintable(view->tokenView()->summary()));
        view->goTo(1); // its answer is empty
        QTRY_VERIFY2(view->tokenView()->summary().contains(QStringLiteral("row 2")),
                     qPrintable(view->tokenView()->summary()));
    }

    void aCheckNamesRowsAndLeadsToThem() {
        std::vector<Json> rows = questions(300);
        rows[40] = {{"question", "no answer here"}};
        rows[77] = {{"question", "empty"}, {"answer", ""}};
        rows[120] = rows[119];
        write("train.jsonl", rows);
        {
            std::ofstream file(root() / "train.jsonl", std::ios::app);
            file << "{ this is no JSON\n";
        }
        Desk desk;
        DataView* view = openData(desk, root() / "train.jsonl");
        QVERIFY(view);
        view->showTab(DataView::check_tab);
        QVERIFY(!view->checkView()->button()->isVisible()); // the empty page has the one button
        click(desk.button(view->checkView(), QStringLiteral("Check all rows")));
        QTRY_LONG(view->checkView()->summary()->text().contains(QStringLiteral("301 rows, 298")));
        QTreeView* issues = view->checkView()->issues();
        QAbstractItemModelTester tester(issues->model(),
                                        QAbstractItemModelTester::FailureReportingMode::QtTest);
        QVERIFY(issues->model()->rowCount() >= 4);
        issues->expandAll();
        QModelIndex missing;
        for (int i = 0; i < issues->model()->rowCount(); ++i) {
            const QModelIndex issue = issues->model()->index(i, 0);
            for (int line = 0; line < issues->model()->rowCount(issue); ++line)
                if (issues->model()
                        ->index(line, 0, issue)
                        .data()
                        .toString()
                        .contains(QStringLiteral("row 41")))
                    missing = issues->model()->index(line, 0, issue);
        }
        QVERIFY(missing.isValid());
        issues->setFocus();
        issues->setCurrentIndex(missing);
        QTest::keyClick(issues, Qt::Key_Return);
        QCOMPARE(view->tabs()->currentIndex(), int(DataView::rows_tab));
        QCOMPARE(view->table()->currentIndex().row(), 40);
        const QString csv = view->checkView()->lengths()->csv();
        std::int64_t counted = 0;
        for (const QString& line : csv.split(u'\n').mid(1))
            counted += line.section(u',', 2, 2).toLongLong();
        QCOMPARE(counted, std::int64_t(298));
    }

    void whatARunLeftIsListedFileByFile() {
        Desk desk;
        const RunRecord run = desk.run("synthetic", "written", "", [](const fs::path& folder) {
            fs::create_directories(folder / "artifacts");
            std::ofstream(folder / "artifacts/synthetic.jsonl")
                << R"({"prompt":"p","completion":"c","nums":[1,2,3],"target":6})"
                << "\n";
            std::ofstream(folder / "artifacts/rejected.jsonl") << R"({"raw":"r","reason":"held out"})"
                                                               << "\n";
            std::ofstream(folder / "artifacts/_own.jsonl") << "{}\n";
        });
        desk.open();
        test::goToArea(desk.window.get(), QStringLiteral("Data"));
        DataPage* page = desk.window->areas()->data();
        QAbstractItemModel* entries = page->side()->view()->model();
        const auto listed = [&](const QString& text) {
            return !entries->match(entries->index(0, 0), Qt::DisplayRole, text, 1, Qt::MatchEndsWith)
                        .isEmpty();
        };
        QTRY_LONG(listed(QStringLiteral(": rejected")));
        QVERIFY(!listed(QStringLiteral("_own")));
        test::clickRow(page->side()->view(), runTitle(run));
        DataView* view = page->view();
        QTRY_LONG(view->isVisible() && view->countLabel()->text() == QStringLiteral("1 row"));
        view->useButton()->menu()->actions().front()->trigger();
        QVERIFY(desk.window->newRunPage()->recipe().at("data") == Json("run:" + run.id + "/synthetic.jsonl"));
    }

    void testRowsThatStandInTrainAreFound() {
        fs::create_directories(root() / "set");
        dir_->path();
        write("set/train.jsonl", questions(50));
        write("set/test.jsonl", {questions(8)[7], {{"question", "a new one"}, {"answer", "yes"}}});
        Desk desk;
        DataView* view = openData(desk, root() / "set");
        QVERIFY(view);
        QCOMPARE(view->splitBox()->count(), 2);
        QTRY_LONG(view->panel()->facts()->text().contains(QStringLiteral("50 rows"))
                  && view->panel()->facts()->text().contains(QStringLiteral("2 rows"))); // the other's too
        view->splitBox()->setFocus();
        QTest::keyClick(view->splitBox(), Qt::Key_Down);
        QTRY_VERIFY(view->countLabel()->text().startsWith(QStringLiteral("2 rows")));
        QCOMPARE(view->splitBox()->currentText(), QStringLiteral("test"));
        view->showTab(DataView::check_tab);
        QVERIFY(view->checkView()->comparedBox()->currentText().startsWith(QStringLiteral("train")));
        click(desk.button(view->checkView(), QStringLiteral("Check all rows")));
        QTRY_LONG(view->checkView()->issues()->model()->rowCount() == 1);
        QVERIFY(view->checkView()->issues()->model()->index(0, 0).data().toString().startsWith(
            toQt(words_of(RowIssue::in_train))));
        QVERIFY(view->useButton()->menu()->actions().size() == 1);
        view->useButton()->menu()->actions().front()->trigger();
        QVERIFY(desk.window->newRunPage()->recipe().at("data") == Json((root() / "set").string() + "#test"));
    }

    void whatCannotBeReadSaysSoOnThePage() {
        write("good.jsonl", questions(300));
        std::ofstream(root() / "cut.csv") << "prompt,completion\na,b\nc,d\n\"never closed,e\n";
        std::ofstream(root() / "cut.json") << R"([{"prompt":)";
        std::ofstream(root() / "empty.jsonl");
        std::ofstream(root() / "noise.jsonl") << "\x01\x02\n\x03\n";
        Desk desk;
        DataView* view = openData(desk, root() / "good.jsonl");
        QVERIFY(view);
        QTRY_LONG(view->countLabel()->text() == QStringLiteral("300 rows"));
        DataPage* page = desk.window->areas()->data();
        const auto open = [&](const std::string& name) { page->open(toQt((root() / name).string())); };
        open("cut.csv"); // what lies before the fault is shown
        QTRY_LONG(view->trouble() && view->trouble()->text().contains(QStringLiteral("never closed")));
        QCOMPARE(view->countLabel()->text(), QStringLiteral("2 rows, then it breaks off"));
        QTRY_COMPARE(cell(view, 1, 1), QStringLiteral("d"));
        open("cut.json");
        QTRY_LONG(view->noRowsLabel()->isVisible() && view->noRowsLabel()->text().contains("cut.json"));
        QCOMPARE(view->countLabel()->text(), QStringLiteral("none can be read"));
        QVERIFY(!view->trouble()); // the one before's is gone
        QVERIFY(!view->useButton()->isEnabled());
        open("empty.jsonl");
        QTRY_COMPARE(view->noRowsLabel()->text(), QStringLiteral("No row is in this file."));
        QTRY_COMPARE(view->countLabel()->text(), QStringLiteral("0 rows"));
        open("noise.jsonl"); // its rows have no columns: what is the matter with them stands in their place
        QTRY_LONG(view->model()->rowCount() == 2 && cell(view, 1, 0).contains(QStringLiteral("row 2")));
        QVERIFY(!view->noRowsLabel()->isVisible());
    }

    void aFileThatChangesIsReadAgainWhereItWas() {
        write("rows.jsonl", questions(200));
        Desk desk;
        DataView* view = openData(desk, root() / "rows.jsonl");
        QVERIFY(view);
        QTRY_LONG(view->countLabel()->text() == QStringLiteral("200 rows"));
        view->goTo(149);
        QTRY_COMPARE(cell(view, 149, 0), QStringLiteral("answer 149"));
        QVERIFY(!view->trouble());
        write("rows.jsonl", questions(151));
        view->showTab(DataView::chat_tab); // reads the row
        QTRY_LONG(view->trouble() && view->trouble()->text().contains(QStringLiteral("changed")));
        for (QPushButton* button : view->trouble()->findChildren<QPushButton*>())
            if (button->text() == QStringLiteral("Read again")) {
                click(button);
                break;
            }
        QTRY_LONG(view->countLabel()->text() == QStringLiteral("151 rows"));
        QVERIFY(!view->trouble());
        QCOMPARE(view->rowBox()->value(), 150);
        QVERIFY(view->chat()->isVisible());
        fs::remove(root() / "rows.jsonl");
        QTest::keyClick(view->chat(), Qt::Key_K);
        QTRY_LONG(view->trouble() && view->trouble()->text().contains(QStringLiteral("rows.jsonl")));
    }

    void aVeryLongRowFreezesNothing() {
        TokenView view;
        view.resize(600, 400);
        view.show();
        std::vector<PreviewToken> tokens(1'000'000, PreviewToken{"x", 7, false, false});
        for (std::size_t i = 500'000; i < tokens.size(); ++i)
            tokens[i].learnt = true;
        for (std::size_t i = 900'000; i < tokens.size(); ++i)
            tokens[i].cut = true;
        TokenPreview preview;
        preview.tokens = std::move(tokens);
        const auto before = std::chrono::steady_clock::now();
        view.setPreviews({preview}, 900'000);
        QApplication::processEvents();
        const auto took = std::chrono::steady_clock::now() - before;
        QVERIFY2(took < std::chrono::seconds(1), qPrintable(QString::number(took.count() / 1e6)));
        QVERIFY(view.summary().contains(QStringLiteral("1,000,000 tokens")));
        QVERIFY(view.summary().contains(QStringLiteral("400,000 learnt")));
        const QString text = view.text()->toPlainText();
        QVERIFY(text.contains(
            QStringLiteral("496,500 more tokens are not shown"))); // up to where learning begins
        QVERIFY(text.contains(QStringLiteral("399,000 more tokens are not shown"))); // up to where it is cut
        QVERIFY(text.contains(QStringLiteral("99,500 more tokens are not shown")));
    }

    void whatIsNoDataSaysSo() {
        write("notes.txt", {});
        Desk desk;
        QVERIFY(!openData(desk, root() / "notes.txt"));
        QVERIFY(
            desk.window->areas()->data()->getter()->form()->problem().contains(QStringLiteral("notes.txt")));
    }
};

QTEST_MAIN(TestDataPage)
#include "tst_data_page.moc"
