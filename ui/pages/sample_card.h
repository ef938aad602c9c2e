#pragma once

#include "core/store/records.h"

#include <QFrame>

class QLabel;
class QTextBrowser;

namespace tempera {

class ElidedLabel;

/// One completion: verdict and score, tokens, finish, log-probability; the text with <think> dimmed and
/// <answer> marked; the equation with its value against the target, and why.
class SampleCard final : public QFrame {
    Q_OBJECT

public:
    explicit SampleCard(QWidget* parent = nullptr);

    /// `in_think`: the prompt ends inside <think>. `target` is "" where there is none.
    void setSample(const Sample& sample, const QString& target, bool in_think);
    const Sample& sample() const { return sample_; }
    void setChosen(bool chosen);   ///< the one the verifier picks: accent edge
    void setCurrent(bool current); ///< the one the keys act on
    void setPinned(bool pinned);
    void setCounted(bool counted); ///< among the first N; others are dimmed
    void setWhole(bool whole);     ///< show all of a very long text
    QTextBrowser* body() const { return body_; }
    bool chosen() const { return chosen_; }
    QString equationLine() const;

    /// The completion as HTML; at most `limit` characters of it.
    static QString render(const QString& text, bool in_think, qsizetype limit, const QPalette& palette);

Q_SIGNALS:
    void pressed();
    void opened();

protected:
    void mousePressEvent(QMouseEvent* event) override;
    bool eventFilter(QObject* watched, QEvent* event) override;
    void changeEvent(QEvent* event) override;

private:
    void refresh();
    void setMark(const char* name, bool value);

    Sample sample_;
    QString target_;
    bool in_think_ = false, chosen_ = false, current_ = false, pinned_ = false, counted_ = true,
         whole_ = false;
    QLabel *symbol_, *score_, *marks_;
    ElidedLabel *facts_, *equation_;
    QLabel* reason_;
    QTextBrowser* body_;
};

} // namespace tempera
