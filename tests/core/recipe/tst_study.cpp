#include "core/base/error.h"
#include "core/base/files.h"
#include "core/net/endpoint.h"
#include "core/recipe/catalogue.h"
#include "core/recipe/study.h"

#include <QTemporaryDir>
#include <QTest>
#include <map>

using namespace tempera;
namespace fs = std::filesystem;

namespace {

Json two_stages() {
    return Json::parse(R"({"study":"s","stages":[
        {"stage":"sweep","kind":"sweep","model":"@sft","problems":5},
        {"stage":"sft","kind":"sft","model":"tiny","seed":1}]})");
}

QString message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        return error.what();
    }
    return "nothing was thrown";
}

} // namespace

class TestStudy : public QObject {
    Q_OBJECT

private slots:
    void stagesComeInTheOrderTheyCanRun() {
        Study study = parse_study(two_stages());
        QCOMPARE(study.stages.size(), std::size_t{2});
        QCOMPARE(study.stages[0].name, std::string("sft"));
        QCOMPARE(study.stages[1].after, std::vector<std::string>{"sft"});
        QCOMPARE(study.stages[1].recipe["model"].get<std::string>(), std::string("@sft"));
        QCOMPARE(study.stages[1].recipe["n"].get<int>(), 10); // complete
        QVERIFY(!study.stages[1].recipe.contains("stage"));
        Json written = to_json(study);
        QVERIFY(to_json(parse_study(written)) == written);
        QVERIFY(complete_recipe_or_study(two_stages()) == written);
    }

