#include "core/base/error.h"
#include "core/base/resources.h"
#include "core/recipe/binding.h"
#include "core/recipe/field.h"
#include "core/recipe/sft_recipe.h"
#include "core/recipe/study.h"
#include "core/recipe/sweep_recipe.h"

#include <QTest>
#include <set>

using namespace tempera;

namespace {

/// The sentence of the first problem, or "".
QString problem_of(const Json& recipe) {
    auto problems = check_recipe(recipe);
    return problems.empty() ? QString() : QString::fromStdString(problems.front().sentence);
}

const Field& field_of(const std::string& kind, const std::string& name) {
    for (const auto& field : recipe_kind(kind).fields)
        if (field.name == name) return field;
    throw std::runtime_error("no field " + name);
}

/// QCOMPARE has no view of Json: compared as text, which tells 1 from 1.0.
QString text_of(const Json& value) {
    return QString::fromStdString(value.dump());
}

Json parsed(const std::string& kind, const std::string& name, const std::string& text) {
    return parse_field_value(field_of(kind, name), text);
}

} // namespace

class TestRecipeFields : public QObject {
    Q_OBJECT

private slots:
    void everyFieldIsDescribed() {
        QVERIFY(recipe_kinds().size() >= 4);
        for (const auto& kind : recipe_kinds()) {
            std::set<std::string> names, labels;
            int simple = 0;
            for (const auto& field : kind.fields) {
                QVERIFY2(names.insert(field.name).second, field.name.c_str());
                QVERIFY2(labels.insert(field.label).second, field.label.c_str());
                QVERIFY2(!field.label.empty() && !field.group.empty(), field.name.c_str());
                QVERIFY2(field.help.size() > 20 && field.help.back() == '.', field.name.c_str());
                bool number = field.type == Field::Type::integer || field.type == Field::Type::real
                              || field.type == Field::Type::real_list;
                QVERIFY2(!number || (field.minimum && field.maximum), field.name.c_str());
                QVERIFY2(field.type != Field::Type::choice || field.choices.size() >= 2, field.name.c_str());
                simple += field.simple;
            }
            QVERIFY2(simple >= 3 && simple <= 7, kind.kind.c_str());
        }
    }

    void theNamesAreTheContract() {
        const std::vector<std::string> sft = {"model",
                                              "initialise",
                                              "data",
                                              "columns",
                                              "bad_rows",
                                              "prompt_style",
                                              "trace_style",
                                              "examples",
                                              "validation_examples",
                                              "data_seed",
                                              "system",
                                              "train_on",
                                              "method",
                                              "lora_r",
                                              "lora_alpha",
                                              "lora_dropout",
                                              "lora_targets",
                                              "learning_rate",
                                              "schedule",
                                              "warmup_steps",
                                              "epochs",
                                              "max_steps",
                                              "batch_size",
                                              "accumulation",
                                              "micro_batch_tokens",
                                              "weight_decay",
                                              "adam_beta1",
                                              "adam_beta2",
                                              "adam_epsilon",
                                              "max_grad_norm",
                                              "max_length",
                                              "eval_steps",
                                              "patience",
                                              "checkpoint_steps",
                                              "keep_checkpoints",
                                              "log_steps",
                                              "seed",
                                              "health_pause",
                                              "device",
                                              "dtype"};
        const std::vector<std::string> sweep = {"model",
                                                "adapter",
                                                "data",
                                                "columns",
                                                "bad_rows",
                                                "split",
                                                "problems",
                                                "data_seed",
                                                "prompt_style",
                                                "temperatures",
                                                "n",
                                                "top_p",
                                                "top_k",
                                                "min_p",
                                                "repetition_penalty",
                                                "max_tokens",
                                                "stop",
                                                "seed",
                                                "slots",
                                                "endpoint_api",
                                                "bootstrap_resamples",
                                                "device",
                                                "dtype"};
        auto names = [](const std::string& kind) {
            std::vector<std::string> list;
            for (const auto& field : recipe_kind(kind).fields)
                list.push_back(field.name);
            return list;
        };
        QCOMPARE(names("sft"), sft);
        QCOMPARE(names("sweep"), sweep);
    }

