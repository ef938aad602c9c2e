#pragma once

#include "core/base/files.h"
#include "core/queue/engine.h"
#include "tests/support/sentence.h"

#include <QtTest>

namespace tempera {

/// Stops `run`, trained on rows `before`, after a step: with the rows `after`, as many of them, it refuses to
/// go on, and with `before` again it does.
template <typename TestRun>
void verify_other_data_is_refused(TestRun& run, const std::string& before, const std::string& after) {
    const std::filesystem::path rows = run.path() / "rows.jsonl";
    QVERIFY(before != after);
    write_file_atomic(rows, before);
    run.recipe["data"] = rows.string();
    run.observer.stop_after = 1;
    QVERIFY(run.run() == RunOutcome::stopped);
    run.observer.stop_after = 2;
    write_file_atomic(rows, after);
    const std::string said = test::sentence_of([&] { run.run(true); });
    QVERIFY2(said.find("Put the data back") != said.npos, said.c_str());
    write_file_atomic(rows, before);
    QVERIFY(run.run(true) == RunOutcome::stopped);
    QVERIFY(run.observer.has_event("resumed", "step 1."));
}

/// `text` with its first `word` replaced.
inline std::string replaced(std::string text, const std::string& word, const std::string& with) {
    return text.replace(text.find(word), word.size(), with);
}

} // namespace tempera
