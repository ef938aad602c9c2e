#include "core/store/workspace_rows.h"

#include "core/base/json.h"

#include <limits>

namespace tempera {

namespace {

std::string headline_text(const std::map<std::string, double>& headline) {
    Json json = Json::object();
    for (const auto& [name, value] : headline)
        json[name] = value; // NaN and infinity are written as null
    return to_json_line(json);
}

std::map<std::string, double> headline_from(const std::string& text) {
    std::map<std::string, double> headline;
    if (text == "{}") return headline;
    const Json json = parse_json(text, "The headline numbers of a run");
    for (const auto& [name, value] : json.items())
        headline[name] = value.is_number() ? value.get<double>() : std::numeric_limits<double>::quiet_NaN();
    return headline;
}

std::vector<std::string> tags_from(const std::string& text) {
    std::vector<std::string> tags;
    if (text == "[]") return tags;
    const Json json = parse_json(text, "The tags of a run");
    for (const auto& tag : json)
        if (tag.is_string()) tags.push_back(tag.get<std::string>());
    return tags;
}

/// Binds by name, so that a statement names only the columns it is about.
class Columns {
public:
    Columns(SQLite::Database& db, const std::string& sql) : statement_(db, sql) {}

    Columns& text(const char* name, const std::string& value) {
        statement_.bind(name, value);
        return *this;
    }
    Columns& whole(const char* name, std::int64_t value) {
        statement_.bind(name, value);
        return *this;
    }
    Columns& real(const char* name, double value) {
        bind_real(statement_, statement_.getIndex(name), value);
        return *this;
    }
    Columns& progress(const Progress& progress, const std::map<std::string, double>& headline) {
        text(":phase", progress.phase).whole(":done", progress.done).whole(":total", progress.total);
        text(":unit", progress.unit).real(":rate", progress.rate).real(":eta", progress.eta_seconds);
        return real(":memory", progress.memory_gib).text(":headline", headline_text(headline));
    }
    Columns& state(const RunRecord& record) {
        text(":id", record.id).text(":status", name_of(record.status)).whole(":started", record.started_ms);
        whole(":ended", record.ended_ms).text(":error", record.error);
        return progress(record.progress, record.headline);
    }
    Columns& notes(const std::string& name, const std::string& notes, const std::vector<std::string>& tags) {
        return text(":name", name).text(":notes", notes).text(":tags", to_json_line(Json(tags)));
    }
    Columns& origin(const RunRecord& record) {
        if (record.study.empty())
            statement_.bind(":study");
        else
            text(":study", record.study);
        text(":stage", record.stage).text(":kind", record.kind).text(":recipe", record.recipe);
        return whole(":created", record.created_ms);
    }
    void run() { statement_.exec(); }

private:
    SQLite::Statement statement_;
};

const std::string set_progress =
    "phase = :phase, done = :done, total = :total, unit = :unit, rate = :rate, eta_seconds = :eta,"
    " memory_gib = :memory, headline = :headline";
const std::string set_state =
    "status = :status, started_ms = :started, ended_ms = :ended, error = :error, " + set_progress;
const std::string set_notes = "name = :name, notes = :notes, tags = :tags";

} // namespace

RunRecord run_from(SQLite::Statement& row) {
    RunRecord record;
    record.id = row.getColumn(0).getString();
    record.name = row.getColumn(1).getString();
    record.study = row.getColumn(2).getString();
    record.stage = row.getColumn(3).getString();
    record.kind = row.getColumn(4).getString();
    record.recipe = row.getColumn(5).getString();
    record.status = run_status_from(row.getColumn(6).getString());
    record.created_ms = row.getColumn(7).getInt64();
    record.started_ms = row.getColumn(8).getInt64();
    record.ended_ms = row.getColumn(9).getInt64();
    record.position = row.getColumn(10).getInt64();
    record.progress = {row.getColumn(11).getString(), row.getColumn(12).getInt64(),
                       row.getColumn(13).getInt64(),  row.getColumn(14).getString(),
                       real_from(row.getColumn(15)),  real_from(row.getColumn(16)),
                       real_from(row.getColumn(17))};
    record.headline = headline_from(row.getColumn(18).getString());
    record.error = row.getColumn(19).getString();
    record.notes = row.getColumn(20).getString();
    record.tags = tags_from(row.getColumn(21).getString());
    return record;
}

void insert_run(SQLite::Database& db, const RunRecord& record) {
    Columns(db, "INSERT INTO run (id, name, study, stage, kind, recipe, status, created_ms, started_ms, "
                "ended_ms, position, phase,"
                " done, total, unit, rate, eta_seconds, memory_gib, headline, error, notes, tags) VALUES "
                "(:id, :name, :study,"
                " :stage, :kind, :recipe, :status, :created, :started, :ended, :position, :phase, :done, "
                ":total, :unit, :rate,"
                " :eta, :memory, :headline, :error, :notes, :tags)")
        .origin(record)
        .whole(":position", record.position)
        .state(record)
        .notes(record.name, record.notes, record.tags)
        .run();
}

void update_run_row(SQLite::Database& db, const RunRecord& record) {
    Columns(db, "UPDATE run SET study = :study, stage = :stage, kind = :kind, recipe = :recipe, created_ms = "
                ":created, "
                    + set_state + ", " + set_notes + " WHERE id = :id")
        .origin(record)
        .state(record)
        .notes(record.name, record.notes, record.tags)
        .run();
}

void update_run_state(SQLite::Database& db, const RunRecord& record) {
    Columns(db, "UPDATE run SET " + set_state + " WHERE id = :id").state(record).run();
}

void update_run_progress(SQLite::Database& db, const std::string& id, const Progress& progress,
                         const std::map<std::string, double>& headline) {
    Columns(db, "UPDATE run SET " + set_progress + " WHERE id = :id")
        .text(":id", id)
        .progress(progress, headline)
        .run();
}

void annotate_run(SQLite::Database& db, const std::string& id, const std::string& name,
                  const std::string& notes, const std::vector<std::string>& tags) {
    Columns(db, "UPDATE run SET " + set_notes + " WHERE id = :id")
        .text(":id", id)
        .notes(name, notes, tags)
        .run();
}

StudyRecord study_from(SQLite::Statement& row) {
    return {row.getColumn(0).getString(), row.getColumn(1).getString(), row.getColumn(2).getString(),
            row.getColumn(3).getInt64()};
}

} // namespace tempera