    void defaultsAreTheMembersAndThePapers() {
        SftRecipe sft;
        QCOMPARE(text_of(SftRecipe::from(Json::object()).to_json()), text_of(sft.to_json()));
        QCOMPARE(text_of(complete_recipe({{"kind", "sft"}})), text_of(sft.to_json()));
        QCOMPARE(field_of("sft", "learning_rate").default_value.get<double>(), 5e-6);
        QCOMPARE(sft.batch_size, std::int64_t{16});
        QCOMPARE(sft.lora_r, std::int64_t{8});
        QCOMPARE(sft.lora_alpha, 32.0);
        QCOMPARE(sft.weight_decay, .01);
        QVERIFY(problem_of({{"kind", "sft"}}).isEmpty());
        QVERIFY(problem_of({{"kind", "sweep"}}).isEmpty());
        for (const auto& kind : recipe_kinds()) // every default is inside its own range
            for (const auto& field : kind.fields)
                QVERIFY2(check_value(field, field.default_value).empty(), field.name.c_str());
    }

    void endpointsCannotBeTrained() {
        for (const char* kind : {"sft", "dpo", "rloo", "reward"}) {
            Json recipe = {{"kind", kind}, {"model", "endpoint:openai"}};
            QVERIFY2(problem_of(recipe).contains("cannot be an endpoint"), kind);
        }
        QVERIFY(problem_of({{"kind", "sweep"}, {"model", "endpoint:openai/a/b"}}).isEmpty());
        QVERIFY(problem_of({{"kind", "pairs"}, {"model", "endpoint:openai"}}).isEmpty());
        QVERIFY(problem_of({{"kind", "win_rate"}, {"base", "endpoint:a"}, {"tuned", "tiny"}}).isEmpty());
        const Json recipe = {{"kind", "sweep"}, {"model", "endpoint:openai/a/b"}};
        QVERIFY(with_absolute_paths(recipe, "/") == recipe); // it is no path
    }

    void modelsAndJudgesMustFitTheirPrompts() {
        Json win = {{"kind", "win_rate"}, {"base", "tiny"}, {"tuned", "tiny"}};
        QVERIFY(problem_of(win).isEmpty());
        win["judge"] = "countdown";
        QVERIFY(problem_of(win).contains("belong together"));
        win["data"] = "countdown";
        QVERIFY(problem_of(win).isEmpty());
        win["data"] = "@pairs/best.jsonl"; // whatever the file holds
        QVERIFY(problem_of(win).isEmpty());
        win.erase("tuned");
        QVERIFY(problem_of(win).startsWith("tuned is empty"));
        QVERIFY(problem_of({{"kind", "pairs"}}).startsWith("model is empty"));
        Json pairs = {{"kind", "pairs"}, {"model", "tiny"}, {"stop", {""}}};
        QVERIFY(problem_of(pairs).contains("empty text"));
        const Json complete = complete_recipe({{"kind", "win_rate"}, {"base", "tiny"}, {"tuned", "tiny"}});
        QCOMPARE(complete["temperature"].get<double>(), 0.2); // the paper's
        QCOMPARE(complete["top_p"].get<double>(), 0.9);
        QCOMPARE(complete["repetition_penalty"].get<double>(), 1.1);
        QCOMPARE(complete["max_tokens"].get<int>(), 512);
        QCOMPARE(complete["prompts"].get<int>(), 200);
    }

    void aRemoteJudgeNeedsAnEndpoint() {
        Json win = {{"kind", "win_rate"}, {"base", "tiny"}, {"tuned", "tiny"}, {"judge", "remote"}};
        QVERIFY(problem_of(win).startsWith("A remote judge needs judge_endpoint"));
        win["judge_endpoint"] = "nvidia";
        QVERIFY(problem_of(win).isEmpty());
        win["judge_style"] = "rubric-pair";
        QVERIFY(problem_of(win).isEmpty());
        Json pairs = {{"kind", "pairs"}, {"model", "tiny"}, {"judge", "remote"}, {"judge_endpoint", "x"}};
        QVERIFY(problem_of(pairs).isEmpty());
        pairs["judge_style"] = "rubric-pair"; // says nothing of one answer
        QVERIFY(problem_of(pairs).contains("judge_style must be"));
        Json rloo = {{"kind", "rloo"}, {"rewards", {"countdown", "remote:0.1"}}};
        QVERIFY(problem_of(rloo).startsWith("A remote judge needs judge_endpoint"));
        rloo["judge_endpoint"] = "lab";
        QVERIFY(problem_of(rloo).isEmpty());
    }

    void valuesSurviveTheRoundTrip() {
        Json recipe = {{"kind", "sweep"},
                       {"name", "mine"},
                       {"temperatures", {0, 0.7}},
                       {"n", 5},
                       {"stop", {"\n", "</answer>"}},
                       {"seed", 9007199254740991},
                       {"top_p", 1}};
        Json complete = complete_recipe(recipe);
        for (const auto& [key, value] : recipe.items())
            QVERIFY2(complete[key] == value, key.c_str());
        QCOMPARE(text_of(complete_recipe(complete)), text_of(complete));
        auto read = SweepRecipe::from(complete);
        QCOMPARE(read.temperatures, (std::vector<double>{0, 0.7}));
        QCOMPARE(read.seed, std::int64_t{9007199254740991});
        QCOMPARE(SftRecipe::from({{"epochs", 3}, {"batch_size", 8.0}}).batch_size, std::int64_t{8});
    }

