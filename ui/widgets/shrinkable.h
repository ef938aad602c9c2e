#pragma once

class QComboBox;
class QWidget;

namespace tempera {

/// Lets a box be narrower than what it offers, down to about `characters`; its tip is then what it shows.
void shrinkable(QComboBox* box, int characters);

/// Gives the parents of `changed`, up to `top`, their new sizes at once. Left to the event loop they learn of
/// them one after the other, and a form that was just filled is seen squeezed.
void settleLayouts(QWidget* changed, const QWidget* top);

} // namespace tempera
