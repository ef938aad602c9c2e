#pragma once

#include "core/recipe/field.h"

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace tempera {

/// Ties a Field to the struct member that holds its value. A recipe struct lists its bindings once; defaults
/// are the member initialisers, and reading, writing, checking and describing all walk that list. Pointers
/// live as long as the struct.
class Binding {
public:
    using Member = std::variant<bool*, std::int64_t*, double*, std::string*, std::vector<double>*,
                                std::vector<std::string>*>;

    Binding(std::string name, Member member);

    Binding& label(std::string text) { return field_.label = std::move(text), *this; }
    Binding& help(std::string text) { return field_.help = std::move(text), *this; }
    Binding& unit(std::string text) { return field_.unit = std::move(text), *this; }
    Binding& group(std::string text) { return field_.group = std::move(text), *this; }
    /// Both inclusive. For a list: of every element.
    Binding& range(double minimum, double maximum);
    /// More than `minimum`, at most `maximum`.
    Binding& above(double minimum, double maximum);
    Binding& choices(std::vector<std::string> names);
    Binding& model();
    /// A model, or "endpoint:NAME" or "endpoint:NAME/MODEL": a server that draws instead.
    Binding& model_or_endpoint();
    /// One of `names`, which the project makes itself, the path of a data file or folder (names_data()), or
    /// the file that a run left ("@stage", "@stage/FILE", "run:ID/FILE").
    Binding& data_file(std::vector<std::string> names);
    Binding& simple(bool on = true) { return field_.simple = on, *this; }

    const Field& field() const { return field_; }
    Json value() const;
    /// "" where `value` fits (the member then holds it), else a sentence; the member is then as it was.
    std::string assign(const Json& value);

private:
    Field field_;
    Member member_;
};

/// "" where `value` fits the field, else a sentence that names it.
std::string check_value(const Field& field, const Json& value);

/// Sets every member that `recipe` names; collects what does not fit. Keys no binding knows are left to the
/// caller.
std::vector<FieldProblem> assign_all(std::vector<Binding> bindings, const Json& recipe);
Json values_of(const std::vector<Binding>& bindings);

} // namespace tempera
