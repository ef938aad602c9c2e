#pragma once

#include <QLabel>

namespace tempera {

/// Plain text in at most so many lines; what does not fit ends in an ellipsis and is in the tip. It always
/// takes the room of all its lines, so that what stands above it keeps its place.
class ClampedLabel final : public QLabel {
public:
    ClampedLabel(int lines, QWidget* parent = nullptr);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override;
    /// True where the text does not fit.
    bool clamped() const;

protected:
    void paintEvent(QPaintEvent* event) override;
    bool event(QEvent* event) override;

private:
    /// The lines as they are painted.
    QStringList shownLines() const;

    int lines_;
};

} // namespace tempera
