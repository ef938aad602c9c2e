#pragma once

class QMainWindow;
class QSettings;
class QSplitter;

namespace tempera {

class RunList;
class RunView;

/// What the window remembers between starts: size, splitters, filters, choices of the pages, the selected
/// run.
class WindowState {
public:
    explicit WindowState(QSettings& settings) : settings_(settings) {}
    void save(const QMainWindow& window, const QSplitter& splitter, const RunView& view,
              const RunList& list) const;
    void restore(QMainWindow& window, QSplitter& splitter, RunView& view, RunList& list) const;

private:
    QSettings& settings_;
};

} // namespace tempera