    void aTypoNamesTheNearestField_data() {
        QTest::addColumn<QString>("recipe");
        QTest::addColumn<QString>("sentence");
        QTest::newRow("field")
            << R"({"kind":"sft","leaning_rate":1e-4})"
            << "Unknown field \"leaning_rate\" for a run of kind sft. Did you mean \"learning_rate\"?";
        QString kinds;
        for (const auto& kind : recipe_kinds())
            kinds += (kinds.isEmpty() ? "" : ", ") + QString::fromStdString(kind.kind);
        QTest::newRow("kind") << R"({"kind":"stf"})"
                              << "There is no kind of run \"stf\" (there are: " + kinds
                                     + "). Did you mean \"sft\"?";
        QTest::newRow("no kind")
            << R"({"epochs":1})"
            << "The recipe does not say which kind of run it is: add \"kind\", e.g. \"sft\".";
        QTest::newRow("choice") << R"({"kind":"sft","schedule":"cosin"})"
                                << "schedule must be \"linear\", \"cosine\" or \"constant\", but is "
                                   "\"cosin\". Did you mean \"cosine\"?";
        QTest::newRow("data")
            << R"({"kind":"sft","data":"countdwn"})"
            << "data must be \"countdown\" or \"arithmetic\" or the path of a data file or folder, "
               "but is \"countdwn\". "
               "Did you mean \"countdown\"?";
        QTest::newRow("range") << R"({"kind":"sft","learning_rate":5})"
                               << "learning_rate must be more than 0 and at most 1, but is 5.";
        QTest::newRow("exclusive") << R"({"kind":"sft","learning_rate":0})"
                                   << "learning_rate must be more than 0 and at most 1, but is 0.";
        QTest::newRow("fraction") << R"({"kind":"sft","batch_size":1.5})"
                                  << "batch_size must be a whole number, but is 1.5.";
        QTest::newRow("type") << R"({"kind":"sft","batch_size":"16"})"
                              << "batch_size must be a whole number, but is \"16\".";
        QTest::newRow("null") << R"({"kind":"sft","model":null})"
                              << "model must be a text in quotes, but is null.";
        QTest::newRow("huge") << R"({"kind":"sft","seed":1e300})"
                              << "seed must be a whole number, but is 1e+300.";
        QTest::newRow("list") << R"({"kind":"sweep","temperatures":0.7})"
                              << "temperatures must be a list of numbers, but is 0.7.";
        QTest::newRow("element") << R"({"kind":"sweep","temperatures":[0.7,-1]})"
                                 << "temperatures must be at least 0 and at most 100, but is -1.";
        QTest::newRow("name") << R"({"kind":"sweep","name":3})"
                              << "name must be a text in quotes.";
        QTest::newRow("array") << "[]"
                               << "A recipe must be a JSON object of fields.";
    }

    void aTypoNamesTheNearestField() {
        QFETCH(QString, recipe);
        QFETCH(QString, sentence);
        QCOMPARE(problem_of(Json::parse(recipe.toStdString())), sentence);
    }

