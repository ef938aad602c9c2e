#include "../store/store_fixture.h"

#include "core/queue/engine.h"
#include "tests/support/paths.h"

using namespace tempera;
using namespace tempera::test;

class TestEngineLibrary : public QObject {
    Q_OBJECT

private slots:
    void cleanup() { qunsetenv("TEMPERA_ENGINE"); }

    void itLiesBesideTheCoreLibrary() {
        QCOMPARE(fs::canonical(engine_library().parent_path()), fs::canonical(binary_dir()));
        qputenv("TEMPERA_ENGINE", "/opt/engine.so");
        QCOMPARE(engine_library(), fs::path("/opt/engine.so"));
    }

    void aMissingOneIsOneSentence() {
        qputenv("TEMPERA_ENGINE", "/nowhere/libtempera_engine.so");
        auto error = error_of([] { load_engine(); });
        QVERIFY(error && error->kind() == ErrorKind::not_found);
        QVERIFY2(std::string(error->what()).find("/nowhere/libtempera_engine.so") != std::string::npos,
                 error->what());
    }

    void aLibraryThatIsNoEngineIsRefused() {
        qputenv("TEMPERA_ENGINE", QByteArray::fromStdString(binary_dir() + "/libtempera_core.so"));
        auto error = error_of([] { load_engine(); });
        QVERIFY(error && error->kind() == ErrorKind::unsupported);
        QVERIFY(error_of([] { load_engine(); })); // a failure is not remembered as an engine
    }
};

QTEST_GUILESS_MAIN(TestEngineLibrary)
#include "tst_engine_library.moc"
