#pragma once

#include "ui/pages/token_lens.h"

#include <QWidget>

namespace tempera {

/// The colours of a lens from its lowest to its highest value, with what they mean at the ends.
class LensLegend final : public QWidget {
public:
    explicit LensLegend(QWidget* parent = nullptr);
    void setLens(Lens lens);
    QSize sizeHint() const override;

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    std::pair<QString, QString> ends() const;

    Lens lens_ = Lens::none;
};

} // namespace tempera
