#pragma once

#include <QWidget>

#include <vector>

class QGridLayout;

namespace tempera {

/// A line of a fact sheet.
struct Fact {
    QString label;
    QString text;
    bool warning = false; ///< shown with a warning sign
    bool mono = false;
    bool operator==(const Fact&) const = default;
};

/// What is known of a thing: labels at the left, texts at the right, which wrap and can be selected.
class FactGrid final : public QWidget {
    Q_OBJECT

public:
    explicit FactGrid(QWidget* parent = nullptr);
    void setFacts(std::vector<Fact> facts);
    const std::vector<Fact>& facts() const { return facts_; }
    /// "Label: text" a line, for the clipboard.
    QString text() const;

private:
    QGridLayout* grid_;
    std::vector<Fact> facts_;
};

} // namespace tempera
