#pragma once

#include "core/data/token_preview.h"

#include <QWidget>

#include <vector>

class QComboBox;
class QLabel;
class QTextEdit;

namespace tempera {

/// The tokens of an example: what is learnt tinted, the prompt plain, what is cut struck out. A token's
/// number, id and part stand in its tip. Of very many those at the beginning are shown, and some where
/// learning begins and where the row is cut.
class TokenView final : public QWidget {
    Q_OBJECT

public:
    explicit TokenView(QWidget* parent = nullptr);

    /// The texts of one row; of several the one whose title was chosen last is shown.
    void setPreviews(std::vector<TokenPreview> previews, std::int64_t max_length);
    /// Why there is nothing to show.
    void setProblem(const QString& sentence);
    /// "1,212 tokens, 140 learnt, 12 cut".
    QString summary() const;
    QTextEdit* text() const { return text_; }
    QComboBox* titleBox() const { return titles_; }
    /// What the tip at a place of the text says; "" where no token is.
    QString tokenLine(const QPoint& at) const;

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    struct Range {
        std::size_t begin = 0, end = 0; ///< of the tokens
    };
    /// Those that are shown, apart from each other and rising.
    std::vector<Range> shownRanges(const TokenPreview& preview) const;
    void refill();
    void writeTokens(const TokenPreview& preview);
    void writeSummary(const TokenPreview& preview);
    const TokenPreview* shown() const;

    std::vector<TokenPreview> previews_;
    std::int64_t max_length_ = 0;
    /// Of what is written, its end in the document, and which token it is; -1 = none, but what is left out.
    std::vector<std::pair<int, std::int64_t>> written_;
    QComboBox* titles_;
    QLabel* summary_;
    QTextEdit* text_;
};

} // namespace tempera
