#pragma once

#include <QDialog>

class QComboBox;
class QDoubleSpinBox;
class QLabel;
class QLineEdit;

namespace tempera {

class Chart;

/// Format, width on paper and file of an exported chart.
class ExportDialog final : public QDialog {
    Q_OBJECT

public:
    explicit ExportDialog(Chart& chart, QWidget* parent = nullptr);

    void setFileName(const QString& file_name);
    QString fileName() const;

public Q_SLOTS:
    void accept() override;

private:
    void chooseFile();
    void formatChanged();
    void fitProblem();

    Chart& chart_;
    QComboBox* format_;
    QDoubleSpinBox* width_;
    QDoubleSpinBox* height_;
    QLineEdit* file_;
    QLabel* problem_;
};

} // namespace tempera
