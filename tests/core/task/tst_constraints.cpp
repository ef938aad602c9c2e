#include "core/base/error.h"
#include "core/base/random.h"
#include "core/task/answer_text.h"
#include "core/task/constraints.h"

#include <QElapsedTimer>
#include <QTest>

using namespace tempera;

namespace {

std::string facts(const std::string& list) {
    return R"({"constraints":[)" + list + "]}";
}

bool met(const std::string& constraint, const std::string& answer) {
    return check_constraints(facts(constraint), answer).all;
}

} // namespace

class TestConstraints : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void everyKindTellsRightFromWrong_data() {
        QTest::addColumn<QString>("constraint");
        QTest::addColumn<QString>("right");
        QTest::addColumn<QString>("wrong");
        auto row = [](const char* name, const char* constraint, const char* right, const char* wrong) {
            QTest::newRow(name) << QString(constraint) << QString::fromUtf8(right)
                                << QString::fromUtf8(wrong);
        };
        row("words at least", R"({"type":"words","at_least":3})", "one two, three", "one - two !");
        row("words at most", R"({"type":"words","at_most":2})", "one well-known", "one two three");
        row("words between", R"({"type":"words","at_least":2,"at_most":3})", "a b c", "a b c d");
        row("words, wide blanks", R"({"type":"words","exactly":2})", "\u00E9t\u00E9\u2003\u4E8C",
            "\u00E9t\u00E9");
        row("sentences", R"({"type":"sentences","exactly":2})", "It cost 3.5 coins. Was it dear?",
            "It cost 3.5 coins");
        row("sentences, quotes and dots", R"({"type":"sentences","exactly":2})",
            "\"Well...\" he said (\"No.\")!", "Well... he. Said. No.");
        row("sentences, lines", R"({"type":"sentences","exactly":3})", "A heading\nFirst one. Second one",
            "A heading First one. Second one");
        row("sentences, numbers of a list", R"({"type":"sentences","exactly":2})", "1. Wash it.\n2. Dry it.",
            "1. Wash it. 2. Dry it. Done.");
        row("paragraphs", R"({"type":"paragraphs","exactly":2})", "a\nb\n\n \n\nc", "a\nb\nc");
        row("bullets", R"({"type":"bullets","exactly":3})", "Here:\n- a\n  * b\n\u2022 c\n- \n-d",
            "- a\n- b");
        row("numbered", R"({"type":"numbered","at_least":2})", "1. a\n 2) b", "1.a\n2 b");
        row("capital words", R"({"type":"capital_words","at_least":2})", "NASA and \u00C9T\u00C9 A",
            "Nasa and A I");
        row("highlights", R"({"type":"highlights","exactly":2})", "* a *good* thing, **very good**\n* 2 * 3",
            "* a *good thing\n* b");
        row("placeholders", R"({"type":"placeholders","at_least":2})", "Dear [name], [ 1 ]",
            "Dear [name], [");
        row("include", R"({"type":"include","text":"tide","at_least":2})", "Tide, TIDE!", "Tides and tide");
        row("include once", R"({"type":"include","text":"high tide"})", "at High tide.", "high  tide");
        row("include exactly", R"({"type":"include","text":"sea","exactly":1})", "sea season", "sea, sea");
        row("include other scripts", R"({"type":"include","text":"\u00DCBER"})", "das \u00FCber",
            "das \u00FCbers");
        row("avoid", R"({"type":"avoid","text":"very"})", "every verb", "Very good");
        row("avoid, whatever the apostrophe", R"({"type":"avoid","text":"can't"})", "cannot",
            "You can\u2019t");
        row("include, whatever the apostrophe", R"({"type":"include","text":"can\u2019t"})", "You can't",
            "You cant");
        row("starts with a word", R"({"type":"starts_with","text":"In"})", "In, deed", "Indeed");
        row("ends with a word", R"({"type":"ends_with","text":"end"})", "the end", "the weekend");
        row("ends with a mark", R"({"type":"ends_with","text":"?"})", "Why?", "Why");
        row("upper needs letters", R"({"type":"upper"})", "A 123 456", "123 456");
        row("lower needs letters", R"({"type":"lower"})", "a 123 456", "123 456");
        row("one quotation", R"({"type":"quotation"})", "\"He said \"hi\" to me.\"", "\"a\" and \"b\"");
        row("one curly quotation", R"({"type":"quotation"})", "\u201CHe said \u201Chi\u201D.\u201D",
            "\u201Ca\u201D and \u201Cb\u201D");
        row("quotation, nested at its ends", R"({"type":"quotation"})", "\"He said (\"hi\")\"",
            "\"a\", \"b\"");
        row("quotation, escaped", R"({"type":"quotation"})", "\"He said \\\"hi\\\"\"", "\"a\" b");
        row("starts with", R"({"type":"starts_with","text":"Dear reader"})", "\n dear READER, hi",
            "My dear reader");
        row("ends with", R"({"type":"ends_with","text":"The end."})", "So. the end.\n", "The end. So");
        row("lower", R"({"type":"lower"})", "na\u00EFve 3 words", "naive Words");
        row("upper", R"({"type":"upper"})", "NA\u00CFVE 3!", "NA\u00EFVE");
        row("no commas", R"({"type":"no_commas"})", "one; two", "one, two");
        row("no digits", R"({"type":"no_digits"})", "two", "two 2");
        row("quotation", R"({"type":"quotation"})", " \"Hi there\"\n", "He said \"hi\"");
        row("curly quotation", R"({"type":"quotation"})", "\u201CHi\u201D", "\u201CHi\"");
        row("title", R"({"type":"title"})", "<<Of tides>>\nText", "<<Of\ntides>> << >>");
        row("postscript", R"({"type":"postscript"})", "Dear you,\n P.S. Bring bread.",
            "Dear you, P.S. Bring bread.");
        row("postscript needs text", R"({"type":"postscript"})", "Hi\nP. S. x", "Hi\nP.S.\n");
        row("json", R"({"type":"json","keys":["a","b"]})", R"({"a":1,"b":[2]})", R"({"a":1})");
        row("json in a fence", R"({"type":"json"})", "```json\n{\"a\":1}\n```", "Here: {\"a\":1}");
        row("json list", R"({"type":"json"})", "{\"a\":{}}", "[1,\"a\"]");
    }

    void everyKindTellsRightFromWrong() {
        QFETCH(QString, constraint);
        QFETCH(QString, right);
        QFETCH(QString, wrong);
        QVERIFY2(met(constraint.toStdString(), right.toStdString()),
                 check_constraints(facts(constraint.toStdString()), right.toStdString()).reason.c_str());
        QVERIFY(!met(constraint.toStdString(), wrong.toStdString()));
    }

    void theScoreIsTheShareThatIsMet() {
        const std::string list = facts(R"({"type":"words","at_least":2},{"type":"no_commas"},
            {"type":"include","text":"sea","at_least":2},{"type":"lower"})");
        ConstraintVerdict verdict = check_constraints(list, "the sea, wide");
        QCOMPARE(verdict.score, 0.5);
        QVERIFY(!verdict.all);
        QCOMPARE(
            QString::fromStdString(verdict.reason),
            QString("2 of 4 constraints are met: it has a comma; \"sea\" 1 times, asked for at least 2."));
        verdict = check_constraints(list, "sea to sea");
        QCOMPARE(verdict.score, 1.0);
        QVERIFY(verdict.all);
        QCOMPARE(QString::fromStdString(verdict.reason), QString("4 of 4 constraints are met."));
    }

    /// Else saying nothing would be the best answer to "use no commas".
    void anEmptyAnswerMeetsNothing() {
        for (const char* answer : {"", " \n\t", "!?", "\xff\xfe"})
            QCOMPARE(check_constraints(facts(R"({"type":"no_commas"},{"type":"words","at_most":5})"), answer)
                         .score,
                     0.0);
    }

    void wrongFactsAreRefusedByName_data() {
        QTest::addColumn<QString>("text");
        QTest::addColumn<QString>("part");
        QTest::newRow("no JSON") << "{"
                                 << "not valid JSON";
        QTest::newRow("other facts") << R"({"nums":[1]})"
                                     << "no constraints";
        QTest::newRow("a list") << "[]"
                                << "no constraints";
        QTest::newRow("empty") << R"({"constraints":[]})"
                               << "no constraints";
        QTest::newRow("no type") << R"({"constraints":[{"type":"lower"},{}]})"
                                 << "constraint 2 lacks";
        QTest::newRow("unknown") << R"({"constraints":[{"type":"bulets","exactly":1}]})"
                                 << "\"bullets\"";
        QTest::newRow("no count") << R"({"constraints":[{"type":"words"}]})"
                                  << "at_least";
        QTest::newRow("two counts") << R"({"constraints":[{"type":"words","exactly":1,"at_most":2}]})"
                                    << "beside";
        QTest::newRow("negative") << R"({"constraints":[{"type":"words","at_least":-1}]})"
                                  << "whole number";
        QTest::newRow("half") << R"({"constraints":[{"type":"words","at_least":1.5}]})"
                              << "whole number";
        QTest::newRow("empty range") << R"({"constraints":[{"type":"words","at_least":3,"at_most":2}]})"
                                     << "more than it allows";
        QTest::newRow("no text") << R"({"constraints":[{"type":"avoid"}]})"
                                 << "lacks \"text\"";
        QTest::newRow("blank text") << R"({"constraints":[{"type":"avoid","text":"  "}]})"
                                    << "blank";
        QTest::newRow("other key") << R"({"constraints":[{"type":"lower","at_least":2}]})"
                                   << "does not take";
        QTest::newRow("keys") << R"({"constraints":[{"type":"json","keys":[1]}]})"
                              << "list of texts";
    }

    void wrongFactsAreRefusedByName() {
        QFETCH(QString, text);
        QFETCH(QString, part);
        try {
            check_constraints(text.toStdString(), "an answer");
            QFAIL("accepted");
        } catch (const Error& error) {
            QCOMPARE(error.kind(), ErrorKind::bad_input);
            QVERIFY2(QString(error.what()).contains(part), error.what());
        }
    }

    void takesAnyBytes() {
        const std::string all = facts(
            R"({"type":"words","at_least":2},{"type":"sentences","at_least":1},{"type":"paragraphs","exactly":1},
               {"type":"bullets","exactly":1},{"type":"numbered","exactly":1},{"type":"capital_words","exactly":1},
               {"type":"highlights","exactly":1},{"type":"placeholders","exactly":1},{"type":"include","text":"a"},
               {"type":"avoid","text":"b"},{"type":"starts_with","text":"c"},{"type":"ends_with","text":"d"},
               {"type":"lower"},{"type":"upper"},{"type":"no_commas"},{"type":"no_digits"},{"type":"quotation"},
               {"type":"title"},{"type":"postscript"},{"type":"json","keys":["a"]})");
        RandomStream random(7);
        const std::string pieces[] = {"\xff", "\xe2\x80", "*",        "**",  "<<",   ">>",  "[",    "]",
                                      "\"",   "{",        "}",        "```", "P.S.", "\n",  "\n\n", "- ",
                                      "1. ",  "a",        "\xc3\xa9", " ",   ".",    "\0x", ","};
        for (int round = 0; round < 3000; ++round) {
            std::string text;
            for (std::uint32_t i = random.below(40); i > 0; --i)
                text += pieces[random.below(std::size(pieces))];
            const ConstraintVerdict verdict = check_constraints(all, text);
            QVERIFY(verdict.score >= 0 && verdict.score <= 1);
            QCOMPARE(verdict.all, verdict.score == 1.0);
        }
    }

    /// Texts that make a careless search quadratic: a million characters would then take minutes.
    void longTextsTakeLinearTime() {
        const std::string all = facts(
            R"({"type":"highlights","exactly":1},{"type":"placeholders","exactly":1},{"type":"title"},
               {"type":"include","text":"aaaaaaab"},{"type":"sentences","exactly":1},{"type":"json"})");
        for (const char* piece :
             {"[", "*a", "* ", "<<", "a", ".", "{\"", "\"", "\xff", "a.\" ", "- \n", "[a<<"}) {
            std::string text;
            while (text.size() < 1'000'000)
                text += piece;
            QElapsedTimer timer;
            timer.start();
            check_constraints(all, text);
            QVERIFY2(timer.elapsed() < 20'000, piece);
        }
    }
};

QTEST_APPLESS_MAIN(TestConstraints)
#include "tst_constraints.moc"