    void fieldsAreCheckedAgainstEachOther_data() {
        QTest::addColumn<QString>("recipe");
        QTest::addColumn<QString>("field");
        QTest::newRow("patience") << R"({"kind":"sft","patience":3,"eval_steps":0})"
                                  << "patience";
        QTest::newRow("evaluation") << R"({"kind":"sft","validation_examples":0,"eval_steps":200})"
                                    << "eval_steps";
        QTest::newRow("patience alone") << R"({"kind":"sft","validation_examples":0,"patience":3})"
                                        << "patience";
        QTest::newRow("targets") << R"({"kind":"sft","method":"lora","lora_targets":[]})"
                                 << "lora_targets";
        QTest::newRow("all of what is made") << R"({"kind":"sft","examples":0})"
                                             << "examples";
        QTest::newRow("random lora") << R"({"kind":"sft","method":"lora","initialise":"random"})"
                                     << "method";
        QTest::newRow("warm-up") << R"({"kind":"sft","max_steps":50,"warmup_steps":100})"
                                 << "warmup_steps";
        QTest::newRow("no model") << R"({"kind":"sft","model":""})"
                                  << "model";
        QTest::newRow("reference") << R"({"kind":"dpo","reference":"adapter_off"})"
                                   << "reference";
        QTest::newRow("smoothing") << R"({"kind":"dpo","loss":"hinge","label_smoothing":0.1})"
                                   << "label_smoothing";
        QTest::newRow("divergence unmeasured") << R"({"kind":"rloo","kl_coef":0,"kl_limit":5})"
                                               << "kl_limit";
        QTest::newRow("length never reached")
            << R"({"kind":"rloo","rewards":["countdown","length"],"max_tokens":32,"length_limit":32})"
            << "length_limit";
        QTest::newRow("limit of no reward") << R"({"kind":"rloo","length_limit":32})"
                                            << "length_limit";
        QTest::newRow("no temperature") << R"({"kind":"sweep","temperatures":[]})"
                                        << "temperatures";
        QTest::newRow("twice") << R"({"kind":"sweep","temperatures":[0.7,1,0.7]})"
                               << "temperatures";
        QTest::newRow("adapter on an endpoint")
            << R"({"kind":"sweep","model":"endpoint:vllm/m","adapter":"a"})"
            << "adapter";
        QTest::newRow("empty stop") << R"({"kind":"sweep","stop":["a",""]})"
                                    << "stop";
    }

    void fieldsAreCheckedAgainstEachOther() {
        QFETCH(QString, recipe);
        QFETCH(QString, field);
        auto problems = check_recipe(Json::parse(recipe.toStdString()));
        QCOMPARE(problems.size(), std::size_t{1});
        QCOMPARE(QString::fromStdString(problems.front().field), field);
        QVERIFY_THROWS_EXCEPTION(Error, complete_recipe(Json::parse(recipe.toStdString())));
    }

    void whatNothingUsesIsRefused_data() {
        QTest::addColumn<QString>("recipe");
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("sentence");
        for (const char* kind :
             {R"("rloo")", R"("pairs","model":"m")", R"("win_rate","base":"a","tuned":"b")"})
            for (const char* field : {"reward_model", "judge_endpoint", "judge_model"}) {
                const bool rloo = std::string_view(kind).starts_with("\"rloo");
                const QString role =
                    QString(field) == "reward_model" ? (rloo ? "model" : "reward_model") : "remote";
                QTest::addRow("%s of %s", field, kind)
                    << QString(R"({"kind":%1,"%2":"x"})").arg(kind, field) << field
                    << (rloo ? QString("%1 is set, but rewards does not name \"%2\": add it to rewards, or "
                                       "leave %1 empty.")
                             : QString("%1 is set, but judge is \"constraints\": set judge to \"%2\", or "
                                       "leave %1 empty."))
                           .arg(field, role);
            }
        for (const char* kind : {"sft", "dpo", "reward", "rloo", "sweep"})
            QTest::addRow("columns of %s", kind)
                << QString(R"({"kind":"%1","columns":"prompt=q"})").arg(kind) << "columns"
                << "columns is set, but data \"countdown\" is no file: name a data file or folder in data, "
                   "or "
                   "leave columns empty.";
        for (const char* field : {"endpoint", "teacher_model"})
            QTest::addRow("solver %s", field)
                << QString(R"({"kind":"synthetic","%1":"x"})").arg(field) << field
                << QString(
                       "%1 is set, but the teacher is the solver: set teacher to \"endpoint\", or leave %1 "
                       "empty.")
                       .arg(field);
    }

    void whatNothingUsesIsRefused() {
        QFETCH(QString, recipe);
        QFETCH(QString, field);
        QFETCH(QString, sentence);
        const Json json = Json::parse(recipe.toStdString());
        QCOMPARE(problem_of(json), sentence);
        QCOMPARE(check_recipe(json).size(), std::size_t{1});
        Json without = json;
        without.erase(field.toStdString());
        QVERIFY(check_recipe(without).empty());
    }

    void whatIsUsedIsNot() {
        Json rloo = {{"kind", "rloo"},         {"rewards", {"model", "remote:0.1", "length"}},
                     {"reward_model", "m"},    {"judge_endpoint", "lab"},
                     {"judge_model", "judge"}, {"length_limit", 20}};
        QVERIFY(check_recipe(rloo).empty());
        // how a thing is used rests with the thing
        QVERIFY(check_recipe({{"kind", "rloo"}, {"reward_text", "plain"}, {"judge_style", "rubric-score"}})
                    .empty());
        QVERIFY(check_recipe({{"kind", "sft"}, {"lora_r", 4}}).empty());
        for (const char* data : {"rows.jsonl", "@pairs/best.jsonl", "run:abc", "owner/name"})
            QVERIFY2(check_recipe({{"kind", "sft"}, {"data", data}, {"columns", "prompt=q"}}).empty(), data);
    }

