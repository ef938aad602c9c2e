#pragma once

#include "ui/pages/completion.h"
#include "ui/pages/token_lens.h"
#include "ui/pages/word_diff.h"

#include <QFrame>

#include <optional>
#include <vector>

class QLabel;
class QTextBrowser;

namespace tempera {

class ClampedLabel;
class ElidedLabel;

/// One completion: verdict and score, tokens, finish, what its reward was made of; the text with <think>
/// dimmed and <answer> marked, or its tokens tinted by a lens, or what differs from another completion; the
/// answer, and why.
class CompletionCard final : public QFrame {
    Q_OBJECT

public:
    explicit CompletionCard(QWidget* parent = nullptr);

    void setCompletion(const Completion& completion);
    const Completion& completion() const { return completion_; }
    void setChosen(bool chosen);   ///< the one the verifier picks: accent edge
    void setCurrent(bool current); ///< the one the keys act on
    void setPinned(bool pinned);
    void setCounted(bool counted); ///< among the first N; others are dimmed
    void setWhole(bool whole);     ///< show all of a very long text
    /// Tints the tokens; without pieces (not read yet, or nothing to read) the plain text stays.
    void setLens(Lens lens, const std::vector<QString>& pieces);
    /// Underlines these parts of the text; nullopt: no comparison. Goes before the lens.
    void setDifference(std::optional<std::vector<TextRange>> ranges, const QString& other);
    /// The token that the keys or the mouse stand on, -1 = none; false where there is no such token shown.
    bool setCurrentToken(int token);
    int currentToken() const { return token_; }
    /// All about the current token, "" without one.
    QString tokenText() const;
    bool lensShown() const { return lens_ != Lens::none && !pieces_.empty() && !ranges_; }

    QTextBrowser* body() const { return body_; }
    bool chosen() const { return chosen_; }

    /// The completion as HTML; at most `limit` characters of it.
    static QString render(const QString& text, bool in_think, qsizetype limit);

Q_SIGNALS:
    void pressed();
    void opened();
    void tokenHovered();

protected:
    void mousePressEvent(QMouseEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    void refresh();
    void refreshBody();
    void showTokens();
    void showDifference();
    void setMark(const char* name, bool value);

    Completion completion_;
    bool chosen_ = false, current_ = false, pinned_ = false, counted_ = true, whole_ = false;
    Lens lens_ = Lens::none;
    std::vector<QString> pieces_;
    std::optional<std::vector<TextRange>> ranges_;
    QString compared_with_;
    int token_ = -1;
    QLabel *symbol_, *score_, *numbers_;
    ElidedLabel* marks_;
    ClampedLabel* note_;
    ElidedLabel *facts_, *answer_;
    QTextBrowser* body_;
};

} // namespace tempera