    void aStageWaitsForTheDataItReads() {
        Study study = parse_study(Json::parse(R"({"study":"s","stages":[
            {"stage":"sft","kind":"sft","model":"tiny","data":"@pairs/best.jsonl"},
            {"stage":"pairs","kind":"pairs","model":"tiny"}]})"));
        QCOMPARE(study.stages[0].name, std::string("pairs"));
        QCOMPARE(study.stages[1].after, std::vector<std::string>{"pairs"});
        QCOMPARE(study.stages[1].recipe["data"].get<std::string>(), std::string("@pairs/best.jsonl"));
        Json alone = {{"kind", "sft"}, {"model", "tiny"}, {"data", "@pairs"}};
        QVERIFY(message_of([&] { complete_recipe_or_study(alone); }).contains("names a stage"));
        alone["data"] = "run:pairs-abc/best.jsonl";
        QVERIFY(with_absolute_paths(complete_recipe_or_study(alone), "/x")["data"] == alone["data"]);
    }

    void aBrokenGraphIsRefused_data() {
        QTest::addColumn<QString>("stages");
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("part");
        QTest::newRow("unknown stage")
            << R"([{"stage":"sft","kind":"sft"},{"stage":"b","kind":"sweep","model":"@stf"}])"
            << "b.model"
            << "Did you mean \"sft\"?";
        QTest::newRow("cycle")
            << R"([{"stage":"a","kind":"sft","model":"@b"},{"stage":"b","kind":"sft","model":"@a"},
                                      {"stage":"c","kind":"sft"}])"
            << "stages"
            << "\"a\", \"b\"";
        QTest::newRow("itself") << R"([{"stage":"a","kind":"sft","model":"@a"}])"
                                << "stages"
                                << "\"a\"";
        QTest::newRow("sweep as model")
            << R"([{"stage":"a","kind":"sweep"},{"stage":"b","kind":"sweep","model":"@a"}])"
            << "b.model"
            << "leaves no model";
        QTest::newRow("win-rate as model")
            << R"([{"stage":"a","kind":"win_rate","base":"tiny","tuned":"tiny"},
                                         {"stage":"b","kind":"sweep","model":"@a"}])"
            << "b.model"
            << "leaves no model";
        QTest::newRow("sweep as data")
            << R"([{"stage":"a","kind":"sweep"},{"stage":"b","kind":"sft","data":"@a"}])"
            << "b.data"
            << "leaves no data";
        QTest::newRow("unknown data") << R"([{"stage":"pairs","kind":"pairs","model":"tiny"},
                                    {"stage":"b","kind":"sft","data":"@pars/best.jsonl"}])"
                                      << "b.data"
                                      << "Did you mean \"pairs\"?";
        QTest::newRow("file of a model")
            << R"([{"stage":"a","kind":"sft"},{"stage":"b","kind":"sft","model":"@a/x"}])"
            << "b.model"
            << "without a file";
        QTest::newRow("cycle through data") << R"([{"stage":"a","kind":"pairs","model":"@b"},
                                          {"stage":"b","kind":"sft","data":"@a/best.jsonl"}])"
                                            << "stages"
                                            << "\"a\", \"b\"";
        QTest::newRow("adapter") << R"([{"stage":"a","kind":"sweep","adapter":"@x"}])"
                                 << "a.adapter"
                                 << "no stage";
        QTest::newRow("same name") << R"([{"stage":"a","kind":"sft"},{"stage":"a","kind":"sft"}])"
                                   << "stages"
                                   << "\"a\"";
        QTest::newRow("no name") << R"([{"kind":"sft"}])"
                                 << "stages"
                                 << "Stage 1";
        QTest::newRow("odd name") << R"([{"stage":"a/../b","kind":"sft"}])"
                                  << "stages"
                                  << "letters";
        QTest::newRow("no stage") << "[]"
                                  << "stages"
                                  << "list of recipes";
        QTest::newRow("not a list") << "{}"
                                    << "stages"
                                    << "list of recipes";
        QTest::newRow("not an object") << "[3]"
                                       << "stages"
                                       << "Stage 1";
        QTest::newRow("typo inside") << R"([{"stage":"a","kind":"sft","epoch":2}])"
                                     << "a.epoch"
                                     << "Did you mean \"epochs\"?";
    }

    void aBrokenGraphIsRefused() {
        QFETCH(QString, stages);
        QFETCH(QString, field);
        QFETCH(QString, part);
        Json study = {{"study", "s"}, {"stages", Json::parse(stages.toStdString())}};
        auto problems = check_study(study);
        QVERIFY(!problems.empty());
        QCOMPARE(QString::fromStdString(problems.front().field), field);
        QVERIFY2(QString::fromStdString(problems.front().sentence).contains(part),
                 problems.front().sentence.c_str());
        QVERIFY_THROWS_EXCEPTION(Error, parse_study(study));
    }

    void theHeadIsChecked() {
        Json study = two_stages();
        study["stagess"] = 1;
        QVERIFY(message_of([&] { parse_study(study); }).contains("Did you mean \"stages\"?"));
        study = two_stages();
        study.erase("study");
        QVERIFY(message_of([&] { parse_study(study); }).contains("no name"));
        QVERIFY(message_of([&] { parse_study(Json(3)); }).contains("JSON object"));
    }

    void aStageReferenceOutsideAStudyIsRefused() {
        auto problems = check_recipe_or_study({{"kind", "sweep"}, {"model", "@sft"}});
        QCOMPARE(problems.size(), std::size_t{1});
        QCOMPARE(problems.front().field, std::string("model"));
    }

    void settingsReachARecipe() {
        Json recipe = apply_settings({{"kind", "sft"}}, {"learning_rate=1e-4", "name=a=b", "batch_size=8"});
        QCOMPARE(recipe["learning_rate"].get<double>(), 1e-4);
        QCOMPARE(recipe["name"].get<std::string>(), std::string("a=b"));
        QVERIFY(message_of([] {
                    apply_settings({{"kind", "sft"}}, {"leaning_rate=1"});
                }).contains("\"learning_rate\""));
        QVERIFY(message_of([] { apply_settings({{"kind", "sft"}}, {"epochs"}); }).contains("field=value"));
        QVERIFY(message_of([] { apply_settings({{"kind", "sft"}}, {"=3"}); }).contains("field=value"));
        QVERIFY(message_of([] { apply_settings(Json::object(), {"epochs=3"}); }).contains("kind"));
    }

    void settingsReachTheStagesOfAStudy() {
        Json study = apply_settings(
            two_stages(), {"seed=7", "model=other", "sweep.n=3", "sft.epochs=2", "prompt_style=short"});
        const Json &sweep = study["stages"][0], &sft = study["stages"][1];
        QCOMPARE(sweep["seed"].get<int>(), 7);
        QCOMPARE(sft["seed"].get<int>(), 7);
        QCOMPARE(sft["model"].get<std::string>(), std::string("other"));
        QCOMPARE(sweep["model"].get<std::string>(), std::string("@sft")); // the link stays
        QCOMPARE(sweep["n"].get<int>(), 3);
        QCOMPARE(sweep["prompt_style"].get<std::string>(), std::string("short"));
        QVERIFY(!sft.contains("n"));
        QVERIFY(message_of([] { apply_settings(two_stages(), {"swep.n=3"}); }).contains("\"sweep\""));
        QVERIFY(message_of([] {
                    apply_settings(two_stages(), {"sweep.epochs=3"});
                }).contains("no field \"epochs\""));
        QVERIFY(
            message_of([] { apply_settings(two_stages(), {"temperature=3"}); }).contains("\"temperatures\""));
        Json relinked = apply_settings(two_stages(), {"sweep.model=tiny"});
        QCOMPARE(relinked["stages"][0]["model"].get<std::string>(), std::string("tiny"));
    }

    void pathsBecomeAbsoluteAndNamesStay() {
        QTemporaryDir dir;
        fs::path base = dir.path().toStdString();
        fs::create_directories(base / "mine");
        fs::create_directories(base / "tiny");
        auto model = [&](const std::string& text) {
            return with_absolute_paths({{"kind", "sft"}, {"model", text}}, base)["model"].get<std::string>();
        };
        QCOMPARE(model("mine"), (base / "mine").string());
        QCOMPARE(model("./x/../y"), (base / "y").string());
        QCOMPARE(model("/abs"), std::string("/abs"));
        QCOMPARE(model("tiny"), std::string("tiny"));
        QCOMPARE(model("./tiny"), (base / "tiny").string());
        QCOMPARE(model("run:mine"), std::string("run:mine"));
        QCOMPARE(model("@sft"), std::string("@sft"));
        QCOMPARE(model(""), std::string());
        Json data = with_absolute_paths({{"kind", "sft"}, {"data", "a.jsonl"}}, base);
        QCOMPARE(data["data"].get<std::string>(), (base / "a.jsonl").string());
        data = with_absolute_paths({{"kind", "sft"}, {"data", "countdown"}}, base);
        QCOMPARE(data["data"].get<std::string>(), std::string("countdown"));
    }

    void everyShippedRecipeIsValidOnceItsGapsAreFilled() {
        auto entries = shipped_recipes();
        QStringList names;
        for (const auto& entry : entries) {
            names << QString::fromStdString(entry.name);
            QVERIFY2(!entry.title.empty() && !entry.about.empty(), entry.name.c_str());
            std::vector<std::string> settings;
            for (const auto& gap : entry.needed)
                settings.push_back(gap + (gap.ends_with("data") ? "=x.jsonl" : "=/some/model"));
            auto problems = check_recipe_or_study(apply_settings(entry.recipe, settings));
            QVERIFY2(problems.empty(), problems.empty() ? "" : problems.front().sentence.c_str());
            if (!entry.needed.empty()) QVERIFY(!check_recipe_or_study(entry.recipe).empty());
        }
        for (const char* name :
             {"countdown-qwen", "countdown-smollm2", "dpo-full", "dpo-lora", "figure-5", "rloo-countdown",
              "rloo-paper", "rloo-trl", "sft-text-lora", "synthetic-1600", "table-1", "table-1-tiny",
              "table-2", "table-2-tiny", "tiny-base"})
            QVERIFY2(names.contains(name), name);
        QVERIFY(message_of([] { shipped_recipe("figure5"); }).contains("Did you mean \"figure-5\"?"));
    }

    void theQwenPresetIsThePapers() {
        Study study = parse_study(apply_settings(load_recipe("countdown-qwen"), {"model=/qwen"}));
        const Json &sft = study.stages[0].recipe, &sweep = study.stages[1].recipe;
        QCOMPARE(sft["batch_size"].get<int>() * sft["accumulation"].get<int>(), 16);
        QCOMPARE(sft["learning_rate"].get<double>(), 5e-6);
        QCOMPARE(sft["epochs"].get<double>(), 5.0);
        QCOMPARE(sft["weight_decay"].get<double>(), .01);
        QCOMPARE(sft["warmup_steps"].get<int>(), 100);
        QCOMPARE(sft["schedule"].get<std::string>(), std::string("cosine"));
        QCOMPARE(sft["method"].get<std::string>(), std::string("full"));
        QCOMPARE(sft["max_length"].get<int>(), 1024);
        QCOMPARE(sweep["n"].get<int>(), 10);
        QCOMPARE(sweep["problems"].get<int>(), 1000);
    }

    void theSyntheticPresetIsThePapers() {
        const Json recipe = complete_recipe(load_recipe("synthetic-1600"));
        QCOMPARE(recipe["examples"].get<int>(), 1600);
        const auto& known = built_in_endpoints();
        const auto asked = std::ranges::find(known, recipe["endpoint"].get<std::string>(), &Endpoint::name);
        QVERIFY(asked != known.end() && recipe["teacher_model"] == "");
        QCOMPARE(asked->model, std::string("gpt-4o"));
        // As its text says.
        complete_recipe(apply_settings(load_recipe("synthetic-1600"), {"teacher=solver", "endpoint="}));
        for (const char* name : {"table-2-tiny", "table-2"}) { // what the teacher wrote is what is learnt
            const Study study =
                parse_study(apply_settings(load_recipe(name), {std::string("model=/some/model")}));
            for (const Stage& stage : study.stages)
                if (stage.name == "sft_synthetic") {
                    QCOMPARE(stage.recipe["data"].get<std::string>(), std::string("@synthetic"));
                    QCOMPARE(stage.recipe["examples"].get<int>(), 1600);
                    QVERIFY(stage.after == (std::vector<std::string>{"sft", "synthetic"}));
                }
        }
        const Json study = {{"study", "s"},
                            {"stages",
                             {{{"stage", "data"}, {"kind", "synthetic"}},
                              {{"stage", "sweep"}, {"kind", "sweep"}, {"model", "@data"}}}}};
        const auto problems = check_study(study);
        QVERIFY(!problems.empty() && problems.front().sentence.find("leaves no model") != std::string::npos);
    }

    void theFirstTablesStudyHasThePapersSettings() {
        std::map<std::string, Json> stages;
        const Json study = load_recipe("table-1");
        for (const Json& stage : study["stages"])
            stages[stage["stage"].get<std::string>()] = stage;
        QCOMPARE(stages.size(), std::size_t{16});
        QCOMPARE(stages["sft_lora"]["lora_r"].get<int>(), 8);
        QCOMPARE(stages["sft_lora"]["learning_rate"].get<double>(), 5e-6);
        QCOMPARE(stages["dpo_lora"]["beta"].get<double>(), .1);
        QCOMPARE(stages["dpo_full"]["learning_rate"].get<double>(), 5e-7);
        QCOMPARE(stages["dpo_full"]["batch_size"].get<int>() * stages["dpo_full"]["accumulation"].get<int>(),
                 16);
        QCOMPARE(stages["dpo_full"]["model"].get<std::string>(), std::string("@sft_full"));
        QCOMPARE(stages["rloo_siamese"]["preset"].get<std::string>(), std::string("paper"));
        QCOMPARE(stages["rloo_siamese"]["kl_coef"].get<double>(), .03);
        QCOMPARE(stages["reward_siamese"]["objective"].get<std::string>(), std::string("bradley-terry"));
        QCOMPARE(stages["win_dpo_lora"]["paper"].get<std::string>(), std::string("table_1.dpo_lora"));
        QCOMPARE(stages["win_dpo_lora"]["temperature"].get<double>(), .2);
    }

    void aRecipeFileIsReadFromItsFolder() {
        QTemporaryDir dir;
        fs::path base = dir.path().toStdString();
        write_file_atomic(base / "r.json", R"({"kind":"sft","model":"./m","data":"d.jsonl"})");
        Json recipe = load_recipe((base / "r.json").string());
        QCOMPARE(recipe["model"].get<std::string>(), (base / "m").string());
        QCOMPARE(recipe["data"].get<std::string>(), (base / "d.jsonl").string());
        write_file_atomic(base / "list.json", "[1]");
        QVERIFY(message_of([&] { load_recipe((base / "list.json").string()); }).contains("not a recipe"));
        write_file_atomic(base / "cut.json", R"({"kind":"sft",)");
        QVERIFY(message_of([&] { load_recipe((base / "cut.json").string()); }).contains("cut.json"));
        QVERIFY(message_of([&] { load_recipe((base / "none.json").string()); }).contains("none.json"));
    }

    void thePapersValuesAreThePapers() {
        PaperValues values = paper_values();
        QCOMPARE(values.sft, .37);
        QCOMPARE(values.sft_synthetic, .3835);
        QCOMPARE(values.best_of_n, .811);
        QCOMPARE(values.n, (std::vector<int>{3, 5, 10}));
        QCOMPARE(values.best_n, 10);
        QCOMPARE(values.best_temperature, .7);
        QCOMPARE(paper_value("table_1.sft_full"), std::optional(.495));
        QCOMPARE(paper_value("table_1.sft_lora"), std::optional(.575));
        QCOMPARE(paper_value("table_1.dpo_full"), std::optional(.605));
        QCOMPARE(paper_value("table_1.dpo_lora"), std::optional(.665));
        QCOMPARE(paper_value("table_1.rloo_deberta"), std::optional(.695));
        QCOMPARE(paper_value("table_1.rloo_distilbert"), std::optional(.530));
        QCOMPARE(paper_value("table_1.rloo_siamese"), std::optional(.535));
        QCOMPARE(paper_value("table_2.best_of_n"), std::optional(.811));
        for (const char* place : {"", "table_1", "table_1.", "table_9.sft", "source.x", "figure_5.n"})
            QVERIFY2(!paper_value(place), place);
    }

    void everyPlaceInThePaperThatAShippedStudyNamesIsThere() {
        int named = 0;
        for (const auto& entry : shipped_recipes()) {
            if (!is_study(entry.recipe)) continue;
            for (const auto& stage : entry.recipe["stages"]) {
                if (!stage.contains("paper")) continue;
                ++named;
                QVERIFY2(paper_value(stage["paper"].get<std::string>()), stage["paper"].dump().c_str());
            }
        }
        QVERIFY(named >= 6);
    }
};

QTEST_APPLESS_MAIN(TestStudy)
#include "tst_study.moc"
