#include "../support/scripted_server.h"
#include "desk.h"
#include "hands.h"

#include "ui/key_ring.h"
#include "ui/pages/endpoint_form.h"
#include "ui/pages/settings_forms.h"
#include "ui/pages/settings_page.h"
#include "ui/settings_store.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/entry_side.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/notices.h"
#include "ui/widgets/secret_field.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QSignalSpy>
#include <QSpinBox>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QWheelEvent>

using namespace tempera;
using test::click;
using test::Desk;
using test::type;
namespace fs = std::filesystem;

#define QTRY_LONG(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, 8000)

namespace {

/// A keychain in memory, or one that refuses.
struct MemoryStore {
    std::map<QString, QString> secrets;
    QString problem; ///< what every call answers

    SecretStore store() {
        return {[this](const QString& name, auto done) {
                    done(problem.isEmpty() ? secrets[name] : QString(), problem);
                },
                [this](const QString& name, const QString& secret, auto done) {
                    if (problem.isEmpty()) secrets[name] = secret;
                    done(problem);
                }};
    }
};

} // namespace

/// The Settings area by mouse and keyboard; endpoints are asked over loopback.
class TestSettingsPage : public QObject {
    Q_OBJECT

    std::unique_ptr<QTemporaryDir> config_;

    /// The page alone, with everything it stands on.
    struct Bench {
        QTemporaryDir folder;
        QSettings settings{folder.filePath(QStringLiteral("settings.ini")), QSettings::IniFormat};
        SettingsStore store{settings};
        MemoryStore keychain;
        KeyRing keys{keychain.store()};
        Notices notices;
        SettingsPage page{store, keys, notices, QStringLiteral("/data/tempera")};

        Bench() {
            page.resize(900, 900);
            page.show();
            page.side()->show();
            page.side()->resize(240, 600);
        }
        EndpointForm* open(const QString& endpoint) {
            if (!QTest::qWaitFor([&] { return page.endpoints().find(fromQt(endpoint)) != nullptr; }))
                return nullptr;
            test::clickRow(page.side()->view(), endpoint);
            return page.endpointForm()->name() == endpoint ? page.endpointForm() : nullptr;
        }
    };

private Q_SLOTS:
    void initTestCase() {
        QStandardPaths::setTestModeEnabled(true);
        applyTheme(*qApp, Scheme::light);
    }
    void init() {
        config_ = std::make_unique<QTemporaryDir>();
        qputenv("TEMPERA_CONFIG", config_->path().toUtf8());
        for (const char* variable : {"OPENAI_API_KEY", "NVIDIA_API_KEY", "HF_TOKEN"})
            qunsetenv(variable);
    }

    void whatIsTypedIsSavedWhereItCanBeUsed() {
        Bench bench;
        EndpointForm* form = bench.open(QStringLiteral("vllm"));
        QVERIFY(form);
        QVERIFY(own_endpoints().empty());
        type(form->urlField(), QStringLiteral("not an address"));
        QVERIFY(!form->form()->problem().isEmpty() && !form->testButton()->isEnabled());
        QTest::qWait(700);
        QVERIFY(own_endpoints().empty());
        type(form->urlField(), QStringLiteral("http://127.0.0.1:9000/v1"));
        QVERIFY(form->form()->problem().isEmpty());
        form->concurrencyBox()->setFocus();
        form->concurrencyBox()->selectAll();
        QTest::keyClicks(form->concurrencyBox(), QStringLiteral("12"));
        QTRY_LONG(own_endpoints().size() == 1 && own_endpoints()[0].concurrency == 12);
        QCOMPARE(own_endpoints()[0].base_url, std::string("http://127.0.0.1:9000/v1"));
        QTRY_VERIFY(form->removeButton()->isVisible());
        QVERIFY(form->nameField()->isReadOnly());
        click(form->removeButton()); // as shipped again
        QTRY_LONG(own_endpoints().empty());
        QTRY_VERIFY(form->urlField()->text() != QStringLiteral("http://127.0.0.1:9000/v1"));
    }

    void whatWasJustTypedIsSavedWhenAnotherIsShown() {
        Bench bench;
        EndpointForm* form = bench.open(QStringLiteral("vllm"));
        QVERIFY(form);
        type(form->urlField(), QStringLiteral("http://127.0.0.1:8123/v1"));
        test::clickRow(bench.page.side()->view(), QStringLiteral("ollama")); // at once
        QCOMPARE(form->name(), QStringLiteral("ollama"));
        QTRY_COMPARE(bench.page.endpoints().find("vllm")->endpoint.base_url,
                     std::string("http://127.0.0.1:8123/v1"));
        QTest::qWait(50);
        QCOMPARE(form->name(), QStringLiteral("ollama"));
        QVERIFY(!form->urlField()->text().contains(QStringLiteral("8123")));
    }

