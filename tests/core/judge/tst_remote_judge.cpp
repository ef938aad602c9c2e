#include "core/base/error.h"
#include "core/judge/connect.h"
#include "tests/core/judge/judge_server.h"
#include "tests/core/store/child_process.h"

#include <QElapsedTimer>
#include <QTest>
#include <set>

#include <atomic>
#include <cmath>
#include <thread>

using namespace tempera;
using namespace tempera::test;
using std::chrono::milliseconds;

namespace {

/// The rules with waits a hundred times shorter.
OpenAiOptions quick() {
    OpenAiOptions options;
    options.retry.first_delay = 0.005;
    options.retry.longest_delay = 0.04;
    options.deadlines = {milliseconds(1000), milliseconds(300), milliseconds(300), milliseconds(900)};
    return options;
}

Asker lab(const OpenAiOptions& options = quick()) {
    AskedModel asked;
    asked.endpoint = "lab";
    return connect_endpoint(asked, options);
}

/// Answers "a0", "a1" ... to the questions "q0" ...; the reward of answer i is i.
struct Answers {
    explicit Answers(int count) {
        for (int i = 0; i < count; ++i) {
            questions.push_back("q" + std::to_string(i));
            answers.push_back("a" + std::to_string(i));
        }
    }
    std::vector<JudgeQuery> queries() const {
        std::vector<JudgeQuery> list;
        for (std::size_t i = 0; i < questions.size(); ++i)
            list.push_back({questions[i], answers[i], {}});
        return list;
    }
    std::vector<std::string> questions, answers;
};

ServedAnswer reward_of(const ReceivedRequest& request) {
    return chat_answer("reward:" + last_turn(request).substr(1));
}

std::string answer_in(const std::string& prompt, const std::string& who) {
    const std::string begin = "[Begin of assistant " + who + "'s answer]\n";
    const auto at = prompt.find(begin) + begin.size();
    return prompt.substr(at, prompt.find('\n', at) - at);
}

} // namespace

class TestRemoteJudge : public QObject {
    Q_OBJECT

private slots:
    void nemotronGetsTheConversationAndIsReadStrictly() {
        const Lab home;
        std::string body;
        std::mutex mutex;
        ScriptedServer server([&](const ReceivedRequest& request) {
            const std::lock_guard guard(mutex);
            body = request.body;
            return chat_answer("reward:-18.73");
        });
        home.point_at(server);
        RemoteJudge judge(lab(), JudgeStyle::nemotron, home.path("judge.db"));
        const std::vector<JudgeQuery> query{{"What is 2 + 2?", "4", {}}};
        const auto scores = judge.score(query, {});
        QCOMPARE(scores.size(), std::size_t{1});
        QCOMPARE(scores[0].value, -18.73);
        const Json sent = Json::parse(body);
        const Json expected = Json::array(
            {{{"role", "user"}, {"content", "What is 2 + 2?"}}, {{"role", "assistant"}, {"content", "4"}}});
        QVERIFY(sent["messages"] == expected);
        QCOMPARE(judge.tally().prompt_tokens, std::int64_t{100});
        QCOMPARE(judge.tally().completion_tokens, std::int64_t{5});
        QCOMPARE(judge.tally().cost, (100 * 2 + 5 * 10) / 1e6);
    }

    /// Judges read all that was said before the answer; a single question is put as it ever was.
    void aConversationIsJudgedWhole() {
        const std::vector<ChatMessage> turns = {
            {"system", "Be brief."}, {"user", "Two?"}, {"assistant", "2"}, {"user", "And twice?"}};
        const JudgeQuery query{"And twice?", "4", "5", turns};
        const auto chat = conversations_of(JudgeStyle::nemotron, query).front();
        QCOMPARE(chat.size(), std::size_t{5});
        QCOMPARE(chat[0].content, std::string("Be brief."));
        QCOMPARE(chat[2].role, std::string("assistant"));
        QCOMPARE(chat[4].content, std::string("4"));
        const std::string said = "system: Be brief.\n\nuser: Two?\n\nassistant: 2\n\nuser: And twice?\n";
        for (JudgeStyle style : {JudgeStyle::score, JudgeStyle::pair})
            for (const auto& asked : conversations_of(style, query))
                QVERIFY2(asked[1].content.find(said) != std::string::npos, asked[1].content.c_str());
        const JudgeQuery single{"Two?", "2", {}};
        const auto plain = conversations_of(JudgeStyle::nemotron, single).front();
        QCOMPARE(plain.size(), std::size_t{2});
        QCOMPARE(conversations_of(JudgeStyle::score, single).front()[1].content,
                 std::string("[Begin of the question]\nTwo?\n[End of the question]\n\n"
                             "[Begin of the answer]\n2\n[End of the answer]\n"));
    }

