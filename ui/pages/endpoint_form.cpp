#include "ui/pages/endpoint_form.h"

#include "ui/theme/icons.h"
#include "ui/theme/text.h"
#include "ui/theme/theme.h"
#include "ui/widgets/form_section.h"
#include "ui/widgets/secret_field.h"

#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QRegularExpression>
#include <QSpinBox>
#include <QVBoxLayout>

namespace tempera {

namespace {

QDoubleSpinBox* makeNumber(double largest, int decimals, const QString& unit, const QString& zero,
                           QWidget* parent) {
    auto* box = new QDoubleSpinBox(parent);
    box->setRange(0, largest);
    box->setDecimals(decimals);
    box->setSuffix(unit);
    box->setSpecialValueText(zero);
    box->setButtonSymbols(QAbstractSpinBox::NoButtons);
    box->setGroupSeparatorShown(false);
    return box;
}

/// A sentence of core, which names what recipes and the command line call the fields.
QString inTheFormsWords(QString sentence) {
    const std::pair<QRegularExpression, QString> words[] = {
        {QRegularExpression(QStringLiteral("tempera-cli endpoints test \\S+ lists its models")),
         EndpointForm::tr("check “Base URL” and “Model”")},
        {QRegularExpression(QStringLiteral("\\ballow_plain_http\\b")),
         EndpointForm::tr("“Allow http without encryption”")},
        {QRegularExpression(QStringLiteral("\\bkey_variable\\b")),
         EndpointForm::tr("“Environment variable”, or store it as “Key”")},
        {QRegularExpression(QStringLiteral("\\brequests_per_minute\\b")), EndpointForm::tr("“Requests”")},
        {QRegularExpression(QStringLiteral("\\bconcurrency\\b")), EndpointForm::tr("“Requests at once”")},
        {QRegularExpression(QStringLiteral("\\bbase_url\\b")), EndpointForm::tr("“Base URL”")}};
    for (const auto& [theirs, ours] : words)
        sentence.replace(theirs, ours);
    return sentence;
}

} // namespace

EndpointForm::EndpointForm(EndpointShelf& shelf, KeyRing& keys, QWidget* parent)
    : QWidget(parent), shelf_(shelf), keys_(keys) {
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(24);
    column->addWidget(buildPlace());
    column->addWidget(buildKey());
    column->addWidget(buildLimits());
    save_timer_.setSingleShot(true);
    save_timer_.setInterval(400);
    connect(&save_timer_, &QTimer::timeout, this, &EndpointForm::save);
    connect(&keys_, &KeyRing::changed, this, &EndpointForm::keyChanged);
    connect(&shelf_, &EndpointShelf::tested, this, [this](const QString&, const EndpointTest& result) {
        if (--tests_under_way_ == 0 && testing_) showTest(result); // the newest one's
    });
}

QWidget* EndpointForm::buildPlace() {
    place_ = new FormSection({}, {}, this);
    name_field_ = new QLineEdit(place_);
    name_field_->setMaxLength(60);
    url_ = new QLineEdit(place_);
    url_->setPlaceholderText(QStringLiteral("https://api.example.com/v1"));
    model_ = new QComboBox(place_);
    model_->setEditable(true);
    model_->setInsertPolicy(QComboBox::NoInsert);
    model_->lineEdit()->setPlaceholderText(tr("asked where a run names none"));
    dialect_ = new QComboBox(place_);
    dialect_->addItem(tr("OpenAI's own"), QStringLiteral("openai"));
    dialect_->addItem(tr("vLLM: top-k, min-p, repetition penalty too"), QStringLiteral("vllm"));
    dialect_->addItem(tr("llama.cpp: top-k, min-p, repeat penalty too"), QStringLiteral("llama.cpp"));
    test_ = new QPushButton(tr("Test"), place_);
    test_->setToolTip(tr("Lists its models and asks for one token"));
    remove_ = new QPushButton(tr("Delete"), place_);
    result_symbol_ = new QLabel(place_);
    const int side = iconSide(QApplication::font());
    result_symbol_->setFixedSize(side, side);
    result_ = new QLabel(place_);
    result_->setWordWrap(true);
    result_->setTextFormat(Qt::PlainText);
    result_->setTextInteractionFlags(Qt::TextSelectableByMouse);
    place_->addField(tr("&Name"), name_field_);
    place_->addField(tr("Base &URL, with the version"), url_);
    place_->addField(tr("&Model"), model_);
    place_->addField(tr("&Sampling settings it takes"), dialect_);
    place_->addRow({test_, remove_});
    auto* line = new QWidget(place_);
    auto* row = new QHBoxLayout(line);
    row->setContentsMargins(0, 4, 0, 0);
    row->setSpacing(8);
    row->addWidget(result_symbol_, 0, Qt::AlignTop);
    row->addWidget(result_, 1);
    place_->addWidget(line);
    for (QLineEdit* field : {name_field_, url_})
        connect(field, &QLineEdit::textChanged, this, &EndpointForm::edited);
    connect(model_, &QComboBox::currentTextChanged, this, &EndpointForm::edited);
    connect(dialect_, &QComboBox::currentIndexChanged, this, &EndpointForm::edited);
    connect(test_, &QPushButton::clicked, this, &EndpointForm::toggleTest);
    connect(remove_, &QPushButton::clicked, this, [this] { Q_EMIT removeRequested(name_); });
    return place_;
}

QWidget* EndpointForm::buildKey() {
    key_form_ = new FormSection(tr("Key"),
                                tr("Kept in the desktop's keychain. It is never shown again, and never "
                                   "written to a file, a recipe or a log."),
                                this);
    variable_ = new QLineEdit(key_form_);
    variable_->setPlaceholderText(tr("none: the server wants no key"));
    secret_ = new SecretField(keys_, key_form_);
    key_form_->addField(tr("Environment &variable that goes first"), variable_);
    key_form_->addField(tr("&Key"), secret_);
    connect(variable_, &QLineEdit::textChanged, this, [this](const QString& variable) {
        edited();
        secret_->setName(name_, variable.trimmed());
    });
    return key_form_;
}

QWidget* EndpointForm::buildLimits() {
    auto* form =
        new FormSection(tr("Limits and prices"), tr("Every run that asks it keeps to these together."), this);
    concurrency_ = new QSpinBox(form);
    concurrency_->setRange(1, 256);
    concurrency_->setButtonSymbols(QAbstractSpinBox::NoButtons);
    requests_ = makeNumber(1e6, 0, tr(" a minute"), tr("no limit"), form);
    tokens_ = makeNumber(1e9, 0, tr(" a minute"), tr("no limit"), form);
    price_in_ = makeNumber(1e5, 3, tr(" per million tokens"), tr("free or unknown"), form);
    price_out_ = makeNumber(1e5, 3, tr(" per million tokens"), tr("free or unknown"), form);
    plain_http_ = new QCheckBox(tr("Allow http without encryption to another machine"), form);
    plain_http_->setToolTip(tr("A key is not sent there even so"));
    form->addField(tr("Requests at &once"), concurrency_);
    form->addField(tr("&Requests"), requests_);
    form->addField(tr("&Tokens, prompt and completion"), tokens_);
    form->addField(tr("Price of &prompts, in your currency"), price_in_);
    form->addField(tr("Price of &completions"), price_out_);
    form->addWidget(plain_http_);
    connect(concurrency_, &QSpinBox::valueChanged, this, &EndpointForm::edited);
    for (QDoubleSpinBox* box : {requests_, tokens_, price_in_, price_out_})
        connect(box, &QDoubleSpinBox::valueChanged, this, &EndpointForm::edited);
    connect(plain_http_, &QCheckBox::toggled, this, &EndpointForm::edited);
    return form;
}

Endpoint EndpointForm::endpoint() const {
    Endpoint endpoint = shown_.endpoint;
    endpoint.name = fromQt(name_field_->text().trimmed());
    endpoint.base_url = fromQt(url_->text().trimmed());
    endpoint.model = fromQt(model_->currentText().trimmed());
    endpoint.key_variable = fromQt(variable_->text().trimmed());
    endpoint.dialect = fromQt(dialect_->currentData().toString());
    endpoint.concurrency = concurrency_->value();
    endpoint.requests_per_minute = requests_->value();
    endpoint.tokens_per_minute = tokens_->value();
    endpoint.price_in = price_in_->value();
    endpoint.price_out = price_out_->value();
    endpoint.allow_plain_http = plain_http_->isChecked();
    return endpoint;
}

void EndpointForm::setEndpoint(const ShelvedEndpoint& shelved) {
    const bool other = toQt(shelved.endpoint.name) != name_;
    if (other) {
        const QSignalBlocker quiet(this); // the page shows another one, and need not follow a new name
        saveNow();
    }
    shown_ = shelved;
    remove_->setVisible(shelved.own);
    remove_->setText(shelved.built_in ? tr("Reset to the shipped values") : tr("Delete"));
    name_field_->setReadOnly(shelved.built_in);
    name_field_->setToolTip(shelved.built_in ? tr("It comes with Tempera under this name") : QString());
    if (!other) return; // what is typed here is newer than what was saved
    name_ = toQt(shelved.endpoint.name);
    filling_ = true;
    const Endpoint& endpoint = shelved.endpoint;
    name_field_->setText(name_);
    url_->setText(toQt(endpoint.base_url));
    model_->clear();
    model_->setEditText(toQt(endpoint.model));
    variable_->setText(toQt(endpoint.key_variable));
    dialect_->setCurrentIndex(std::max(0, dialect_->findData(toQt(endpoint.dialect))));
    concurrency_->setValue(endpoint.concurrency);
    requests_->setValue(endpoint.requests_per_minute);
    tokens_->setValue(endpoint.tokens_per_minute);
    price_in_->setValue(endpoint.price_in);
    price_out_->setValue(endpoint.price_out);
    plain_http_->setChecked(endpoint.allow_plain_http);
    filling_ = false;
    clearTest();
    test_->setEnabled(true);
    place_->setProblem({});
    secret_->setName(name_, variable_->text());
}

/// What a test found is not true of what is typed now.
void EndpointForm::clearTest() {
    shelf_.stopTest();
    testing_ = false;
    test_->setText(tr("Test"));
    result_->clear();
    result_symbol_->clear();
}

void EndpointForm::forget() {
    save_timer_.stop();
    name_.clear();
}

void EndpointForm::edited() {
    if (filling_) return;
    clearTest();
    const auto problems = problems_of(endpoint());
    place_->setProblem(problems.empty() ? QString() : inTheFormsWords(toQt(problems.front())));
    test_->setEnabled(problems.empty());
    save_timer_.start();
}

void EndpointForm::saveNow() {
    if (!save_timer_.isActive()) return;
    save_timer_.stop();
    save();
}

void EndpointForm::save() {
    const Endpoint now = endpoint();
    if (!problems_of(now).empty()) return;
    const std::string before = fromQt(name_);
    if (now.name == before) {
        shelf_.save(now);
        return;
    }
    if (shelf_.find(now.name)) {
        place_->setProblem(tr("There is an endpoint “%1” already.").arg(toQt(now.name)));
        return;
    }
    name_ = toQt(now.name);
    keys_.rename(toQt(before), name_);
    shelf_.rename(before, now);
    secret_->setName(name_, variable_->text().trimmed());
    Q_EMIT renamed(name_);
}

/// A key is only sent where the endpoint names a variable for it: one that is stored here gets a name.
void EndpointForm::keyChanged(const QString& name) {
    if (name != name_ || !variable_->text().trimmed().isEmpty()) return;
    const KeyRing::Place place = keys_.place(name, {});
    if (place != KeyRing::Place::session && place != KeyRing::Place::keychain) return;
    QString variable = name.toUpper();
    for (QChar& letter : variable)
        if (letter.unicode() > 127 || !letter.isLetterOrNumber()) letter = u'_';
    if (variable.front().isDigit()) variable.prepend(u'_');
    variable_->setText(variable + QStringLiteral("_API_KEY"));
}

void EndpointForm::toggleTest() {
    if (testing_) {
        stopped_ = true;
        shelf_.stopTest();
        return;
    }
    testing_ = true;
    stopped_ = false;
    ++tests_under_way_;
    test_->setText(tr("Stop"));
    result_symbol_->clear();
    result_->setText(tr("Asking %1 …").arg(url_->text()));
    shelf_.test(endpoint());
}

void EndpointForm::showTest(const EndpointTest& result) {
    testing_ = false;
    test_->setText(tr("Test"));
    if (stopped_ && !result.ok) return result_->setText(tr("The test was stopped."));
    const Theme& theme = Theme::current();
    result_symbol_->setPixmap(iconPixmap(*this,
                                         stateIconName(result.ok ? RunStatus::finished : RunStatus::failed),
                                         result.ok ? theme.done : theme.failed));
    result_->setText(inTheFormsWords(toQt(result.sentence)));
    if (result.models.empty()) return;
    const QString typed = model_->currentText();
    filling_ = true;
    model_->clear();
    for (const std::string& model : result.models)
        model_->addItem(toQt(model));
    model_->setEditText(typed);
    filling_ = false;
}

} // namespace tempera
