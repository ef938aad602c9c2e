#pragma once

#include "ui/charts/chart_style.h"

#include <QWidget>

class QCPPainter;

namespace tempera {

/// What every chart of the program can do: be painted on any device in a style, be exported, be read as a
/// table and aloud.
class Chart : public QWidget {
    Q_OBJECT

public:
    explicit Chart(const QString& title, QWidget* parent = nullptr);

    QString title() const { return title_; }
    /// Paints the chart at `size` (in its own pixels, 96 an inch) with its title.
    virtual void paintChart(QCPPainter& painter, const QSizeF& size, const ChartStyle& style) = 0;
    /// What the chart shows as comma separated values with a header line, all points and full precision.
    virtual QString csv() const = 0;
    /// One or two sentences for a screen reader.
    virtual QString summary() const = 0;
    /// Back to the whole data.
    virtual void resetView() {}

public Q_SLOTS:
    /// What it has written is told by a status tip.
    void openExportDialog();
    void copyCsv();
    void copyImage();

protected:
    void contextMenuEvent(QContextMenuEvent* event) override;
    void changeEvent(QEvent* event) override;
    /// Colours or fonts changed.
    virtual void restyle() = 0;
    void updateAccessibleText();
    /// A frame where the keyboard is, on the screen only.
    void paintFocus(QPainter& painter, const ChartStyle& style) const;

private:
    QString title_;
};

} // namespace tempera