    void defaultsGiveWayToWhatIsSet() {
        Json shorter = complete_recipe({{"kind", "sft"}, {"max_steps", 50}});
        QCOMPARE(shorter["warmup_steps"].get<int>(), 5);
        QCOMPARE(complete_recipe({{"kind", "sft"}, {"max_steps", 5000}})["warmup_steps"].get<int>(), 100);
        QCOMPARE(text_of(complete_recipe(shorter)), text_of(shorter));
        Json blind = complete_recipe({{"kind", "sft"}, {"validation_examples", 0}});
        QCOMPARE(blind["eval_steps"].get<int>(), 0);
        const Json free = complete_recipe({{"kind", "rloo"}, {"kl_coef", 0}});
        QCOMPARE(free["kl_limit"].get<double>(), 0.0);
        QCOMPARE(complete_recipe({{"kind", "rloo"}})["kl_limit"].get<double>(), 50.0);
        QCOMPARE(text_of(complete_recipe(blind)), text_of(blind));
    }

    void allProblemsAreReportedAtOnce() {
        auto problems = check_recipe({{"kind", "sft"}, {"epochz", 1}, {"batch_size", 0}, {"dtype", "fp32"}});
        std::set<std::string> fields;
        for (const auto& problem : problems)
            fields.insert(problem.field);
        QCOMPARE(fields, (std::set<std::string>{"epochz", "batch_size", "dtype"}));
    }

    void typedTextBecomesAValue() {
        QVERIFY(parsed("sft", "learning_rate", " 5e-6 ") == Json(5e-6));
        QVERIFY(parsed("sft", "batch_size", "+8") == Json(8));
        QVERIFY(parsed("sft", "max_steps", "1e3").is_number_integer());
        QVERIFY(parsed("sft", "model", " some folder/x ") == Json("some folder/x"));
        QVERIFY(parsed("sweep", "temperatures", "0.1, 0.3,1") == Json({0.1, 0.3, 1}));
        QVERIFY(parsed("sweep", "temperatures", "[0.1,0.3]") == Json({0.1, 0.3}));
        QVERIFY(parsed("sweep", "stop", "\\n,</answer>,a\\,b") == Json({"\n", "</answer>", "a,b"}));
        QVERIFY(parsed("sweep", "stop", "") == Json::array());
        QVERIFY(parsed("sft", "lora_targets", "all-linear") == Json({"all-linear"}));
    }

    void typedNonsenseIsRefused_data() {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("field");
        QTest::addColumn<QString>("text");
        QTest::newRow("word") << "sft"
                              << "learning_rate"
                              << "fast";
        QTest::newRow("empty") << "sft"
                               << "learning_rate"
                               << "";
        QTest::newRow("trailing") << "sft"
                                  << "learning_rate"
                                  << "1e-4x";
        QTest::newRow("comma") << "sft"
                               << "learning_rate"
                               << "0,5";
        QTest::newRow("nan") << "sft"
                             << "learning_rate"
                             << "nan";
        QTest::newRow("overflow") << "sft"
                                  << "learning_rate"
                                  << "1e999";
        QTest::newRow("fraction") << "sft"
                                  << "batch_size"
                                  << "2.5";
        QTest::newRow("range") << "sft"
                               << "batch_size"
                               << "0";
        QTest::newRow("choice") << "sft"
                                << "method"
                                << "qlora";
        QTest::newRow("hole") << "sweep"
                              << "temperatures"
                              << "0.1,,0.3";
        QTest::newRow("broken list") << "sweep"
                                     << "temperatures"
                                     << "[0.1,";
        QTest::newRow("list of texts") << "sweep"
                                       << "temperatures"
                                       << "[\"a\"]";
    }

    void typedNonsenseIsRefused() {
        QFETCH(QString, kind);
        QFETCH(QString, field);
        QFETCH(QString, text);
        try {
            parsed(kind.toStdString(), field.toStdString(), text.toStdString());
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::bad_input);
            QVERIFY2(QString(error.what()).contains(field), error.what());
        }
    }

    void theResourcesAreFound() {
        QVERIFY(std::filesystem::is_directory(resource_folder() / "recipes"));
        qputenv("TEMPERA_WORKSPACE", "/somewhere");
        QCOMPARE(default_workspace(), std::filesystem::path("/somewhere"));
    }
};

QTEST_APPLESS_MAIN(TestRecipeFields)
#include "tst_recipe_fields.moc"
