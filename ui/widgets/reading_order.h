#pragma once

#include <vector>

class QWidget;

namespace tempera {

/// Lets Tab go through `widgets` in this order, as one reads them; one that takes no focus itself stands for
/// what is inside it, in the order it was made. Null ones are left out.
void setReadingOrder(const std::vector<QWidget*>& widgets);

} // namespace tempera