    void nothingIsPaidForTwice() {
        const Lab home;
        Counter counter;
        ScriptedServer server([&](const ReceivedRequest& request) {
            counter.note(last_turn(request));
            return reward_of(request);
        });
        home.point_at(server);
        Answers given(20);
        given.questions.push_back("q7"); // the same once more
        given.answers.push_back("a7");
        for (int round = 0; round < 2; ++round) { // the second judge is another session's
            RemoteJudge judge(lab(), JudgeStyle::nemotron, home.path("judge.db"));
            for (int again = 0; again < 2; ++again) {
                const auto scores = judge.score(given.queries(), {});
                QCOMPARE(scores.size(), std::size_t{21});
                for (std::size_t i = 0; i < 20; ++i)
                    QCOMPARE(scores[i].value, static_cast<double>(i));
                QCOMPARE(scores[20].value, 7.0);
            }
        }
        QCOMPARE(counter.total(), 20);
        // another model is another judge
        AskedModel other;
        other.endpoint = "lab";
        other.model = "judge-2";
        RemoteJudge judge(connect_endpoint(other, quick()), JudgeStyle::nemotron, home.path("judge.db"));
        QCOMPARE(judge.score(given.queries(), {}).size(), std::size_t{21});
        QCOMPARE(counter.total(), 40);
    }