    void theWheelScrollsAndChangesNothing() {
        Bench bench;
        EndpointForm* form = bench.open(QStringLiteral("ollama"));
        QVERIFY(form);
        const int before = form->concurrencyBox()->value();
        const QPointF middle = form->concurrencyBox()->rect().center();
        QWheelEvent turn(middle, form->concurrencyBox()->mapToGlobal(middle), {}, {0, -120}, Qt::NoButton,
                         Qt::NoModifier, Qt::NoScrollPhase, false);
        QApplication::sendEvent(form->concurrencyBox(), &turn);
        QCOMPARE(form->concurrencyBox()->value(), before);
        QVERIFY(!form->concurrencyBox()->hasFocus());
    }

    void anEndpointIsAddedRenamedDeletedAndBroughtBack() {
        Bench bench;
        QTRY_VERIFY(!bench.page.endpoints().endpoints().empty());
        click(bench.page.side()->moreButton());
        EndpointForm* form = bench.page.endpointForm();
        QTRY_COMPARE(form->name(), QStringLiteral("endpoint-1"));
        bench.keys.set(QStringLiteral("endpoint-1"), QStringLiteral("secret-1"));
        QCOMPARE(form->variableField()->text(),
                 QStringLiteral("ENDPOINT_1_API_KEY"));    // else it is never sent
        type(form->nameField(), QStringLiteral("openai")); // taken
        QTRY_VERIFY(form->form()->problem().contains(QStringLiteral("already")));
        type(form->nameField(), QStringLiteral("mine"));
        QTRY_LONG(own_endpoints().size() == 1 && own_endpoints()[0].name == "mine");
        QCOMPARE(bench.keychain.secrets[QStringLiteral("mine")], QStringLiteral("secret-1"));
        QVERIFY(bench.keychain.secrets[QStringLiteral("endpoint-1")].isEmpty());
        QTRY_COMPARE(bench.page.side()->current(), QStringLiteral("endpoint:mine"));
        click(form->removeButton());
        QTRY_LONG(own_endpoints().empty());
        QVERIFY(bench.page.machineForm()->isVisible());
        QCOMPARE(bench.notices.banners().size(), std::size_t(1));
        bench.notices.undoNewest();
        QTRY_LONG(own_endpoints().size() == 1);
        QTRY_COMPARE(form->name(), QStringLiteral("mine"));
        QCOMPARE(bench.keys.lookup()("mine"), std::string("secret-1")); // not lost with the deleted line
    }

    void aKeyIsStoredAndNeverShownAgain() {
        Bench bench;
        EndpointForm* form = bench.open(QStringLiteral("openai"));
        QVERIFY(form);
        SecretField* field = form->secretField();
        QVERIFY(field->state().contains(QStringLiteral("None is set")));
        QVERIFY(field->state().contains(toQt(form->endpoint().key_variable)));
        type(field->line(), QStringLiteral("sk-very-secret"));
        QCOMPARE(field->line()->echoMode(), QLineEdit::Password);
        QTest::keyClick(field->line(), Qt::Key_Return);
        QVERIFY(field->line()->text().isEmpty());
        QTRY_VERIFY(field->state().contains(QStringLiteral("keychain")));
        QCOMPARE(bench.keychain.secrets[QStringLiteral("openai")], QStringLiteral("sk-very-secret"));
        QCOMPARE(bench.keys.lookup()("openai"), std::string("sk-very-secret"));
        type(form->urlField(), QStringLiteral("https://example.com/v1")); // the file is written now
        QTRY_LONG(!own_endpoints().empty());
        for (const auto& folder : {config_->path(), bench.folder.path()})
            for (const auto& entry : fs::recursive_directory_iterator(folder.toStdString()))
                if (entry.is_regular_file())
                    QVERIFY(read_file(entry.path(), 1 << 20).find("very-secret") == std::string::npos);
        for (QLabel* label : bench.page.findChildren<QLabel*>())
            QVERIFY(!label->text().contains(QStringLiteral("very-secret")));
        KeyRing later(bench.keychain.store()); // the next start
        later.load({QStringLiteral("openai")});
        QCOMPARE(later.lookup()("openai"), std::string("sk-very-secret"));
        click(field->forgetButton());
        QVERIFY(bench.keychain.secrets[QStringLiteral("openai")].isEmpty());
        QCOMPARE(bench.keys.lookup()("openai"), std::string());
    }

