#include "core/base/error.h"
#include "core/net/remote_sampler.h"
#include "openai_fixture.h"

#include <QTest>

#include <atomic>

using namespace tempera;
using namespace tempera::test;

/// What a run that draws from a server tells while it waits. The rest is in
/// tests/engine/evaluate/tst_remote.cpp.
class TestRemoteSampler : public QObject {
    Q_OBJECT

    std::vector<std::string> notices_;
    std::vector<RemoteSample> samples_;
    bool waited_ = false;

    void draw(const std::string& retry_after) {
        notices_.clear();
        samples_.clear();
        waited_ = false;
        std::atomic<int> asked{0};
        ScriptedServer server([&](const ReceivedRequest&) {
            return asked++ == 0 ? json_answer(429, error_body("Slow down"), {{"Retry-After", retry_after}})
                                : good();
        });
        OpenAiOptions options = quick();
        options.retry.longest_wait = 0.2; // beyond it the client leaves the wait to the sampler
        HttpClient http;
        const OpenAiClient client(http, endpoint_at(server.url("/v1")), options);
        RemoteSampler sampler(client);
        int left = 1;
        sampler.run(
            [&](RemotePrompt& prompt) {
                prompt = {question(), {7}, {1}};
                return left-- > 0;
            },
            [&](RemoteSample&& sample) { samples_.push_back(std::move(sample)); },
            [&] {
                waited_ = waited_ || sampler.waits_until() > 0;
                return false;
            },
            [&](const std::string& notice) { notices_.push_back(notice); });
        QCOMPARE(sampler.waits_until(), std::int64_t{0});
    }

private slots:
    void initTestCase() { qputenv("TEMPERA_TEST_KEY", canary.c_str()); }

    void aWaitIsToldAndKept() {
        draw("1.5");
        QVERIFY(waited_);
        QCOMPARE(samples_.size(), std::size_t{1});
        QVERIFY(samples_[0].fault == ReplyFault::none && samples_[0].text.text == "4");
        QCOMPARE(notices_.size(), std::size_t{1});
        QVERIFY2(holds(notices_[0], "asks to wait 2 seconds (429: Slow down), until ")
                     && holds(notices_[0], "goes on by itself"),
                 notices_[0].c_str());
    }

    void aWaitOfHoursEndsTheRun() {
        try {
            draw("7200");
            QFAIL("It waits for two hours.");
        } catch (const Error& error) {
            QVERIFY(holds(error.what(), "2 hours") && holds(error.what(), "Resume the run then."));
        }
        QVERIFY(samples_.empty() && notices_.empty());
    }
};

QTEST_GUILESS_MAIN(TestRemoteSampler)
#include "tst_remote_sampler.moc"
