#include "core/base/error.h"
#include "core/base/files.h"
#include "core/engine/reward/reward_model.h"
#include "tests/support/paths.h"

#include <QtTest>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

const fs::path golden = fs::path(source_dir()) / "tests/golden/encoders";

std::vector<RewardText> texts_of(const Json& expected) {
    std::vector<RewardText> texts;
    for (const Json& text : expected["texts"])
        texts.push_back({text[0].get<std::string>(), text[1].get<std::string>()});
    return texts;
}

} // namespace

class TestRewardModel : public QObject {
    Q_OBJECT
    Json expected_ = read_json_file(golden / "expected.json");
    std::vector<RewardText> texts_ = texts_of(expected_);

private Q_SLOTS:
    /// From text to score, truncation at 512 included.
    void scoresEqualTransformers_data() {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("form");
        for (const char* name : {"bert", "distilbert", "deberta-v3"})
            for (const char* form : {"pair", "plain", "chat"})
                QTest::addRow("%s, %s", name, form) << name << form;
    }
    void scoresEqualTransformers() {
        QFETCH(QString, name);
        QFETCH(QString, form);
        RewardModel model =
            RewardModel::load(golden / name.toStdString(), {.form = reward_form_from(form.toStdString())});
        const Json& rows = expected_["models"][name.toStdString()]["forms"][form.toStdString()];
        auto scores = model.score(texts_);
        for (std::size_t i = 0; i < texts_.size(); ++i) {
            QCOMPARE(model.tokeniser().encode(texts_[i]).ids,
                     rows[i]["ids"].get<std::vector<std::int32_t>>());
            double error = std::fabs(scores[i] - rows[i]["score"].get<double>());
            QVERIFY2(error < 1e-5, qPrintable(QString("%1: %2").arg(i).arg(error)));
        }
    }

    void scoresDependOnNothingInTheBatch() {
        RewardModel model = RewardModel::load(golden / "bert");
        auto together = model.score(texts_);
        for (std::size_t i = 0; i < texts_.size(); ++i)
            QVERIFY(std::fabs(model.score(std::span(&texts_[i], 1))[0] - together[i]) < 2e-6);
        QVERIFY(model.score({}).empty());
    }

    void folderSaysHowItIsAsked() {
        QTemporaryDir folder;
        fs::path target = folder.path().toStdString();
        for (const auto& entry : fs::directory_iterator(golden / "bert"))
            fs::copy(entry.path(), target / entry.path().filename());
        QVERIFY(RewardModel::load(target).tokeniser().format().form == RewardForm::pair);
        write_reward_format({RewardForm::plain, "", 40}, target);
        RewardModel model = RewardModel::load(target);
        QVERIFY(model.tokeniser().format().form == RewardForm::plain);
        EncoderInput input = model.tokeniser().encode(texts_[3]);
        QCOMPARE(input.ids.size(), std::size_t{40});
        std::vector<std::string> whole{"user\n" + texts_[3].prompt + "\nassistant\n" + texts_[3].completion};
        QCOMPARE(model.score_whole(whole), model.score(std::span(&texts_[3], 1)));
        write_file_atomic(target / "tempera_reward.json",
                          "{\"text\":\"pair\",\"system\":\"\",\"max_length\":-1}");
        QVERIFY_THROWS_EXCEPTION(Error, RewardModel::load(target));
        write_file_atomic(target / "tempera_reward.json",
                          "{\"text\":\"both\",\"system\":\"\",\"max_length\":9}");
        QVERIFY_THROWS_EXCEPTION(Error, RewardModel::load(target));
    }

    void aConversationMayHaveItsOwnSystemTurn() {
        RewardModel model = RewardModel::load(golden / "bert", {.form = RewardForm::plain});
        const RewardTokeniser& tokeniser = model.tokeniser();
        std::vector<ChatMessage> turns{{"user", "Name a colour."}, {"assistant", "Blue"}};
        QCOMPARE(tokeniser.encode_conversation(turns).ids, tokeniser.encode(texts_[1]).ids);
        turns.insert(turns.begin(), {"system", "You are a helpful assistant."});
        QCOMPARE(tokeniser.encode_conversation(turns).ids, tokeniser.encode(texts_[1]).ids);
        turns[0].content = "answer";
        QVERIFY(tokeniser.encode_conversation(turns).ids != tokeniser.encode(texts_[1]).ids);
    }
};

QTEST_APPLESS_MAIN(TestRewardModel)
#include "tst_reward_model.moc"
