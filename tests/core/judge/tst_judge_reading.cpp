#include "core/base/random.h"
#include "core/judge/reading.h"

#include <QTest>
#include <cmath>

using namespace tempera;

class TestJudgeReading : public QObject {
    Q_OBJECT

private slots:
    void aRewardIsReadExactly() {
        QCOMPARE(read_reward("reward:-18.73").value, -18.73);
        QCOMPARE(read_reward(" \nreward: 3\t").value, 3.0);
        QCOMPARE(read_reward("reward:+0.5").value, 0.5);
        QCOMPARE(read_reward("reward:-1.5e1").value, -15.0);
        QCOMPARE(read_reward("reward:0").value, 0.0);
        QVERIFY(read_reward("reward:0").problem.empty());
    }

    void whatIsNoRewardIsNoScore_data() {
        QTest::addColumn<QString>("reply");
        QTest::addColumn<QString>("problem");
        const QString no_number = "What follows \"reward:\" is not one finite number.";
        for (const char* reply :
             {"reward:nan", "reward:NaN", "reward:-nan", "reward:inf", "reward:-inf", "reward:1e999",
              "reward:-1e999", "reward:", "reward: ", "reward:--1", "reward:+-1", "reward:1,5", "reward:1 2",
              "reward:0x10", "reward:-18.73.", "reward:-18.73 points", "reward:.", "reward:e5", "reward:-"})
            QTest::newRow(reply) << reply << no_number;
        QTest::newRow("two") << "reward:1\nreward:2"
                             << "The reply holds more than one reward.";
        QTest::newRow("twice the same") << "reward:1 reward:1"
                                        << "The reply holds more than one reward.";
        for (const char* reply : {"", "-18.73", "<html>502 Bad Gateway</html>", "Reward:1", "rewards: 1"})
            QTest::newRow(qPrintable(QString("none: ") + reply))
                << reply << "The reply holds no \"reward:\".";
        QTest::newRow("prose") << "The reward:1"
                               << "The reply does not begin with \"reward:\".";
    }
    void whatIsNoRewardIsNoScore() {
        QFETCH(QString, reply);
        QFETCH(QString, problem);
        const Reading reading = read_reward(reply.toStdString());
        QVERIFY(std::isnan(reading.value));
        QCOMPARE(QString::fromStdString(reading.problem), problem);
    }

    void aGradeStandsInTheOnlyBrackets() {
        QCOMPARE(read_grade("Right, and short.\n[[9]]").value, 9.0);
        QCOMPARE(read_grade("[[7.5]]").value, 7.5);
        QCOMPARE(read_grade("[[ 1 ]]").value, 1.0);
        for (const char* reply : {"9", "[[0]]", "[[11]]", "[[nan]]", "[[]]", "[[8]] or [[9]]", "[[8", "8]]",
                                  "[[8]] [[8]]", "[[eight]]", "[[1e1e1]]", "[8]", "[[[8]]"}) {
            const Reading reading = read_grade(reply);
            QVERIFY2(std::isnan(reading.value), reply);
            QVERIFY(!reading.problem.empty());
        }
    }

    void aChoiceIsAShareOfTheWin() {
        QCOMPARE(read_choice("A is right. [[A]]").value, 1.0);
        QCOMPARE(read_choice("[[B]]").value, 0.0);
        QCOMPARE(read_choice("[[C]]").value, 0.5);
        for (const char* reply : {"A", "[[D]]", "[[a]]", "[[A]] no, [[B]]", "", "[[AB]]"})
            QVERIFY2(std::isnan(read_choice(reply).value), reply);
    }

    /// Whatever comes, there is a finite number with no problem, or none with one.
    void mutatedRepliesNeverSlipThrough() {
        RandomStream random(7);
        const std::string alphabet = "reward:-+.0123456789eEnaif[]ABC \n\xff{\"";
        for (int round = 0; round < 100000; ++round) {
            std::string reply = round % 2 ? "reward:-18.73" : "[[7]]";
            for (int i = 0, n = random.between(0, 6); i < n; ++i) {
                const auto at = static_cast<std::size_t>(random.between(0, static_cast<int>(reply.size())));
                const char c = alphabet[random.below(static_cast<std::uint32_t>(alphabet.size()))];
                if (random.below(2) && at < reply.size())
                    reply[at] = c;
                else
                    reply.insert(at, 1, c);
            }
            for (auto read : {read_reward, read_grade, read_choice}) {
                const Reading reading = read(reply);
                QVERIFY2(std::isfinite(reading.value) == reading.problem.empty(), reply.c_str());
            }
        }
    }
};

QTEST_APPLESS_MAIN(TestJudgeReading)
#include "tst_judge_reading.moc"