    void aRunThatAsksFirstGetsTheKeyToo() {
        MemoryStore keychain;
        keychain.secrets[QStringLiteral("nvidia")] = QStringLiteral("nv-key");
        KeyRing keys(keychain.store());
        std::atomic<bool> done = false;
        std::string found;
        std::thread run([lookup = keys.lookup(), &done, &found] { // the keychain answers on this thread
            found = lookup("nvidia");
            done = true;
        });
        QTRY_VERIFY(done);
        run.join();
        QCOMPARE(found, std::string("nv-key"));
    }

    void withoutAKeychainAKeyLastsAsLongAsTheProgram() {
        Bench bench;
        bench.keychain.problem = QStringLiteral("no secret service");
        EndpointForm* form = bench.open(QStringLiteral("openai"));
        QVERIFY(form);
        type(form->secretField()->line(), QStringLiteral("sk-session"));
        click(form->secretField()->storeButton());
        QTRY_VERIFY(form->secretField()->state().contains(QStringLiteral("until Tempera closes")));
        QVERIFY(form->secretField()->state().contains(QStringLiteral("no secret service")));
        QVERIFY(bench.keychain.secrets[QStringLiteral("openai")].isEmpty());
        QCOMPARE(bench.keys.lookup()("openai"), std::string("sk-session"));
        KeyLookup lookup;
        {
            KeyRing short_lived(bench.keychain.store());
            short_lived.set(QStringLiteral("openai"), QStringLiteral("sk-gone"));
            lookup = short_lived.lookup();
            QCOMPARE(lookup("openai"), std::string("sk-gone"));
        }
        QCOMPARE(lookup("openai"), std::string());
    }

    void aKeyOfTheEnvironmentGoesFirstAndIsCalledSo() {
        qputenv("OPENAI_API_KEY", "sk-from-outside");
        Bench bench;
        EndpointForm* form = bench.open(QStringLiteral("openai"));
        QVERIFY(form);
        QVERIFY(form->secretField()->state().contains(QStringLiteral("environment variable OPENAI_API_KEY")));
        QVERIFY(!form->secretField()->forgetButton()->isEnabled());
    }

    void theTestAsksTheServerWithTheKey() {
        test::ScriptedServer server([](const test::ReceivedRequest& request) {
            test::ServedAnswer answer;
            answer.headers = {{"Content-Type", "application/json"}};
            const auto key = find_header(request.headers, "Authorization");
            if (!key || *key != "Bearer sk-right") {
                answer.status = 401;
                answer.body = R"({"error":{"message":"wrong key"}})";
            } else if (request.target.ends_with("/models")) {
                answer.body = R"({"object":"list","data":[{"id":"small"},{"id":"large"}]})";
            } else {
                answer.body =
                    R"({"model":"small","choices":[{"index":0,"finish_reason":"length","message":{"role":"assistant","content":"a"},"text":"a"}],"usage":{"prompt_tokens":1,"completion_tokens":1}})";
            }
            return answer;
        });
        Bench bench;
        EndpointForm* form = bench.open(QStringLiteral("openai"));
        QVERIFY(form);
        type(form->urlField(), toQt(server.url("/v1")));
        type(form->modelBox()->lineEdit(), QStringLiteral("small"));
        bench.keys.set(QStringLiteral("openai"), QStringLiteral("sk-wrong"));
        click(form->testButton());
        QCOMPARE(form->testButton()->text(), QStringLiteral("Stop"));
        QTRY_LONG(form->testButton()->text() == QStringLiteral("Test"));
        QVERIFY2(form->testLine()->text().contains(QStringLiteral("401"))
                     || form->testLine()->text().contains(QStringLiteral("key")),
                 qPrintable(form->testLine()->text()));
        bench.keys.set(QStringLiteral("openai"), QStringLiteral("sk-right"));
        click(form->testButton());
        QTRY_LONG(form->testButton()->text() == QStringLiteral("Test"));
        QVERIFY2(form->testLine()->text().contains(QStringLiteral("2 models")),
                 qPrintable(form->testLine()->text()));
        QCOMPARE(form->modelBox()->count(), 2);
        QCOMPARE(form->modelBox()->currentText(), QStringLiteral("small"));
    }

