#pragma once

#include <QWidget>

class QHBoxLayout;
class QVBoxLayout;

namespace tempera {

class ElidedLabel;

/// The head of a page on one thing: its name as a title, below it a muted line on it; what the page puts
/// beside them goes into line(), what it puts below into column().
class PageHead final : public QWidget {
    Q_OBJECT

public:
    explicit PageHead(QWidget* parent = nullptr);

    ElidedLabel* name() const { return name_; }
    ElidedLabel* about() const { return about_; }
    QHBoxLayout* line() const { return line_; }
    QVBoxLayout* column() const { return column_; }

private:
    ElidedLabel *name_, *about_;
    QHBoxLayout* line_;
    QVBoxLayout* column_;
};

} // namespace tempera
