#include "ui/widgets/hub_fetch.h"

#include "ui/hub_words.h"
#include "ui/theme/text.h"
#include "ui/widgets/fact_grid.h"
#include "ui/widgets/form_section.h"

#include <QLineEdit>
#include <QPushButton>
#include <QVBoxLayout>

namespace tempera {

namespace {

std::vector<Fact> factsOf(const HubPlan& plan) {
    std::vector<Fact> facts;
    const auto count = std::int64_t(plan.files.size());
    facts.push_back({HubFetch::tr("Repository"), toQt(to_text(plan.listing.name))});
    if (!plan.listing.commit.empty())
        facts.push_back({HubFetch::tr("Commit"), toQt(plan.listing.commit.substr(0, 12))});
    facts.push_back({HubFetch::tr("Files"), HubFetch::tr("%1 of %2, %3")
                                                .arg(count)
                                                .arg(plan.listing.files.size())
                                                .arg(bytesText(double(plan.bytes)))});
    facts.push_back({HubFetch::tr("To fetch"), plan.complete() ? HubFetch::tr("nothing: it is in the cache")
                                                               : bytesText(double(plan.missing_bytes))});
    const bool room = plan.free_bytes >= plan.missing_bytes;
    facts.push_back({HubFetch::tr("Free disk"),
                     room
                         ? bytesText(double(plan.free_bytes))
                         : HubFetch::tr("%1: too little. Free some, or choose another cache in the settings.")
                               .arg(bytesText(double(plan.free_bytes))),
                     !room});
    facts.push_back({HubFetch::tr("Into"), toQt(plan.target.string()), false, true});
    return facts;
}

} // namespace

HubFetch::HubFetch(HubKind kind, QWidget* parent) : QWidget(parent), kind_(kind) {
    const bool model = kind == HubKind::model;
    form_ = new FormSection(
        tr("From the hub"),
        model ? tr("A model of huggingface.co by its name. Its configuration, tokenizer and "
                   "safetensors are fetched, nothing else.")
              : tr("A data set of huggingface.co by its name. Its Parquet, JSON and CSV files are "
                   "fetched, nothing else."),
        this);
    name_ = new QLineEdit(form_);
    name_->setPlaceholderText(model ? QStringLiteral("Qwen/Qwen2.5-0.5B-Instruct")
                                    : QStringLiteral("HuggingFaceH4/ultrafeedback_binarized"));
    name_->setClearButtonEnabled(true);
    look_up_ = new QPushButton(tr("Look up"), form_);
    download_ = new QPushButton(tr("Download"), form_);
    download_->setProperty("primary", true);
    download_->hide();
    facts_ = new FactGrid(form_);
    facts_->hide();
    form_->addField(tr("&Name, with @revision where it is not main"), name_, {look_up_});
    form_->addWidget(facts_);
    form_->addRow({download_});
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->addWidget(form_);
    connect(name_, &QLineEdit::textChanged, this, &HubFetch::nameChanged);
    connect(name_, &QLineEdit::returnPressed, this, &HubFetch::lookUp);
    connect(look_up_, &QPushButton::clicked, this, &HubFetch::lookUp);
    connect(download_, &QPushButton::clicked, this, [this] {
        if (!plan_) return;
        if (plan_->complete())
            Q_EMIT present(*plan_);
        else
            Q_EMIT downloadRequested(*plan_);
    });
    nameChanged();
}

HubFetch::~HubFetch() {
    stop_.request(StopRequest::cancel);
}

void HubFetch::setSource(HubSource source) {
    source_ = std::move(source);
}

void HubFetch::refresh() {
    if (plan_ && !looking_) lookUp();
}

void HubFetch::nameChanged() {
    plan_.reset();
    facts_->hide();
    download_->hide();
    form_->setProblem({});
    look_up_->setEnabled(looking_ || !name_->text().trimmed().isEmpty());
}

void HubFetch::lookUp() {
    if (looking_) {
        stop_.request(StopRequest::cancel);
        return;
    }
    const std::string text = fromQt(name_->text().trimmed());
    const auto name = parse_hub_name(text, kind_);
    if (!name) {
        form_->setProblem(tr("“%1” is no name of the hub: give owner/name, e.g. %2.")
                              .arg(toQt(text), name_->placeholderText()));
        return;
    }
    nameChanged();
    looking_ = true;
    look_up_->setText(tr("Stop"));
    stop_ = StopToken();
    background_.compute(
        this,
        [source = source_, name = *name, stop = stop_] {
            Hub hub;
            hub.settings = source ? source() : hub_settings();
            return askHub([&] { return plan_hub(hub, name, {}, stop); });
        },
        [this, text](const HubPlan& plan, const QString& error) {
            looking_ = false;
            look_up_->setText(tr("Look up"));
            look_up_->setEnabled(!name_->text().trimmed().isEmpty());
            if (fromQt(name_->text().trimmed()) != text) return; // another name was typed meanwhile
            if (error.isEmpty())
                planArrived(plan);
            else if (!stop_) // who stopped it knows
                form_->setProblem(error);
        });
}

void HubFetch::planArrived(const HubPlan& plan) {
    plan_ = plan;
    facts_->setFacts(factsOf(plan));
    facts_->show();
    download_->setText(plan.complete() ? tr("Show")
                                       : tr("Download %1").arg(bytesText(double(plan.missing_bytes))));
    download_->setEnabled(plan.free_bytes >= plan.missing_bytes);
    download_->show();
}

} // namespace tempera
