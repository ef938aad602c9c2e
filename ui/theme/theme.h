#pragma once

#include "core/store/records.h"

#include <QColor>
#include <QPalette>
#include <QString>

class QApplication;

namespace tempera {

enum class Scheme { light, dark, contrast };

/// The colours of one scheme. Colour carries meaning only: one accent for selection and the primary action,
/// one colour per state of a run (always shown together with an icon), the Okabe-Ito series for charts.
struct Theme {
    Scheme scheme = Scheme::light;
    QColor window, surface, raised, line, text, muted;
    QColor accent, accent_ink;
    QColor running, done, failed, paused, queued;
    QColor grid, axis;
    QColor off;   ///< what cannot be used now
    QColor track; ///< what a bar has still to fill

    static const Theme& of(Scheme scheme);
    /// The theme whose palette is (nearest to) `palette`.
    static const Theme& of(const QPalette& palette);

    /// That of the program's palette. Not a widget's own: a style sheet may have changed its colours.
    static const Theme& current();

    /// What is chosen, over any surface.
    QColor tint() const;

    QPalette palette() const;
    QString styleSheet() const;
    QColor stateColor(RunStatus status) const;
    /// Okabe-Ito order, lightened where it would not be seen on a dark surface; wraps after eight.
    QColor seriesColor(int index) const;
};

/// Fusion style, palette and style sheet for the whole program.
void applyTheme(QApplication& application, Scheme scheme);

/// Contrast ratio of WCAG 2.1, 1 .. 21.
double contrastRatio(const QColor& a, const QColor& b);
/// `color` as it is seen on `ground`.
QColor seenOn(const QColor& color, const QColor& ground);
/// Black or white, whichever reads better on `background`.
QColor inkOn(const QColor& background);

} // namespace tempera