    void aTestOfAServerThatHangsIsStopped() {
        test::ServedAnswer silent;
        silent.end = test::AnswerEnd::hang;
        silent.no_head = true;
        test::ScriptedServer server(std::vector<test::ServedAnswer>{silent});
        Bench bench;
        EndpointForm* form = bench.open(QStringLiteral("llama.cpp"));
        QVERIFY(form);
        type(form->urlField(), toQt(server.url("/v1")));
        click(form->testButton());
        QTRY_VERIFY(!server.requests().empty());
        QElapsedTimer clock;
        clock.start();
        click(form->testButton());
        QTRY_LONG(form->testButton()->text() == QStringLiteral("Test"));
        QVERIFY(clock.elapsed() < 3000);
        QVERIFY(!form->testLine()->text().isEmpty());
    }

    void aTestUnderANameThatIsTakenCanBeStoppedAndOneOfBeforeIsNotShown() {
        test::ServedAnswer silent;
        silent.end = test::AnswerEnd::hang;
        silent.no_head = true;
        test::ScriptedServer server([&](const test::ReceivedRequest& request) {
            if (request.target.starts_with("/hang")) return silent;
            test::ServedAnswer answer;
            answer.headers = {{"Content-Type", "application/json"}};
            answer.body = R"({"object":"list","data":[{"id":"small"}]})";
            return answer;
        });
        Bench bench;
        click(bench.page.side()->moreButton());
        EndpointForm* form = bench.page.endpointForm();
        QTRY_COMPARE(form->name(), QStringLiteral("endpoint-1"));
        type(form->urlField(), toQt(server.url("/hang/v1")));
        type(form->nameField(), QStringLiteral("openai"));
        QTRY_VERIFY(form->form()->problem().contains(QStringLiteral("already")));
        click(form->testButton());
        QTRY_VERIFY(!server.requests().empty());
        click(form->testButton());
        QTRY_LONG(form->testButton()->text() == QStringLiteral("Test"));
        QCOMPARE(form->testLine()->text(), QStringLiteral("The test was stopped."));
        type(form->nameField(), QStringLiteral("mine"));
        type(form->urlField(), toQt(server.url("/v1")));
        click(form->testButton());
        QTRY_LONG(form->testLine()->text().contains(QStringLiteral("1 model")));
        type(form->urlField(), QStringLiteral("http://example.org/v1"));
        QCOMPARE(form->testLine()->text(), QString()); // that was of another address
        QVERIFY(form->form()->problem().contains(QStringLiteral("“Base URL”")));
        QVERIFY(!form->form()->problem().contains(QStringLiteral("allow_plain_http")));
    }

    void theOtherSettingsAreCheckedAndRemembered() {
        Bench bench;
        QSignalSpy changes(&bench.store, &SettingsStore::changed);
        bench.page.machineForm()->threadsBox()->setFocus();
        QTest::keyClick(bench.page.machineForm()->threadsBox(), Qt::Key_Up);
        QCOMPARE(bench.store.threads(), 1);
        bench.page.showSection(QStringLiteral("hub"));
        HubForm* hub = bench.page.hubForm();
        QVERIFY(hub->isVisible());
        type(hub->mirrorField(), QStringLiteral("https://hub.example.org"));
        QCOMPARE(bench.store.mirror(), QStringLiteral("https://hub.example.org"));
        type(hub->mirrorField(), QStringLiteral("hub"));
        QVERIFY(!hub->addressForm()->problem().isEmpty());
        QCOMPARE(bench.store.mirror(), QString()); // what was emptied on the way
        QTest::mouseClick(hub->offlineBox(), Qt::LeftButton, {}, QPoint(8, hub->offlineBox()->height() / 2));
        type(hub->cacheField(), QStringLiteral("models/hub"));
        QTRY_VERIFY(hub->cacheForm()->problem().contains(QStringLiteral("whole path")));
        type(hub->cacheField(), bench.settings.fileName() + QStringLiteral("/hub"));
        bench.settings.sync(); // the file is there
        type(hub->cacheField(), bench.settings.fileName() + QStringLiteral("/hub"));
        QTRY_VERIFY(hub->cacheForm()->problem().contains(QStringLiteral("is a file")));
        QCOMPARE(bench.store.hubCache(), QString());
        const QString cache = bench.folder.filePath(QStringLiteral("models/hub"));
        type(hub->cacheField(), cache);
        QTRY_COMPARE(bench.store.hubCache(), cache);
        QVERIFY(hub->cacheForm()->problem().isEmpty());
        QVERIFY(changes.size() > 3);
        QSettings again(bench.settings.fileName(), QSettings::IniFormat);
        bench.settings.sync();
        const SettingsStore later(again);
        QVERIFY(later.offline());
        QCOMPARE(later.threads(), 1);
        QCOMPARE(later.hubCache(), cache);
    }
};

QTEST_MAIN(TestSettingsPage)
#include "tst_settings_page.moc"