    void aPairIsJudgedInBothOrders_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<double>("share");
        QTest::newRow("prefers the longer one") << "long" << 1.0;
        QTest::newRow("prefers the shorter one") << "short" << 0.0;
        QTest::newRow("prefers the first") << "first" << 0.5;
        QTest::newRow("prefers the second") << "second" << 0.5;
        QTest::newRow("tie") << "tie" << 0.5;
        QTest::newRow("one order only") << "half" << std::nan("");
        QTest::newRow("no choice") << "none" << std::nan("");
    }
    void aPairIsJudgedInBothOrders() {
        QFETCH(QString, kind);
        QFETCH(double, share);
        const Lab home;
        Counter counter;
        ScriptedServer server([&](const ReceivedRequest& request) {
            counter.note(request.body);
            const std::string prompt = last_turn(request);
            const bool first_is_longer = answer_in(prompt, "A").size() > answer_in(prompt, "B").size();
            const bool a = kind == "first" || (kind == "long" && first_is_longer)
                           || (kind == "short" && !first_is_longer);
            if (kind == "tie") return chat_answer("[[C]]");
            if (kind == "none" || (kind == "half" && first_is_longer)) return chat_answer("Both are fine.");
            return chat_answer(a ? "[[A]]" : "[[B]]");
        });
        home.point_at(server);
        RemoteJudge judge(lab(), JudgeStyle::pair, home.path("judge.db"));
        const std::vector<JudgeQuery> queries{{"q", "a longer answer", "short"}, {"q", "same", "same"}};
        const auto scores = judge.compare(queries, {});
        QCOMPARE(scores.size(), std::size_t{2});
        QVERIFY2(std::isnan(share) ? std::isnan(scores[0].value) : scores[0].value == share,
                 scores[0].note.c_str());
        QCOMPARE(scores[1].value, 0.5);
        QCOMPARE(counter.total(), 2); // both orders of the first, nothing of the second
    }

    void anUnreadableReplyIsNoScoreAndStaysReadable() {
        const Lab home;
        ScriptedServer server([](const ReceivedRequest& request) {
            const std::string text = last_turn(request);
            return chat_answer(text == "a0"   ? "reward:nan"
                               : text == "a1" ? "reward:1e999"
                               : text == "a2" ? "reward:1 reward:2"
                               : text == "a3" ? "I like it."
                                              : "reward:4");
        });
        home.point_at(server);
        RemoteJudge judge(lab(), JudgeStyle::nemotron, home.path("judge.db"));
        const auto scores = judge.score(Answers(5).queries(), {});
        for (std::size_t i = 0; i < 4; ++i) {
            QVERIFY(std::isnan(scores[i].value));
            QVERIFY(scores[i].note.starts_with("No score: "));
        }
        QVERIFY(scores[3].note.ends_with("The reply was: I like it."));
        QCOMPARE(scores[4].value, 4.0);
        QCOMPARE(ReplyStore(home.path("judge.db")).counts().whole, std::int64_t{5}); // paid for
    }

    void faultsLoseNothingAndScoreNothing_data() {
        QTest::addColumn<QString>("fault");
        QTest::addColumn<bool>("retried"); // the second attempt brings the score
        for (const char* fault : {"429 seconds", "429 date", "500", "503", "hang", "slow", "reset", "cut"})
            QTest::newRow(qPrintable(QString(fault) + ", then right")) << fault << true;
        for (const char* fault : {"500", "hang", "slow", "reset", "cut", "html", "json", "empty",
                                  "no choices", "null", "400", "huge", "endless", "redirect", "nan"})
            QTest::newRow(qPrintable(QString(fault) + " for good")) << fault << false;
    }
    void faultsLoseNothingAndScoreNothing() {
        QFETCH(QString, fault);
        QFETCH(bool, retried);
        const Lab home(2);
        std::atomic<int> bad = 0;
        ScriptedServer server([&](const ReceivedRequest& request) {
            if (last_turn(request) != "a3") return reward_of(request);
            if (retried && bad++ > 0) return reward_of(request);
            return faulty(fault, reward_of(request));
        });
        home.point_at(server);
        OpenAiOptions options = quick();
        options.max_body = 1 << 20;
        RemoteJudge judge(lab(options), JudgeStyle::nemotron, home.path("judge.db"));
        QElapsedTimer timer;
        timer.start();
        const auto scores = judge.score(Answers(8).queries(), {});
        QVERIFY2(timer.elapsed() < 8000, qPrintable(QString::number(timer.elapsed())));
        QCOMPARE(scores.size(), std::size_t{8});
        for (std::size_t i = 0; i < 8; ++i)
            if (i != 3 || retried)
                QCOMPARE(scores[i].value, static_cast<double>(i));
            else
                QVERIFY2(std::isnan(scores[i].value) && scores[i].note.starts_with("No score: "),
                         scores[i].note.c_str());
        QCOMPARE(judge.tally().failed, std::int64_t{retried || fault == "nan" ? 0 : 1});
        if (!retried && fault == "html") QVERIFY(scores[3].note.find("<html>") != std::string::npos);
    }

    void theRunEndsWhereNothingCanCome_data() {
        QTest::addColumn<int>("status");
        QTest::addColumn<int>("most"); // questions that went out
        QTest::newRow("key") << 401 << 4;
        QTest::newRow("address") << 404 << 4;
        QTest::newRow("always 500") << 500 << (16 + 16) * 3;
    }
    void theRunEndsWhereNothingCanCome() {
        QFETCH(int, status);
        QFETCH(int, most);
        const Lab home;
        ScriptedServer server(std::vector{json_answer(status, "{\"error\":{\"message\":\"no\"}}")});
        home.point_at(server);
        RemoteJudge judge(lab(), JudgeStyle::nemotron, home.path("judge.db"));
        QVERIFY_THROWS_EXCEPTION(Error, judge.score(Answers(100).queries(), {}));
        QVERIFY2(server.requests().size() <= static_cast<std::size_t>(most),
                 qPrintable(QString::number(server.requests().size())));
    }

    void aWaitThatTheServerAsksForIsSeen() {
        const Lab home(1);
        std::atomic<int> asked = 0;
        ScriptedServer server([&](const ReceivedRequest& request) {
            return asked++ == 0 ? json_answer(429, "{}", {{"Retry-After", "3"}}) : reward_of(request);
        });
        home.point_at(server);
        OpenAiOptions options = quick();
        options.retry.longest_wait = 1; // beyond it the client leaves the wait to who asks
        RemoteJudge judge(lab(options), JudgeStyle::nemotron, home.path("judge.db"));
        std::set<std::string> phases;
        const auto scores = judge.score(Answers(2).queries(), {}, [&](std::size_t, std::size_t) {
            phases.insert(phase_of(judge.asker(), "judging").substr(0, 13));
        });
        QCOMPARE(scores.size(), std::size_t{2});
        QVERIFY(phases.contains("waiting until") && phases.contains("judging"));
    }

    void aStopComesWithinASecond() {
        const Lab home;
        ServedAnswer hanging = chat_answer("reward:1");
        hanging.end = AnswerEnd::hang;
        hanging.no_head = true;
        ScriptedServer server(std::vector{hanging});
        home.point_at(server);
        RemoteJudge judge(lab(OpenAiOptions()), JudgeStyle::nemotron, home.path("judge.db"));
        StopToken stop;
        std::thread other([&] {
            std::this_thread::sleep_for(milliseconds(100));
            stop.request(StopRequest::stop);
        });
        QElapsedTimer timer;
        timer.start();
        QVERIFY(judge.score(Answers(10).queries(), stop).empty());
        other.join();
        QVERIFY2(timer.elapsed() < 1200, qPrintable(QString::number(timer.elapsed())));
    }

    /// After kill -9 no scored question is asked again, but those that were under way.
    void aKillPaysAtMostForWhatWasUnderWay() {
        constexpr int concurrency = 4, questions = 60;
        const Lab home(concurrency);
        Counter counter;
        ScriptedServer server([&](const ReceivedRequest& request) {
            counter.note(last_turn(request));
            ServedAnswer reply = reward_of(request);
            reply.delay = milliseconds(5);
            return reply;
        });
        home.point_at(server);
        for (const int kill_after : {3, 17, 40}) {
            Child child([&](int) {
                RemoteJudge judge(lab(), JudgeStyle::nemotron, home.path("judge.db"));
                judge.score(Answers(questions).queries(), {});
                return 0;
            });
            while (counter.total() < kill_after)
                std::this_thread::sleep_for(milliseconds(1));
            child.kill_and_wait();
        }
        std::this_thread::sleep_for(milliseconds(50)); // what the server still had in hand
        RemoteJudge judge(lab(), JudgeStyle::nemotron, home.path("judge.db"));
        const auto scores = judge.score(Answers(questions).queries(), {});
        for (std::size_t i = 0; i < questions; ++i)
            QCOMPARE(scores[i].value, static_cast<double>(i));
        int again = 0;
        for (const auto& [question, times] : counter.asked())
            again += times - 1;
        QCOMPARE(counter.asked().size(), std::size_t{questions});
        QVERIFY2(again <= 3 * concurrency, qPrintable(QString::number(again)));
    }

    void anEndpointMustBeConfigured() {
        const Lab home;
        AskedModel asked;
        asked.endpoint = "nowhere";
        QVERIFY_THROWS_EXCEPTION(Error, connect_endpoint(asked));
        QVERIFY_THROWS_EXCEPTION(Error, judge_style_from("nemotrn"));
    }

