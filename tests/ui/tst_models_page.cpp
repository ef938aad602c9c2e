#include "../support/hub_mimic.h"
#include "../support/paths.h"
#include "desk.h"
#include "hands.h"

#include "core/format/safetensors.h"
#include "ui/models/model_entries.h"
#include "ui/pages/model_getter.h"
#include "ui/pages/model_view.h"
#include "ui/pages/models_page.h"
#include "ui/pages/new_run_page.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/entry_side.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/hub_fetch.h"
#include "ui/widgets/job_panel.h"
#include "ui/widgets/rail.h"
#include "ui/widgets/work_stack.h"
#include "ui/work_areas.h"

#include <QAbstractItemModelTester>
#include <QApplication>
#include <QComboBox>
#include <QFileDialog>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QMessageBox>
#include <QPushButton>
#include <QSignalSpy>
#include <QStandardPaths>
#include <QTemporaryDir>

using namespace tempera;
using test::click;
using test::Desk;
using test::type;
namespace fs = std::filesystem;

#define QTRY_LONG(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, 20000)

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden";

QString factNamed(const ModelView* view, const QString& label) {
    for (const Fact& fact : view->facts()->facts())
        if (fact.label == label) return fact.text;
    return {};
}

} // namespace

/// The Models area by mouse and keyboard, over real model files.
class TestModelsPage : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> cache_;

    /// A window that shows the Models area, its list filled.
    static ModelsPage* openModels(Desk& desk) {
        desk.open();
        test::goToArea(desk.window.get(), QStringLiteral("Models"));
        ModelsPage* page = desk.window->areas()->models();
        const bool filled = QTest::qWaitFor(
            [&] { return page->view()->reference() == "tiny" && !page->view()->facts()->facts().empty(); },
            20000);
        return filled ? page : nullptr;
    }

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        applyTheme(*qApp, Scheme::light);
    }
    void init() {
        cache_ = std::make_unique<QTemporaryDir>();
        qputenv("TEMPERA_CACHE", cache_->path().toUtf8());
        qputenv("HF_HUB_CACHE", cache_->path().toUtf8() + "/hub"); // not that of whoever runs the tests
    }

    void aModelIsDescribedAsItsFilesHaveIt() {
        Desk desk;
        ModelsPage* page = openModels(desk);
        QVERIFY(page);
        QTRY_COMPARE(factNamed(page->view(), QStringLiteral("Architecture")),
                     QStringLiteral("Qwen2ForCausalLM"));
        const auto reader = SafetensorsReader::open(fs::path(source_dir()) / "resources/models/tiny");
        QCOMPARE(factNamed(page->view(), QStringLiteral("Parameters")).remove(u',').toLongLong(),
                 qlonglong(reader.element_count()));
        QCOMPARE(factNamed(page->view(), QStringLiteral("Context")), QStringLiteral("2,048 tokens"));
        QVERIFY(factNamed(page->view(), QStringLiteral("Licence")).startsWith(QStringLiteral("GPL-3.0")));
        QVERIFY(!page->view()->removeButton()->isVisible()); // it comes with the program
        test::clickRow(page->side()->view(), QStringLiteral("smollm2-135m-instruct"));
        QCOMPARE(factNamed(page->view(), QStringLiteral("To fetch")), QStringLiteral("93 MB"));
        QVERIFY(page->view()->fetchButton()->isVisible() && !page->view()->useButton()->isVisible());
    }

    void theListIsAModelThatKeepsItsContract() {
        EntryListModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        const auto shelf = [](std::initializer_list<std::pair<LocalModel::Source, const char*>> models) {
            std::vector<ShelvedModel> list;
            for (const auto& [source, name] : models)
                list.push_back({{source, name, name, fs::path("/models") / name, true, 1000}, nullptr, {}});
            return list;
        };
        using Source = LocalModel::Source;
        auto models = shelf({{Source::shipped, "tiny"}, {Source::kept, "mine"}, {Source::kept, "other"}});
        model.setEntries(entriesOf(models));
        QCOMPARE(model.rowCount(), 5); // with two headings
        QCOMPARE(model.rowOf(QStringLiteral("other")), 4);
        QVERIFY(model.keyAt(0).isEmpty() && !(model.flags(model.index(0)) & Qt::ItemIsSelectable));
        QSignalSpy resets(&model, &QAbstractItemModel::modelReset);
        models[1].problem = QStringLiteral("cut");
        model.setEntries(entriesOf(models));
        QVERIFY(resets.isEmpty()); // the selection stays
        QCOMPARE(model.index(3).data(EntryListModel::SummaryRole).toString(), QStringLiteral("unreadable"));
        model.setSearch(QStringLiteral("work OTH"));
        QCOMPARE(model.rowCount(), 2);
        QCOMPARE(model.rowOf(QStringLiteral("other")), 1);
        model.setEntries(entriesOf(shelf({{Source::shipped, "tiny"}})));
        QCOMPARE(model.rowCount(), 0);
        model.setSearch({});
        QCOMPARE(model.rowCount(), 2);
    }

    void theSearchFiltersAndArrowsWalkOverHeadings() {
        Desk desk;
        ModelsPage* page = openModels(desk);
        QVERIFY(page);
        QTest::keyClick(desk.window.get(), Qt::Key_F, Qt::ControlModifier);
        QVERIFY(page->side()->searchBox()->hasFocus());
        QTest::keyClicks(page->side()->searchBox(), QStringLiteral("minilm"));
        QCOMPARE(page->side()->view()->model()->rowCount(), 2);
        QTest::keyClick(page->side()->searchBox(), Qt::Key_Return);
        QVERIFY(page->side()->view()->hasFocus());
        QTest::keyClick(page->side()->view(), Qt::Key_Down);
        QTRY_COMPARE(page->view()->reference(), std::string("minilm-l6"));
        page->side()->searchBox()->clear();
        QCOMPARE(page->side()->current(), QStringLiteral("minilm-l6"));
        QTest::keyClick(page->side()->view(), Qt::Key_Home);
        QTest::keyClick(page->side()->view(), Qt::Key_Down);
        QVERIFY(!page->side()->current().isEmpty());
    }

    void aGgufFileIsImportedShownAndDeletedWithUndo() {
        Desk desk;
        ModelsPage* page = openModels(desk);
        QVERIFY(page);
        click(page->side()->moreButton());
        ModelGetter* getter = page->getter();
        QVERIFY(getter->isVisible() && !getter->importButton()->isEnabled());
        type(getter->fileField(), toQt((golden / "gguf/llama.gguf").string()));
        QCOMPARE(getter->nameField()->text(), QStringLiteral("llama"));
        type(getter->nameField(), QStringLiteral("a/b"));
        QVERIFY(getter->importForm()->problem().contains(u'/') && !getter->importButton()->isEnabled());
        type(getter->nameField(), QStringLiteral("mine"));
        QVERIFY(getter->importForm()->problem().isEmpty());
        getter->importButton()->setFocus();
        QTest::keyClick(getter->importButton(), Qt::Key_Space);
        const fs::path folder = desk.fixture.workspace->folder() / "models" / "mine";
        QTRY_LONG(page->view()->reference() == folder.string());
        QTRY_COMPARE(factNamed(page->view(), QStringLiteral("Architecture")),
                     QStringLiteral("LlamaForCausalLM"));
        QVERIFY(fs::exists(folder / "model.safetensors"));
        QCOMPARE(page->stack()->jobPanel()->rows().size(), std::size_t(1));
        QVERIFY(page->stack()->jobPanel()->rows()[0]->text().contains(
            QStringLiteral("Imported LlamaForCausalLM")));
        click(page->stack()->jobPanel()->rows()[0]->button()); // Dismiss
        QVERIFY(page->stack()->jobPanel()->rows().empty());

        click(page->view()->removeButton());
        QTRY_VERIFY(page->view()->reference() != folder.string());
        QVERIFY(fs::exists(folder)); // until the time for Undo is over
        QTest::keyClick(desk.window.get(), Qt::Key_Z, Qt::ControlModifier);
        QTRY_VERIFY(page->view()->reference() == folder.string());
        desk.window->setUndoTime(50);
        click(page->view()->removeButton());
        QTRY_LONG(!fs::exists(folder));
    }

    void whatCannotBeImportedSaysWhyAndLeavesNothing() {
        Desk desk;
        ModelsPage* page = openModels(desk);
        QVERIFY(page);
        page->showGetter();
        const fs::path broken = fs::path(cache_->path().toStdString()) / "broken.gguf";
        write_file_atomic(broken, "GGUF but not really");
        type(page->getter()->fileField(), toQt(broken.string()));
        click(page->getter()->importButton());
        QTRY_LONG(page->stack()->jobPanel()->rows().size() == 1
                  && page->stack()->jobs().view(page->stack()->jobPanel()->rows()[0]->id()).state
                         == Jobs::State::failed);
        QVERIFY(page->stack()->jobPanel()->rows()[0]->text().contains(QStringLiteral("broken.gguf")));
        QVERIFY(!fs::exists(desk.fixture.workspace->folder() / "models" / "broken"));
        QVERIFY(page->getter()->isVisible()); // nothing was taken away
        type(page->getter()->folderField(), cache_->path());
        click(page->getter()->addButton());
        QTRY_VERIFY(page->getter()->folderForm()->problem().contains(QStringLiteral("neither config.json")));
    }

    void anAdapterIsMergedIntoItsBase() {
        Desk desk;
        const fs::path models = golden / "models";
        ModelsPage* page = openModels(desk);
        QVERIFY(page);
        page->showGetter();
        for (const char* name : {"qwen2-tied", "qwen2-tied-qv"}) {
            page->showGetter();
            type(page->getter()->folderField(), toQt((models / name).string()));
            click(page->getter()->addButton());
            QTRY_LONG(page->view()->reference() == (models / name).string());
        }
        QTRY_VERIFY(page->view()->mergeForm()->isVisible());
        QComboBox* base = page->view()->baseBox();
        QTRY_VERIFY(base->findText(QStringLiteral("qwen2-tied")) >= 0);
        base->setCurrentIndex(base->findText(QStringLiteral("qwen2-tied")));
        type(page->view()->mergedName(), QStringLiteral("one"));
        click(page->view()->mergeButton());
        const fs::path target = desk.fixture.workspace->folder() / "models" / "one";
        QTRY_LONG(page->view()->reference() == target.string());
        QTRY_VERIFY(!page->view()->mergeForm()->isVisible());
        // The merged weights are another model's than the base's, where the adapter is.
        const auto merged = SafetensorsReader::open(target),
                   plain = SafetensorsReader::open(models / "qwen2-tied");
        QCOMPARE(merged.element_count(), plain.element_count());
        const std::string where = "model.layers.0.self_attn.q_proj.weight",
                          elsewhere = "model.layers.0.mlp.up_proj.weight";
        const auto values = [](const SafetensorsReader& reader, const std::string& name) {
            std::vector<float> numbers(std::size_t(reader.at(name).elements()));
            reader.read_f32(name, numbers);
            return numbers;
        };
        QVERIFY(values(merged, where) != values(plain, where));
        QCOMPARE(values(merged, elsewhere), values(plain, elsewhere));
    }

    void aModelIsCopiedAndUsedInANewRun() {
        Desk desk;
        ModelsPage* page = openModels(desk);
        QVERIFY(page);
        QTemporaryDir elsewhere;
        click(page->view()->copyButton());
        auto* dialog = page->findChild<QFileDialog*>();
        QVERIFY(dialog);
        dialog->setDirectory(elsewhere.path());
        dialog->selectFile(elsewhere.path());
        dialog->reject(); // a chooser draws as the desktop likes: its answer is given below
        page->copyTo("tiny", elsewhere.path());
        const fs::path copy = fs::path(elsewhere.path().toStdString()) / "tiny";
        QTRY_LONG(fs::exists(copy / "model.safetensors"));
        QCOMPARE(read_file(copy / "config.json", 1 << 20),
                 read_file(fs::path(source_dir()) / "resources/models/tiny/config.json", 1 << 20));
        page->copyTo("tiny", elsewhere.path()); // it is there already
        QTRY_LONG(page->stack()->jobPanel()->rows().size() == 2
                  && page->stack()->jobs().view(page->stack()->jobPanel()->rows()[1]->id()).state
                         == Jobs::State::failed);

        QTRY_VERIFY(page->view()->useButton()->menu()->actions().size() > 3);
        for (QAction* action : page->view()->useButton()->menu()->actions())
            if (action->text() == toQt(recipe_kind("sweep").title)) action->trigger();
        QVERIFY(desk.window->newRunPage()->isVisible());
        QVERIFY(desk.window->newRunPage()->recipe().at("kind") == Json("sweep"));
        QVERIFY(desk.window->newRunPage()->recipe().at("model") == Json("tiny"));
    }

    void resultsOfRunsAreListedAndLeadBackToThem() {
        Desk desk;
        const RunRecord run = desk.run("sft", "sft", "", [](const fs::path& folder) {
            fs::copy(fs::path(source_dir()) / "resources/models/tiny", folder / "model");
        });
        ModelsPage* page = openModels(desk);
        QVERIFY(page);
        QTRY_LONG(page->side()->view()->model()->rowCount() == 6);
        test::clickRow(page->side()->view(), toQt(run.stage));
        QTRY_COMPARE(page->view()->reference(), "run:" + run.id);
        QVERIFY(desk.button(page->view(), QStringLiteral("Show run")));
        click(desk.button(page->view(), QStringLiteral("Show run")));
        QTRY_COMPARE(desk.window->findChild<Rail*>()->current(), 0);
    }

    void aModelOfTheHubIsLookedUpDownloadedAndListed() {
        test::HubMimic hub;
        test::HubMimic::Files files{{"README.md", "---\nlicense: apache-2.0\n---\n"},
                                    {"notes.bin", "not needed"}};
        for (const auto& entry : fs::directory_iterator(golden / "models/qwen2-tied"))
            files[entry.path().filename().string()] = read_file(entry.path(), 1 << 26);
        hub.add("models/acme/little", files);
        hub.token = "hf_secret";
        Desk desk;
        QTemporaryDir cache;
        desk.configure({{QStringLiteral("hub/mirror"), toQt(hub.endpoint()) + u'/'},
                        {QStringLiteral("hub/cache"), cache.path()}});
        qputenv("HF_TOKEN", "hf_secret");
        ModelsPage* page = openModels(desk);
        QVERIFY(page);
        page->showGetter();
        HubFetch* fetch = page->getter()->hub();
        type(fetch->nameField(), QStringLiteral("little"));
        QTest::keyClick(fetch->nameField(), Qt::Key_Return);
        QVERIFY(fetch->form()->problem().contains(QStringLiteral("owner/name")));
        type(fetch->nameField(), QStringLiteral("acme/nothing"));
        click(fetch->lookUpButton());
        QTRY_LONG(!fetch->form()->problem().isEmpty());
        QVERIFY(!fetch->downloadButton()->isVisible());
        qunsetenv("HF_TOKEN");
        type(fetch->nameField(), QStringLiteral("acme/little"));
        click(fetch->lookUpButton());
        QTRY_LONG(
            fetch->form()->problem().contains(QStringLiteral("set a token (Settings, Hub, or HF_TOKEN)")));
        qputenv("HF_TOKEN", "hf_secret");
        type(fetch->nameField(), QStringLiteral("acme/little"));
        QTest::keyClick(fetch->nameField(), Qt::Key_Return);
        QTRY_LONG(fetch->downloadButton()->isVisible());
        QVERIFY2(fetch->downloadButton()->text().startsWith(QStringLiteral("Download ")),
                 qPrintable(fetch->downloadButton()->text()));
        QVERIFY(fetch->facts()->text().contains(QStringLiteral("Free disk")));
        click(fetch->downloadButton());
        click(fetch->downloadButton()); // one download is enough
        QCOMPARE(page->stack()->jobs().ids().size(), std::size_t(1));
        QTRY_LONG(page->view()->reference() == "acme/little");
        QTRY_COMPARE(fetch->downloadButton()->text(), QStringLiteral("Show"));
        QTRY_COMPARE(factNamed(page->view(), QStringLiteral("Licence")), QStringLiteral("apache-2.0"));
        QCOMPARE(factNamed(page->view(), QStringLiteral("Architecture")), QStringLiteral("Qwen2ForCausalLM"));
        const QString copy = factNamed(page->view(), QStringLiteral("Copy"));
        QVERIFY2(copy.startsWith(QStringLiteral("commit ")) && copy.contains(QStringLiteral("main")),
                 qPrintable(copy));
        const std::size_t asked = hub.requests().size();
        page->showGetter();
        type(fetch->nameField(), QStringLiteral("acme/little@main"));
        QTest::keyClick(fetch->nameField(), Qt::Key_Return);
        QTRY_LONG(fetch->downloadButton()->isVisible());
        QCOMPARE(fetch->downloadButton()->text(), QStringLiteral("Show")); // all of it is there
        QVERIFY(hub.requests().size() > asked);
        qunsetenv("HF_TOKEN");
    }

    void closingAsksWhileSomethingIsUnderWay() {
        Desk desk;
        ModelsPage* page = openModels(desk);
        QVERIFY(page);
        page->stack()->start(
            QStringLiteral("Slow work"),
            [](const Jobs::Report&, const StopToken& stop) {
                while (!stop)
                    std::this_thread::sleep_for(std::chrono::milliseconds(5));
                fail(ErrorKind::stopped, "Stopped.");
                return std::string();
            },
            QStringLiteral("nothing"));
        desk.window->close();
        QTRY_VERIFY(desk.window->question());
        QVERIFY(desk.window->question()->text().contains(QStringLiteral("Slow work")));
        click(desk.window->question()->button(QMessageBox::Cancel));
        QTRY_VERIFY(!desk.window->question());
        QVERIFY(desk.window->isVisible());
        desk.window->close();
        QTRY_VERIFY(desk.window->question());
        click(desk.window->question()->findChild<QPushButton*>(QStringLiteral("accept")));
        QTRY_VERIFY(!desk.window->isVisible());
    }

    void jobsTellHowFarAndCanBeStopped() {
        Jobs jobs;
        JobPanel panel(jobs);
        panel.show();
        QVERIFY(panel.rows().empty());
        const int id =
            jobs.start(QStringLiteral("Count"), [](const Jobs::Report& report, const StopToken& stop) {
                for (int done = 0; !stop; ++done) {
                    report({"fetching", 1e6 * done, 1e10});
                    std::this_thread::sleep_for(std::chrono::milliseconds(10));
                }
                fail(ErrorKind::stopped, "Stopped; what was fetched is kept.");
                return std::string();
            });
        QTRY_LONG(jobs.view(id).rate > 0);
        JobRow* row = panel.rows().at(0);
        QVERIFY2(row->text().contains(QStringLiteral("of 10 GB"))
                     && row->text().contains(QStringLiteral("MB/s"))
                     && row->text().contains(QStringLiteral(", in ")),
                 qPrintable(row->text()));
        click(row->button());
        QTRY_COMPARE(jobs.view(id).state, Jobs::State::stopped);
        QVERIFY(row->text().contains(QStringLiteral("is kept")));
        const auto quick = [](const Jobs::Report&, const StopToken&) { return std::string("Done."); };
        const int other = jobs.start(QStringLiteral("Other"), quick);
        QCOMPARE(jobs.ids(), (std::vector<int>{id, other})); // what was stopped can be read still
        QTRY_COMPARE(jobs.view(other).state, Jobs::State::done);
        const int again = jobs.start(QStringLiteral("Count"), quick);
        QCOMPARE(jobs.ids(), std::vector<int>{again}); // one was done, one is tried again
    }
};

QTEST_MAIN(TestModelsPage)
#include "tst_models_page.moc"
