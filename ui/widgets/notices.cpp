#include "ui/widgets/notices.h"

#include "ui/widgets/reading_order.h"

#include <QPushButton>
#include <QTimer>
#include <QVBoxLayout>

namespace tempera {

Notices::Notices(QWidget* parent) : QWidget(parent), column_(new QVBoxLayout(this)) {
    column_->setContentsMargins(0, 0, 0, 0);
    column_->setSpacing(0);
}

Banner* Notices::notice(Banner::Kind kind, const QString& sentence, const QString& details) {
    for (Banner* banner : banners())
        if (banner->text() == sentence) return banner; // said already
    auto* banner = new Banner(kind, sentence, details, this);
    connect(banner, &Banner::closed, banner, &QObject::deleteLater);
    place(banner);
    return banner;
}

void Notices::offerUndo(const QString& sentence, std::function<void()> undo, std::function<void()> expire) {
    auto* banner = new Banner(Banner::Kind::info, sentence, {}, this);
    auto* timer = new QTimer(banner);
    timer->setSingleShot(true);
    timer->setInterval(undo_ms_);
    QPushButton* button = banner->addAction(tr("&Undo"));
    button->setToolTip(tr("For ten seconds (Ctrl+Z)"));
    button->setObjectName(QStringLiteral("undo"));
    pending_[banner] = std::move(expire);
    connect(button, &QPushButton::clicked, banner, [this, banner, undo = std::move(undo)] {
        pending_.erase(banner);
        undo();
        end(banner);
    });
    connect(timer, &QTimer::timeout, this, [this, banner] { end(banner); });
    connect(banner, &Banner::closed, this, [this, banner] { end(banner); });
    place(banner);
    banner->show(); // at once: Ctrl+Z looks for it
    timer->start();
}

void Notices::place(Banner* banner) {
    const std::vector<Banner*> above = banners();
    column_->addWidget(banner);
    setReadingOrder({above.empty() ? anchor_ : above.back(), banner});
}

void Notices::end(Banner* banner) {
    banner->setObjectName(QString());
    banner->hide();
    banner->deleteLater();
    const auto found = pending_.find(banner);
    if (found == pending_.end()) return;
    const std::function<void()> expire = std::move(found->second);
    pending_.erase(found);
    expire();
}

void Notices::expireAll() {
    while (!pending_.empty())
        end(pending_.begin()->first);
}

void Notices::undoNewest() {
    const std::vector<Banner*> all = banners();
    for (auto banner = all.rbegin(); banner != all.rend(); ++banner)
        if (auto* undo = (*banner)->findChild<QPushButton*>(QStringLiteral("undo"));
            undo && !(*banner)->isHidden()) {
            undo->click();
            return;
        }
}

std::vector<Banner*> Notices::banners() const {
    std::vector<Banner*> found;
    for (int i = 0; i < column_->count(); ++i)
        if (auto* banner = qobject_cast<Banner*>(column_->itemAt(i)->widget())) found.push_back(banner);
    return found;
}

} // namespace tempera