private:
    static ServedAnswer faulty(const QString& fault, ServedAnswer right) {
        if (fault == "429 seconds") return json_answer(429, "{}", {{"Retry-After", "0.05"}});
        if (fault == "429 date")
            return json_answer(429, "{}", {{"Retry-After", "Sun, 06 Nov 1994 08:49:37 GMT"}});
        if (fault == "500" || fault == "503" || fault == "400") return json_answer(fault.toInt(), "{}");
        if (fault == "html") return json_answer(200, "<html><body>Sign in</body></html>");
        if (fault == "json") return json_answer(200, right.body.substr(0, right.body.size() / 2));
        if (fault == "empty") return json_answer(200, "");
        if (fault == "no choices") return json_answer(200, R"({"choices":[]})");
        if (fault == "null") return json_answer(200, R"({"choices":[{"message":{"content":null}}]})");
        if (fault == "huge") return json_answer(200, std::string(3 << 20, ' ') + right.body);
        if (fault == "redirect") return json_answer(302, "", {{"Location", "http://localhost:1/v1"}});
        if (fault == "nan") return chat_answer("reward:nan");
        if (fault == "slow") right.bytes_per_second = 1;
        if (fault == "hang") right.end = AnswerEnd::hang;
        if (fault == "reset") right.end = AnswerEnd::reset;
        if (fault == "cut") right.end = AnswerEnd::close;
        if (fault == "endless") right.end = AnswerEnd::endless;
        if (fault == "hang" || fault == "reset" || fault == "cut") right.cut_after = 20;
        return right;
    }
};

QTEST_GUILESS_MAIN(TestRemoteJudge)
#include "tst_remote_judge.moc"
