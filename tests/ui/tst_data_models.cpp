#include "ui/models/issue_tree_model.h"
#include "ui/models/row_table_model.h"

#include <QAbstractItemModelTester>
#include <QSignalSpy>
#include <QTest>

using namespace tempera;

/// The item models of the Data area.
class TestDataModels : public QObject {
    Q_OBJECT

private Q_SLOTS:
    void theTableModelKeepsItsContract() {
        RowTableModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        QSignalSpy wanted(&model, &RowTableModel::rowsWanted);
        model.setColumns({{"a", "text", ""}, {"b", "text", ""}});
        model.setCount(100);
        model.setCount(300);
        QCOMPARE(model.rowCount(), 300);
        QCOMPARE(model.index(200, 0).data().toString(), QStringLiteral("…"));
        QTRY_VERIFY(!wanted.isEmpty());
        JsonRow row{Json{{"a", "x\ny"}, {"b", Json::array({1, 2})}}, 1, "f", ""},
            broken{nullptr, 2, "f", "f row 2 is cut"};
        model.setRows(128, {row, broken});
        QCOMPARE(model.index(128, 0).data().toString(), QStringLiteral("x y"));
        QCOMPARE(model.index(128, 1).data().toString(), QStringLiteral("[1,2]"));
        QCOMPARE(model.index(129, 0).data().toString(), QStringLiteral("f row 2 is cut"));
        for (int block = 0; block < 300; ++block)
            model.setRows(block * 128, {row});
        QVERIFY(model.blockCount() <= RowTableModel::most_blocks);
        model.setColumns({});
        QCOMPARE(model.rowCount(), 0);
    }

    void issuesNameRowsAsTheTableDoes() {
        auto report = std::make_shared<ValidationReport>();
        report->issues.push_back(
            {RowIssue::missing, 1, {{"a.csv", 4, 2, "a.csv row 4 has no column \"x\"."}}});
        report->issues.push_back({RowIssue::duplicate, 1, {{"a.csv", 7, 5, "as row 3 of the split"}}});
        IssueTreeModel model;
        model.setReport(report);
        const auto line = [&](int issue) { return model.index(0, 0, model.index(issue, 0)); };
        QCOMPARE(line(0).data().toString(), QStringLiteral("row 3 has no column \"x\"."));
        QCOMPARE(line(1).data().toString(), QStringLiteral("row 6: as row 3 of the split"));
        QVERIFY(line(0).data(Qt::ToolTipRole).toString().startsWith(QStringLiteral("a.csv row 4 ")));
    }
};

QTEST_MAIN(TestDataModels)
#include "tst_data_models.moc"
